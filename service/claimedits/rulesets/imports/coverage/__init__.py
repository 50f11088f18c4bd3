"""Imports of coverage documents: database exports, laboratory lists, value sets (file-formats.md §7)."""

from __future__ import annotations

from claimedits.rulesets.imports.coverage.families import import_coverage

__all__ = ["import_coverage"]

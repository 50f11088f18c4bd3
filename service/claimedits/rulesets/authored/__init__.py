"""Authored rules: rule files that people write (TOML beside CSV lists), checked and compiled into revisions of kind ``authored``.

The language is documented in ``rules/README.md``.
"""

from __future__ import annotations

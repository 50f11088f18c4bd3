"""Publishers' files → drafts of revisions: one importer a family, all with the same guarantees (file-formats.md §0)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from claimedits.rulesets.imports.adjustment_codes import import_adjustment_codes
from claimedits.rulesets.imports.aoc import import_aoc
from claimedits.rulesets.imports.coverage import import_coverage
from claimedits.rulesets.imports.hcpcs import import_hcpcs
from claimedits.rulesets.imports.icd10 import import_icd10
from claimedits.rulesets.imports.modifiers import import_modifiers
from claimedits.rulesets.imports.mue import import_mue
from claimedits.rulesets.imports.options import ImportOptions
from claimedits.rulesets.imports.pfs import import_pfs
from claimedits.rulesets.imports.place_of_service import import_place_of_service
from claimedits.rulesets.imports.procedure_lists import import_procedure_codes
from claimedits.rulesets.imports.ptp import import_ptp
from claimedits.rulesets.revision import RevisionDraft
from claimedits.rulesets.sources.files import Limits, SourceFile, expand_paths

Importer = Callable[[Sequence[SourceFile], ImportOptions], list[RevisionDraft]]

FAMILIES: dict[str, Importer] = {
    "ptp": import_ptp,
    "mue": import_mue,
    "aoc": import_aoc,
    "coverage": import_coverage,
    "hcpcs": import_hcpcs,
    "pfs": import_pfs,
    "icd10": import_icd10,
    "modifiers": import_modifiers,
    "place-of-service": import_place_of_service,
    "adjustment-codes": import_adjustment_codes,
    "procedure-codes": import_procedure_codes,
}
"""Importers by the FAMILY word of the command line; later families add theirs."""

__all__ = ["FAMILIES", "ImportOptions", "Importer", "import_files"]


def import_files(family: str, paths: Sequence[Path], options: ImportOptions | None = None) -> list[RevisionDraft]:
    """Read publishers' files: one draft for each edition found.

    Raises:
        KeyError: no such family.
        ImportRefusedError: with every problem found; nothing is to be kept.
    """
    options = options or ImportOptions()
    files = expand_paths(paths, Limits(options.max_unpacked_bytes))
    return FAMILIES[family](files, options)

"""Imports publishers' files into a store: read, check, keep; nothing is kept where something stops the import."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from claimedits.app.building import compile_rules
from claimedits.app.shipped import find_rules
from claimedits.model.dates import Day, format_day, parse_day
from claimedits.model.problems import ImportRefusedError, Problem, StoreError
from claimedits.model.terms import Program, Setting
from claimedits.rulesets.conventions import Conventions
from claimedits.rulesets.coverage.assembly import CuratedRole, curated_roles
from claimedits.rulesets.coverage.roles import compile_roles
from claimedits.rulesets.imports import FAMILIES, ImportOptions, import_files
from claimedits.rulesets.loaded import CONVENTIONS
from claimedits.rulesets.periods import find_period_faults
from claimedits.rulesets.revision import DROPPED, LEFT_UNREAD, RevisionInfo
from claimedits.rulesets.store import Store

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Imported:
    """One revision that an import gave."""

    info: RevisionInfo
    is_new: bool
    """False where the store held the same content already."""
    rejects: Sequence[Problem]
    warnings: Sequence[Problem]

    @property
    def kept(self) -> int:
        return self.info.kept

    @property
    def dropped(self) -> int:
        """Rows left out on purpose, such as identical copies: counted, not kept."""
        return self.info.read - self.info.rejected - self.kept

    @property
    def dropped_by_reason(self) -> dict[str, int]:
        """``dropped``, by what the rows are; identical copies where the importer gives no other reason."""
        stated = self.info.header.attributes.items()
        reasons = {name.removeprefix(DROPPED): int(rows) for name, rows in stated if name.startswith(DROPPED)}
        rest = self.dropped - sum(reasons.values())
        return {**reasons, "identical copies": rest} if rest or not reasons else reasons

    @property
    def left_unread(self) -> list[str]:
        """Files that were given and hold nothing that an edit needs."""
        names = self.info.header.attributes.get(LEFT_UNREAD, "")
        return names.split("/") if names else []

    @property
    def effective_from(self) -> str:
        return format_day(self.info.header.effective_from)

    @property
    def effective_to(self) -> str:
        return format_day(self.info.header.effective_to)

    @property
    def published_on(self) -> str:
        return format_day(self.info.header.published_on)

    def as_fields(self) -> dict[str, Any]:
        header = self.info.header
        return {
            "rule_set": header.rule_set,
            "label": header.label,
            "id": self.info.id,
            "new": self.is_new,
            "effective_from": self.effective_from,
            "effective_to": self.effective_to,
            "published_on": self.published_on,
            "read": self.info.read,
            "kept": self.kept,
            "rejected": self.info.rejected,
            "dropped": self.dropped,
            "dropped_by_reason": self.dropped_by_reason,
            "left_unread": self.left_unread,
            "rejects": list(map(str, self.rejects)),
            "warnings": list(map(str, self.warnings)),
        }


def families() -> list[str]:
    """Words for the FAMILY argument."""
    return sorted(FAMILIES)


def import_into_store(
    store_path: Path,
    family: str,
    files: Sequence[Path],
    progress: Callable[[str, int, int], None] | None = None,
    **options: Any,
) -> list[Imported]:
    """Read ``files`` and keep what they hold; the store is made where there is none.

    Raises:
        ImportRefusedError: something stops the import; nothing was kept.
        StoreError: the store cannot take it; nothing was changed.
    """
    read = replace(_read_options(options, progress), previous=_previous_editions(store_path))
    drafts = import_files(family, files, read)
    store = Store.open(store_path, create=True)
    results = []
    for draft in drafts:
        info, is_new = store.add_revision(draft)
        faults = [
            fault for fault in find_period_faults(store.revisions(info.header.rule_set)) if fault.concerns(info.id)
        ]
        warnings = [*draft.warnings, *(fault.as_problem() for fault in faults)]
        results.append(Imported(info, is_new, draft.rejects, warnings))
    return results


def _previous_editions(store_path: Path) -> Callable[[str, Day], Mapping[str, pa.Table] | None]:
    """Finds the newest kept edition of a rule set that takes effect before a day, for importers to compare with."""

    def find(rule_set: str, effective_from: Day) -> Mapping[str, pa.Table] | None:
        try:
            store = Store.open(store_path)
        except StoreError:  # the first import makes the store
            return None
        before = [info for info in store.revisions(rule_set) if info.header.effective_from < effective_from]
        return store.tables(before[-1].id) if before else None

    return find


def _read_options(options: dict[str, Any], progress: Callable[[str, int, int], None] | None) -> ImportOptions:
    problems = []
    for name in ("effective_from", "published_on"):
        try:
            options[name] = parse_day(options[name]) if options.get(name) else None
        except ValueError:
            flag = f"--{name.replace('_', '-')}"
            problems.append(Problem(flag, "is not a date in the form YYYY-MM-DD", f"write it like {flag} 2024-07-01"))
    if problems:
        raise ImportRefusedError(problems)
    for name, words in (("program", Program), ("setting", Setting)):
        options[name] = words[options[name]] if options.get(name) else None
    return ImportOptions(**options, progress=progress, known_notes=_known_notes(), curated_roles=_curated_roles())


def _curated_roles() -> Mapping[tuple[str, str], Sequence[CuratedRole]]:
    """What people have read out of coverage documents, from the shipped roles."""
    return curated_roles(compile_roles(find_rules() / "coverage-roles").tables)


def _known_notes() -> frozenset[str]:
    """Add-on notes that somebody has read, from the shipped conventions."""
    draft = next(d for d in compile_rules(find_rules() / "ncci-conventions") if d.header.rule_set == CONVENTIONS)
    tables = {name: table.drop_columns(["source", "source_row"]).to_pylist() for name, table in draft.tables.items()}
    return Conventions(tables).known_notes

"""Look-ups: every edit that touches a code or stands between two, and every row behind a rule id (api.md, LookUpEdits)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from claimedits.engine.add_on_code import is_alive as is_add_on_alive
from claimedits.engine.ptp_rows import is_alive as is_ptp_alive
from claimedits.model.dates import Day, format_day
from claimedits.model.finding import Citation
from claimedits.model.terms import Family, Program, Setting
from claimedits.rulesets.add_on_index import AddOnRow
from claimedits.rulesets.loaded import LoadedRelease, LoadedRuleSet
from claimedits.rulesets.ptp_index import PtpRow
from claimedits.rulesets.versions import Selection


@dataclass(slots=True, frozen=True)
class Edit:
    """One published edit that touches the codes asked for."""

    family: Family
    rule_set: str
    rule_id: str
    citation: Citation
    active: bool
    """Whether the edit is in force on the date asked for; deleted and future edits are shown too."""
    fields: tuple[tuple[str, str], ...]
    """The row's values in the publisher's terms."""


@dataclass(slots=True, frozen=True)
class LookUp:
    """What is asked: one code, or a pair, on a service date, as known on ``as_of``."""

    codes: tuple[str, ...]
    day: Day
    as_of: Day
    program: Program | None = None
    setting: Setting | None = None
    families: frozenset[Family] = field(default=frozenset())


def look_up(release: LoadedRelease, asked: LookUp) -> Iterator[Edit]:
    """Edits by family, rule set, rule id, first day. Codes are upper case."""
    edits = (edit for loaded in _asked_rule_sets(release, asked) for edit in LOOK_UPS[loaded.kind](loaded, asked))
    yield from sorted(edits, key=_order)


def explain_rule(release: LoadedRelease, rule_id: str, as_of: Day) -> Iterator[Edit]:
    """Every row behind a rule id such as ``medicare-ptp-practitioner/11055+11720``, whatever its dates."""
    rule_set, _, name = rule_id.partition("/")
    loaded = release.rule_sets.get(rule_set)
    if loaded is None or loaded.kind not in LOOK_UPS:
        return
    asked = LookUp(tuple(name.upper().split("+")), as_of, as_of)
    yield from sorted(
        (e for e in LOOK_UPS[loaded.kind](loaded, asked) if e.rule_id == f"{rule_set}/{name.upper()}"),
        key=_order,
    )


def _order(edit: Edit) -> tuple[object, ...]:
    citation = edit.citation
    return (
        edit.family,
        edit.rule_set,
        edit.rule_id,
        citation.effective_from,
        citation.label,
        citation.source_row,
    )


def _asked_rule_sets(release: LoadedRelease, asked: LookUp) -> Iterator[LoadedRuleSet]:
    for name, loaded in release.rule_sets.items():
        if loaded.kind not in LOOK_UPS or (asked.families and FAMILY_OF_KIND[loaded.kind] not in asked.families):
            continue
        if asked.program is not None and not name.startswith(asked.program.name.lower()) and name.startswith("medic"):
            continue
        if asked.setting is not None and loaded.kind in ("ptp", "mue") and not name.endswith(_SETTINGS[asked.setting]):
            continue
        yield loaded


_SETTINGS = {
    Setting.PRACTITIONER: "-practitioner",
    Setting.ASC: "-practitioner",
    Setting.OUTPATIENT_HOSPITAL: "-outpatient-hospital",
    Setting.DME_SUPPLIER: "-dme",
}


def _find_ptp(loaded: LoadedRuleSet, asked: LookUp) -> Iterator[Edit]:
    numbers = [loaded.index.number_of.get(code, -1) for code in asked.codes]
    if min(numbers) < 0:
        return
    rows: Iterable[PtpRow] = (
        loaded.index.rows(*numbers)
        if len(numbers) == 2
        else map(loaded.index.row_at, loaded.index.places_of(numbers[0], -1))
    )
    selection = loaded.editions.known(asked.as_of, reconstruct=True).select(asked.day)
    for row in rows:
        revision, in_force = _cited_revision(row.revisions, selection)
        yield Edit(
            Family.PTP,
            loaded.name,
            f"{loaded.name}/{row.column_1}+{row.column_2}",
            loaded.cite(
                revision,
                loaded.index.source(row.row, revision),
                format_day(row.effective_from),
                format_day(row.effective_to),
            ),
            in_force and is_ptp_alive(row, asked.day),
            (
                ("column_1", row.column_1),
                ("column_2", row.column_2),
                ("modifier_indicator", str(row.modifier_indicator)),
                ("effective_from", format_day(row.effective_from)),
                ("effective_to", format_day(row.effective_to)),
                ("rationale", loaded.index.rationale(row.row)),
            ),
        )


def _find_mue(loaded: LoadedRuleSet, asked: LookUp) -> Iterator[Edit]:
    if len(asked.codes) != 1:
        return
    selection = loaded.editions.known(asked.as_of).select(asked.day)
    for revision, info in enumerate(loaded.editions.revisions):
        row = loaded.index.row(asked.codes[0], revision)
        if row is None or info.header.published_on > asked.as_of:
            continue
        period = format_day(info.header.effective_from), format_day(info.header.effective_to)
        value = "confidential" if row.confidential else str(row.value)
        yield Edit(
            Family.MUE,
            loaded.name,
            f"{loaded.name}/{asked.codes[0]}",
            loaded.cite(revision, (row.source, row.source_row), *period),
            selection is not None and selection.in_force == revision,
            (
                ("procedure_code", asked.codes[0]),
                ("value", value),
                ("mai", str(row.mai or "")),
                ("effective_from", period[0]),
                ("effective_to", period[1]),
                ("rationale", row.rationale),
            ),
        )


def _find_add_on(loaded: LoadedRuleSet, asked: LookUp) -> Iterator[Edit]:
    first = asked.codes[0]
    rows: list[AddOnRow] = [*loaded.index.rows(first), *loaded.index.rows_with_primary(first)]
    if len(asked.codes) == 2:
        rows = [row for row in rows if {row.add_on_code, row.primary_code} == set(asked.codes)]
    selection = loaded.editions.known(asked.as_of, reconstruct=True).select(asked.day)
    for row in dict.fromkeys(rows):
        revision, in_force = _cited_revision(row.revisions, selection)
        yield Edit(
            Family.ADD_ON_CODE,
            loaded.name,
            f"{loaded.name}/{row.add_on_code}",
            loaded.cite(revision, row.sources[revision], format_day(row.effective_from), format_day(row.effective_to)),
            in_force and is_add_on_alive(row, asked.day),
            (
                ("add_on_code", row.add_on_code),
                ("primary_code", row.primary_code),
                ("edit_type", str(row.edit_type)),
                ("effective_from", format_day(row.effective_from)),
                ("effective_to", format_day(row.effective_to)),
                ("note", row.note),
            ),
        )


def _cited_revision(revisions: int, selection: Selection | None) -> tuple[int, bool]:
    """The revision to cite for a row, and whether it is the one in force; else it is the last one that holds the row."""
    if selection is not None and revisions >> selection.in_force & 1:
        return selection.in_force, True
    return revisions.bit_length() - 1, False


LOOK_UPS: dict[str, Callable[[LoadedRuleSet, LookUp], Iterator[Edit]]] = {
    "ptp": _find_ptp,
    "mue": _find_mue,
    "aoc": _find_add_on,
}
"""How edits of each kind of rule set are found."""

FAMILY_OF_KIND: dict[str, Family] = {"ptp": Family.PTP, "mue": Family.MUE, "aoc": Family.ADD_ON_CODE}

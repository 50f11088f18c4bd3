"""Look-ups in code sets: procedure codes, modifiers, ICD-10-CM, fee-schedule indicators (semantics.md §F.1, §F.2)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from claimedits.app.lookup.edits import NOTHING, Edit, Found, Search
from claimedits.engine.code_validity_findings import SHOWN_CHILDREN, dotted
from claimedits.engine.presence import present_rows
from claimedits.model.dates import Day, format_day
from claimedits.model.finding import Citation
from claimedits.model.terms import Family
from claimedits.rulesets.code_sets import CodeRow, DiagnosisCodes
from claimedits.rulesets.fee_schedule import Indicators
from claimedits.rulesets.loaded import LoadedRuleSet


class _Place(NamedTuple):
    """One row of a code list, with the known revisions that hold it word for word."""

    row: CodeRow
    revisions: int
    sources: dict[int, tuple[int, int]]


def _gather(search: Search, loaded: LoadedRuleSet, code: str) -> list[_Place]:
    """The rows of a code that were known, each once, by first day."""
    known = search.known(loaded)
    gathered: dict[CodeRow, _Place] = {}
    for row in loaded.index.windows(code):
        if row.revisions & known:
            content = row._replace(revisions=0, source=0, source_row=0)
            place = gathered.get(content) or _Place(content, 0, {})
            sources = {**place.sources, row.revisions.bit_length() - 1: (row.source, row.source_row)}
            gathered[content] = _Place(content, place.revisions | row.revisions, sources)
    return sorted(gathered.values(), key=lambda place: (place.row.effective_from, place.row.effective_to, place.row))


def _cite(search: Search, loaded: LoadedRuleSet, place: _Place, dated_rows: bool) -> tuple[int, Citation]:
    selection = search.selection(loaded, dated_rows=dated_rows)
    revision = search.cited_revision(loaded, place.revisions, selection)
    return revision, loaded.cite(revision, place.sources[revision], *place.row.dates())


def _editions(loaded: LoadedRuleSet, revisions: int) -> str:
    """Labels of the revisions that hold a row."""
    return ", ".join(info.header.label for i, info in enumerate(loaded.editions.revisions) if revisions >> i & 1)


def find_procedure_code(search: Search, loaded: LoadedRuleSet) -> Found:
    """The rows of a HCPCS or CPT code with their dates."""
    code = search.asked.only_code
    return (
        Found(_gather(search, loaded, code), partial(_make_procedure_code, search, loaded, code)) if code else NOTHING
    )


def _make_procedure_code(search: Search, loaded: LoadedRuleSet, code: str, place: _Place) -> Edit:
    selection = search.selection(loaded, dated_rows=True)
    valid: Sequence[CodeRow] = ()
    if selection is not None:
        bits = 1 << selection.in_force | 1 << selection.newest
        rows = [row for row in loaded.index.windows(code) if row.revisions & bits]
        valid = present_rows(rows, search.asked.day, selection, CodeRow.covers, _first_day)
    first, last = place.row.dates()
    return Edit(
        Family.CODE_VALIDITY,
        loaded.name,
        f"{loaded.name}/{code}",
        _cite(search, loaded, place, True)[1],
        any(row._replace(revisions=0, source=0, source_row=0) == place.row for row in valid),
        (
            ("procedure_code", code),
            ("effective_from", first),
            ("effective_to", last),
            ("category", place.row.category),
            ("title", place.row.title),
            ("editions", _editions(loaded, place.revisions)),
        ),
    )


def _first_day(row: CodeRow) -> Day:
    return row.effective_from


def find_modifier(search: Search, loaded: LoadedRuleSet) -> Found:
    """The rows of a modifier with their dates."""
    modifier = search.asked.only_modifier
    places = _gather(search, loaded, modifier) if modifier else []
    return Found(places, partial(_make_modifier, search, loaded, modifier))


def _make_modifier(search: Search, loaded: LoadedRuleSet, modifier: str, place: _Place) -> Edit:
    first, last = place.row.dates()
    return Edit(
        Family.MODIFIER,
        loaded.name,
        f"{loaded.name}/{modifier}",
        _cite(search, loaded, place, False)[1],
        _covers_today(search, loaded, place),
        (
            ("modifier", modifier),
            ("effective_from", first),
            ("effective_to", last),
            ("title", place.row.title),
            ("editions", _editions(loaded, place.revisions)),
        ),
    )


def _covers_today(search: Search, loaded: LoadedRuleSet, place: _Place) -> bool:
    """Whether the edition in force holds the row, and the row covers the date."""
    selection = search.selection(loaded, dated_rows=False)
    return bool(selection and place.revisions >> selection.in_force & 1 and place.row.covers(search.asked.day))


def find_diagnosis(search: Search, loaded: LoadedRuleSet) -> Found:
    """The rows of an ICD-10-CM code, one for each edition that changes it."""
    code = search.asked.only_diagnosis
    return Found(_gather(search, loaded, code), partial(_make_diagnosis, search, loaded, code)) if code else NOTHING


def _make_diagnosis(search: Search, loaded: LoadedRuleSet, code: str, place: _Place) -> Edit:
    revision, citation = _cite(search, loaded, place, False)
    index: DiagnosisCodes = loaded.index
    children: tuple[str, ...] = ()
    total = 0
    if not place.row.billable:
        children, total = index.children(code, revision, SHOWN_CHILDREN)
    first, last = place.row.dates()
    return Edit(
        Family.CODE_VALIDITY,
        loaded.name,
        f"{loaded.name}/{code}",
        citation,
        _covers_today(search, loaded, place),
        (
            ("icd10_code", dotted(code)),
            ("billable", "yes" if place.row.billable else "no"),
            ("effective_from", first),
            ("effective_to", last),
            ("title", place.row.title),
            ("editions", _editions(loaded, place.revisions)),
            ("billable_codes_below", str(total) if not place.row.billable else ""),
            ("first_codes_below", " ".join(map(dotted, children))),
        ),
    )


def find_indicators(search: Search, loaded: LoadedRuleSet) -> Found:
    """The fee-schedule rows of a code, or of a code with a modifier, in every known quarter."""
    asked, known = search.asked, search.known(loaded)
    codes = asked.procedure_codes
    if len(codes) != 1 or asked.diagnosis:
        return NOTHING
    places = [
        row
        for row in loaded.index.rows(codes[0])
        if known >> row[1] & 1 and (not asked.modifiers or row[0] in asked.modifiers)
    ]
    places.sort(key=lambda row: (row[1], row[0]))
    return Found(places, partial(_make_indicators, search, loaded, codes[0]))


def _make_indicators(
    search: Search, loaded: LoadedRuleSet, code: str, place: tuple[str, int, Indicators, tuple[int, int]]
) -> Edit:
    modifier, revision, indicators, source = place
    header = loaded.editions.revisions[revision].header
    period = format_day(header.effective_from), format_day(header.effective_to)
    return Edit(
        Family.CODE_VALIDITY,
        loaded.name,
        f"{loaded.name}/{code}",
        loaded.cite(revision, source, *period),
        search.is_in_force(loaded, revision),
        (
            ("procedure_code", code),
            ("modifier", modifier),
            ("effective_from", period[0]),
            ("effective_to", period[1]),
            *zip(Indicators._fields, indicators, strict=True),
        ),
    )

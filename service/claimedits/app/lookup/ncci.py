"""Look-ups in the NCCI tables: PTP pairs, MUE values, add-on codes (semantics.md §A, §B, §C)."""

from __future__ import annotations

from functools import partial

from claimedits.app.lookup.edits import NOTHING, Edit, Found, Search
from claimedits.engine.add_on_code import is_alive as is_add_on_alive
from claimedits.engine.presence import present_rows
from claimedits.engine.ptp_rows import identify, is_alive
from claimedits.model.dates import format_day
from claimedits.model.terms import Family
from claimedits.rulesets.add_on_index import AddOnRow
from claimedits.rulesets.loaded import LoadedRuleSet
from claimedits.rulesets.ptp_index import PtpIndex


def find_pairs(search: Search, loaded: LoadedRuleSet) -> Found:
    """Rows of one code in either column, or of a pair in either direction."""
    codes, index = search.asked.procedure_codes, loaded.index
    numbers = [index.number_of.get(code, -1) for code in codes]
    if search.asked.diagnosis or search.asked.modifiers or min(numbers, default=-1) < 0:
        return NOTHING
    known = search.known(loaded)
    if len(numbers) == 2:
        places = sorted(row.row for row in index.rows(*numbers) if row.revisions & known)
    else:
        places = index.places_of(numbers[0], known)
    return Found(places, partial(_make_pair, search, loaded))


def _make_pair(search: Search, loaded: LoadedRuleSet, place: int) -> Edit:
    index: PtpIndex = loaded.index
    row = index.row_at(place)
    selection = search.selection(loaded, dated_rows=True)
    revision = search.cited_revision(loaded, row.revisions, selection)
    active = False
    if selection is not None and row.revisions & (1 << selection.in_force | 1 << selection.newest):
        inclusive = search.switch("ptp.deletion_date") == "inclusive"
        rows = index.rows(index.number_of[row.column_1], index.number_of[row.column_2])
        present = present_rows(
            rows, search.asked.day, selection, lambda one, day: is_alive(one, day, inclusive), identify
        )
        active = any(one.row == place for one in present)
    period = format_day(row.effective_from), format_day(row.effective_to)
    return Edit(
        Family.PTP,
        loaded.name,
        f"{loaded.name}/{row.column_1}+{row.column_2}",
        loaded.cite(revision, index.source(place, revision), *period),
        active,
        (
            ("column_1", row.column_1),
            ("column_2", row.column_2),
            ("modifier_indicator", str(row.modifier_indicator)),
            ("effective_from", period[0]),
            ("effective_to", period[1]),
            ("rationale", index.rationale(place)),
        ),
    )


def find_values(search: Search, loaded: LoadedRuleSet) -> Found:
    """The value of a code in every known revision; a revision is one quarter."""
    code, known = search.asked.only_code, search.known(loaded)
    if not code:
        return NOTHING
    revisions = range(len(loaded.editions.revisions))
    places = [i for i in revisions if known >> i & 1 and loaded.index.row(code, i) is not None]
    return Found(places, partial(_make_value, search, loaded, code))


def _make_value(search: Search, loaded: LoadedRuleSet, code: str, revision: int) -> Edit:
    row, header = loaded.index.row(code, revision), loaded.editions.revisions[revision].header
    period = format_day(header.effective_from), format_day(header.effective_to)
    return Edit(
        Family.MUE,
        loaded.name,
        f"{loaded.name}/{code}",
        loaded.cite(revision, (row.source, row.source_row), *period),
        search.is_in_force(loaded, revision),
        (
            ("procedure_code", code),
            ("value", "confidential" if row.confidential else str(row.value)),
            ("mai", str(row.mai or "")),
            ("effective_from", period[0]),
            ("effective_to", period[1]),
            ("rationale", row.rationale),
        ),
    )


def find_add_ons(search: Search, loaded: LoadedRuleSet) -> Found:
    """Rows of a code as add-on or as primary, or of the two codes asked for."""
    codes = search.asked.procedure_codes
    if search.asked.diagnosis or search.asked.modifiers or not codes:
        return NOTHING
    rows = [*loaded.index.rows(codes[0]), *loaded.index.rows_with_primary(codes[0])]
    known = search.known(loaded)
    places = [
        row
        for row in dict.fromkeys(rows)
        if row.revisions & known and (len(codes) == 1 or {row.add_on_code, row.primary_code} == set(codes))
    ]
    places.sort(key=lambda row: (row.add_on_code, row.effective_from, row.primary_code, row.effective_to))
    return Found(places, partial(_make_add_on, search, loaded))


def _make_add_on(search: Search, loaded: LoadedRuleSet, row: AddOnRow) -> Edit:
    selection = search.selection(loaded, dated_rows=True)
    revision = search.cited_revision(loaded, row.revisions, selection)
    active = False
    if selection is not None:
        inclusive = search.switch("aoc.deletion_date") == "inclusive"
        active = row in present_rows(
            loaded.index.rows(row.add_on_code),
            search.asked.day,
            selection,
            lambda one, day: is_add_on_alive(one, day, inclusive),
            lambda one: (one.primary_code, one.effective_from),
        )
    period = format_day(row.effective_from), format_day(row.effective_to)
    return Edit(
        Family.ADD_ON_CODE,
        loaded.name,
        f"{loaded.name}/{row.add_on_code}",
        loaded.cite(revision, row.sources[revision], *period),
        active,
        (
            ("add_on_code", row.add_on_code),
            ("primary_code", row.primary_code),
            ("edit_type", str(row.edit_type)),
            ("effective_from", period[0]),
            ("effective_to", period[1]),
            ("note", row.note),
        ),
    )

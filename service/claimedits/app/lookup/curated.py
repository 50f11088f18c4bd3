"""Look-ups in what people curate or the semantics state: age and sex, sequence, duplicates, liability modifiers
(semantics.md §F.3 to §F.5, §D.6)."""

from __future__ import annotations

from functools import partial
from typing import Any

from claimedits.app.lookup.edits import EVERY_CODE, NOTHING, Edit, Found, Search
from claimedits.engine.code_validity_findings import dotted
from claimedits.engine.duplicate import RULE_SET as DUPLICATES
from claimedits.engine.liability_modifiers import EFFECTS
from claimedits.model.dates import FOREVER, Day, format_day
from claimedits.model.finding import Citation
from claimedits.model.terms import Family
from claimedits.rulesets.code_edits import OLDEST, AgeSexEdit, CodeEdits, SequenceEdit
from claimedits.rulesets.conventions import Conventions
from claimedits.rulesets.loaded import LoadedRuleSet
from claimedits.rulesets.windows import BEGINNING, Window

LIABILITY = "medicare-liability-modifiers"


def find_code_edits(search: Search, loaded: LoadedRuleSet) -> Found:
    """Age, sex and sequence edits that name a code or a diagnosis, of every known revision."""
    asked, known = search.asked, search.known(loaded)
    code = asked.only_code or asked.only_diagnosis
    if not code:
        return NOTHING
    places = []
    for revision, edits in enumerate(loaded.index):
        if known >> revision & 1:
            places += [(variant, revision, window) for variant, window in _windows(edits, asked.only_code, code)]
    places.sort(key=lambda place: (place[0], place[2].effective_from, place[1], place[2].value.source))
    return Found(places, partial(_make_code_edit, search, loaded, code))


def _windows(edits: CodeEdits, procedure: str, code: str) -> list[tuple[str, Window[Any]]]:
    found: list[tuple[str, Window[Any]]] = []
    for window in (edits.procedures if procedure else edits.diagnoses).windows(code):
        edit: AgeSexEdit = window.value
        if edit.age_min > 0 or edit.age_max < OLDEST:
            found.append(("age", window))
        if edit.sex:
            found.append(("sex", window))
    if not procedure:
        found += [("sequence", window) for window in edits.sequence.windows(code)]
    return found


def _make_code_edit(search: Search, loaded: LoadedRuleSet, code: str, place: tuple[str, int, Window[Any]]) -> Edit:
    variant, revision, window = place
    first, last = _period(window)
    cited = loaded.cite(revision, window.value.source, first, last)
    values = _sequence_fields(window.value) if variant == "sequence" else _age_sex_fields(window.value, variant)
    edit: AgeSexEdit | SequenceEdit = window.value
    return Edit(
        Family.CODE_VALIDITY,
        loaded.name,
        f"{loaded.name}/{variant}/{code}",
        cited._replace(authority=edit.authority or cited.authority),
        search.is_in_force(loaded, revision) and window.covers(search.asked.day),
        (
            ("code", code if search.asked.only_code else dotted(code)),
            ("named_as", edit.first if edit.first == edit.last else f"{edit.first} to {edit.last}"),
            *values,
            ("effective_from", first),
            ("effective_to", last),
        ),
    )


def _period(window: Window[Any]) -> tuple[str, str]:
    first = "" if window.effective_from == BEGINNING else format_day(window.effective_from)
    return first, "" if window.effective_to == FOREVER else format_day(window.effective_to)


def _age_sex_fields(edit: AgeSexEdit, variant: str) -> tuple[tuple[str, str], ...]:
    if variant == "age":
        return ("age_min", str(edit.age_min)), ("age_max", "" if edit.age_max == OLDEST else str(edit.age_max))
    return (
        ("sex", edit.sex),
        ("lifted_by_modifiers", " ".join(sorted(edit.lifted_by_modifiers))),
        ("lifted_by_condition_codes", " ".join(sorted(edit.lifted_by_condition_codes))),
    )


def _sequence_fields(edit: SequenceEdit) -> tuple[tuple[str, str], ...]:
    return (("reason", edit.reason),)


def find_duplicates(search: Search, loaded: LoadedRuleSet) -> Found:
    """The two edits on repeated lines, which concern every code; and what a modifier does to them."""
    newest = loaded.editions.newest  # as the engine reads it, whatever ``as_of``
    asked, duplicates = search.asked, loaded.index[newest]
    if asked.only_code:
        return Found(("exact", "suspect"), partial(_make_duplicate, search, loaded, duplicates, EVERY_CODE))
    modifier = asked.only_modifier
    if modifier and duplicates.is_distinguishing(modifier, asked.day):
        concerns = f"{modifier}: it says that a repeated line is another service"
        return Found(("suspect",), partial(_make_duplicate, search, loaded, duplicates, concerns))
    return NOTHING


def _make_duplicate(
    search: Search, loaded: LoadedRuleSet, duplicates: Conventions, concerns: str, variant: str
) -> Edit:
    is_exact = variant == "exact"
    adjustment = search.release.conventions.adjustment("DUP_EXACT", search.asked.day) if is_exact else None
    return Edit(
        Family.DUPLICATE,
        DUPLICATES,
        f"{DUPLICATES}/{variant}",
        loaded.cite(loaded.editions.newest, (0, 1)),
        True,
        (
            ("concerns", concerns),
            ("status", "FAIL" if is_exact else "REVIEW"),
            ("code", f"DUP_{variant.upper()}"),
            ("compares", duplicates.switch("dup.key", search.asked.day)),
            ("adjustment", f"{adjustment.group} {adjustment.carc}" if adjustment else ""),
        ),
    )


def find_liability(search: Search) -> Found:
    """What GA, GY and GZ do by themselves. No rule set holds them: the engine does (semantics.md §D.6)."""
    modifier = search.asked.only_modifier
    return Found([modifier] if modifier in EFFECTS else [], partial(make_liability, search.asked.day))


def make_liability(day: Day, modifier: str) -> Edit:
    """One liability modifier as an edit."""
    effect, authority, first = EFFECTS[modifier]
    period = "" if first is None else format_day(first)
    return Edit(
        Family.COVERAGE,
        LIABILITY,
        f"{LIABILITY}/{modifier}",
        Citation(rule_set=LIABILITY, effective_from=period, authority=authority),
        first is None or first <= day,
        (("modifier", modifier), ("effect", effect), ("effective_from", period)),
    )

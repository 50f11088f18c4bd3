"""``explain_rule``: what a rule id that findings carry means, and every row behind it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from claimedits.app.lookup import authored, code_sets, coverage, curated, meanings, ncci
from claimedits.app.lookup.edits import Edit, EditList, Found, LookUp, Search
from claimedits.app.lookup.searching import family_of
from claimedits.engine.liability_modifiers import EFFECTS
from claimedits.model.dates import Day, format_day
from claimedits.model.problems import Problem, ProblemsError
from claimedits.model.terms import Family
from claimedits.rulesets.authored.sentences import suggest
from claimedits.rulesets.loaded import LoadedRelease, LoadedRuleSet

RULE_ID = "RULE_ID"
_CODE = re.compile(r"[0-9A-Z]{5}")


@dataclass(frozen=True)
class Explanation:
    """What findings with this rule id say, and the rows they rest on, whatever their dates."""

    rule_id: str
    family: Family | None
    """None: the id names a rule set of several families, or of none."""
    meaning: str
    rows: Sequence[Edit]
    """Empty where the finding rests on there being no row."""


def explain_rule(release: LoadedRelease, rule_id: str, as_of: Day, day: Day | None = None) -> Explanation:
    """Explains a rule id such as ``medicare-ptp-practitioner/11055+11720`` or ``medicare-coverage/A57954``.

    ``day`` is the date for which rows are said to be active; ``as_of`` by default.

    Raises:
        ProblemsError: no finding under this release can carry the id; the problem says what is wrong with it.
    """
    rule_set, slash, name = rule_id.strip().partition("/")
    asked_day = as_of if day is None else day
    if rule_set == curated.LIABILITY and name.upper() in EFFECTS:
        edit = curated.make_liability(asked_day, name.upper())
        return Explanation(edit.rule_id, Family.COVERAGE, meanings.LIABILITY, [edit])
    loaded = release.rule_sets.get(rule_set)
    if loaded is None:
        return _explain_absent(release, rule_set, name)
    ask = partial(_search, release, asked_day, as_of)
    if not slash:
        return _explain_rule_set(ask(()), loaded)
    explain = _EXPLAINERS.get(loaded.kind)
    if explain is None:
        raise _problem(
            f"{rule_set} is read by edits of other rule sets; no finding carries its rows", f"ask for {rule_set}"
        )
    return explain(ask, loaded, name)


Ask = Callable[..., Search]


def _search(release: LoadedRelease, day: Day, as_of: Day, codes: tuple[str, ...], diagnosis: str = "") -> Search:
    return Search(release, LookUp(codes, day, as_of, diagnosis=diagnosis))


def _problem(what: str, mend: str = "") -> ProblemsError:
    return ProblemsError([Problem(RULE_ID, what, mend)])


def _explain_absent(release: LoadedRelease, rule_set: str, name: str) -> Explanation:
    """A rule set that the release lacks: findings name it by its bare id, and say that they were not evaluated."""
    expected = meanings.EXPECTED.fullmatch(rule_set)
    if expected and not name:
        return Explanation(rule_set, None, meanings.absent(rule_set), ())
    if expected and "-mue-" in rule_set and _CODE.fullmatch(name.upper()):
        # Said before any value is asked for: the line takes no part in the count.
        meaning = f"{meanings.NOT_COUNTED} {meanings.absent(rule_set)}"
        return Explanation(f"{rule_set}/{name.upper()}", Family.MUE, meaning, ())
    held = sorted(release.rule_sets)
    if not rule_set:
        raise _problem("is empty", "copy the rule_id of a finding, as in medicare-mue-practitioner/G0127")
    mend = suggest(rule_set, held)
    raise _problem(f"the release holds no rule set {rule_set}", mend or f"it holds {', '.join(held)}")


def _explain_rule_set(search: Search, loaded: LoadedRuleSet) -> Explanation:
    """A bare id: said of a line as a whole. The rows are the revisions of the rule set."""
    revisions = [i for i in range(len(loaded.editions.revisions)) if search.known(loaded) >> i & 1]
    rows = EditList([Found(revisions, partial(_make_revision, search, loaded))])
    return Explanation(loaded.name, family_of(loaded), meanings.of_rule_set(loaded.kind, loaded.name), rows)


def _make_revision(search: Search, loaded: LoadedRuleSet, revision: int) -> Edit:
    info = loaded.editions.revisions[revision]
    period = format_day(info.header.effective_from), format_day(info.header.effective_to)
    return Edit(
        family_of(loaded) or Family.CODE_VALIDITY,
        loaded.name,
        loaded.name,
        loaded.cite(revision, (0, 0), *period),
        search.is_in_force(loaded, revision),
        (
            ("label", info.header.label),
            ("effective_from", period[0]),
            ("effective_to", period[1]),
            ("published_on", format_day(info.header.published_on)),
            ("rows", f"{sum(info.rows.values()):,}"),
            ("sources", ", ".join(source.file for source in info.header.sources)),
        ),
    )


def _explain_pair(ask: Ask, loaded: LoadedRuleSet, name: str) -> Explanation:
    column_1, plus, column_2 = name.upper().partition("+")
    if not plus or not _CODE.fullmatch(column_1) or not _CODE.fullmatch(column_2):
        raise _problem(f"{name} names no pair", f"write {loaded.name}/COLUMN_1+COLUMN_2, as in G0247+G0127")
    rule_id = f"{loaded.name}/{column_1}+{column_2}"
    rows = [edit for edit in _edits(ncci.find_pairs(ask((column_1, column_2)), loaded)) if edit.rule_id == rule_id]
    if not rows:
        raise _problem(
            f"{loaded.name} holds no row {column_1}+{column_2}",
            "the row may be the other way round, or not known on that day",
        )
    return Explanation(rule_id, Family.PTP, meanings.of_pair(column_1, column_2), rows)


def _edits(found: Found) -> list[Edit]:
    return list(map(found.make, found.places))


def _code(name: str) -> str:
    code = name.upper()
    if not _CODE.fullmatch(code):
        raise _problem(f"{name} is no procedure code", "write five letters or digits, as in G0127")
    return code


def _explain_code(
    family: Family, find: Callable[[Search, LoadedRuleSet], Found], mean: Callable[[str, bool], str],
    ask: Ask, loaded: LoadedRuleSet, name: str,
) -> Explanation:  # fmt: skip
    """An id that ends in a procedure code. That there is no row is what some findings say."""
    code = _code(name)
    rule_id = f"{loaded.name}/{code}"
    rows = [edit for edit in _edits(find(ask((code,)), loaded)) if edit.rule_id == rule_id]
    return Explanation(rule_id, family, mean(code, bool(rows)), rows)


def _explain_diagnosis(ask: Ask, loaded: LoadedRuleSet, name: str) -> Explanation:
    code = name.upper().replace(".", "")
    if not code.isalnum() or len(code) > 10:
        raise _problem(f"{name} is no diagnosis code", "write an ICD-10-CM code, as in E1142")
    rows = _edits(code_sets.find_diagnosis(ask((), code), loaded))
    return Explanation(f"{loaded.name}/{code}", Family.CODE_VALIDITY, meanings.of_diagnosis(code, bool(rows)), rows)


def _explain_modifier(ask: Ask, loaded: LoadedRuleSet, name: str) -> Explanation:
    rows = _edits(code_sets.find_modifier(ask((name.upper(),)), loaded)) if len(name) == 2 else []
    if not rows:
        raise _problem(f"{loaded.name} holds no modifier {name}", "write two letters or digits, as in 59")
    return Explanation(f"{loaded.name}/{name.upper()}", Family.MODIFIER, meanings.MODIFIER, rows)


def _explain_code_edit(ask: Ask, loaded: LoadedRuleSet, name: str) -> Explanation:
    variant, _, code = name.partition("/")
    code = code.upper().replace(".", "")
    rule_id = f"{loaded.name}/{variant}/{code}"
    searches = [ask((code,))] if len(code) == 5 else []
    searches.append(ask((), code))
    for search in searches:
        rows = [edit for edit in _edits(curated.find_code_edits(search, loaded)) if edit.rule_id == rule_id]
        if rows:
            return Explanation(rule_id, Family.CODE_VALIDITY, meanings.CODE_EDITS[variant], rows)
    if variant not in meanings.CODE_EDITS:
        raise _problem(f"{loaded.name} has no edits {variant}", f"use one of {', '.join(meanings.CODE_EDITS)}")
    raise _problem(
        f"no {variant} edit of {loaded.name} names {code or 'no code'}",
        f"look the code up: claim-edits lookup {code}".rstrip(),
    )


def _explain_duplicate(ask: Ask, loaded: LoadedRuleSet, name: str) -> Explanation:
    if name not in meanings.DUPLICATES:
        raise _problem(f"{loaded.name} has no rule {name}", f"use one of {', '.join(meanings.DUPLICATES)}")
    rule_id = f"{loaded.name}/{name}"
    # The two edits concern every code: any code finds them.
    rows = [edit for edit in _edits(curated.find_duplicates(ask(("00000",)), loaded)) if edit.rule_id == rule_id]
    return Explanation(rule_id, Family.DUPLICATE, meanings.DUPLICATES[name], rows)


def _explain_document(ask: Ask, loaded: LoadedRuleSet, name: str) -> Explanation:
    document_id = name.upper()
    rows = _edits(coverage.find_versions(ask(()), loaded, document_id))
    if rows:
        return Explanation(f"{loaded.name}/{document_id}", Family.COVERAGE, meanings.of_document(document_id), rows)
    if not _CODE.fullmatch(document_id):
        mend = "look for it by a code or a diagnosis that it lists: claim-edits lookup"
        raise _problem(f"{loaded.name} holds no document {name} that lists codes", mend)
    rows = _edits(coverage.find_documents(ask((document_id,)), loaded))
    meaning = meanings.of_governed(document_id, bool(rows))
    return Explanation(f"{loaded.name}/{document_id}", Family.COVERAGE, meaning, rows)


def _explain_authored(ask: Ask, loaded: LoadedRuleSet, name: str) -> Explanation:
    ids = sorted({authored_rule.rule.id for content in loaded.index for authored_rule in content.rules})
    exact = name if name in ids else next((known for known in ids if known.casefold() == name.casefold()), "")
    rows = _edits(authored.find_rules_by_id(ask(()), loaded, exact)) if exact else []
    if not rows:
        known = "; it was not known on that day" if exact else ""
        raise _problem(f"{loaded.name} has no rule {name}{known}", suggest(name, ids))
    rows = [_without_concern(edit) for edit in rows]
    return Explanation(f"{loaded.name}/{exact}", authored.family_of(loaded), meanings.of_rule(rows[-1]), rows)


def _without_concern(edit: Edit) -> Edit:
    fields = tuple(field for field in edit.fields if field[0] != "concerns")
    return Edit(edit.family, edit.rule_set, edit.rule_id, edit.citation, edit.active, fields)


def _explain_value_set(ask: Ask, loaded: LoadedRuleSet, name: str) -> Explanation:
    if not loaded.index.holds(name):
        raise _problem(f"{loaded.name} has no value set {name}", "copy the rule_id of a look-up")
    return Explanation(f"{loaded.name}/{name}", Family.COVERAGE, meanings.VALUE_SET, ())


_EXPLAINERS: Mapping[str, Callable[[Ask, LoadedRuleSet, str], Explanation]] = {
    "ptp": _explain_pair,
    "mue": partial(_explain_code, Family.MUE, ncci.find_values, meanings.of_value),
    "aoc": partial(_explain_code, Family.ADD_ON_CODE, ncci.find_add_ons, meanings.of_add_on),
    "procedure-codes": partial(
        _explain_code, Family.CODE_VALIDITY, code_sets.find_procedure_code, meanings.of_procedure_code
    ),
    "pfs": partial(_explain_code, Family.CODE_VALIDITY, code_sets.find_indicators, meanings.of_procedure_code),
    "icd10": _explain_diagnosis,
    "modifiers": _explain_modifier,
    "code-edits": _explain_code_edit,
    "duplicates": _explain_duplicate,
    "coverage": _explain_document,
    "authored": _explain_authored,
    "value-sets": _explain_value_set,
}
"""By kind of rule set: how an id after the slash is read."""

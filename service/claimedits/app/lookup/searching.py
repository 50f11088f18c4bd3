"""``look_up``: every rule set of a release is asked, each in its own way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from claimedits.app.lookup import authored, code_sets, coverage, curated, ncci
from claimedits.app.lookup.edits import EditList, Found, LookUp, Search
from claimedits.engine.mue import CONFIDENTIAL
from claimedits.model.terms import Family, Setting
from claimedits.rulesets.loaded import LoadedRelease, LoadedRuleSet

Finder = Callable[[Search, LoadedRuleSet], Found]

FINDERS: Mapping[str, tuple[Family | None, Finder]] = {
    "procedure-codes": (Family.CODE_VALIDITY, code_sets.find_procedure_code),
    "icd10": (Family.CODE_VALIDITY, code_sets.find_diagnosis),
    "pfs": (Family.CODE_VALIDITY, code_sets.find_indicators),
    "code-edits": (Family.CODE_VALIDITY, curated.find_code_edits),
    "duplicates": (Family.DUPLICATE, curated.find_duplicates),
    "modifiers": (Family.MODIFIER, code_sets.find_modifier),
    "authored": (None, authored.find_rules),
    "ptp": (Family.PTP, ncci.find_pairs),
    "mue": (Family.MUE, ncci.find_values),
    "coverage": (Family.COVERAGE, coverage.find_documents),
    "value-sets": (Family.COVERAGE, coverage.find_value_sets),
    "aoc": (Family.ADD_ON_CODE, ncci.find_add_ons),
}
"""By kind of rule set: its family (None = stated by the rule set itself), and how its edits are found."""

_SETTINGS = {
    Setting.PRACTITIONER: "-practitioner",
    Setting.ASC: "-practitioner",
    Setting.OUTPATIENT_HOSPITAL: "-outpatient-hospital",
    Setting.DME_SUPPLIER: "-dme",
}


def look_up(release: LoadedRelease, asked: LookUp) -> EditList:
    """Edits by family, rule set, rule id, first day: always the same order for the same question and release."""
    search = Search(release, asked)
    found = [
        (family, loaded.name, FINDERS[loaded.kind][1](search, loaded))
        for family, loaded in _asked_rule_sets(release, asked)
    ]
    if not asked.families or Family.COVERAGE in asked.families:
        found.append((Family.COVERAGE, curated.LIABILITY, curated.find_liability(search)))
    return EditList([part for _, _, part in sorted(found, key=lambda item: item[:2])])


def family_of(loaded: LoadedRuleSet) -> Family | None:
    """The family that a rule set belongs to; None where no edit is looked up in it."""
    if loaded.kind not in FINDERS:
        return None
    return FINDERS[loaded.kind][0] or authored.family_of(loaded)


def _asked_rule_sets(release: LoadedRelease, asked: LookUp) -> Iterator[tuple[Family, LoadedRuleSet]]:
    for name, loaded in release.rule_sets.items():
        family = family_of(loaded)
        if family is None or (asked.families and family not in asked.families):
            continue
        if asked.program is not None and not name.startswith(asked.program.name.lower()) and _names_program(name):
            continue
        table = name.removesuffix(CONFIDENTIAL)
        if asked.setting is not None and loaded.kind in ("ptp", "mue") and not table.endswith(_SETTINGS[asked.setting]):
            continue
        yield family, loaded


def _names_program(name: str) -> bool:
    """Rule sets of one program begin with its name; code sets are of both."""
    return name.startswith(("medicare-", "medicaid-"))

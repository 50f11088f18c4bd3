"""What rule ids mean, in sentences for the person who holds a finding (semantics.md, the section beside each)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from claimedits.app.lookup.edits import Edit
from claimedits.engine.code_validity_findings import dotted

EXPECTED = re.compile(
    r"medicare-ptp|(medicare|medicaid)-(ptp|mue)-(practitioner|outpatient-hospital|dme)|(medicare|medicaid)-aoc"
    r"|medicare-coverage|medicare-modifier-requirements|medicare-pfs-indicators|procedure-codes|icd10cm|duplicates"
)
"""Rule sets that findings name by their bare id where the release holds no revision of them."""

LIABILITY = (
    "The modifier says who pays where Medicare does not (semantics.md §D.6). It changes the outcome of the line by itself, whatever "
    "its diagnoses; it never turns a denial into a pass. The engine holds it: no published file does."
)
MODIFIER = (
    "The list says on which dates the modifier exists. A modifier outside its dates is reported by the modifier requirements "
    "(MOD_INVALID), and bypasses no edit."
)
CODE_EDITS: Mapping[str, str] = {
    "age": "The code is for patients of an age, in completed years on the date of service; another age is denied (AGE_SEX).",
    "sex": "The code is for patients of one sex; the other is denied (AGE_SEX), unless one of the modifiers or condition codes lifts it.",
    "sequence": "The diagnosis may only follow another one. Listed first it is put to review (DX_SEQUENCE).",
}
DUPLICATES: Mapping[str, str] = {
    "exact": "A line that repeats an earlier one in everything compared is denied (DUP_EXACT). Of two lines the later one is at fault, and "
    "the claim's own line where the earlier one stands in history.",
    "suspect": "A line that repeats an earlier one but for modifiers, of which one line has none and the other only some that do not tell "
    "services apart, is put to review (DUP_SUSPECT).",
}
VALUE_SET = (
    "A value set is somebody's reading of determinations. It is kept for look-up; no edit reads it, and no finding carries it. Look a "
    "code up to see the sets that hold it."
)
NOT_COUNTED = "A line whose modifier takes its units out of the count is NOT_APPLICABLE (MUE_NOT_COUNTED)."
_RULE_SETS: Mapping[str, str] = {
    "ptp": "no pair of the line is denied (PASS), the line takes no part in NCCI edits (NOT_APPLICABLE, PTP_NOT_GOVERNED)",
    "mue": "its units were not compared with a value",
    "aoc": "the line asks for no primary (PASS)",
    "coverage": "no document could be chosen, for the claim names neither a known contractor nor a state (COV_JURISDICTION_UNKNOWN)",
    "procedure-codes": "no list that governs the date holds codes of this class, so the code was not checked (NOT_EVALUATED)",
    "icd10": "its diagnoses were not checked (NOT_EVALUATED)",
    "pfs": "its indicators were not at hand (NOT_EVALUATED)",
    "duplicates": "no earlier line is the same service (PASS)",
    "authored": "no rule of the rule set fires (PASS)",
}


def absent(rule_set: str) -> str:
    """A bare id of a rule set that the release does not hold."""
    if rule_set == "medicare-ptp":
        return "Medicare publishes no PTP edits for DME suppliers: the line is NOT_APPLICABLE (PTP_NO_TABLE). No rule set stands behind it."
    return (
        f"The release holds no revision of {rule_set}: every line that needs it is NOT_EVALUATED (RULE_SET_NOT_LOADED), which is no "
        "pass. Import the publisher's file, or build the rules, and create the release again."
    )


def of_rule_set(kind: str, name: str) -> str:
    """A bare id of a rule set that the release holds."""
    said = _RULE_SETS.get(kind)
    if said is None:
        return f"{name} is read by edits of other rule sets; no finding names it. Below: the revisions that the release holds."
    return (
        f"Said of a line as a whole: {said}, or no revision governs its date (NOT_EVALUATED, RULE_SET_NOT_LOADED). Below: the revisions "
        "that the release holds; an active one governs the date."
    )


def of_pair(column_1: str, column_2: str) -> str:
    """§A."""
    return (
        f"{column_2} (column 2) is bundled into {column_1} (column 1): billed for one patient, by one provider, on one date, column 2 is "
        "denied (PTP_CONFLICT). Modifier indicator 1: a PTP-associated modifier that the record supports bypasses the row (PTP_BYPASSED). "
        "0: nothing does. 9: the row was withdrawn as if it had never been. A row is active from its first to its last day, both inclusive."
    )


def of_value(code: str, has_row: bool) -> str:
    """§B."""
    if not has_row:
        return (
            f"No revision holds a value for {code}. Some values are confidential, so that proves nothing: its units are NOT_EVALUATED "
            "(MUE_NO_VALUE)."
        )
    return (
        f"Units of {code} over the value are denied, all of them (MUE_EXCEEDED). Adjudication indicator (mai) 1: the units of one line are "
        "compared; 2 and 3: those of the whole date of service, which no modifier splits; 2 is absolute, 3 yields to documentation. "
        f"Value 0: no unit is payable (MUE_ZERO). The table of the quarter of the date of service counts. {NOT_COUNTED}"
    )


def of_add_on(code: str, has_row: bool) -> str:
    """§C."""
    if not has_row:
        return (
            f"The table lists no primary for {code}. Where its global period is ZZZ it is an add-on code all the same, and put to review "
            "(AOC_NO_LIST); else it is none, and asks for no primary."
        )
    return (
        f"{code} is an add-on code: it is paid only beside one of its primaries, on the same date, by the same practitioner "
        "(AOC_PRIMARY_MISSING), and falls with a primary that is itself denied (AOC_PRIMARY_DENIED). Edit type 1: the listed primaries only; "
        "2 and 3: the contractor may accept others (AOC_PRIMARY_UNLISTED). CCCCC stands for primaries that the contractor defines."
    )


def of_procedure_code(code: str, has_row: bool) -> str:
    """§F.1."""
    if not has_row:
        return f"The list holds no {code}: where it covers such codes, a line that bills one is denied (CODE_INVALID)."
    return (
        f"A line that bills {code} outside its dates is denied (CODE_INVALID); the last day is the last valid one. Indicators of a fee "
        "schedule are facts of payment: they make no code invalid."
    )


def of_diagnosis(code: str, has_row: bool) -> str:
    """§F.2."""
    if not has_row:
        return f"No edition holds {dotted(code)}: a line that points to it is denied (DX_INVALID)."
    return (
        f"The edition of the line's date decides whether {dotted(code)} is a code, and whether it is billable: a line that points to a code "
        "that the edition lacks (DX_INVALID), or to a header (DX_NOT_BILLABLE), is denied."
    )


def of_document(document_id: str) -> str:
    """§D.3."""
    return (
        f"{document_id} says for which diagnoses its procedure codes are covered, in its jurisdictions. A diagnosis that the line points to "
        "has to stand in a standalone list, or one in a primary_eligible list and one of the claim in the required_secondary list of the same "
        "pairing. Else the line is denied (COV_NOT_LISTED, COV_NON_COVERED_DX, COV_SECONDARY_MISSING, COV_NOT_POINTED), or put to review "
        "where a list stands under text that a machine cannot apply (COV_NARRATIVE)."
    )


def of_governed(code: str, has_row: bool) -> str:
    """§D.3, last row."""
    said = f"No document in force governs {code} in the claim's jurisdiction: coverage does not apply (COV_NO_POLICY), which is no pass."
    return f"{said} Below: documents that list {code}, in other jurisdictions or on other dates." if has_row else said


def of_rule(edit: Edit) -> str:
    """An authored rule: the author's title, and what happens when its condition holds."""
    fields = dict(edit.fields)
    unknown = fields["if_unknown"]
    undecided = "says nothing" if unknown == "NOTHING" else f"is {unknown}"
    return (
        f"{fields['title']}. Where everything below is so, the line is {fields['status']} ({fields['code']}); where the claim leaves out what "
        f"is asked, the rule {undecided}."
    )

"""Words and figures of reports on replays, for people who are new to edits."""

from __future__ import annotations

from collections.abc import Mapping

FAMILY_WORDS: Mapping[str, str] = {
    "ADD_ON_CODE": "Add-on codes",
    "CODE_VALIDITY": "Valid codes",
    "COVERAGE": "Coverage",
    "DUPLICATE": "Duplicates",
    "MODIFIER": "Modifiers",
    "MUE": "Units (MUE)",
    "POLICY": "Payer policy",
    "PTP": "Code pairs (PTP)",
}
FAMILY_MEANINGS: Mapping[str, str] = {
    "ADD_ON_CODE": "a code that is only paid beside its primary procedure",
    "CODE_VALIDITY": "procedure and diagnosis codes that did not exist, or do not fit the patient",
    "COVERAGE": "whether the diagnoses justify the service (NCD, LCD)",
    "DUPLICATE": "the same service billed twice",
    "MODIFIER": "modifiers that are invalid, missing or contradict each other",
    "MUE": "more units in a day than is plausible",
    "POLICY": "rules of your own or of your payer",
    "PTP": "two procedures that are not paid together",
}
OUTCOME_WORDS: Mapping[str, str] = {
    "FAIL": "Denied",
    "REVIEW": "To be reviewed",
    "NOT_EVALUATED": "Could not be decided",
    "BYPASSED": "Passed by a modifier",
    "PASS": "Passed",
    "NOT_APPLICABLE": "No edit applies",
}
REASON_WORDS: Mapping[str, str] = {
    "RULE_SET_NOT_LOADED": "the release holds no rules of this kind for the day of service",
    "MUE_NO_VALUE": "no limit of units is published for the code",
    "COV_JURISDICTION_UNKNOWN": "the claim names neither its contractor nor its state",
    "AOC_NO_LIST": "an add-on code for which no list of primaries is published",
    "AOC_PRIMARY_UNLISTED": "none of the listed primaries is billed, and the contractor may accept others",
    "DUP_SUSPECT": "nearly the same as an earlier line",
}
"""In plain words; other codes speak for themselves, and `claim-edits explain` says the rest."""


def money(cents: int) -> str:
    """Dollars and cents, as cells of tables have them."""
    return f"${cents / 100:,.2f}"


def short_money(cents: int) -> str:
    """To be read at a glance: ``$47.46 million``."""
    for size, word in ((10**11, "billion"), (10**8, "million")):
        if cents >= size:
            return f"${cents / size:,.2f} {word}"
    return money(cents)


def percent(part: int, whole: int) -> str:
    """A share in percent, with two decimals."""
    return f"{100 * part / whole:.2f} %" if whole else "0 %"


def share(part: int, whole: int) -> float | None:
    """A share from 0 to 1; None of nothing."""
    return part / whole if whole else None


def counted(number: int, noun: str) -> str:
    """``1 line``, ``2 lines``."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")

"""Codes of a look-up, read and checked: every problem at once, each at the field it stands in."""

from __future__ import annotations

import re

from claimedits.model.problems import Problem

_PROCEDURE = re.compile(r"[0-9A-Z]{5}")
_MODIFIER = re.compile(r"[0-9A-Z]{2}")
_DIAGNOSIS = re.compile(r"[A-Z][0-9][0-9A-Z](?:\.[0-9A-Z]{1,4}|[0-9A-Z]{0,4})")


def read_codes(
    first: tuple[str, str], second: tuple[str, str], diagnosis: tuple[str, str], problems: list[Problem]
) -> tuple[tuple[str, ...], str]:
    """Procedure codes or modifiers, and the diagnosis without its dot; empty where not given.

    Each argument is the name of a field and its text. Case and blanks around a code do not matter.

    What is wrong goes to ``problems``: a malformed code, a second code without a first or beside a diagnosis, two modifiers, nothing
    asked at all.
    """
    texts = {name: _normalise(text) for name, text in (first, second, diagnosis)}
    codes = [(name, texts[name]) for name, _ in (first, second) if texts[name]]
    asked_diagnosis = texts[diagnosis[0]]
    for name, code in codes:
        if not _PROCEDURE.fullmatch(code) and not _MODIFIER.fullmatch(code):
            what = "is neither a procedure code nor a modifier"
            problems.append(Problem(name, what, "write five letters or digits, as in G0127, or two, as in 59"))
    if asked_diagnosis and not _DIAGNOSIS.fullmatch(asked_diagnosis):
        what = "is not a diagnosis code"
        problems.append(Problem(diagnosis[0], what, "write an ICD-10-CM code, as in E11.42"))
    if not codes and not asked_diagnosis:
        mend = f"send the code to look up, or a diagnosis in {diagnosis[0]}"
        problems.append(Problem(first[0], "is missing", mend))
    elif texts[second[0]] and not texts[first[0]]:
        problems.append(Problem(first[0], "is missing", f"send the code that goes with {second[0]}"))
    if texts[second[0]] and asked_diagnosis:
        mend = f"ask for a pair of codes, or for one code and {diagnosis[0]}"
        problems.append(Problem(second[0], f"is given beside {diagnosis[0]}", mend))
    elif len(codes) == 2 and all(_MODIFIER.fullmatch(code) for _, code in codes):
        problems.append(Problem(second[0], "is a second modifier", "ask for a procedure code with one modifier"))
    return tuple(code for _, code in codes), asked_diagnosis.replace(".", "")


def _normalise(text: str) -> str:
    """Without blanks around it, upper case; other letters than those of codes stay, for some become such letters."""
    stripped = text.strip()
    return stripped.upper() if stripped.isascii() else stripped

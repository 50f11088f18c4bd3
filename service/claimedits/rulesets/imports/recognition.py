"""Which family a file is of, by its name and its first records: for messages to who named another one."""

from __future__ import annotations

import re

_BY_NAME = (
    ("ptp", re.compile(r"cci(?:pra|oph)-v\d", re.IGNORECASE)),
    ("mue", re.compile(r"MC[RD]_MUE_", re.IGNORECASE)),
    ("aoc", re.compile(r"AOC_V\d", re.IGNORECASE)),
    ("hcpcs", re.compile(r"HCPC\d{4}", re.IGNORECASE)),
    ("pfs", re.compile(r"PPRRVU\d\d", re.IGNORECASE)),
    ("icd10", re.compile(r"icd10cm_(?:order|codes?)", re.IGNORECASE)),
    (
        "coverage",
        re.compile(r"^(?:article|lcd)(?:_x_\w+)?\.csv$|^ncd_\w+\.csv$|^contractor(?:_\w+)?\.csv$", re.IGNORECASE),
    ),
)
_BY_WORDS = (
    ("ptp", re.compile(r"column1/column2|\bcolumn 1\b.*\bcolumn 2\b")),
    ("mue", re.compile(r"\bmue value")),
    ("aoc", re.compile(r"add-on_code|aoc_edit")),
    ("pfs", re.compile(r"\bpctc\b.*\bglob\b|\brelative value\b")),
    ("coverage", re.compile(r"\b(?:article|lcd|ncd)_(?:id|version)\b|\bdocument_display_id\b|\bncd\b.*\bpolicy\b.*\blist\b")),
    ("place-of-service", re.compile(r"\b(?:pos|place[ _]of[ _]service)[ _]?(?:code|name|type)")),
    ("modifiers", re.compile(r"\b(?:mod|modifier)[ _]?(?:code|type)?\b.*\bdescription|\bmod_code\b")),
    ("icd10", re.compile(r"\bbillable\b|^\d{5} [a-z]\d[0-9a-z]+ +[01] ")),
    ("adjustment-codes", re.compile(r"\bcode\b.*\btype\b.*\bstart[ _]date\b|\bcarc\b")),
    ("hcpcs", re.compile(r"^[0-9a-z]{5}\d{5}3")),
    ("procedure-codes", re.compile(r"\b(?:procedure|hcpcs|cpt)[ _]code\b.*date")),
)  # fmt: skip
_NAMES = {
    "ptp": "a PTP table",
    "mue": "an MUE table",
    "aoc": "an add-on code table",
    "pfs": "a fee schedule",
    "coverage": "a coverage export",
    "place-of-service": "a list of places of service",
    "modifiers": "a list of modifiers",
    "icd10": "a list of diagnosis codes",
    "adjustment-codes": "a list of adjustment codes",
    "hcpcs": "an HCPCS file",
    "procedure-codes": "a list of procedure codes with dates",
}


def recognise(head: str, name: str = "", asked: str = "") -> str:
    """How to go on with a file that is not of the family asked for: ``this looks like …: run import …``; empty = unknown.

    Args:
        head: its first records as text; what they say counts before the name.
        asked: the family that was asked for, which is never the answer.
    """
    words = head.lower()
    found = [family for family, pattern in _BY_WORDS if pattern.search(words)]
    found += [family for family, pattern in _BY_NAME if pattern.search(name)]
    family = found[0] if found else ""
    return f"this looks like {_NAMES[family]}: run import {family}" if family and family != asked else ""

"""Sections of procedure codes as people speak of them: the chapters of the NCCI Policy Manual (Introduction, "Organization")."""

from __future__ import annotations

_BY_FIRST_DIGIT = {
    "0": "00100-01999 anesthesia",
    "1": "10000-19999 integumentary system",
    "2": "20000-29999 musculoskeletal system",
    "3": "30000-39999 respiratory, cardiovascular, hemic and lymphatic systems",
    "4": "40000-49999 digestive system",
    "5": "50000-59999 urinary, genital, maternity care",
    "6": "60000-69999 endocrine, nervous, eye, ear",
    "7": "70000-79999 radiology",
    "8": "80000-89999 pathology and laboratory",
    "9": "90000-99999 medicine, evaluation and management",
}
_BY_LAST_LETTER = {
    "A": "0001A-0999A immunization administration",
    "F": "0001F-9999F category II",
    "M": "0001M-0999M multianalyte assays",
    "T": "0001T-0999T category III",
    "U": "0001U-0999U proprietary laboratory analyses",
}
OTHER = "other codes"


def section_of(code: str) -> str:
    """``90000-99999 medicine, …``, ``HCPCS J``; ``other codes`` for what is no procedure code."""
    if len(code) != 5:
        return OTHER
    if code.isdigit():
        return _BY_FIRST_DIGIT[code[0]]
    if code[:4].isdigit():
        return _BY_LAST_LETTER.get(code[4], OTHER)
    return f"HCPCS {code[0]}" if code[0].isalpha() and code[1:].isdigit() else OTHER

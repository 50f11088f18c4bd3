"""Adjustment codes that do not go together (file-formats.md §9): CARC 18 only with OA; 16 and 96 need a remark code."""

from __future__ import annotations

from collections.abc import Sequence

from claimedits.rulesets.lints.code_books import CARC, RARC, Books, CodeBook, Known, Span

_NEEDS_REMARK = ("16", "96")
_DUPLICATE = "18"


def find_adjustment_faults(
    group: str, carc: str, rarc: Sequence[str], books: Books, span: Span
) -> list[tuple[str, str, str, str]]:
    """(field, lint, what, mend) of everything wrong with one set of adjustment codes on some days."""
    faults = []
    none = CodeBook(CARC)
    for field, kind, codes in (("carc", CARC, [carc]), ("rarc", RARC, rarc)):
        for code in codes:
            known, _ = books.get(kind, none).judge(code, code, span)
            if known is Known.UNKNOWN:
                mend = "look it up in the X12 list" if kind == CARC else "look it up in the X12 list of remark codes"
                faults.append((field, "CE118", f"{code} is no {kind.upper()}", mend))
            elif known is Known.ENDED:
                what = f"{kind.upper()} {code} ended before these days"
                faults.append((field, "CE118", what, "use the code that took its place"))
    if carc == _DUPLICATE and group != "OA":
        faults.append(("group", "CE118", f"CARC 18 stands with group {group}", "a duplicate is adjusted with group OA"))
    if carc in _NEEDS_REMARK and not rarc:
        what = f"CARC {carc} stands without a remark code"
        faults.append(("carc", "CE118", what, "name the remark code that says what is meant"))
    return faults

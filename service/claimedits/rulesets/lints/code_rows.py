"""One code, or one range of codes, held against what is known of codes."""

from __future__ import annotations

import re

from claimedits.model.dates import format_day
from claimedits.rulesets.lints.code_books import PROCEDURE, Books, CodeBook, Known, Span
from claimedits.rulesets.lints.report import Report

_NOUNS = {
    "procedure": "procedure code", "modifier": "modifier", "diagnosis": "diagnosis", "place-of-service": "place of service",
    "state": "state", "carc": "CARC", "rarc": "RARC",
}  # fmt: skip


_PROCEDURE = re.compile(r"[0-9]{4}[0-9A-Z]|[A-Z][0-9]{4}")
_SLIPS = str.maketrans("OIlS", "0115")


def _near(code: str) -> str:
    """The code that was meant, where a letter stands for the digit that looks like it."""
    near = code[0] + code[1:].translate(_SLIPS)
    return f"did you mean {near}?" if _PROCEDURE.fullmatch(near) else ""


def check_code(
    report: Report,
    place: tuple[str, int, int],
    books: Books,
    kind: str,
    codes: tuple[str, str],
    span: Span,
    about: str,
    rule: str = "",
) -> None:
    """Record that a code is on no list, ended before its days, or ends within them.

    Args:
        codes: first and last code of a range; twice the same for one code.
        span: the days on which the row or rule holds, both inclusive.
        about: what names the code: ``row 7``, ``rule wellness-visit``.
    """
    book = books.get(kind, CodeBook(kind))
    first, last = codes
    if kind == PROCEDURE and not all(_PROCEDURE.fullmatch(code) for code in codes):
        name = next(code for code in codes if not _PROCEDURE.fullmatch(code))
        what = f"{about}: {name} has not the form of a procedure code"
        mend = _near(name) or "write five digits, four digits and a letter, or a letter and four digits"
        report.add("CE123", place, what, mend, rule=rule, subject=name)
        return
    known, end = book.judge(first.replace(".", ""), last.replace(".", ""), span)
    said = f"{about}: {_NOUNS[kind]} {first if first == last else f'{first} to {last}'}"
    lists = ", ".join(dict.fromkeys(book.names)) or "the loaded lists"
    if known is Known.UNKNOWN:
        what = f"{said} is on no list ({lists})" if first == last else f"{said} holds no code of {lists}"
        report.add("CE123", place, what, "correct the code, or load the list that has it", rule=rule, subject=said)
    elif known is Known.ENDED:
        what = f"{said} is not valid on any of these days; its last day is {format_day(end)} ({lists})"
        report.add(
            "CE124", place, what, "use the code that took its place, or date the row back", rule=rule, subject=said
        )
    elif known is Known.ENDS_EARLY:
        what = f"{said} ended on {format_day(end)}, the row goes on ({lists})"
        mend = f"write {format_day(end)} as its last day, and add the code that took its place"
        report.add("CE125", place, what, mend, rule=rule, subject=said)

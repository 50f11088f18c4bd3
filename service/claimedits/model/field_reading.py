"""Reads single fields of a claim: one rule a kind of field, every refusal a ``Problem`` that never repeats the value."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import IntEnum
from typing import Any, TypeVar

from claimedits.model.dates import Day, parse_day
from claimedits.model.problems import Problem

W = TypeVar("W", bound=IntEnum)
_MOST_REMEMBERED = 65_536

EARLIEST: Day = parse_day("1966-07-01")
"""Medicare's first day: no claim is older."""
LATEST: Day = parse_day("2099-12-31")


@dataclass(slots=True)
class FieldRule:
    """What a text field must look like after normalisation."""

    pattern: re.Pattern[str]
    what: str
    """What is wrong with a value that does not match."""
    mend: str
    normalise: Callable[[str], str] = str.strip
    good: dict[str, Any] = field(default_factory=dict)
    """Values that were found good, with what they mean. Bounded: what is sent is the caller's."""

    def __post_init__(self) -> None:
        if self.pattern.fullmatch(""):  # the field may be left empty
            self.good[""] = ""

    def remember(self, sent: str, meaning: Any) -> None:
        if len(self.good) >= _MOST_REMEMBERED:
            self.good.clear()
            self.__post_init__()
        self.good[sent] = meaning


def _upper(text: str) -> str:
    return text.strip().upper()


def _undot(text: str) -> str:
    """``E11.42`` → ``E1142``; a code with the dot elsewhere stays as it is, and will not be found valid."""
    upper = text.strip().upper()
    return upper[:3] + upper[4:] if len(upper) > 4 and upper[3] == "." and "." not in upper[4:] else upper


def _rule(pattern: str, what: str, mend: str, normalise: Callable[[str], str] = _upper) -> FieldRule:
    return FieldRule(re.compile(pattern), what, mend, normalise)


CODE = _rule(r"[0-9A-Z]{5}|", "is not a procedure code", "a HCPCS or CPT code has five letters or digits")
MODIFIER = _rule(r"[0-9A-Z]{2}|", "is not a modifier", "a modifier has two letters or digits")
DIAGNOSIS = _rule(
    r"[0-9A-Z.]{1,10}",
    "is not a diagnosis code",
    "an ICD-10-CM code has three to seven letters or digits",
    _undot,
)
PLACE = _rule(r"[0-9A-Z]{2}|", "is not a place of service", "write two digits and keep the zero, as in 02")
REVENUE = _rule(r"[0-9]{3,4}|", "is not a revenue code", "write three or four digits")
STATE = _rule(r"[A-Z]{2}|", "is not a state", "write the two-letter abbreviation")
CONTRACTOR = _rule(r"[0-9A-Z]{1,10}|", "is not a contractor number", "write its digits, as in 12501")
TYPE_OF_BILL = _rule(r"[0-9A-Z]{3,4}|", "is not a type of bill", "write three or four digits, as in 131")
CONDITION_CODE = _rule(r"[0-9A-Z]{2}", "is not a condition code", "a condition code has two letters or digits")
CLIA = _rule(
    r"[A-Z_]{1,30}|",
    "is not a kind of CLIA certificate",
    "write WAIVER, COMPLIANCE, ACCREDITATION, PPM or REGISTRATION",
)
SEX = _rule(r"[FMU]|", "is not F, M or U", "leave it empty when it is unknown")
IDENTIFIER = _rule(
    r"[^\x00-\x1f\x7f]{0,100}", "is not an identifier", "use at most 100 printable characters", str.strip
)
CLAIM_NAME = _rule(
    r"[^\x00-\x1f\x7f]{0,100}", "is not an identifier", "use at most 100 printable characters", str.strip
)
"""Like IDENTIFIER, but seldom seen twice: not remembered."""
UNITS = _rule(
    r"\d{1,8}(\.\d{1,3})?",
    "is not a number of units",
    'write a decimal from 0 to 99999999.999 as text, as in "1" or "2.5"',
    str.strip,
)
DATE = _rule(r"\d{4}-\d\d-\d\d", "is not a date", "write a day of the calendar in the form YYYY-MM-DD", str.strip)


LARGEST_CENTS = 10**12


class FieldReader:
    """Reads fields and collects what is wrong with them."""

    __slots__ = ("problems",)

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def add(self, where: str, what: str, mend: str, code: str = "") -> None:
        self.problems.append(Problem(where, what, mend, code))

    @staticmethod
    def is_blank(value: Any) -> bool:
        return value is None or (isinstance(value, str) and not value.strip())

    def refuse_unknown(self, prefix: str, fields: Mapping[str, Any], known: frozenset[str]) -> None:
        """A misspelt field would be a silent gap."""
        for name in fields:
            if name not in known:
                shown = name if isinstance(name, str) and re.fullmatch(r"\w{1,40}", name) else "(unnamed)"
                self.add(
                    f"{prefix}{shown}",
                    "is no field of a claim",
                    "check its spelling against the contract, or leave it out",
                )

    def text(self, where: str, value: Any, rule: FieldRule) -> str:
        """A normalised text; empty where the field is absent or wrong."""
        if not value and (value is None or value == ""):
            return ""
        if type(value) is not str:
            self.add(where, "is not text", "write it in quotes")
            return ""
        known: str | None = rule.good.get(value)
        if known is not None:
            return known
        if rule is CLAIM_NAME and value.isprintable() and len(value) <= 100:
            return value.strip()
        normal = rule.normalise(value)
        if (not normal.isascii() and rule is not IDENTIFIER and rule is not CLAIM_NAME) or not rule.pattern.fullmatch(
            normal
        ):
            self.add(where, rule.what, rule.mend)
            return ""
        if rule is not CLAIM_NAME:
            rule.remember(value, normal)
        return normal

    def texts(self, where: str, values: Any, rule: FieldRule, most: int) -> tuple[str, ...]:
        """Normalised texts; blank items are left out, since feeds pad with them."""
        if not values:
            if values is not None and not isinstance(values, Sequence):
                self.add(where, "is not a list", "send a list of texts")
            return ()
        if not isinstance(values, Sequence) or isinstance(values, str | bytes):
            self.add(where, "is not a list", "send a list of texts")
            return ()
        if len(values) == 1 and type(values[0]) is str:
            known = rule.good.get(values[0])
            if known:
                return (known,)
        read = []
        for i, value in enumerate(values):
            if self.is_blank(value):
                if rule is DIAGNOSIS:  # pointers count positions: a gap cannot be closed silently
                    self.add(f"{where}[{i}]", "is empty", "leave no gap; diagnosis pointers count positions")
                continue
            text = self.text(f"{where}[{i}]", value, rule)
            read.append(text)
        if len(read) > most:
            self.add(where, f"has {len(read)} entries, the most is {most}", "leave out the rest or split the claim")
        return tuple(read)

    def word(self, where: str, value: Any, words: type[W]) -> W | None:
        """A word of a closed list; None where it is absent or unknown."""
        if isinstance(value, str):
            member = words.__members__.get(value) or words.__members__.get(_upper(value))
            if member is not None:
                return member
        listed = ", ".join(words.__members__)
        self.add(where, "is missing" if self.is_blank(value) else "is not a known word", f"use one of {listed}")
        return None

    def day(self, where: str, value: Any, rule: FieldRule) -> Day:
        """A day; 0 where it is absent or wrong."""
        known: Day | None = rule.good.get(value) if type(value) is str and value else None
        if known is not None:
            return known
        if self.is_blank(value):
            self.add(where, "is missing", rule.mend)
            return 0
        if type(value) is not str:
            self.add(where, "is not text", rule.mend)
            return 0
        try:
            day = parse_day(value.strip())
        except ValueError:
            self.add(where, rule.what, rule.mend)
            return 0
        birth = where.endswith("birth_date")
        if not (EARLIEST - 50_000 if birth else EARLIEST) <= day <= LATEST:
            self.add(where, "is out of range", "write a day from 1966-07-01 to 2099-12-31")
            return 0
        if not birth:
            rule.remember(value, day)
        return day

    def decimal(self, where: str, value: Any, rule: FieldRule) -> Decimal:
        """A decimal; 0 where it is absent or wrong."""
        known: Decimal | None = rule.good.get(value) if type(value) is str and value else None
        if known is not None:
            return known
        if type(value) is int:
            value = str(value)
        if self.is_blank(value):
            self.add(where, "is missing", rule.mend)
            return Decimal(0)
        if type(value) is not str or not value.isascii() or not rule.pattern.fullmatch(value.strip()):
            self.add(where, rule.what, rule.mend)
            return Decimal(0)
        units = Decimal(value.strip())
        rule.remember(value, units)
        return units

    def whole(self, where: str, value: Any, least: int, most: int) -> int:
        """A whole number; 0 where it is absent or wrong."""
        if type(value) is int and least <= value <= most:
            return value
        what = "is missing" if value is None else f"is not a whole number from {least} to {most}"
        self.add(where, what, f"write a whole number from {least} to {most}")
        return 0

    def cents(self, where: str, value: Any) -> int | None:
        """An amount in cents; None = unknown."""
        if value is None or (type(value) is int and abs(value) <= LARGEST_CENTS):
            return value
        self.add(where, "is not an amount in cents", "write a whole number of cents, or leave it out")
        return None

    def truth(self, where: str, value: Any) -> bool | None:
        """True, False, or None = unknown."""
        if value is None or type(value) is bool:
            return value
        self.add(where, "is neither true nor false", "leave it out when it is unknown")
        return None

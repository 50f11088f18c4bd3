"""Options of a request, read and checked: release, ``as_of``, families, detail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from claimedits.engine.engine import BUILT, Engine
from claimedits.model.claim import Claim
from claimedits.model.dates import Day, parse_day, today
from claimedits.model.finding import Decision
from claimedits.model.problems import Problem
from claimedits.model.terms import DetailLevel, Family
from claimedits.server.errors import RequestError


class OptionFields(Protocol):
    """What every evaluating request carries."""

    @property
    def release(self) -> str: ...
    @property
    def as_of(self) -> str: ...
    @property
    def families(self) -> Sequence[int]: ...
    @property
    def detail(self) -> int: ...


class Options(NamedTuple):
    """The options of a request; the engine is taken once, for all its claims."""

    engine: Engine
    as_of: Day
    families: frozenset[Family]
    detail: DetailLevel

    def evaluate(self, claim: Claim, abandoned: Callable[[], bool]) -> Decision:
        return self.engine.evaluate(claim, self.as_of, self.families, self.detail, abandoned)


_FAMILIES = {member.value: member for member in Family}
_LEVELS = {0: DetailLevel.FINDINGS, **{member.value: member for member in DetailLevel}}


def read_options(request: OptionFields, find_engine: Callable[[str], Engine]) -> Options:
    """Check every option, then take the engine.

    Raises:
        RequestError: with every option that is wrong.
        NotFoundError, NotReadyError, StoreError: from ``find_engine``.
    """
    problems: list[Problem] = []
    as_of = _read_as_of(request.as_of, problems)
    families = set()
    for i, number in enumerate(request.families):
        family = _FAMILIES.get(number)
        if family is None or family not in BUILT:
            problems.append(
                Problem(f"families[{i}]", "is no family that this engine decides", "leave families empty for all")
            )
        else:
            families.add(family)
    detail = _LEVELS.get(request.detail)
    if detail is None:
        problems.append(Problem("detail", "is no level of detail", "use FINDINGS, ALL or TRACE"))
    if problems or detail is None:
        raise RequestError(problems)
    return Options(find_engine(request.release), as_of, frozenset(families), detail)


def _read_as_of(text: str, problems: list[Problem]) -> Day:
    if not text:
        return today()
    return read_date("as_of", text, problems, in_future=False)


def read_date(name: str, text: str, problems: list[Problem], *, in_future: bool = True) -> Day:
    """A date; empty = today. What is wrong goes to ``problems``."""
    now = today()
    if not text:
        return now
    try:
        day = parse_day(text)
    except ValueError:
        problems.append(Problem(name, "is not a date", "write it in the form YYYY-MM-DD"))
        return now
    if day > now and not in_future:
        problems.append(
            Problem(name, "lies in the future", "nothing later than today is known; leave it empty for today")
        )
    return day

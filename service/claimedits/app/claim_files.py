"""NDJSON claims in, NDJSON responses out, in order; a bad line is told and the rest goes on (api.md §4)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, BinaryIO, NamedTuple

import orjson

from claimedits.app.rendering import as_fields
from claimedits.engine.engine import Engine
from claimedits.model.problems import ClaimInvalidError, Problem
from claimedits.model.terms import DetailLevel, Family

LONGEST_LINE = 16 * 1024 * 1024
"""Bytes of one claim; a longer line is refused without being held in memory."""


class NumberedClaim(NamedTuple):
    """One line of a claims file: its fields, or what is wrong with it."""

    line: int
    """1-based line of the file."""
    fields: dict[str, Any] | None
    problems: tuple[Problem, ...] = ()


def read_claims(file: BinaryIO) -> Iterator[NumberedClaim]:
    """Every line of a file that is not blank."""
    number = 0
    while raw := file.readline(LONGEST_LINE + 1):
        number += 1
        if len(raw) > LONGEST_LINE:
            while raw and not raw.endswith(b"\n"):
                raw = file.readline(LONGEST_LINE)
            yield NumberedClaim(
                number, None, (Problem("claim", f"is longer than {LONGEST_LINE} bytes", "one claim a line"),)
            )
        elif raw.strip():
            yield _read_line(number, raw)


def _read_line(number: int, raw: bytes) -> NumberedClaim:
    try:
        fields = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        problem = Problem(f"column {error.colno}", f"is not JSON: {error.msg}", "one JSON object a line")
        return NumberedClaim(number, None, (problem,))
    if not isinstance(fields, dict):
        return NumberedClaim(number, None, (Problem("claim", "is not an object", "one JSON object a line"),))
    return NumberedClaim(number, fields)


class Answer(NamedTuple):
    """The response to one line, or why there is none."""

    line: int
    response: dict[str, Any] | None
    problems: tuple[Problem, ...] = ()


def evaluate_claims(
    engine: Engine,
    claims: Iterable[NumberedClaim],
    as_of: str,
    families: frozenset[Family],
    detail: DetailLevel,
) -> Iterator[Answer]:
    """Decide each claim in process."""
    return answer_claims(claims, lambda fields: as_fields(engine.evaluate(fields, as_of, families, detail), "short"))


def answer_claims(
    claims: Iterable[NumberedClaim], evaluate: Callable[[dict[str, Any]], dict[str, Any]]
) -> Iterator[Answer]:
    """Answer each claim by ``evaluate``, which may raise ``ClaimInvalidError``."""
    for claim in claims:
        if claim.fields is None:
            yield Answer(claim.line, None, claim.problems)
            continue
        try:
            yield Answer(claim.line, evaluate(claim.fields))
        except ClaimInvalidError as error:
            yield Answer(claim.line, None, tuple(error.problems))

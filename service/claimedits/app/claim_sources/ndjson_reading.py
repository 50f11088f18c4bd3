"""Reads the project's own claims: one JSON object a line, in the spelling of the contract (api.md §2)."""

from __future__ import annotations

from collections.abc import Iterator

from claimedits.app.claim_files import read_claims
from claimedits.app.claim_sources.containers import READ_ERRORS, ClaimFile, explain
from claimedits.app.claim_sources.records import Position, ReadClaim, Record, Rejection, reject
from claimedits.model.claim_reading import read_claim
from claimedits.model.problems import ClaimInvalidError, Problem


def read_ndjson(file: ClaimFile, program: str = "", setting: str = "") -> Iterator[Record]:
    """One record a line that is not blank. ``program`` and ``setting`` stand in where a claim has none."""
    line = 0
    try:
        for numbered in read_claims(file.stream):
            line = numbered.line
            position = Position(line=line)
            fields = numbered.fields
            if fields is None:
                yield Rejection(file.name, position, numbered.problems)
                continue
            if program and not fields.get("program"):
                fields["program"] = program
            if setting and not fields.get("setting"):
                fields["setting"] = setting
            try:
                yield ReadClaim(read_claim(fields), file.name, position)
            except ClaimInvalidError as error:
                yield Rejection(file.name, position, tuple(error.problems))
            except RecursionError:  # nested deeper than any claim
                yield Rejection(file.name, position, (Problem("claim", "is nested too deeply", "send a flat claim"),))
    except READ_ERRORS as error:
        what = f"the file cannot be read further: {explain(error)}"
        yield reject(file.name, Position(line=line + 1), "", what, "send the whole file again")

"""Reads FHIR R4 claims: every Claim and ExplanationOfBenefit becomes one claim or one rejection; other resources pass."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from claimedits.app.claim_sources.containers import READ_ERRORS, ClaimFile, explain
from claimedits.app.claim_sources.fhir_claim import FhirClaim
from claimedits.app.claim_sources.fhir_documents import read_resources
from claimedits.app.claim_sources.fhir_parties import Parties
from claimedits.app.claim_sources.records import Notice, Position, ReadClaim, Record, Rejection, reject
from claimedits.model.claim_reading import read_claim
from claimedits.model.problems import ClaimInvalidError, Problem


def read_fhir(file: ClaimFile, program: str = "", setting: str = "") -> Iterator[Record]:
    """The records of one FHIR file; ``program`` and ``setting`` stand in where a resource does not say."""
    parties = Parties()
    seen = False
    position = Position()
    try:
        for found in read_resources(file.stream):
            position = found.position
            if found.resource is None:
                seen = True
                yield reject(file.name, position, "resource", found.flaw, found.mend)
                continue
            kind = found.resource.get("resourceType")
            if kind in ("Claim", "ExplanationOfBenefit"):
                seen = True
                yield _read(file.name, FhirClaim(found.resource, parties, program, setting), position)
            elif isinstance(kind, str):
                parties.remember(found.resource, found.full_url)
            else:
                seen = True
                yield reject(file.name, position, "resourceType", "is missing", "send FHIR R4 resources")
    except READ_ERRORS as error:
        seen = True
        what = f"the file cannot be read further: {explain(error)}"
        yield reject(file.name, position, "", what, "send the whole file again")
    if not seen:
        problem = Problem("", "holds no Claim and no ExplanationOfBenefit", "leave it out")
        yield Notice(file.name, position, problem)


_LINE_PATH = re.compile(r"lines\[(\d+)\](.*)")


def _place(resource: FhirClaim, problems: Sequence[Problem]) -> Iterator[Problem]:
    """Problems of lines as those of the items they came from; not those that were told in the words of FHIR."""
    for problem in problems:
        found = _LINE_PATH.fullmatch(problem.where)
        where = f"item[{resource.items[int(found[1])]}]{found[2]}" if found else problem.where
        if where not in resource.told:
            yield Problem(where, problem.what, problem.mend)


def _read(name: str, resource: FhirClaim, position: Position) -> ReadClaim | Rejection:
    try:
        fields = resource.fields()
        problems = resource.problems
        claim = read_claim(fields)
    except ClaimInvalidError as error:
        return Rejection(name, position, (*resource.problems, *_place(resource, error.problems)))
    if problems:
        return Rejection(name, position, tuple(problems), len(claim.lines))
    return ReadClaim(claim, name, position, tuple(resource.paid))

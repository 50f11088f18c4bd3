"""Claims for an impact run: NDJSON files, plain or packed, as ``claim-edits evaluate`` takes them."""

from __future__ import annotations

from collections.abc import Iterator

from claimedits.app.claim_files import read_claims
from claimedits.app.claim_sources.containers import READ_ERRORS, SourceError, explain, open_claim_files
from claimedits.app.impact.running import InputClaim


def read_input(path: str) -> Iterator[InputClaim]:
    """Every line of a file that is not blank, as a claim or as what is wrong with it; ``-`` is standard input.

    Raises:
        SourceError: the file cannot be opened, or not be read to its end.
    """
    position = 0
    for file in open_claim_files(path):
        try:
            for claim in read_claims(file.stream):
                position += 1
                yield InputClaim(position, claim.fields, claim.problems)
        except READ_ERRORS as error:
            raise SourceError(f"{file.name}: cannot be read to its end: {explain(error)}") from error

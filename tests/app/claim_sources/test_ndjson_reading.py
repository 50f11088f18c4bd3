"""The project's own claims, line by line."""

from __future__ import annotations

import orjson
from hypothesis import given
from made_claims import UNHURRIED, many_claims
from x12_samples import claims, file_of, rejections

from claimedits.app.claim_sources.line_batches import fields_of
from claimedits.app.claim_sources.ndjson_reading import read_ndjson
from claimedits.model.claim import Claim


@given(many_claims())
@UNHURRIED
def test_claims_written_are_read(made: list[Claim]) -> None:
    content = b"\n\n".join(orjson.dumps(fields_of(claim)) for claim in made)
    records = claims(list(read_ndjson(file_of(content))))
    assert [record.claim for record in records] == made
    assert [record.position.line for record in records] == list(range(1, 2 * len(made), 2))


def test_bad_lines_are_told_and_the_rest_goes_on() -> None:
    good = (
        b'{"claim_id":"A","lines":[{"line_number":1,"procedure_code":"G0101","units":"1","service_date":"2024-07-01"}]}'
    )
    content = b"\n".join([good, b"{", b"[1]", good.replace(b"G0101", b"G01"), b"[" * 2000, good])
    records = list(read_ndjson(file_of(content), "MEDICARE", "PRACTITIONER"))
    assert [record.position.line for record in claims(records)] == [1, 6]
    assert [(r.position.line, r.problems[0].where) for r in rejections(records)] == [
        (2, "column 1"),
        (3, "claim"),
        (4, "lines[0].procedure_code"),
        (5, "column 1026"),
    ]

"""StreamEvaluateTable against a real process: answers, refusals, limits, and bytes that are no table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import grpc
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from served import Served, TwoReleases, error_info, open_stub, refused, rich_status, serve_process, violations

from claimedits import evaluate_table
from claimedits.model.line_table import FINDING_SCHEMA, LINE_SCHEMA
from claimedits.v1 import claim_edit_service_pb2 as pb
from claimedits.v1 import claim_edit_service_pb2_grpc as pb_grpc


@pytest.fixture(scope="module")
def table_server(shared_releases: TwoReleases) -> Iterator[Served]:
    with serve_process(shared_releases.path, "--rows-per-table", "30") as served:
        yield served


@pytest.fixture
def stub(table_server: Served) -> Iterator[pb_grpc.ClaimEditServiceStub]:
    with open_stub(table_server.address) as stub:
        yield stub


def lines_of(claim: str, *codes: str, units: str = "1", **parts: Any) -> list[dict[str, Any]]:
    """Rows of a line table: a claim with one line a code."""
    return [
        {
            "claim_id": claim,
            "program": "MEDICARE",
            "setting": "PRACTITIONER",
            "billing_provider_id": "1234567893",
            "line_number": number,
            "procedure_code": code,
            "units": units,
            "service_date": "2024-08-15",
            **parts,
        }
        for number, code in enumerate(codes, 1)
    ]


def table_of_rows(rows: list[dict[str, Any]]) -> pa.Table:
    names = list(dict.fromkeys(name for row in rows for name in row))
    texts = {name: pa.array([row.get(name) for row in rows]) for name in names}
    return pa.table({name: pc.cast(column, LINE_SCHEMA.field(name).type) for name, column in texts.items()})


def stream_of(table: pa.Table, **options: Any) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, **options) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue().to_pybytes())


CONFLICT = table_of_rows([*lines_of("T-1", "G0247", "G0127"), *lines_of("T-2", "J1100", units="9")])


def ask(stub: pb_grpc.ClaimEditServiceStub, *contents: bytes, **options: Any) -> list[pb.StreamEvaluateTableResponse]:
    requests = [pb.StreamEvaluateTableRequest(arrow_stream=content) for content in contents]
    for name, value in options.items():
        setattr(requests[0], name, value)
    return list(stub.StreamEvaluateTable(iter(requests)))


def test_findings_are_those_of_the_library(stub: pb_grpc.ClaimEditServiceStub, shared_releases: TwoReleases) -> None:
    expected = evaluate_table(CONFLICT, (shared_releases.path, ""), "2024-09-01")
    (answer,) = ask(stub, stream_of(CONFLICT), as_of="2024-09-01")
    with pa.ipc.open_stream(answer.arrow_stream) as reader:
        found = reader.read_all()
    assert found.schema == FINDING_SCHEMA
    assert found.to_pylist() == expected.findings.to_pylist()
    assert {"PTP_CONFLICT", "MUE_EXCEEDED"} <= set(found["code"].to_pylist())
    assert (answer.lines, answer.findings) == (3, found.num_rows)


def test_one_answer_a_message_in_order_under_the_options_of_the_first(
    stub: pb_grpc.ClaimEditServiceStub, shared_releases: TwoReleases
) -> None:
    several = [table_of_rows(lines_of(f"T-{n}", *["J1100"] * n, units="9")) for n in (1, 2, 3)]
    answers = ask(stub, *map(stream_of, several), release=shared_releases.ids["second"])
    assert [answer.lines for answer in answers] == [1, 2, 3]


def test_options_hold_for_the_whole_stream(stub: pb_grpc.ClaimEditServiceStub) -> None:
    requests = [
        pb.StreamEvaluateTableRequest(arrow_stream=stream_of(CONFLICT), as_of="2024-09-01"),
        pb.StreamEvaluateTableRequest(arrow_stream=stream_of(CONFLICT), as_of="2024-09-02"),
    ]
    error = refused(lambda: list(stub.StreamEvaluateTable(iter(requests))))
    assert dict(violations(rich_status(error))) == {
        "as_of": "differs from the first message; options hold for the whole stream; leave them empty"
    }


def test_a_claim_that_cannot_be_read_is_refused_alone(stub: pb_grpc.ClaimEditServiceStub) -> None:
    rows = [*lines_of("T-1", "J1100", units="-1"), *lines_of("T-2", "J1100", units="9")]
    (answer,) = ask(stub, stream_of(table_of_rows(rows)))
    assert [(item.claim_id, item.row, item.status.code) for item in answer.refused] == [
        ("T-1", 0, grpc.StatusCode.INVALID_ARGUMENT.value[0])
    ]
    assert "units" in answer.refused[0].status.message
    assert answer.lines == 1


def test_an_empty_table_has_an_empty_answer(stub: pb_grpc.ClaimEditServiceStub) -> None:
    (answer,) = ask(stub, stream_of(CONFLICT.slice(0, 0)))
    assert (answer.lines, answer.findings) == (0, 0)
    with pa.ipc.open_stream(answer.arrow_stream) as reader:
        assert reader.read_all().schema == FINDING_SCHEMA


NO_LINE_TABLE = "is no Arrow IPC stream that can be read; write the table with one pyarrow.ipc.new_stream"
BAD_COLUMNS = (
    CONFLICT.drop_columns(["units", "service_date"])
    .append_column("unit", pa.array([1.0] * 3))
    .append_column("service_date", pa.array(["2024-08-15"] * 3))
)


@pytest.mark.parametrize(
    ("content", "problems"),
    [
        (
            b"",
            {"arrow_stream": NO_LINE_TABLE},
        ),
        (
            b"\xff" * 64,
            {"arrow_stream": NO_LINE_TABLE},
        ),
        (
            stream_of(CONFLICT)[:-200],
            {"arrow_stream": NO_LINE_TABLE},
        ),
        (
            stream_of(CONFLICT, options=pa.ipc.IpcWriteOptions(compression="zstd")),
            {"arrow_stream": "is compressed within Arrow; write it without compression; gRPC can compress messages"},
        ),
        (
            stream_of(CONFLICT.set_column(0, "claim_id", pa.array(["x" * 2000] * 3).dictionary_encode())),
            {"arrow_stream.column claim_id": "has a text of more than 1024 bytes; a code, id or word is shorter"},
        ),
        (
            stream_of(BAD_COLUMNS),
            {
                "arrow_stream.column units": "is missing; add it as decimal128(18, 4)",
                "arrow_stream.column unit": "is no column of a line table; check its spelling, or leave it out",
                "arrow_stream.column service_date": "is string; wanted is date32[day]",
            },
        ),
    ],
    ids=["nothing", "noise", "cut", "compressed", "long text", "columns"],
)
def test_what_is_no_line_table_is_refused(
    content: bytes, problems: dict[str, str], stub: pb_grpc.ClaimEditServiceStub
) -> None:
    error = refused(lambda: ask(stub, content))
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert error_info(rich_status(error)).reason == "REQUEST_INVALID"
    assert dict(violations(rich_status(error))) == problems


def test_rows_are_limited(stub: pb_grpc.ClaimEditServiceStub) -> None:
    rows = [row for n in range(31) for row in lines_of(f"T-{n}", "J1100")]
    error = refused(lambda: ask(stub, stream_of(table_of_rows(rows))))
    info = error_info(rich_status(error))
    assert (error.code(), info.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "LIMIT_EXCEEDED")
    assert dict(info.metadata) == {"limit": "rows_per_table", "maximum": "30", "value": "31"}
    assert len(ask(stub, stream_of(table_of_rows(rows[:30])))) == 1


def test_offsets_that_point_outside_are_not_followed(stub: pb_grpc.ClaimEditServiceStub) -> None:
    content = bytearray(stream_of(CONFLICT))
    place = content.rindex(b"G0247G0127")
    for at in range(place - 64, place):  # the offsets of the codes stand before them
        content[at] = 0x7F
    error = refused(lambda: ask(stub, bytes(content)))
    assert rich_status(error).code == grpc.StatusCode.INVALID_ARGUMENT.value[0]
    assert len(ask(stub, stream_of(CONFLICT))) == 1, "the server still answers"


def test_findings_are_limited_while_they_are_made(shared_releases: TwoReleases) -> None:
    """Lines in conflict with one another have findings that grow with the square of their number."""
    crowd = table_of_rows(lines_of("T-1", *(["G0247", "G0127"] * 100)))
    with serve_process(shared_releases.path, "--answer-bytes", "100000") as small, open_stub(small.address) as stub:
        error = refused(lambda: ask(stub, stream_of(crowd)))
        info = error_info(rich_status(error))
        assert (error.code(), info.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "LIMIT_EXCEEDED")
        assert (info.metadata["limit"], info.metadata["maximum"]) == ("answer_bytes", "100000")
        assert 100_000 < int(info.metadata["value"]) < 110_000, "the work stopped there"
        assert len(ask(stub, stream_of(CONFLICT))) == 1

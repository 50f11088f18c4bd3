"""CompareRevisions against a real process: counts, pages, filters, refusals."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import pytest
from served import Served, error_info, refused, rich_status, serve_process, violations

from claimedits.rulesets.store import Store
from claimedits.v1 import rule_set_service_pb2 as pb
from claimedits.v1 import rule_set_service_pb2_grpc as pb_grpc

sys.path.insert(0, str(Path(__file__).parents[1] / "rulesets" / "comparison"))

from made_revisions import draft, header, mue, ptp

PAIRS = 30
"""Pairs that the later edition adds; it also ends two and changes one indicator, which reaches back."""


@pytest.fixture(scope="module")
def revisions(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    store = Store.open(tmp_path_factory.mktemp("compared") / "store", create=True)
    old = [ptp(f"E0001+E{n:04d}") for n in range(100, 110)]
    new = [
        ptp("E0001+E0100", modifier_indicator=0),
        ptp("E0001+E0101", effective_to="2024-06-30"),
        ptp("E0001+E0102", effective_to="2024-06-30"),
        *old[3:],
        *(ptp(f"A0001+A{n:04d}", effective_from="2024-07-01") for n in range(PAIRS, 2 * PAIRS)),
    ]
    drafts = {
        "old": draft(header("medicare-ptp-practitioner", "ptp", "v30.1", "2024-04-01..2024-06-30"), old),
        "new": draft(header("medicare-ptp-practitioner", "ptp", "v30.2"), new),
        "mue": draft(header("medicare-mue-practitioner", "mue", "2024Q3"), [mue("A0001", 7, confidential=True)]),
        "mue-later": draft(
            header("medicare-mue-practitioner", "mue", "2024Q4", "2024-10-01..2024-12-31"),
            [mue("A0001", 8, confidential=True)],
        ),
    }
    ids = {name: store.add_revision(made)[0].id for name, made in drafts.items()}
    return {**ids, "store": str(store.path)}


@pytest.fixture(scope="module")
def stub(revisions: dict[str, str]) -> Iterator[pb_grpc.RuleSetServiceStub]:
    with serve_process(Path(revisions["store"])) as served, open_stub(served) as stub:
        yield stub


def open_stub(served: Served) -> Any:
    class Opened:
        def __enter__(self) -> pb_grpc.RuleSetServiceStub:
            self.channel = grpc.insecure_channel(served.address)
            return pb_grpc.RuleSetServiceStub(self.channel)

        def __exit__(self, *_: object) -> None:
            self.channel.close()

    return Opened()


def compare(stub: pb_grpc.RuleSetServiceStub, revisions: dict[str, str], **parts: Any) -> pb.CompareRevisionsResponse:
    request = {"old_revision": revisions["old"], "new_revision": revisions["new"], **parts}
    return stub.CompareRevisions(pb.CompareRevisionsRequest(**request))


def test_counts_and_rows(stub: pb_grpc.RuleSetServiceStub, revisions: dict[str, str]) -> None:
    response = compare(stub, revisions, page_size=1000)
    assert (response.old_revision.label, response.new_revision.label) == ("v30.1", "v30.2")
    (table,) = response.tables
    assert (table.old_rows, table.new_rows, table.added, table.removed, table.changed, table.unchanged) == (
        10,
        40,
        30,
        0,
        3,
        7,
    )
    assert (table.retroactive, dict(table.changed_columns)) == (1, {"effective_to": 2, "modifier_indicator": 1})
    assert len(response.changes) == 33 and not response.next_page_token
    added, changed = response.changes[0], response.changes[30]
    assert (added.table, added.kind, [(f.name, f.value) for f in added.key]) == (
        "edits",
        pb.ROW_CHANGE_KIND_ADDED,
        [("column_1", "A0001"), ("column_2", "A0030"), ("effective_from", "2024-07-01")],
    )
    assert (
        not added.before
        and added.old_source_row == 0
        and (added.new_source_file, added.new_source_row) == ("v30.2.txt", 12)
    )
    assert [(f.name, f.value) for f in (*changed.before, *changed.after)] == [
        ("modifier_indicator", "1"),
        ("modifier_indicator", "0"),
    ]
    assert changed.retroactive and changed.kind == pb.ROW_CHANGE_KIND_CHANGED


@pytest.mark.parametrize("size", [1, 7, 33, 1000])
def test_pages_are_the_whole_list_cut(stub: pb_grpc.RuleSetServiceStub, revisions: dict[str, str], size: int) -> None:
    whole = compare(stub, revisions, page_size=1000).changes
    changes: list[pb.RowChange] = []
    token = ""
    while not changes or token:
        page = compare(stub, revisions, page_size=size, page_token=token)
        assert len(page.changes) <= size and page.tables[0].added == 30
        changes += page.changes
        token = page.next_page_token
    assert changes == list(whole)


def test_filters_choose_rows_and_leave_the_counts(stub: pb_grpc.RuleSetServiceStub, revisions: dict[str, str]) -> None:
    changed = compare(stub, revisions, kinds=[pb.ROW_CHANGE_KIND_CHANGED], tables=["edits"])
    retroactive = compare(stub, revisions, retroactive_only=True)
    none = compare(stub, revisions, kinds=[pb.ROW_CHANGE_KIND_REMOVED])
    assert [len(r.changes) for r in (changed, retroactive, none)] == [3, 1, 0]
    assert {r.tables[0].added for r in (changed, retroactive, none)} == {30}


def test_a_token_goes_on_with_the_same_request_only(
    stub: pb_grpc.RuleSetServiceStub, revisions: dict[str, str]
) -> None:
    token = compare(stub, revisions, page_size=2).next_page_token
    others: list[dict[str, Any]] = [
        {"retroactive_only": True},
        {"old_revision": revisions["new"], "new_revision": revisions["old"]},
    ]
    for parts in others:
        error = refused(partial(compare, stub, revisions, page_token=token, **parts))
        assert [field for field, _ in violations(rich_status(error))] == ["page_token"]


def test_a_beginning_of_an_id_is_enough(stub: pb_grpc.RuleSetServiceStub, revisions: dict[str, str]) -> None:
    short = {name: revisions[name].removeprefix("sha256:")[:12] for name in ("old", "new")}
    assert compare(stub, {**revisions, **short}).tables[0].added == 30


def test_a_confidential_value_stays_so(stub: pb_grpc.RuleSetServiceStub, revisions: dict[str, str]) -> None:
    response = compare(stub, revisions, old_revision=revisions["mue"], new_revision=revisions["mue-later"])
    (change,) = response.changes
    assert [f.value for f in (*change.before, *change.after)] == ["confidential", "confidential"]


@pytest.mark.parametrize(
    ("parts", "field", "what"),
    [
        ({"old_revision": ""}, "old_revision", "is missing; name it by its id or a unique beginning of it"),
        ({"new_revision": " "}, "new_revision", "is missing; name it by its id or a unique beginning of it"),
        (
            {"kinds": [1, 9]},
            "kinds[1]",
            "is no kind of change; use ADDED, REMOVED or CHANGED, or leave kinds empty for all",
        ),
        (
            {"tables": ["edits", "values"]},
            "tables[1]",
            "is no table of these revisions; use one of edits, or leave tables empty",
        ),
        ({"page_size": -1}, "page_size", "is negative; ask for 1 to 1000, or 0 for 100"),
    ],
)
def test_what_is_wrong_is_named_by_its_field(
    stub: pb_grpc.RuleSetServiceStub, revisions: dict[str, str], parts: dict[str, Any], field: str, what: str
) -> None:
    error = refused(lambda: compare(stub, revisions, **parts))
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert violations(rich_status(error)) == [(field, what)]


def test_two_rule_sets_are_not_compared(stub: pb_grpc.RuleSetServiceStub, revisions: dict[str, str]) -> None:
    error = refused(lambda: compare(stub, revisions, new_revision=revisions["mue"]))
    assert violations(rich_status(error)) == [
        (
            "new_revision",
            "is a revision of medicare-mue-practitioner, and old_revision of medicare-ptp-practitioner; "
            "name two revisions of one rule set",
        )
    ]


def test_unknown_revisions_are_named_with_their_fields(
    stub: pb_grpc.RuleSetServiceStub, revisions: dict[str, str]
) -> None:
    error = refused(lambda: compare(stub, revisions, old_revision="0" * 12, new_revision="1" * 12))
    assert error.code() is grpc.StatusCode.NOT_FOUND
    assert error_info(rich_status(error)).reason == "REVISION_NOT_FOUND"
    said = error.details() or ""
    assert "old_revision: " in said and "new_revision: " in said

"""RuleSetService against a real process: what is kept, pages, look-ups."""

from __future__ import annotations

from collections.abc import Iterator

import grpc
import pytest
from served import Served, TwoReleases, error_info, refused, rich_status, serve_process, violations

from claimedits.rulesets.release import CheckOverride
from claimedits.v1 import claim_pb2, finding_pb2
from claimedits.v1 import rule_set_service_pb2 as pb
from claimedits.v1 import rule_set_service_pb2_grpc as pb_grpc

NAMES = ["duplicates", "medicare-aoc", "medicare-mue-practitioner", "medicare-ptp-practitioner", "ncci-conventions"]


@pytest.fixture
def stub(shared_server: Served) -> Iterator[pb_grpc.RuleSetServiceStub]:
    with grpc.insecure_channel(shared_server.address) as channel:
        yield pb_grpc.RuleSetServiceStub(channel)


def test_rule_sets_are_listed_page_by_page(stub: pb_grpc.RuleSetServiceStub) -> None:
    names, sizes, token = [], [], ""
    while not names or token:
        page = stub.ListRuleSets(pb.ListRuleSetsRequest(page_size=2, page_token=token))
        names += [rule_set.name for rule_set in page.rule_sets]
        sizes.append(len(page.rule_sets))
        token = page.next_page_token
    assert (names, sizes) == (NAMES, [2, 2, 1])
    whole = stub.ListRuleSets(pb.ListRuleSetsRequest())
    assert [(r.name, r.kind, r.revisions) for r in whole.rule_sets][2:4] == [
        ("medicare-mue-practitioner", "mue", 2),
        ("medicare-ptp-practitioner", "ptp", 2),
    ]


def test_a_token_of_another_list_is_refused(stub: pb_grpc.RuleSetServiceStub) -> None:
    token = stub.ListRevisions(pb.ListRevisionsRequest(page_size=1)).next_page_token
    said = "is no token of this list; send next_page_token of the page before with the same request, or leave it empty"
    for request in (
        pb.ListRevisionsRequest(page_size=1, page_token=token, rule_set="medicare-aoc"),
        pb.ListRevisionsRequest(page_token="1"),
        pb.ListRevisionsRequest(page_token="x" * 1000),
    ):
        error = refused(lambda request=request: stub.ListRevisions(request))
        assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert violations(rich_status(error)) == [("page_token", said)]
    error = refused(lambda: stub.ListReleases(pb.ListReleasesRequest(page_size=-1)))
    assert violations(rich_status(error)) == [("page_size", "is negative; ask for 1 to 1000, or 0 for 100")]


def test_revisions_carry_sources_and_counts(stub: pb_grpc.RuleSetServiceStub) -> None:
    listed = stub.ListRevisions(pb.ListRevisionsRequest(rule_set="medicare-ptp-practitioner")).revisions
    assert len(listed) == 2
    revision = listed[0]
    assert (dict(revision.rows), revision.read, revision.rejected) == ({"edits": 1}, 1, 0)
    assert [source.file for source in revision.sources] == ["case.jsonl"]
    assert (revision.effective_from, revision.effective_to) == ("1900-01-01", "")
    assert stub.GetRevision(pb.GetRevisionRequest(revision=revision.id[:20])).revision == revision


def test_an_unknown_revision_or_release_is_not_found(stub: pb_grpc.RuleSetServiceStub) -> None:
    for call, reason in (
        (lambda: stub.GetRevision(pb.GetRevisionRequest(revision="0" * 64)), "REVISION_NOT_FOUND"),
        (lambda: stub.GetRelease(pb.GetReleaseRequest(release="0" * 64)), "RELEASE_NOT_FOUND"),
    ):
        error = refused(call)
        assert error.code() is grpc.StatusCode.NOT_FOUND
        assert error_info(rich_status(error)).reason == reason
    error = refused(lambda: stub.GetRevision(pb.GetRevisionRequest()))
    assert violations(rich_status(error)) == [("revision", "is missing; name it by its id or a unique beginning of it")]


def test_releases_and_the_active_one(stub: pb_grpc.RuleSetServiceStub, shared_releases: TwoReleases) -> None:
    first = shared_releases.ids["first"]
    listed = stub.ListReleases(pb.ListReleasesRequest()).releases
    assert {release.id for release in listed} == set(shared_releases.ids.values())
    assert stub.GetRelease(pb.GetReleaseRequest(release=first)).release.note == "first"
    active = stub.GetActiveRelease(pb.GetActiveReleaseRequest())
    assert (active.release.id, active.serving_release, active.problem) == (first, first, "")


def test_edits_of_a_code_and_of_a_pair(stub: pb_grpc.RuleSetServiceStub, shared_releases: TwoReleases) -> None:
    pair = pb.LookUpEditsRequest(procedure_code=" g0127 ", other_procedure_code="G0247", date="2024-08-15")
    response = stub.LookUpEdits(pair)
    assert response.release == shared_releases.ids["first"]
    (edit,) = response.edits
    assert (edit.family, edit.rule_id, edit.active) == (
        finding_pb2.FAMILY_PTP,
        "medicare-ptp-practitioner/G0247+G0127",
        True,
    )
    assert {f.name: f.value for f in edit.fields}["modifier_indicator"] == "1"
    assert edit.citation.source_row == 1
    pair.release = shared_releases.ids["second"]
    assert {f.name: f.value for f in stub.LookUpEdits(pair).edits[0].fields}["modifier_indicator"] == "0"
    ptp = [finding_pb2.FAMILY_PTP]
    before = pb.LookUpEditsRequest(procedure_code="G0127", date="2009-12-31", families=ptp)
    assert [edit.active for edit in stub.LookUpEdits(before).edits] == [False]
    other = pb.LookUpEditsRequest(procedure_code="G0127", program=claim_pb2.PROGRAM_MEDICAID, families=ptp)
    assert not stub.LookUpEdits(other).edits


def test_every_fault_of_a_look_up_is_named(stub: pb_grpc.RuleSetServiceStub) -> None:
    request = pb.LookUpEditsRequest(date="2024-13-01", as_of="2999-01-01", program=9, setting=9, families=[99])  # type: ignore[arg-type, list-item]
    assert [where for where, _ in violations(rich_status(refused(lambda: stub.LookUpEdits(request))))] == [
        "procedure_code",
        "date",
        "as_of",
        "families[0]",
        "program",
        "setting",
    ]


def test_a_release_shows_what_was_let_through(two_releases: TwoReleases) -> None:
    override = CheckOverride(
        "agreed with the payer", "ada", "2026-11-24T14:00:00Z", ("a test fails", "a code is unknown")
    )
    made = two_releases.store.create_release(two_releases.revisions["second"], "second", override)
    with serve_process(two_releases.path) as served, grpc.insecure_channel(served.address) as channel:
        reading = pb_grpc.RuleSetServiceStub(channel)
        (shown,) = reading.GetRelease(pb.GetReleaseRequest(release=made.id)).release.overrides
        assert (shown.reason, shown.who, shown.at) == (override.reason, override.who, override.at)
        assert tuple(shown.problems) == override.problems
        listed = {r.id: len(r.overrides) for r in reading.ListReleases(pb.ListReleasesRequest()).releases}
    assert listed == {made.id: 1, **dict.fromkeys(two_releases.ids.values(), 0)}

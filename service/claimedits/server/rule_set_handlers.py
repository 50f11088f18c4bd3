"""RuleSetService: what the store keeps, which release answers, and look-ups. Reads only."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, TypeVar

from claimedits.app.engine_host import EngineHost
from claimedits.app.lookup import Edit, LookUp, look_up, read_codes
from claimedits.app.response_messages import citation_message
from claimedits.model.dates import format_day
from claimedits.model.problems import AmbiguousIdError, NotFoundError, Problem
from claimedits.model.terms import Family, Program, Setting
from claimedits.rulesets.release import ReleaseInfo
from claimedits.rulesets.revision import RevisionInfo
from claimedits.server.calls import Call
from claimedits.server.errors import RequestError, RevisionNotFoundError
from claimedits.server.requests import read_date
from claimedits.v1 import rule_set_service_pb2 as pb

DEFAULT_PAGE, LARGEST_PAGE = 100, 1000
T = TypeVar("T")
_FAMILIES = {family.value: family for family in Family}


class RuleSetHandlers:
    """The read calls. One instance a worker, shared by its threads."""

    def __init__(self, host: EngineHost) -> None:
        self._host = host

    def ListRuleSets(self, request: pb.ListRuleSetsRequest, call: Call) -> pb.ListRuleSetsResponse:  # noqa: N802
        """Rule sets by name."""
        grouped: dict[str, list[RevisionInfo]] = {}
        for info in self._host.store.revisions():
            grouped.setdefault(info.header.rule_set, []).append(info)
        sets = [_rule_set(name, infos) for name, infos in sorted(grouped.items())]
        page, token = take_page(sets, request)
        return pb.ListRuleSetsResponse(rule_sets=page, next_page_token=token)

    def ListRevisions(self, request: pb.ListRevisionsRequest, call: Call) -> pb.ListRevisionsResponse:  # noqa: N802
        """Revisions by rule set, period, publication."""
        infos = self._host.store.revisions(request.rule_set or None)
        page, token = take_page(infos, request)
        return pb.ListRevisionsResponse(revisions=map(revision_message, page), next_page_token=token)

    def GetRevision(self, request: pb.GetRevisionRequest, call: Call) -> pb.GetRevisionResponse:  # noqa: N802
        """One revision by id or unique beginning."""
        _require("revision", request.revision)
        try:
            info = self._host.store.revision(request.revision)
        except AmbiguousIdError as error:
            raise RequestError([Problem("revision", "begins several ids", "give more digits")]) from error
        except NotFoundError as error:
            raise RevisionNotFoundError(str(error)) from error
        return pb.GetRevisionResponse(revision=revision_message(info))

    def ListReleases(self, request: pb.ListReleasesRequest, call: Call) -> pb.ListReleasesResponse:  # noqa: N802
        """Releases in the order of the store."""
        page, token = take_page(self._host.store.releases(), request)
        return pb.ListReleasesResponse(releases=map(_release, page), next_page_token=token)

    def GetRelease(self, request: pb.GetReleaseRequest, call: Call) -> pb.GetReleaseResponse:  # noqa: N802
        """One release by id or unique beginning."""
        _require("release", request.release)
        return pb.GetReleaseResponse(release=_release(self._host.store.release(request.release)))

    def GetActiveRelease(self, request: pb.GetActiveReleaseRequest, call: Call) -> pb.GetActiveReleaseResponse:  # noqa: N802
        """The store's active release, the one that answers here, and why they differ where they do."""
        active = self._host.store.active()
        return pb.GetActiveReleaseResponse(
            release=_release(active) if active else None,
            serving_release=self._host.serving_release,
            problem=self._host.problem,
        )

    def LookUpEdits(self, request: pb.LookUpEditsRequest, call: Call) -> pb.LookUpEditsResponse:  # noqa: N802
        """Edits that touch a code, stand between two, or name a diagnosis; only those of the page are made."""
        asked = _read_look_up(request)
        engine = self._host.engine(request.release)
        call.release = engine.release_id
        edits = look_up(engine.release, asked)
        page, token = take_page(edits, request, engine.release_id)
        return pb.LookUpEditsResponse(release=engine.release_id, edits=map(_edit, page), next_page_token=token)


def take_page(items: Sequence[T], request: Any, release: str = "") -> tuple[Sequence[T], str]:
    """One page of ``items`` and the token of the next (AIP-158).

    A token is the place to go on from, and a digest of what was asked and of the release that answered: it goes on only
    with the same list.

    Raises:
        RequestError: the size is negative, or the token is none of this list.
    """
    problems = []
    if request.page_size < 0:
        problems.append(Problem("page_size", "is negative", f"ask for 1 to {LARGEST_PAGE}, or 0 for {DEFAULT_PAGE}"))
    place, _, digest = request.page_token.partition("-")
    asked = _digest_of(request, release)
    if request.page_token and not (place.isascii() and place.isdigit() and len(place) < 10 and digest == asked):
        problems.append(
            Problem(
                "page_token",
                "is no token of this list",
                "send next_page_token of the page before with the same request, or leave it empty",
            )
        )
    if problems:
        raise RequestError(problems)
    start = int(place or 0)
    end = start + min(request.page_size or DEFAULT_PAGE, LARGEST_PAGE)
    return items[start:end], f"{end}-{asked}" if end < len(items) else ""


def _digest_of(request: Any, release: str) -> str:
    """What a list depends on: the request but for its page, and the release."""
    plain = type(request)()
    plain.CopyFrom(request)
    plain.ClearField("page_size")
    plain.ClearField("page_token")
    content = plain.DESCRIPTOR.full_name.encode() + plain.SerializeToString(deterministic=True) + release.encode()
    return hashlib.sha256(content).hexdigest()[:16]


def _require(name: str, value: str) -> None:
    if not value:
        raise RequestError([Problem(name, "is missing", "name it by its id or a unique beginning of it")])


def _read_look_up(request: pb.LookUpEditsRequest) -> LookUp:
    problems: list[Problem] = []
    codes, diagnosis = read_codes(
        ("procedure_code", request.procedure_code),
        ("other_procedure_code", request.other_procedure_code),
        ("diagnosis_code", request.diagnosis_code),
        problems,
    )
    day = read_date("date", request.date, problems)
    as_of = read_date("as_of", request.as_of, problems, in_future=False)
    families = set()
    for i, number in enumerate(map(int, request.families)):
        if number in _FAMILIES:
            families.add(_FAMILIES[number])
        else:
            problems.append(Problem(f"families[{i}]", "is no family of edits", "leave families empty for all"))
    words: tuple[tuple[str, int, type[Program | Setting]], ...] = (
        ("program", int(request.program), Program),
        ("setting", int(request.setting), Setting),
    )
    for name, number, known in words:
        if number and number not in {member.value for member in known}:
            problems.append(Problem(name, "is not a known word", "leave it unspecified for all"))
    if problems:
        raise RequestError(problems)
    return LookUp(
        codes,
        day,
        as_of,
        Program(request.program) if request.program else None,
        Setting(request.setting) if request.setting else None,
        frozenset(families),
        diagnosis,
    )


def _rule_set(name: str, infos: Sequence[RevisionInfo]) -> pb.RuleSet:
    newest = max(infos, key=lambda info: (info.header.published_on, info.header.effective_from, info.id))
    return pb.RuleSet(
        name=name,
        kind=newest.header.kind,
        revisions=len(infos),
        newest_revision=newest.id,
        newest_label=newest.header.label,
    )


def revision_message(info: RevisionInfo) -> pb.Revision:
    header = info.header
    return pb.Revision(
        id=info.id,
        rule_set=header.rule_set,
        kind=header.kind,
        label=header.label,
        effective_from=format_day(header.effective_from),
        effective_to=format_day(header.effective_to),
        published_on=format_day(header.published_on),
        sources=[
            pb.Source(
                file=s.file,
                sha256=s.sha256,
                size=s.size,
                records=s.records,
                encoding=s.encoding,
                archive=s.archive,
                url=s.url,
            )
            for s in header.sources
        ],
        rows=dict(info.rows),
        read=info.read,
        rejected=info.rejected,
        warnings=info.warnings,
        attributes=dict(header.attributes),
    )


def _release(release: ReleaseInfo) -> pb.Release:
    return pb.Release(
        id=release.id,
        revisions=release.revisions,
        created_at=release.created_at,
        note=release.note,
        overrides=[
            pb.CheckOverride(reason=o.reason, who=o.who, at=o.at, problems=o.problems) for o in release.overrides
        ],
    )


def _edit(edit: Edit) -> pb.Edit:
    return pb.Edit(
        family=int(edit.family),  # type: ignore[arg-type]
        rule_set=edit.rule_set,
        rule_id=edit.rule_id,
        citation=citation_message(edit.citation),
        active=edit.active,
        fields=[pb.EditField(name=name, value=value) for name, value in edit.fields],
    )

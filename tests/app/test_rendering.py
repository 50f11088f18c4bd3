"""One answer in three forms: nested fields, JSON, protobuf. They agree for every decision."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, NamedTuple, get_args, get_origin, get_type_hints

import orjson
from hypothesis import given
from hypothesis import strategies as st

from claimedits.app import rendering
from claimedits.app.response_messages import as_response
from claimedits.model import finding as finding_module
from claimedits.model.dates import parse_day
from claimedits.model.finding import Decision, Detail, Finding, LineResult, MueDetail, PolicyDetail
from claimedits.model.terms import FAMILIES_BY_NAME, Family, Overridable, Status
from claimedits.v1.claim_edit_service_pb2 import EvaluateClaimResponse

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
NUMBER = st.integers(0, 2**31 - 1)


def values_of(hint: Any) -> st.SearchStrategy[Any]:
    """Any value of a field's type, as the classes of ``model.finding`` declare it."""
    if hint is str:
        return TEXT
    if hint is bool:
        return st.booleans()
    if hint is int:
        return NUMBER
    if hint in (Family, Status, Overridable):
        return st.sampled_from(list(hint))
    if get_origin(hint) is tuple:
        inside = get_args(hint)
        if inside[-1] is Ellipsis:
            return st.lists(values_of(inside[0]), max_size=2).map(tuple)
        return st.tuples(*map(values_of, inside))
    if type(None) in get_args(hint):
        (some,) = (part for part in get_args(hint) if part is not type(None))
        return st.none() | values_of(some)
    return objects_of(hint)


def objects_of(kind: type) -> st.SearchStrategy[Any]:
    hints = get_type_hints(kind, vars(finding_module))
    fields = getattr(kind, "_fields", None) or kind.__dataclass_fields__  # type: ignore[attr-defined]
    return st.builds(kind, **{name: values_of(hints[name]) for name in fields})


POLICY = st.builds(
    PolicyDetail, TEXT, st.dictionaries(TEXT, TEXT, max_size=3).map(lambda values: tuple(values.items()))
)
DETAIL = st.builds(lambda detail, policy: detail._replace(policy=policy), objects_of(Detail), st.none() | POLICY)


def with_detail(finding: Finding, detail: Detail | None) -> Finding:
    finding.detail = detail
    return finding


FINDING = st.builds(with_detail, objects_of(Finding), st.none() | DETAIL)
LINE = st.builds(
    LineResult,
    NUMBER,
    TEXT,
    st.sampled_from(list(Status)),
    st.lists(st.sampled_from(list(Status)), min_size=len(FAMILIES_BY_NAME), max_size=len(FAMILIES_BY_NAME)).map(
        lambda statuses: tuple(zip(FAMILIES_BY_NAME, statuses, strict=True))
    ),
)
DECISION = st.builds(
    lambda decision, lines, findings, as_of: decision._replace(
        lines=tuple(lines), findings=tuple(findings), as_of=as_of
    ),
    objects_of(Decision),
    st.lists(LINE, max_size=3),
    st.lists(FINDING, max_size=2),
    st.integers(parse_day("1900-01-01"), parse_day("2100-01-01")),
)


@given(DECISION)
def test_the_three_forms_agree(decision: Decision) -> None:
    message = as_response(decision)
    assert message == EvaluateClaimResponse(**rendering.as_fields(decision, "numbers"))
    assert rendering.json_from_response(message) == rendering.as_json(decision)
    content = message.SerializeToString(deterministic=True)
    assert rendering.json_from_response(EvaluateClaimResponse.FromString(content)) == rendering.as_json(decision)
    assert as_response(decision).SerializeToString(deterministic=True) == content


def test_every_field_of_the_message_is_written() -> None:
    """A field added to the proto but forgotten in one of the forms is found here."""
    filled = _filled(Decision)
    fields = rendering.as_fields(filled)
    assert _names(fields) == _message_names(EvaluateClaimResponse.DESCRIPTOR)


def test_the_json_form_is_that_of_the_contract() -> None:
    decision = Decision(
        claim_id="C-1",
        decision_id="d",
        release="sha256:r",
        as_of=parse_day("2024-07-15"),
        engine_version="1",
        outcome=Status.FAIL,
        lines=(LineResult(1, "g0247", Status.FAIL, ((Family.MUE, Status.FAIL), (Family.PTP, Status.PASS))),),
        findings=(
            Finding(
                "medicare-mue-practitioner/G0247",
                Family.MUE,
                Status.FAIL,
                1,
                "MUE_EXCEEDED",
                "too many",
                detail=Detail(mue=MueDetail(None, "2", "3", str(Decimal("3")))),
            ),
        ),
    )
    assert orjson.loads(rendering.as_json(decision)) == {
        "claim_id": "C-1",
        "decision_id": "d",
        "release": "sha256:r",
        "as_of": "2024-07-15",
        "engine_version": "1",
        "outcome": "FAIL",
        "lines": [
            {
                "line_number": 1,
                "procedure_code": "g0247",
                "outcome": "FAIL",
                "families": {"MUE": "FAIL", "PTP": "PASS"},
            }
        ],
        "findings": [
            {
                "finding_id": "1/medicare-mue-practitioner/G0247",
                "rule_id": "medicare-mue-practitioner/G0247",
                "family": "MUE",
                "status": "FAIL",
                "line_number": 1,
                "related_line_numbers": [],
                "code": "MUE_EXCEEDED",
                "message": "too many",
                "overridable": "NOT_APPLICABLE",
                "remedies": [],
                "depends_on": [],
                "detail": {
                    "mue": {
                        "mai": "2",
                        "units_billed": "3",
                        "units_evaluated": "3",
                        "line_numbers_summed": [],
                        "special": "",
                        "day": "",
                    }
                },
            }
        ],
        "trace": [],
    }


def _filled(hint: Any) -> Any:
    """A value in which nothing is empty, absent or false."""
    if hint is str:
        return "x"
    if hint is bool or hint is int:
        return hint(1)
    if hint in (Family, Status, Overridable):
        return list(hint)[1]
    if get_origin(hint) is tuple:
        inside = get_args(hint)
        return tuple(_filled(part) for part in inside if part is not Ellipsis)
    if type(None) in get_args(hint):
        return _filled(next(part for part in get_args(hint) if part is not type(None)))
    hints = get_type_hints(hint, vars(finding_module))
    names = hint._fields if issubclass(hint, tuple) else hint.__dataclass_fields__
    return hint(**{name: _filled(hints[name]) for name in names})


class _Path(NamedTuple):
    names: tuple[str, ...]


def _names(fields: Any, path: tuple[str, ...] = ()) -> set[_Path]:
    if isinstance(fields, list):
        return set().union(*(_names(item, path) for item in fields))
    if not isinstance(fields, dict) or path[-1:] in (("families",), ("values",)):
        return {_Path(path)}
    return set().union(*(_names(value, (*path, name)) for name, value in fields.items()))


def _message_names(descriptor: Any, path: tuple[str, ...] = ()) -> set[_Path]:
    names: set[_Path] = set()
    for field in descriptor.fields:
        inner = field.message_type
        here = (*path, field.name)
        names |= {_Path(here)} if inner is None or inner.GetOptions().map_entry else _message_names(inner, here)
    return names

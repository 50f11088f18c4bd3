"""Claims as messages: what is remembered of lines seen before never changes how a claim is read."""

from __future__ import annotations

from typing import Any

import pytest

from claimedits.app import claim_messages
from claimedits.app.claim_messages import claim_from_proto, message_from_fields
from claimedits.model.claim_reading import read_claim
from claimedits.model.problems import ClaimInvalidError


def fields(**parts: Any) -> dict[str, Any]:
    line = {
        "line_number": 1, "procedure_code": "G0127", "modifiers": ["RT"], "units": "2", "service_date": "2024-08-15",
        "diagnosis_pointers": [2], "charge_cents": 0,
    }  # fmt: skip
    claim = {"claim_id": "T-1", "program": "MEDICARE", "setting": "PRACTITIONER", "diagnoses": ["E11.42", "B35.1"]}
    return {**claim, "lines": [{**line, **parts.pop("line", {})}], **parts}


@pytest.fixture(autouse=True)
def nothing_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claim_messages, "_remembered", {})


def test_a_line_seen_before_is_read_as_the_first_time() -> None:
    message = message_from_fields(fields())
    first, *others = [claim_from_proto(message) for _ in range(4)]
    assert first == read_claim(fields())
    assert all(other == first for other in others)
    assert others[-1].lines[0] is others[-2].lines[0]


def test_a_pointer_is_held_to_the_diagnoses_of_its_own_claim() -> None:
    for _ in range(3):
        claim_from_proto(message_from_fields(fields()))
    with pytest.raises(ClaimInvalidError, match=r"lines\[0\].diagnosis_pointers\[0\]: 2 points at no diagnosis"):
        claim_from_proto(message_from_fields(fields(diagnoses=["E11.42"])))


def test_a_charge_of_nothing_is_not_an_unknown_charge() -> None:
    for _ in range(2):
        assert claim_from_proto(message_from_fields(fields())).lines[0].charge_cents == 0
        unknown = fields()
        del unknown["lines"][0]["charge_cents"]
        assert claim_from_proto(message_from_fields(unknown)).lines[0].charge_cents is None


def test_line_numbers_are_counted_over_remembered_lines() -> None:
    claim = fields()
    claim["lines"] *= 2
    for _ in range(3):
        with pytest.raises(ClaimInvalidError, match=r"lines\[1\].line_number: 1 is also the number of lines\[0\]"):
            claim_from_proto(message_from_fields(claim))


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claim_messages, "_MOST_REMEMBERED", 8)
    for units in range(1, 60):
        for _ in range(2):
            claim_from_proto(message_from_fields(fields(line={"units": str(units)})))
        assert len(claim_messages._remembered) <= 8

"""History joined through partitions, against every pair of claims compared by hand."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_claims import CODES, UNHURRIED

from claimedits.app.claim_sources import history
from claimedits.app.claim_sources.history import attach_history, join_history
from claimedits.app.claim_sources.line_batches import claims_of, table_of
from claimedits.app.claim_sources.partitions import PARTITION_SCHEMA, partition_by_patient, read_partition
from claimedits.app.claim_sources.reading import READ_SCHEMA
from claimedits.model.claim import Claim, ClaimLine, Patient
from claimedits.model.dates import parse_day
from claimedits.model.terms import Program, Setting

FIRST = parse_day("2024-07-01")


def line(number: int, start: int, days: int = 0) -> ClaimLine:
    code = CODES[number % len(CODES)]
    return ClaimLine(number, code, (), 1, FIRST + start, FIRST + start + days, procedure_code_sent=code)  # type: ignore[arg-type]


@st.composite
def patients_claims(draw: st.DrawFn) -> list[Claim]:
    made = []
    for i in range(draw(st.integers(1, 8))):
        count = draw(st.integers(1, 3))
        own = tuple(line(n, draw(st.integers(0, 12)), draw(st.integers(0, 3))) for n in range(1, count + 1))
        made.append(
            Claim(
                f"C{i}",
                draw(st.sampled_from(Program)),
                draw(st.sampled_from([Setting.PRACTITIONER, Setting.ASC])),
                own,
                billing_provider_id=draw(st.sampled_from(["", "1", "2"])),
                patient=Patient(draw(st.sampled_from(["", "P", "Q"]))),
            )
        )
    return made


def partition_of(made: list[Claim], paid: bool | None = None) -> pa.Table:
    table = table_of(made)
    order = {claim.claim_id: i for i, claim in enumerate(made)}
    numbers = [order[name] for name in table.column("claim_id").to_pylist()]
    table = table.append_column("was_paid", pa.array([paid] * table.num_rows, pa.bool_()))
    return table.append_column("input_order", pa.array(numbers, pa.int64())).cast(PARTITION_SCHEMA)


def expected(made: list[Claim], window: int, earlier_only: bool) -> list[Claim]:
    """The rule in words: same patient, provider, program and setting; some line at most ``window`` days away."""
    joined = []
    begins = [min(own.service_date for own in claim.lines) for claim in made]
    for i, claim in enumerate(made):
        found: list[ClaimLine] = []
        for j, other in enumerate(made):
            known = claim.patient.patient_id and claim.billing_provider_id
            same = (claim.patient, claim.billing_provider_id, claim.program, claim.setting) == (
                other.patient, other.billing_provider_id, other.program, other.setting
            )  # fmt: skip
            if i == j or not known or not same or (earlier_only and (begins[j], j) > (begins[i], i)):
                continue
            for theirs in other.lines:
                gaps = [
                    max(theirs.service_date - own.service_date_end, own.service_date - theirs.service_date_end, 0)
                    for own in claim.lines
                ]
                if min(gaps) <= window:
                    found.append(theirs._replace(claim_id=other.claim_id, paid=True))
        joined.append(claim._replace(history_lines=tuple(found)))
    return joined


def join(partition: pa.Table, window: int) -> list[Claim]:
    return [claim for part in join_history(partition, window) for claim in claims_of(part.table)]


@given(patients_claims(), st.integers(0, 4), st.booleans(), st.sampled_from([1, 5, 1_000]))
@UNHURRIED
def test_history_is_that_of_the_rule(made: list[Claim], window: int, earlier_only: bool, block: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(history, "_BLOCK", block)
        check_history(made, window, earlier_only)


def check_history(made: list[Claim], window: int, earlier_only: bool) -> None:
    parts = list(join_history(partition_of(made, paid=True), window, earlier_only))
    found = [claim for part in parts for claim in claims_of(part.table)]
    assert found == expected(made, window, earlier_only)
    assert sum(part.lines for part in parts) == sum(len(claim.history_lines) for claim in found)
    assert not any(part.cut for part in parts)
    whole = attach_history(partition_of(made, paid=True), window, earlier_only)
    assert list(claims_of(whole.table)) == found


def one_patient(*claims: Claim) -> list[Claim]:
    return [claim._replace(patient=Patient("P"), billing_provider_id="1") for claim in claims]


def test_pointers_of_another_claim_are_not_taken_over() -> None:
    pointing = line(1, 0)._replace(diagnosis_pointers=(1,))
    one, two = one_patient(
        Claim("A", Program.MEDICARE, Setting.PRACTITIONER, (pointing,), diagnoses=("E1142",)),
        Claim("B", Program.MEDICARE, Setting.PRACTITIONER, (pointing,), diagnoses=("B351",)),
    )
    joined = join(partition_of([one, two]), 0)
    assert joined[0].lines == one.lines
    assert [(h.claim_id, h.diagnosis_pointers, h.paid) for h in joined[0].history_lines] == [("B", (), None)]


def test_history_that_a_claim_brings_is_not_joined_again() -> None:
    brought = line(1, 0)._replace(claim_id="B", paid=False)
    one, two = one_patient(
        Claim("A", Program.MEDICARE, Setting.PRACTITIONER, (line(2, 0),), history_lines=(brought,)),
        Claim("B", Program.MEDICARE, Setting.PRACTITIONER, (line(1, 0),)),
    )
    first, second = join(partition_of([one, two], paid=True), 0)
    assert first.history_lines == (brought,)
    assert [h.claim_id for h in second.history_lines] == ["A"], "and brought lines are nobody else's history"


@pytest.mark.parametrize("limit", ["MOST_LINES", "MOST_CLAIMS"])
def test_more_history_than_a_claim_may_have_is_cut_and_counted(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, limit, 2)
    made = one_patient(*(Claim(f"C{i}", Program.MEDICARE, Setting.PRACTITIONER, (line(1, i),)) for i in range(5)))
    (part,) = join_history(partition_of(made), 4)
    found = [[h.claim_id for h in claim.history_lines] for claim in claims_of(part.table)]
    if limit == "MOST_LINES":
        assert found == [["C1", "C2"], ["C0", "C2"], ["C1", "C3"], ["C2", "C4"], ["C2", "C3"]]
    else:
        assert all(len(ids) <= 2 for ids in found)
    assert part.cut == 5


def test_a_patient_number_that_stands_for_everybody_does_not_hang() -> None:
    made = one_patient(*(Claim(f"C{i}", Program.MEDICARE, Setting.PRACTITIONER, (line(1, 0),)) for i in range(3_000)))
    parts = list(join_history(partition_of(made), 0))
    assert sum(part.cut for part in parts) == 3_000
    assert max(part.table.num_rows for part in parts) <= history._BLOCK


@given(patients_claims(), st.integers(1, 5))
@UNHURRIED
def test_partitions_hold_every_claim_once_and_patients_together(made: list[Claim], number: int) -> None:
    import tempfile

    table = table_of(made).append_column("was_paid", pa.nulls(sum(len(c.lines) for c in made), pa.bool_()))
    with tempfile.TemporaryDirectory() as folder:
        halves = [table.slice(0, len(made[0].lines)), table.slice(len(made[0].lines))]
        paths = partition_by_patient(halves, Path(folder) / "parts", number)
        parts = [read_partition(path) for path in paths]
    found = [(claim, i) for i, part in enumerate(parts) for claim in claims_of(part)]
    assert sorted(claim.claim_id for claim, _ in found) == sorted(claim.claim_id for claim in made)
    assert {claim.claim_id: claim for claim, _ in found} == {claim.claim_id: claim for claim in made}
    for claim, part in found:
        others = {p for other, p in found if other.patient == claim.patient and claim.patient.patient_id}
        assert others <= {part}
    orders = {n: c for p in parts for n, c in zip(p["input_order"].to_pylist(), p["claim_id"].to_pylist(), strict=True)}
    assert orders == {i: claim.claim_id for i, claim in enumerate(made)}


def test_partitions_appear_whole_or_not_at_all(tmp_path: Path) -> None:
    def tables():  # type: ignore[no-untyped-def]
        yield table_of([]).append_column("was_paid", pa.nulls(0, pa.bool_())).cast(READ_SCHEMA)
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        partition_by_patient(tables(), tmp_path / "parts", 3)
    assert list(tmp_path.iterdir()) == []

"""What a table may look like, what is refused and how that is said, and how tables are cut."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from decimal import Decimal
from random import Random
from typing import Any

import pyarrow as pa
import pytest
from line_tables import disagreements, finding_rows, refusals, rows_of, table_of
from made_release import random_claim

from claimedits.engine.columnar.finding_columns import FindingsTooLargeError
from claimedits.engine.columnar.table import TableEvaluator, TableFindings, evaluate_batches, evaluate_table, join_parts
from claimedits.engine.engine import Engine
from claimedits.engine.evaluation import EvaluationAbandonedError
from claimedits.model.claim_reading import ClaimLimits
from claimedits.model.line_table import FINDING_SCHEMA, LINE_SCHEMA, TableInvalidError
from claimedits.model.problems import ClaimInvalidError
from claimedits.model.terms import Status

AS_OF = "2024-12-01"


def line(number: int, code: str = "G0102", **parts: Any) -> dict[str, Any]:
    return {
        "claim_id": "C-1", "program": "MEDICARE", "setting": "PRACTITIONER", "line_number": number, "procedure_code": code,
        "units": Decimal(1), "service_date": datetime.date(2024, 8, 15), **parts,
    }  # fmt: skip


def table(*rows: Mapping[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=LINE_SCHEMA)


def evaluated(engine: Engine, lines: pa.Table, **parts: Any) -> TableFindings:
    return evaluate_table(lines, engine, AS_OF, **parts)


# ---- types ----


def test_every_wrong_column_is_named_at_once(engine: Engine) -> None:
    moments = pa.array([datetime.datetime(2024, 8, 15)], pa.timestamp("us"))
    lines = pa.table(
        {
            "claim_id": ["C-1"], "program": pa.array([1]), "settings": ["PRACTITIONER"], "line_number": ["1"],
            "procedure_code": ["G0102"], "units": ["1"], "service_date": moments, "modifiers": ["59"],
            "diagnosis_pointers": [[1.5]], "paid": ["yes"], "charge_cents": [1.25],
        }
    )  # fmt: skip
    with pytest.raises(TableInvalidError) as refused:
        evaluated(engine, lines)
    assert [str(problem) for problem in refused.value.problems] == [
        "column setting: is missing; add it as string",
        "column program: is int64; wanted is string",
        "column settings: is no column of a line table; check its spelling, or leave it out",
        "column line_number: is string; wanted is int32",
        "column units: is string; wanted is decimal128(18, 4), or whole numbers or floats",
        "column service_date: is timestamp[us]; wanted is date32[day]",
        "column modifiers: is string; wanted is list<item: string>",
        "column diagnosis_pointers: is list<item: double>; wanted is list<item: int32>",
        "column paid: is string; wanted is bool",
        "column charge_cents: is double; wanted is int64",
    ]


def test_a_column_that_stands_twice_is_refused(engine: Engine) -> None:
    lines = table(line(1))
    with pytest.raises(TableInvalidError, match="column units: stands 2 times; keep one of them"):
        evaluated(engine, lines.append_column("units", lines["units"]))


def _dictionary(lines: pa.Table) -> pa.Table:
    for i, field in enumerate(lines.schema):
        if field.type == pa.string():
            lines = lines.set_column(i, field.name, lines[field.name].dictionary_encode())
    return lines


def _dictionary_with_null_word(lines: pa.Table) -> pa.Table:
    words = pa.array([None, "59", "unused", *lines["state"].unique().to_pylist()])
    numbers = pa.array([words.to_pylist().index(word) for word in lines["state"].to_pylist()], pa.int8())
    return lines.set_column(
        lines.schema.get_field_index("state"), "state", pa.DictionaryArray.from_arrays(numbers, words)
    )


def _dictionaries_that_differ(lines: pa.Table) -> pa.Table:
    half = lines.num_rows // 2
    return pa.concat_tables([_dictionary(lines.slice(0, half)), _dictionary(lines.slice(half))])


def _large(lines: pa.Table) -> pa.Table:
    large = {pa.string(): pa.large_string(), pa.list_(pa.string()): pa.large_list(pa.large_string())}
    return lines.cast(pa.schema([pa.field(f.name, large.get(f.type, f.type)) for f in lines.schema]))


def _views(lines: pa.Table) -> pa.Table:
    return lines.cast(
        pa.schema([pa.field(f.name, pa.string_view() if f.type == pa.string() else f.type) for f in lines.schema])
    )


def _other_numbers(lines: pa.Table) -> pa.Table:
    types = {"line_number": pa.uint64(), "charge_cents": pa.int32(), "units": pa.decimal128(38, 9), "service_date": pa.date64(),
             "diagnosis_pointers": pa.large_list(pa.int16())}  # fmt: skip
    return lines.cast(pa.schema([pa.field(f.name, types.get(f.name, f.type)) for f in lines.schema]))


def _floats(lines: pa.Table) -> pa.Table:
    return lines.set_column(lines.schema.get_field_index("units"), "units", lines["units"].cast(pa.float64()))


def _fewer_columns(lines: pa.Table) -> pa.Table:
    empty = [name for name in lines.column_names if lines[name].null_count == lines.num_rows]
    assert empty
    return lines.drop_columns(empty)


def _null_columns(lines: pa.Table) -> pa.Table:
    for i, name in enumerate(lines.column_names):
        if lines[name].null_count == lines.num_rows:
            lines = lines.set_column(i, name, pa.nulls(lines.num_rows))
    return lines


def _chunks(lines: pa.Table) -> pa.Table:
    return pa.concat_tables([lines.slice(i, 1) for i in range(lines.num_rows)])


def _sliced(lines: pa.Table) -> pa.Table:
    return pa.concat_tables([lines.slice(3, 5), lines]).combine_chunks().slice(5)


def _reordered(lines: pa.Table) -> pa.Table:
    return lines.select(sorted(lines.column_names))


@pytest.mark.parametrize(
    "change",
    [_dictionary, _dictionary_with_null_word, _dictionaries_that_differ, _large, _views, _other_numbers, _floats,
     _fewer_columns, _null_columns, _chunks, _sliced, _reordered],
)  # fmt: skip
def test_the_same_lines_in_other_types(engine: Engine, change: Callable[[pa.Table], pa.Table]) -> None:
    chance = Random(5)
    claims = [random_claim(chance, number) for number in range(60)]
    lines = table_of(claims)
    plain = evaluated(engine, lines)
    changed = evaluated(engine, change(lines))
    assert changed.refused.num_rows == 0
    assert changed.findings.equals(plain.findings)
    assert changed.statuses.equals(plain.statuses)


@pytest.mark.parametrize(
    ("units", "problem"),
    [
        (pa.array([Decimal("1.2345")]), "is not a number of units"),
        (pa.array([Decimal("-1")]), "is not a number of units"),
        (pa.array([Decimal("100000000")]), "is not a number of units"),
        (pa.array([None], pa.decimal128(18, 4)), "is missing"),
        (pa.array([float("nan")]), "is not a number of units"),
        (pa.array([0.1], pa.float32()), "is not a number of units"),
        (pa.array([1e30]), "is not a number of units"),
        (pa.array([-1]), "is not a number of units"),
        (pa.array([2**64 - 1], pa.uint64()), "is not a number of units"),
    ],
    ids=str,
)
def test_units_that_no_claim_states(engine: Engine, units: pa.Array, problem: str) -> None:
    lines = table(line(1))
    lines = lines.set_column(lines.schema.get_field_index("units"), "units", units)
    answer = evaluated(engine, lines)
    assert [(claim, row, text.split(";")[0]) for claim, row, text in refusals(answer)] == [
        ("C-1", 0, f"lines[0].units: {problem}")
    ]


@pytest.mark.parametrize(
    ("units", "said"),
    [
        (pa.array([Decimal("12.5000")]), "12.5"),
        (pa.array([Decimal("12.000")]), "12"),
        (pa.array([12.125]), "12.125"),
        (pa.array([12], pa.int8()), "12"),
        (pa.array([Decimal("10")], pa.decimal128(38, 20)), "10"),
    ],
    ids=str,
)
def test_units_are_said_without_empty_places(engine: Engine, units: pa.Array, said: str) -> None:
    lines = table(line(1, "99213"))
    lines = lines.set_column(lines.schema.get_field_index("units"), "units", units)
    (finding,) = evaluated(engine, lines, families=["MUE"]).findings.to_pylist()
    assert finding["message"].startswith(f"{said} units of 99213 on the line exceed")


# ---- refusals ----


def test_refused_claims_are_reported_apart_and_the_rest_goes_on(engine: Engine) -> None:
    lines = table(
        line(1, "99213", units=Decimal(5)),
        line(1, "G01", claim_id="C-2", modifiers=["5"], service_date=None),
        line(1, claim_id="C-2", service_date_end=datetime.date(2024, 8, 1)),
        line(3, claim_id="C-3", program="TRICARE", setting="clinic", diagnosis_pointers=[2], diagnoses=["E11.42"]),
        line(4, "99213", claim_id="C-4", units=Decimal(5)),
    )
    answer = evaluated(engine, lines, families=["MUE"])
    assert (answer.claims, answer.lines, answer.refused_claims) == (2, 2, 2)
    assert answer.findings["claim_id"].to_pylist() == ["C-1", "C-4"]
    assert answer.statuses["MUE"].to_pylist() == [Status.FAIL, 0, 0, 0, Status.FAIL]
    assert refusals(answer) == [
        ("C-2", 1, "lines[0].service_date: is missing; write a day of the calendar in the form YYYY-MM-DD"),
        ("C-2", 1, "lines[0].procedure_code: is not a procedure code; a HCPCS or CPT code has five letters or digits"),
        ("C-2", 1, "lines[0].modifiers[0]: is not a modifier; a modifier has two letters or digits"),
        (
            "C-2",
            1,
            "lines[1].service_date_end: lies before service_date; the last day of service is on or after the first",
        ),
        ("C-2", 1, "lines[1].line_number: 1 is also the number of lines[0]; number each line once"),
        ("C-3", 3, "program: is not a known word; use one of MEDICARE, MEDICAID"),
        ("C-3", 3, "setting: is not a known word; use one of PRACTITIONER, ASC, OUTPATIENT_HOSPITAL, DME_SUPPLIER"),
        (
            "C-3",
            3,
            "lines[0].diagnosis_pointers[0]: 2 points at no diagnosis; the claim has 1 diagnoses, counted from 1",
        ),
    ]


def test_fields_of_a_claim_are_the_same_on_each_of_its_rows(engine: Engine) -> None:
    lines = table(
        line(1, state="PA", diagnoses=["E11.42"], birth_date=datetime.date(1950, 2, 3)),
        line(2, state="NJ", diagnoses=["E1142"], birth_date=None),
        line(3, state="PA", diagnoses=["E11.42", "B35.1"]),
    )
    mend = "differs between rows of the claim; a claim has one; repeat it on each row of the claim"
    assert refusals(evaluated(engine, lines)) == [
        ("C-1", 0, f"state: {mend}"), ("C-1", 0, f"patient.birth_date: {mend}"), ("C-1", 0, f"diagnoses: {mend}"),
    ]  # fmt: skip


def test_rows_without_a_claim_id_are_no_claim(engine: Engine) -> None:
    answer = evaluated(engine, table(line(1, claim_id=None), line(2, claim_id=None), line(1, claim_id=" "), line(1)))
    assert refusals(answer) == [
        (None, 0, "claim_id: is missing; name the claim on each of its rows"),
        ("", 2, "claim_id: is missing; name the claim on each of its rows"),
    ]
    assert answer.claims == 1


def test_a_claim_over_a_limit_is_refused_with_its_size(engine: Engine) -> None:
    rows = [line(n) for n in range(1, 8)] + [line(n, history_claim_id="H-1") for n in range(1, 5)]
    answer = evaluated(engine, table(*rows), limits=ClaimLimits(lines=6, history_lines=3))
    assert refusals(answer) == [
        ("C-1", 0, "lines: has 7 lines, the limit is 6; split the claim or raise the limit"),
        ("C-1", 0, "history_lines: has 4 lines, the limit is 3; split the claim or raise the limit"),
    ]
    assert answer.refused["code"].to_pylist() == ["E_LIMIT_LINES", "E_LIMIT_LINES"]


def test_history_alone_is_no_claim_and_own_lines_are_never_paid(engine: Engine) -> None:
    rows = [line(1, claim_id="C-1", history_claim_id="H"), line(1, claim_id="C-2", paid=True)]
    assert refusals(evaluated(engine, table(*rows))) == [
        ("C-1", 0, "lines: is empty; a claim has at least one line"),
        ("C-2", 1, "lines[0].paid: is no field of a claim; check its spelling against the contract, or leave it out"),
    ]


def test_days_outside_the_calendar(engine: Engine) -> None:
    lines = table(line(1), line(1, claim_id="C-2"), line(1, claim_id="C-3"))
    days = pa.array([2**31 - 1, -(2**31), 60_000], pa.int32()).cast(pa.date32())
    lines = lines.set_column(lines.schema.get_field_index("service_date"), "service_date", days)
    assert [text.split(";")[0] for _, _, text in refusals(evaluated(engine, lines))] == [
        "lines[0].service_date: is not a date",
        "lines[0].service_date: is not a date",
        "lines[0].service_date: is out of range",
    ]


def test_the_content_of_a_claim_is_not_in_what_is_said(engine: Engine) -> None:
    secret = "SECRET-77"
    rows = [
        line(1, secret, claim_id="C-9", state=secret, modifiers=[secret], billing_provider_id=secret * 20, sex=secret)
    ]
    answer = evaluated(engine, table(*rows))
    assert answer.refused_claims == 1
    assert secret not in str(answer.refused.to_pylist())


def test_values_that_are_written_otherwise_are_read_as_in_a_claim(engine: Engine) -> None:
    """Blanks, small letters, padding: the arrays do not speak for such a claim, the reading does."""
    claim = {
        "claim_id": " Ä-1 ", "program": "medicare", "setting": " practitioner", "state": "pa",
        "diagnoses": ["e11.42", "B35.1"], "billing_provider_id": " é ", "patient": {"sex": "f", "birth_date": "1950-02-03"},
        "lines": [{"line_number": 2, "procedure_code": " g0127", "modifiers": ["", "rt", " "], "units": "2",
                   "service_date": "2024-08-15", "diagnosis_pointers": [2]},
                  {"line_number": 1, "procedure_code": "g0247", "units": "1", "service_date": "2024-08-15"}],
    }  # fmt: skip
    assert disagreements(engine, [claim], AS_OF) == []
    assert disagreements(engine, [{**claim, "claim_id": "A-1", "billing_provider_id": ""}], AS_OF) == []


# ---- arguments and shapes ----


def test_a_table_without_rows(engine: Engine) -> None:
    answer = evaluated(engine, LINE_SCHEMA.empty_table(), families=["PTP", "MUE"])
    assert answer.findings.schema == FINDING_SCHEMA
    assert answer.statuses.column_names == ["MUE", "PTP", "OUTCOME"]
    assert (answer.findings.num_rows, answer.claims, answer.lines) == (0, 0, 0)
    with pytest.raises(TableInvalidError, match="column claim_id: is missing"):
        evaluated(engine, LINE_SCHEMA.empty_table().drop_columns(["claim_id"]))
    assert list(evaluate_batches([], engine, AS_OF)) == []


def test_arguments_are_those_of_the_engine(engine: Engine) -> None:
    with pytest.raises(ClaimInvalidError, match=r"families\[0\]: is no family of edits"):
        evaluate_table(table(line(1)), engine, AS_OF, ["NCCI"])
    with pytest.raises(ClaimInvalidError, match="as_of: is not a date"):
        evaluate_table(table(line(1)), engine, "tomorrow")


def test_a_release_is_an_engine_a_loaded_release_or_a_store_and_an_id(engine: Engine, tmp_path: Any) -> None:
    from lookup_release import open_release

    loaded = open_release(tmp_path)
    lines = table(line(1, "G0127", units=Decimal(9)))
    answers = [evaluate_table(lines, release, AS_OF) for release in (loaded, Engine(loaded), (tmp_path / "store", ""))]
    assert answers[0].findings.num_rows
    assert all(answer.findings.equals(answers[0].findings) for answer in answers)


def test_a_stream_of_batches_is_answered_in_parts_of_whole_claims(engine: Engine) -> None:
    """Claims begin in one batch and end in another; parts are bounded, nothing is read ahead, rows are accounted for."""
    chance = Random(8)
    claims = [random_claim(chance, number) for number in range(200)]
    lines = table_of(claims)
    taken = 0

    def batches() -> Any:
        nonlocal taken
        for batch in lines.to_batches(max_chunksize=13):
            taken += batch.num_rows
            yield batch

    reader = pa.RecordBatchReader.from_batches(lines.schema, batches())
    rows, found = 0, []
    for answer in TableEvaluator(engine, AS_OF).evaluate_batches(reader, rows=50):
        assert answer.first_row == rows
        rows += answer.statuses.num_rows
        assert rows <= taken < rows + 50 + 13 + 13
        found += answer.findings.to_pylist()
    assert rows == lines.num_rows
    expected = [row for claim in claims for row in finding_rows(engine.evaluate(claim, AS_OF))]
    assert found == expected


def test_a_batch_of_another_schema_is_refused_when_it_comes(engine: Engine) -> None:
    lines = table(line(1))
    answers = evaluate_batches([lines, lines.rename_columns([*lines.column_names[:-1], "payed"])], engine, AS_OF)
    with pytest.raises(TableInvalidError, match="column payed: is no column of a line table"):
        list(answers)


def test_batches_of_other_good_columns_are_refused_too(engine: Engine) -> None:
    lines = table(line(1))
    with pytest.raises(
        TableInvalidError, match="columns: differ from those of the batches before; send batches of one schema"
    ):
        list(evaluate_batches([lines, lines.drop_columns(["paid"])], engine, AS_OF))


def test_a_claim_that_never_ends_is_let_go_and_counted(engine: Engine) -> None:
    """Its rows are not held, its size is told exactly, and claims around it are answered."""
    limits = ClaimLimits(lines=6, history_lines=3)
    giant = [line(n, claim_id="G", history_claim_id="H" if n % 4 == 0 else None, sex="X") for n in range(1, 401)]
    rows = [line(1, "99213", units=Decimal(5)), *giant, line(1, "99213", claim_id="Z", units=Decimal(5))]
    whole = evaluate_table(table(*rows), engine, AS_OF, ["MUE"], limits)
    evaluator = TableEvaluator(engine, AS_OF, ["MUE"], limits)
    parts = list(evaluator.evaluate_batches(table(*rows).to_batches(max_chunksize=7), rows=20))
    cut = join_parts(parts)
    assert max(part.statuses.num_rows for part in parts) <= 20 + 7
    for answer in (whole, cut):
        assert refusals(answer) == [
            ("G", 1, "lines: has 300 lines, the limit is 6; split the claim or raise the limit"),
            ("G", 1, "history_lines: has 100 lines, the limit is 3; split the claim or raise the limit"),
            ("G", 1, "patient.sex: is not F, M or U; leave it empty when it is unknown"),
        ]
        assert answer.findings["claim_id"].to_pylist() == ["C-1", "Z"]
        assert answer.statuses["MUE"].to_pylist() == [Status.FAIL, *([0] * 400), Status.FAIL]
        assert (answer.claims, answer.refused_claims) == (2, 1)
    assert [part.first_row for part in parts if part.statuses.num_rows] == sorted(
        {part.first_row for part in parts if part.statuses.num_rows}
    )


def test_a_claim_that_never_ends_at_the_end_of_the_input(engine: Engine) -> None:
    rows = [line(n, claim_id="G") for n in range(1, 101)]
    evaluator = TableEvaluator(engine, AS_OF, limits=ClaimLimits(lines=6, history_lines=3))
    answer = join_parts(list(evaluator.evaluate_batches([table(*rows)], rows=20)))
    assert refusals(answer) == [("G", 0, "lines: has 100 lines, the limit is 6; split the claim or raise the limit")]


def test_a_claim_id_that_comes_again_is_another_claim(engine: Engine) -> None:
    answer = evaluated(engine, table(line(1), line(1, claim_id="C-2"), line(1)))
    assert (answer.claims, answer.refused_claims) == (3, 0)


def test_rows_of_a_claim_are_those_of_its_json_form(engine: Engine) -> None:
    claim = random_claim(Random(1), 1)
    assert len(list(rows_of(claim))) == len(claim["lines"]) + len(claim["history_lines"])


# ---- work that nobody waits for, and answers that are too large ----


def _crowd(count: int) -> pa.Table:
    """One claim whose lines conflict with one another and exceed their values: findings grow with the square of the lines."""
    return table(*(line(number, ("99213", "G0123")[number % 2]) for number in range(1, count + 1)))


@pytest.mark.parametrize("families", [("PTP",), ("PTP", "MUE", "ADD_ON_CODE"), ()], ids=" ".join)
@pytest.mark.parametrize("patience", [0, 3, 12])
def test_work_stops_within_a_part_when_nobody_waits(engine: Engine, families: tuple[str, ...], patience: int) -> None:
    asked = 0

    def has_left() -> bool:
        nonlocal asked
        asked += 1
        return asked > patience

    lines = pa.concat_tables([_crowd(60), table(*({**line(1, "G0"), "claim_id": f"X-{n}"} for n in range(20)))])
    evaluator = TableEvaluator(engine, AS_OF, families, abandoned=has_left)
    with pytest.raises(EvaluationAbandonedError):
        list(evaluator.evaluate_batches([lines]))
    assert asked == patience + 1


@pytest.mark.parametrize("families", [("PTP",), ("PTP", "MUE"), ()], ids=" ".join)
def test_findings_beyond_a_limit_stop_the_work(engine: Engine, families: tuple[str, ...]) -> None:
    lines = _crowd(60)
    whole = evaluated(engine, lines, families=families)
    limited = TableEvaluator(engine, AS_OF, families, most_bytes=whole.findings.nbytes)
    assert join_parts(list(limited.evaluate_batches([lines]))).findings.equals(whole.findings), "by a low estimate"
    with pytest.raises(FindingsTooLargeError, match=r"the findings have \d+ bytes or more") as refused:
        list(TableEvaluator(engine, AS_OF, families, most_bytes=100_000).evaluate_batches([lines]))
    assert 100_000 < refused.value.bytes < 110_000

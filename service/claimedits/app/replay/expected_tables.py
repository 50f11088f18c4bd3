"""Tables of what really happened: CSV or Parquet with the columns ``claim_id``, ``line_number`` and ``carc``.

Optional columns: ``group``, ``amount_cents``, ``charge_cents``, ``procedure_code``; others are left alone. A row without
``carc`` says that the line was not adjusted. All rows of a claim are one answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from claimedits.app.claim_sources.containers import ClaimFile, SourceError
from claimedits.app.claim_sources.records import Position, Rejection, reject

REQUIRED = ("claim_id", "line_number", "carc")
OPTIONAL = ("group", "amount_cents", "charge_cents", "procedure_code")
_BLOCK = 4 << 20
_LARGEST = 10**15
_FORMS = {
    "line_number": (r"^0*[1-9]\d{0,5}$", "is no line number", "count lines from 1"),
    "carc": (r"^(\d{1,3}|[A-Z]\d{1,2})$", "is no adjustment reason", "write it like 97 or B7"),
    "group": (r"^(CO|PR|OA|PI|CR)$", "is no group of adjustments", "it is CO, PR, OA, PI or CR"),
    "amount_cents": (r"^-?\d{1,15}$", "is no whole number of cents", "write 12.50 dollars as 1250"),
    "charge_cents": (r"^-?\d{1,15}$", "is no whole number of cents", "write 12.50 dollars as 1250"),
}
Batch = tuple[pa.Table, list[Rejection]]


def read_expected_csv(file: ClaimFile) -> Iterator[Batch]:
    """Rows of a CSV file with a header.

    Raises:
        SourceError: a column is missing, or the file is no CSV.
    """
    bad: list[int] = []

    def skip(row: Any) -> str:
        bad.append(row.number or 0)
        return "skip"

    try:
        reader = pacsv.open_csv(
            file.stream,
            read_options=pacsv.ReadOptions(use_threads=False, block_size=_BLOCK),
            parse_options=pacsv.ParseOptions(invalid_row_handler=skip),
            convert_options=pacsv.ConvertOptions(
                column_types={name: pa.string() for name in (*REQUIRED, *OPTIONAL)}, strings_can_be_null=True
            ),
        )
        _check_columns(file.name, reader.schema)
        line = 2
        for batch in reader:
            table = pa.Table.from_batches([batch])
            yield _read(file.name, table, line, "line")
            line += table.num_rows
        if bad:
            what = "has another number of columns than the header"
            yield _nothing(), [reject(file.name, Position(line=n), "", what, "quote commas in texts") for n in bad]
    except pa.ArrowException as error:
        raise SourceError(f"{file.name}: cannot be read as CSV: {_one_line(error)}") from error


def read_expected_parquet(file: ClaimFile) -> Iterator[Batch]:
    """Rows of a Parquet file.

    Raises:
        SourceError: a column is missing, or the file is damaged or packed.
    """
    if file.path is None:
        raise SourceError(f"{file.name}: Parquet files cannot be read out of an archive; unpack it first")
    try:
        with pq.ParquetFile(file.path, memory_map=False) as opened:
            _check_columns(file.name, opened.schema_arrow)
            names = [name for name in (*REQUIRED, *OPTIONAL) if name in opened.schema_arrow.names]
            row = 1
            for batch in opened.iter_batches(columns=names):
                yield _read(file.name, pa.Table.from_batches([batch]), row, "row")
                row += batch.num_rows
    except pa.ArrowException as error:
        raise SourceError(f"{file.name}: cannot be read as Parquet: {_one_line(error)}") from error


def _one_line(error: Exception) -> str:
    return str(error).splitlines()[0]


def _check_columns(name: str, schema: pa.Schema) -> None:
    missing = [column for column in REQUIRED if column not in schema.names]
    if missing:
        raise SourceError(
            f"{name}: has no column {', '.join(missing)}; a table of what happened has {', '.join(REQUIRED)}"
        )
    for column in (*REQUIRED, *OPTIONAL):
        if column in schema.names:
            found = schema.field(column).type
            found = found.value_type if pa.types.is_dictionary(found) else found
            if not (pa.types.is_string(found) or pa.types.is_large_string(found) or pa.types.is_integer(found)
                    or pa.types.is_null(found)):  # fmt: skip
                raise SourceError(f"{name}: column {column} is {found}; wanted are texts or whole numbers")


def _nothing() -> pa.Table:
    return _table(pa.table({name: pa.array([], pa.string()) for name in REQUIRED}))


def _read(name: str, table: pa.Table, first: int, unit: str) -> Batch:
    """Rows whose cells can be read, and the others as rejections."""
    columns = {}
    for column in (*REQUIRED, *OPTIONAL):
        if column in table.column_names:
            text = pc.utf8_trim_whitespace(table[column].cast(pa.string()))
            columns[column] = pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)
    for column in ("carc", "group"):
        if column in columns:
            columns[column] = pc.utf8_upper(columns[column])
    texts = pa.table(columns)
    good = np.ones(table.num_rows, dtype=bool)
    problems: list[tuple[int, str, str, str]] = []
    empty = np.asarray(pc.is_null(texts["claim_id"]))
    problems += [(int(row), "claim_id", "is empty", "name the claim") for row in np.flatnonzero(empty)]
    good &= ~empty
    for column, (form, what, mend) in _FORMS.items():
        if column in texts.column_names:
            wrong = ~np.asarray(pc.fill_null(pc.match_substring_regex(texts[column], form), True))
            problems += [(int(row), column, what, mend) for row in np.flatnonzero(wrong)]
            good &= ~wrong
    rejections = []
    by_row: dict[int, tuple[str, str, str]] = {}
    for row, *rest in sorted(problems):
        by_row.setdefault(row, (rest[0], rest[1], rest[2]))
    for row, (where, what, mend) in by_row.items():
        place = Position(line=first + row) if unit == "line" else Position(row=first + row)
        rejections.append(reject(name, place, where, what, mend))
    return _table(texts.filter(pa.array(good))), rejections


def _table(texts: pa.Table) -> pa.Table:
    """As ``expectations.EXPECTED``. Rows of one line are one service; the line's number tells them apart."""
    n = texts.num_rows

    def column(name: str, kind: pa.DataType) -> pa.Array | pa.ChunkedArray:
        return texts[name].cast(kind) if name in texts.column_names else pa.nulls(n, kind)

    numbers: Sequence[Any] = column("line_number", pa.int32())
    return pa.table(
        {
            "claim_id": texts["claim_id"],
            "answer": pa.array(np.zeros(n, dtype=np.int64)),
            "service": pc.fill_null(numbers, 0),
            "line_number": numbers,
            "procedure_code": column("procedure_code", pa.string()),
            "service_date": pa.nulls(n, pa.date32()),
            "charge_cents": column("charge_cents", pa.int64()),
            "group": column("group", pa.string()),
            "carc": column("carc", pa.string()),
            "amount_cents": column("amount_cents", pa.int64()),
            "is_reversal": pa.array(np.zeros(n, dtype=bool)),
        }
    )

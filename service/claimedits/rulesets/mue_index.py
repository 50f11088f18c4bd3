"""The MUE index: value, MAI and source of every code, one column a revision (file-formats.md §2; semantics.md §B)."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import orjson

from claimedits.rulesets.indexes import Revisions
from claimedits.rulesets.mapped_arrays import map_array, save_array


class MueRow(NamedTuple):
    """One published value. ``value`` 0 is a value: no unit is payable."""

    value: int
    mai: int
    """1, 2, 3; 0 where the table has no MAI (Medicaid, and Medicare before 2013-04-01)."""
    confidential: bool
    rationale: str
    source: int
    source_row: int


class MueIndex:
    """Read-only view of one rule set's values."""

    def __init__(self, directory: Path) -> None:
        meta = orjson.loads((directory / "index.meta.json").read_bytes())
        self.codes: list[str] = meta["codes"]
        self._number_of: dict[str, int] = {code: number for number, code in enumerate(self.codes)}
        self._rationales: list[str] = meta["rationales"]
        self._columns = [
            tuple(map_array(directory, f"{name}_{i}") for name in _ARRAYS) for i in range(meta["revisions"])
        ]
        self._rows: dict[tuple[str, int], MueRow | None] = {}

    def row(self, code: str, revision: int) -> MueRow | None:
        """The row of ``code`` in revision ``revision``; None where the table holds none."""
        key = (code, revision)
        try:
            return self._rows[key]
        except KeyError:
            if len(self._rows) >= 65_536:
                self._rows.clear()
            row = self._rows[key] = self._read(code, revision)
            return row

    def _read(self, code: str, revision: int) -> MueRow | None:
        number = self._number_of.get(code, -1)
        if number < 0:
            return None
        value, mai, confidential, rationale, source, source_row = self._columns[revision]
        if value[number] < 0:
            return None
        return MueRow(
            value[number],
            mai[number],
            bool(confidential[number]),
            self._rationales[rationale[number]],
            source[number],
            source_row[number],
        )


_ARRAYS = ("value", "mai", "confidential", "rationale", "source", "source_row")
_TYPES = (np.int32, np.uint8, np.uint8, np.uint16, np.uint16, np.uint32)


class _MueIndexKind:
    name = "mue"
    format = 1

    def build(self, revisions: Revisions, directory: Path) -> None:
        tables = [tables["values"].to_pydict() for _, tables in revisions]
        codes = sorted({code for table in tables for code in table["procedure_code"]})
        rationales = sorted({word for table in tables for word in table["rationale"]})
        number_of = {code: number for number, code in enumerate(codes)}
        rationale_of = {word: number for number, word in enumerate(rationales)}
        for i, table in enumerate(tables):
            at = np.array([number_of[code] for code in table["procedure_code"]], dtype=np.int64)
            table["rationale"] = [rationale_of[word] for word in table["rationale"]]
            for name, dtype in zip(_ARRAYS, _TYPES, strict=True):
                array = np.full(len(codes), -1 if name == "value" else 0, dtype=dtype)
                array[at] = table[name]
                save_array(directory, f"{name}_{i}", array)
        meta = {"codes": codes, "rationales": rationales, "revisions": len(tables)}
        (directory / "index.meta.json").write_bytes(orjson.dumps(meta))

    def open(self, directory: Path) -> MueIndex:
        return MueIndex(directory)


MUE_INDEX = _MueIndexKind()

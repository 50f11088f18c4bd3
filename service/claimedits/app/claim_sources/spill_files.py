"""Files that rows are sorted into by number, while memory holds a bounded part of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

ROWS_HELD = 262_144
"""Rows that wait in memory, all files together, before they are written."""


class SpillFiles:
    """Arrow IPC files ``part-00000.arrow`` … in a folder. Rows keep the order they were written in."""

    def __init__(self, folder: Path, number: int, schema: pa.Schema) -> None:
        self._folder = folder
        self._number = number
        self._schema = schema
        self._waiting: list[list[pa.Table]] = [[] for _ in range(number)]
        self._held = 0
        self._writers: dict[int, pa.RecordBatchFileWriter] = {}
        self._files: list[pa.NativeFile] = []
        self.rows = [0] * number

    def path(self, part: int) -> Path:
        """The file of a part."""
        return self._folder / f"part-{part:05}.arrow"

    def write(self, table: pa.Table, parts: npt.NDArray[np.int64]) -> None:
        """Add rows; ``parts`` says for each row which file it belongs to.

        Raises:
            OSError: the disk is full, or the folder is gone.
        """
        order = np.argsort(parts, kind="stable")
        ordered = table.take(pa.array(order))
        counts = np.bincount(parts, minlength=self._number)
        start = 0
        for part in np.flatnonzero(counts).tolist():
            count = int(counts[part])
            # a copy of its own: a slice would keep the rows of all other parts alive
            self._waiting[part].append(ordered.take(pa.array(np.arange(start, start + count))))
            self.rows[part] += count
            start += count
        self._held += table.num_rows
        if self._held >= ROWS_HELD:
            self._flush()

    def _flush(self) -> None:
        for part, tables in enumerate(self._waiting):
            if tables:
                writer = self._writers.get(part)
                if writer is None:
                    file = pa.OSFile(str(self.path(part)), "wb")
                    self._files.append(file)
                    writer = self._writers[part] = pa.ipc.new_file(file, self._schema)
                writer.write_table(pa.concat_tables(tables).combine_chunks())
        self._waiting = [[] for _ in range(self._number)]
        self._held = 0

    def close(self) -> None:
        """Write what waits and end the files."""
        self._flush()
        for writer in self._writers.values():
            writer.close()
        for file in self._files:
            file.close()
        self._writers, self._files = {}, []

    def read(self) -> Iterator[pa.Table]:
        """Each part that has rows, whole."""
        self.close()
        for part in range(self._number):
            if self.rows[part]:
                with pa.OSFile(str(self.path(part)), "rb") as file:
                    yield pa.ipc.open_file(file).read_all()

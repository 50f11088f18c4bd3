"""Index arrays on disk: plain ``.npy`` files, mapped into memory and read item by item."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def map_array(directory: Path, name: str) -> memoryview:
    """The one-dimensional array ``name`` as a read-only memoryview: a single item costs a fifth of numpy's price.

    Pages are read when they are touched, and shared by every process that maps the file.
    """
    array = np.load(directory / f"{name}.npy", mmap_mode="r")
    return memoryview(array).cast("B").cast(array.dtype.char) if array.size else memoryview(b"")


def save_array(directory: Path, name: str, array: Array) -> None:
    """Write ``array`` as the file that ``map_array`` opens."""
    np.save(directory / f"{name}.npy", array)

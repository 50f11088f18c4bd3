"""Which line of a claim a service of the payer's answer is about."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from claimedits.app.replay.counting import Part
from claimedits.app.replay.sums import Ints, words_of

_LINE_NUMBERS = 1 << 32


def place_services(rows: pa.Table, claim: Ints, part: Part) -> Ints:
    """The line of each row; -1 where there is none."""
    if not rows.num_rows:
        return np.zeros(0, dtype=np.int64)
    service = np.asarray(rows["service"]).astype(np.int64)
    key = claim * _LINE_NUMBERS + service
    keys, first, service_of = np.unique(key, return_index=True, return_inverse=True)
    of_claim = claim[first]
    numbers = np.asarray(pc.fill_null(rows["line_number"], 0).cast(pa.int64()))[first]
    both = pa.concat_arrays([_text(rows["procedure_code"].take(pa.array(first))), _text(part.lines["procedure_code"])])
    codes, words = words_of(both)
    code, line_code = codes[: len(keys)], codes[len(keys) :]
    unknown = words.index("") if "" in words else -1
    line_numbers = np.asarray(part.lines["line_number"]).astype(np.int64)
    line = find_places(part.claim * _LINE_NUMBERS + line_numbers, of_claim * _LINE_NUMBERS + numbers)
    wrong = (line >= 0) & (code != unknown) & (line_code[line] != code)
    line[wrong | (numbers == 0) | (service[first] == 0) & (numbers == 0)] = -1
    charge = np.asarray(pc.fill_null(rows["charge_cents"], -1).cast(pa.int64()))[first]
    line_charge = np.asarray(pc.fill_null(part.lines["charge_cents"], -2))
    charges = np.unique(np.concatenate([charge, line_charge]), return_inverse=True)[1]
    open_code = (code != unknown) & (service[first] > 0)
    for one, other in (
        (code * len(charges) + charges[: len(code)], line_code * len(charges) + charges[len(code) :]),
        (code, line_code),
    ):
        _place_by(line, open_code, (of_claim, one), (part.claim, other))
    return line[service_of]


def _text(column: pa.ChunkedArray) -> pa.Array:
    return pa.concat_arrays([pa.array([], pa.string()), *column.cast(pa.string()).chunks])


def find_places(known: Ints, sought: Ints) -> Ints:
    """The place of each sought number among the known ones; -1 = none."""
    if not len(known):
        return np.full(len(sought), -1, dtype=np.int64)
    order = np.argsort(known, kind="stable")
    places = np.minimum(np.searchsorted(known, sought, sorter=order), len(known) - 1)
    found = order[places]
    return np.where(known[found] == sought, found, -1).astype(np.int64)


def _place_by(line: Ints, may: npt.NDArray[np.bool_], one: tuple[Ints, Ints], other: tuple[Ints, Ints]) -> None:
    """Give services without a line, in order, the first lines of their claim that nobody has and that are alike."""
    services = np.flatnonzero((line < 0) & may)
    taken = np.zeros(len(other[0]), dtype=bool)
    taken[line[line >= 0]] = True
    lines = np.flatnonzero(~taken)
    if not len(services) or not len(lines):
        return
    size = int(max(one[1].max(initial=0), other[1].max(initial=0))) + 1
    keys, codes = np.unique(
        np.concatenate([one[0][services] * size + one[1][services], other[0][lines] * size + other[1][lines]]),
        return_inverse=True,
    )
    mine, theirs = codes[: len(services)], codes[len(services) :]
    most = len(services) + len(lines) + 1
    found = find_places(theirs * most + _ranks(theirs, len(keys)), mine * most + _ranks(mine, len(keys)))
    line[services[found >= 0]] = lines[found[found >= 0]]


def _ranks(groups: Ints, number: int) -> Ints:
    """Of each item how many of its group stand before it."""
    order = np.argsort(groups, kind="stable")
    sizes = np.bincount(groups, minlength=number)
    ranks = np.empty(len(groups), dtype=np.int64)
    ranks[order] = np.arange(len(groups)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return ranks

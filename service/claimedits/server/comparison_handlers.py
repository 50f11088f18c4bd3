"""RuleSetService: the call that compares two revisions, page by page."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import overload

import numpy as np

from claimedits.app.engine_host import EngineHost
from claimedits.model.problems import AmbiguousIdError, NotFoundError, Problem
from claimedits.rulesets.comparison.revisions import (
    IncomparableError,
    RevisionComparison,
    check_comparable,
    compare_revisions,
)
from claimedits.rulesets.comparison.row_matching import Array
from claimedits.rulesets.comparison.table_comparison import ChangeKind, Fields, RowChange, TableComparison
from claimedits.rulesets.revision import RevisionInfo
from claimedits.server.calls import Call
from claimedits.server.errors import RequestError, RevisionNotFoundError
from claimedits.server.rule_set_handlers import revision_message, take_page
from claimedits.v1 import rule_set_service_pb2 as pb

MOST_COMPARISONS = 4
"""Comparisons that a worker remembers, so that a page costs no more than its rows."""
MOST_DIFFERENCES = 4_000_000
"""Differences that all remembered comparisons may have together: some thirty bytes each."""
_KINDS = {int(kind): kind for kind in ChangeKind}


class ComparisonHandlers:
    """One instance a worker, shared by its threads."""

    def __init__(self, host: EngineHost) -> None:
        self._host = host
        self._remembered = _Comparisons()

    def CompareRevisions(self, request: pb.CompareRevisionsRequest, call: Call) -> pb.CompareRevisionsResponse:  # noqa: N802
        """Rows that differ between two revisions of one rule set, by table, then key."""
        kinds = _read_kinds(request)
        old, new = self._find(request)
        key = (old.id, new.id)
        comparison = self._remembered.get(key, lambda: compare_revisions(self._host.store, *key))
        tables = _read_tables(request, comparison)
        changes = _Changes([(table, table.select(kinds, request.retroactive_only)) for table in tables])
        page, token = take_page(changes, request, " ".join(key))
        return pb.CompareRevisionsResponse(
            old_revision=revision_message(old),
            new_revision=revision_message(new),
            tables=map(_table, tables),
            changes=map(_change, page),
            next_page_token=token,
        )

    def _find(self, request: pb.CompareRevisionsRequest) -> tuple[RevisionInfo, RevisionInfo]:
        """Both revisions; what is wrong with either is said at once, by its field."""
        found: dict[str, RevisionInfo] = {}
        problems, missing = [], []
        for name in ("old_revision", "new_revision"):
            wanted = getattr(request, name).strip()
            if not wanted:
                problems.append(Problem(name, "is missing", "name it by its id or a unique beginning of it"))
                continue
            try:
                found[name] = self._host.store.revision(wanted)
            except AmbiguousIdError:
                problems.append(Problem(name, "begins several ids", "give more digits"))
            except NotFoundError as error:
                missing.append(f"{name}: {error}")
        if problems:
            raise RequestError(problems)
        if missing:
            raise RevisionNotFoundError("; ".join(missing))
        old, new = found["old_revision"], found["new_revision"]
        try:
            check_comparable(old, new)
        except IncomparableError as error:
            what = f"is a revision of {new.header.rule_set}, and old_revision of {old.header.rule_set}"
            raise RequestError([Problem("new_revision", what, "name two revisions of one rule set")]) from error
        return old, new


def _read_kinds(request: pb.CompareRevisionsRequest) -> list[ChangeKind]:
    numbers = list(map(int, request.kinds))
    problems = [
        Problem(f"kinds[{i}]", "is no kind of change", "use ADDED, REMOVED or CHANGED, or leave kinds empty for all")
        for i, number in enumerate(numbers)
        if number not in _KINDS
    ]
    if problems:
        raise RequestError(problems)
    return [_KINDS[number] for number in numbers]


def _read_tables(request: pb.CompareRevisionsRequest, comparison: RevisionComparison) -> list[TableComparison]:
    names = [table.table for table in comparison.tables]
    problems = [
        Problem(
            f"tables[{i}]", "is no table of these revisions", f"use one of {', '.join(names)}, or leave tables empty"
        )
        for i, name in enumerate(request.tables)
        if name not in names
    ]
    if problems:
        raise RequestError(problems)
    return [table for table in comparison.tables if not request.tables or table.table in request.tables]


class _Comparisons:
    """The comparisons made last. Two calls for the same one wait for one computation."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: OrderedDict[tuple[str, str], RevisionComparison] = OrderedDict()
        self._under_way: dict[tuple[str, str], threading.Lock] = {}

    def get(self, key: tuple[str, str], compute: Callable[[], RevisionComparison]) -> RevisionComparison:
        with self._lock:
            if key in self._made:
                self._made.move_to_end(key)
                return self._made[key]
            turn = self._under_way.setdefault(key, threading.Lock())
        with turn:
            with self._lock:
                if key in self._made:
                    return self._made[key]
            try:
                comparison = compute()
                with self._lock:
                    self._made[key] = comparison
                    self._forget()
            finally:
                with self._lock:
                    self._under_way.pop(key, None)
        return comparison

    def _forget(self) -> None:
        """Keep the last one whatever its size: its pages are being asked for."""
        while len(self._made) > 1 and (
            len(self._made) > MOST_COMPARISONS
            or sum(comparison.differences for comparison in self._made.values()) > MOST_DIFFERENCES
        ):
            self._made.popitem(last=False)


class _Changes(Sequence[RowChange]):
    """The chosen differences of several tables as one list, of which only a page is ever read."""

    def __init__(self, chosen: Sequence[tuple[TableComparison, Array]]) -> None:
        self._chosen = chosen
        self._ends = np.cumsum([len(positions) for _, positions in chosen])

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    @overload
    def __getitem__(self, place: int) -> RowChange: ...
    @overload
    def __getitem__(self, place: slice) -> list[RowChange]: ...
    def __getitem__(self, place: int | slice) -> RowChange | list[RowChange]:
        if isinstance(place, int):
            return self[place : place + 1][0]
        first, last, _ = place.indices(len(self))
        found: list[RowChange] = []
        begin = 0
        for (table, positions), end in zip(self._chosen, map(int, self._ends), strict=True):
            found += table.rows(positions[max(first - begin, 0) : max(last - begin, 0)])
            begin = end
        return found


def _table(table: TableComparison) -> pb.TableComparison:
    return pb.TableComparison(
        table=table.table,
        old_rows=table.old_rows,
        new_rows=table.new_rows,
        added=table.added,
        removed=table.removed,
        changed=table.changed,
        unchanged=table.unchanged,
        retroactive=table.retroactive,
        changed_columns=dict(table.changed_columns),
    )


def _change(change: RowChange) -> pb.RowChange:
    return pb.RowChange(
        table=change.table,
        kind=int(change.kind),  # type: ignore[arg-type]
        key=_fields(change.key),
        before=_fields(change.before),
        after=_fields(change.after),
        retroactive=change.retroactive,
        old_source_file=change.old_source_file,
        old_source_row=change.old_source_row,
        new_source_file=change.new_source_file,
        new_source_row=change.new_source_row,
    )


def _fields(fields: Fields) -> list[pb.EditField]:
    return [pb.EditField(name=name, value=value) for name, value in fields]

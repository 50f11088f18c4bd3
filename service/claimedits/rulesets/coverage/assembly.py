"""Puts the rows of a revision together, one document version at a time, ready to be read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from claimedits.rulesets.coverage.readings import STATED_ROLES, ListKind, RawGroup, Role, StatedRole

Key = tuple[str, str]
Place = tuple[int, int]


@dataclass(frozen=True)
class CuratedRole:
    """One statement of people about a group (``rules/coverage-roles``); a group may have several."""

    kind: ListKind
    number: int
    role: Role
    procedure_codes: frozenset[str]
    waived_by_modifiers: tuple[str, ...]
    paragraph_sha256: str
    diagnoses: frozenset[str] = frozenset()
    """Without the dot; empty = the whole group."""
    is_of_asterisks: bool = False
    """It is about the diagnoses with an asterisk."""

    def apply_to(self, group: RawGroup) -> StatedRole:
        """The statement with the group's own diagnoses."""
        named = self.diagnoses | (group.starred if self.is_of_asterisks else frozenset())
        whole = not self.diagnoses and not self.is_of_asterisks
        return StatedRole(
            self.role, self.procedure_codes, None if whole else named & group.codes, self.waived_by_modifiers
        )


@dataclass
class RawDocument:
    """One version of one document: its row, its groups, where it holds."""

    key: Key
    row: Mapping[str, Any]
    groups: list[RawGroup] = field(default_factory=list)
    governed: dict[str, Place] = field(default_factory=dict)
    """Procedure code → its row."""
    places: dict[tuple[str, str], Place] = field(default_factory=dict)
    """(list and group, diagnosis) → its row."""
    jurisdictions: list[tuple[str, str, str, int | None, int | None]] = field(default_factory=list)
    """Contractor number, contractor id, state, first and last day."""

    @property
    def digest(self) -> bytes:
        """Same content, same digest, wherever the rows stood."""
        seen = hashlib.sha256()
        plain = [self.row[name] for name in sorted(self.row) if name not in ("source", "source_row")]
        seen.update(repr((self.key, plain, sorted(self.governed), sorted(map(repr, self.jurisdictions)))).encode())
        for group in sorted(self.groups, key=lambda g: (g.kind, g.number)):
            content = replace(group, source=(0, 0), codes=frozenset(), starred=frozenset(), procedure_codes=frozenset())
            members = (sorted(group.codes), sorted(group.starred), sorted(group.procedure_codes))
            seen.update(repr((content, members)).encode())
        return seen.digest()


def assemble(tables: Mapping[str, pa.Table]) -> Iterator[RawDocument]:
    """Every document version of a revision, by id and version."""
    documents = {
        (row["document_id"], row["document_version"]): RawDocument((row["document_id"], row["document_version"]), row)
        for row in _rows(tables, "documents")
    }
    procedure_codes: dict[tuple[Key, int], set[str]] = {}
    for row in _rows(tables, "procedure_codes"):
        key = (row["document_id"], row["document_version"])
        documents[key].governed.setdefault(row["procedure_code"], (row["source"], row["source_row"]))
        procedure_codes.setdefault((key, row["group_number"]), set()).add(row["procedure_code"])
    for row in _rows(tables, "jurisdictions"):
        where = (
            row["contractor_number"],
            row["contractor_id"],
            row["state"],
            row["effective_from"],
            row["effective_to"],
        )
        documents[(row["document_id"], row["document_version"])].jurisdictions.append(where)
    groups: dict[Key, dict[tuple[ListKind, int], RawGroup]] = {}
    for row in _rows(tables, "groups"):
        key = (row["document_id"], row["document_version"])
        group = _group_of(row)
        if group.kind is ListKind.PROCEDURE:
            group = replace(group, codes=frozenset(procedure_codes.get((key, group.number), ())))
        groups.setdefault(key, {})[group.kind, group.number] = group
    members = Members(tables.get("diagnoses"))
    for key in sorted(documents):
        document = documents.pop(key)  # its members are many: nothing here outlives the caller's use
        _fill_groups(document, groups.get(key, {}), members)
        for (of, number), codes in procedure_codes.items() if not groups.get(key) else ():
            if of == key:
                group = RawGroup(ListKind.PROCEDURE, number, "", "", (0, 0), frozenset(codes))
                document.groups.append(group)
        yield document


def _fill_groups(document: RawDocument, groups: dict[tuple[ListKind, int], RawGroup], members: Members) -> None:
    """Give every group of diagnoses its members; a group without a row of its own has no paragraph."""
    for kind, number, codes, stars, places in members.of(document.key):
        group = groups.get((kind, number)) or RawGroup(kind, number, "", "", (0, 0), frozenset())
        starred = frozenset(code for code, star in zip(codes, stars, strict=True) if star)
        # A code listed both with and without an asterisk stands without one.
        plain = {code for code, star in zip(codes, stars, strict=True) if not star}
        groups[kind, number] = replace(group, codes=frozenset(codes), starred=starred - plain)
        label = f"{kind.value} {number}"
        for code, place in zip(codes, places, strict=True):
            document.places.setdefault((label, code), place)
    document.groups = [groups[at] for at in sorted(groups)]


def _group_of(row: Mapping[str, Any]) -> RawGroup:
    return RawGroup(
        kind=ListKind(row["list"]),
        number=row["group_number"],
        paragraph=row["paragraph"],
        paragraph_sha256=row["paragraph_sha256"],
        source=(row["source"], row["source_row"]),
        codes=frozenset(),
        asterisk_text=row["asterisk_text"],
        role=row["role"],
        procedure_codes=frozenset(row["procedure_codes"].split()),
        waived_by_modifiers=tuple(row["waived_by_modifiers"].split()),
    )


class Members:
    """The table ``diagnoses``, cut by document version and group without making an object of every row."""

    def __init__(self, table: pa.Table | None) -> None:
        self._bounds: dict[Key, tuple[int, int]] = {}
        if table is None or table.num_rows == 0:
            return
        names = ("document_id", "document_version", "list", "icd10_code")
        self._words: dict[str, list[str]] = {}
        columns: dict[str, npt.NDArray[Any]] = {}
        for name in names:
            column = table.column(name).unify_dictionaries().combine_chunks()
            array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
            self._words[name] = array.dictionary.to_pylist()
            columns[name] = array.indices.to_numpy()
        numbers = table.column("group_number").to_numpy()
        keys = (numbers, columns["list"], columns["document_version"], columns["document_id"])
        order = np.lexsort(keys)
        self._columns = {name: column[order] for name, column in columns.items()}
        self._numbers = numbers[order]
        self._stars = table.column("asterisk").to_numpy(zero_copy_only=False)[order]
        self._sources = table.column("source").to_numpy()[order]
        self._source_rows = table.column("source_row").to_numpy()[order]
        ids, versions = self._columns["document_id"], self._columns["document_version"]
        for start, end in _runs(ids, versions):
            key = (self._words["document_id"][ids[start]], self._words["document_version"][versions[start]])
            self._bounds[key] = (start, end)

    def of(self, key: Key) -> Iterator[tuple[ListKind, int, list[str], list[bool], list[Place]]]:
        """The groups of one version: list, number, diagnoses, asterisks, rows."""
        start, end = self._bounds.get(key, (0, 0))
        if start == end:
            return
        lists, codes, words = self._columns["list"], self._columns["icd10_code"], self._words["icd10_code"]
        for first, last in _runs(lists[start:end], self._numbers[start:end]):
            low, high = start + first, start + last
            places = list(zip(self._sources[low:high].tolist(), self._source_rows[low:high].tolist(), strict=True))
            yield (
                ListKind(self._words["list"][lists[low]]),
                int(self._numbers[low]),
                [words[i] for i in codes[low:high].tolist()],
                self._stars[low:high].tolist(),
                places,
            )


def _runs(*columns: npt.NDArray[Any]) -> list[tuple[int, int]]:
    """Start and end (exclusive) of every run of equal neighbours."""
    changed = np.zeros(len(columns[0]) - 1, dtype=bool)
    for column in columns:
        changed |= column[1:] != column[:-1]
    cuts = [0, *(np.flatnonzero(changed) + 1).tolist(), len(columns[0])]
    return list(zip(cuts[:-1], cuts[1:], strict=True))


def _rows(tables: Mapping[str, pa.Table], name: str) -> Iterator[dict[str, Any]]:
    table = tables.get(name)
    if table is None:
        return
    for batch in table.to_batches(max_chunksize=65_536):
        columns = [_values(column) for column in batch.columns]
        for cells in zip(*columns, strict=True):
            yield dict(zip(batch.schema.names, cells, strict=True))


def _values(column: pa.Array) -> list[Any]:
    values: list[Any] = (column.cast(pa.int32()) if pa.types.is_date32(column.type) else column).to_pylist()
    return values


def curated_roles(tables: Mapping[str, pa.Table]) -> dict[Key, list[CuratedRole]]:
    """The roles of an overlay, by document version."""
    found: dict[Key, list[CuratedRole]] = {}
    for row in _rows(tables, "roles"):
        role = CuratedRole(
            ListKind(row["list"]),
            row["group_number"],
            Role(row["role"]),
            frozenset(row["procedure_codes"].split()),
            tuple(row["waived_by_modifiers"].split()),
            row["paragraph_sha256"],
            frozenset(row.get("diagnoses", "").split()),  # a store may hold roles from before parts could be stated
            row.get("asterisks", False),
        )
        assert role.role in STATED_ROLES
        found.setdefault((row["document_id"], row["document_version"]), []).append(role)
    return found


def apply_roles(document: RawDocument, roles: Sequence[CuratedRole]) -> tuple[RawDocument, list[str]]:
    """The document with its curated roles; and the groups whose paragraph is no longer the one that was read.

    A lapsed role is REVIEW, never the reading of the new paragraph: nobody has looked at what changed.
    """
    stated: dict[tuple[ListKind, int], list[CuratedRole]] = {}
    for role in roles:
        stated.setdefault((role.kind, role.number), []).append(role)
    groups, lapsed = [], []
    for group in document.groups:
        own = stated.pop((group.kind, group.number), [])
        if any(role.paragraph_sha256 != group.paragraph_sha256 for role in own):
            lapsed.append(f"{group.kind.value} {group.number}")
            groups.append(replace(group, role=Role.NARRATIVE.value))
        else:
            groups.append(replace(group, stated=tuple(role.apply_to(group) for role in own)))
    lapsed += [f"{kind.value} {number}" for kind, number in stated]  # the version has no such group
    return replace(document, groups=groups), lapsed

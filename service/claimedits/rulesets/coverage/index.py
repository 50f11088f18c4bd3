"""The coverage index: which document versions govern a procedure code, and their lists as sorted arrays.

All revisions of the rule set share it. A version that stands unchanged in many exports is kept once. Lists of diagnoses are one
array of numbers, mapped into memory: five million associations open in milliseconds and are shared by processes.
"""

from __future__ import annotations

import mmap
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from claimedits.model.dates import FOREVER
from claimedits.rulesets.coverage.assembly import (
    CuratedRole,
    Key,
    RawDocument,
    apply_roles,
    assemble,
    curated_roles,
)
from claimedits.rulesets.coverage.documents import (
    Document,
    Group,
    collect_windows,
    encode_diagnosis,
    read_document_json,
    write_document,
)
from claimedits.rulesets.coverage.reading import read_document
from claimedits.rulesets.coverage.readings import DocumentReading, ListKind, Paragraph
from claimedits.rulesets.indexes import Revisions
from claimedits.rulesets.mapped_arrays import map_array, save_array

_DOCUMENTS, _TEXTS = "documents.bin", "texts.bin"


class CoverageIndex:
    """Read-only view of the coverage documents of a release."""

    def __init__(self, directory: Path) -> None:
        meta = orjson.loads((directory / "index.meta.json").read_bytes())
        self._number_of: dict[str, int] = {code: number for number, code in enumerate(meta["codes"])}
        self.contractors: frozenset[str] = frozenset(meta["contractors"])
        """Every contractor number and id that a document names."""
        self.overlays: frozenset[int] = frozenset(meta["overlays"])
        """Revisions that hold curated roles, and no documents."""
        self.lapsed: Sequence[str] = meta["lapsed"]
        """Groups whose paragraph is not the one that was read for the curated role."""
        self._code_starts = map_array(directory, "code_starts")
        self._code_documents = map_array(directory, "code_documents")
        self._family_starts = map_array(directory, "family_starts")
        self._family_documents = map_array(directory, "family_documents")
        self._family_of = map_array(directory, "family_of")
        self._members = map_array(directory, "members")
        self._member_rows = map_array(directory, "member_rows")
        self._member_sources = map_array(directory, "member_sources")
        self._member_starts = map_array(directory, "member_starts")
        self._document_starts = map_array(directory, "document_starts")
        self._text_starts = map_array(directory, "text_starts")
        self._documents = _map_bytes(directory / _DOCUMENTS)
        self._texts = _map_bytes(directory / _TEXTS)
        self.document = lru_cache(maxsize=16_384)(self._read)
        self._text = lru_cache(maxsize=1_024)(self._read_texts)

    @property
    def codes(self) -> frozenset[str]:
        """Every procedure code that a document lists."""
        return frozenset(self._number_of)

    def governs(self, code: str) -> bool:
        """Whether any version of any document lists the code."""
        return code in self._number_of

    def families(self, code: str) -> list[list[int]]:
        """Documents of which a version lists the code: for each, every version held, by number."""
        number = self._number_of.get(code)
        if number is None:
            return []
        listed = self._code_documents[self._code_starts[number] : self._code_starts[number + 1]]
        return [self.versions(family) for family in sorted({self._family_of[i] for i in listed})]

    def _read(self, number: int) -> Document:
        """The document version by its number."""
        value = self._documents[self._document_starts[number] : self._document_starts[number + 1]]
        return read_document_json(orjson.loads(value), self._members)

    def _read_texts(self, number: int) -> list[Paragraph]:
        texts = orjson.loads(self._texts[self._text_starts[number] : self._text_starts[number + 1]])
        return [Paragraph(*text) for text in texts]

    def paragraph(self, number: int, position: int) -> Paragraph | None:
        """A paragraph of a document version; None where there is none at ``position``."""
        if position < 0:
            return None
        texts = self._text(number)
        return texts[position] if position < len(texts) else None

    def listing(self, diagnosis: str) -> list[tuple[Document, Group]]:
        """Every list of every version that holds a diagnosis (without its dot): for look-up, a scan of all lists."""
        found = []
        for number, position in self.places_of(diagnosis):
            document = self.document(number)
            found += [(document, group) for group in document.groups if group.start <= position < group.end]
        return found

    def places_of(self, diagnosis: str) -> list[tuple[int, int]]:
        """Version by number, and position among its members, of every list that holds a diagnosis (without its dot)."""
        if not len(self._members):
            return []
        key = encode_diagnosis(diagnosis)
        positions = np.flatnonzero(np.frombuffer(self._members, dtype=np.uint64) == key)
        numbers = np.searchsorted(np.frombuffer(self._member_starts, dtype=np.uint64), positions, side="right") - 1
        return list(zip(numbers.tolist(), positions.tolist(), strict=True))

    def family(self, number: int) -> int:
        """The document that a version belongs to; documents are numbered in the order of their ids."""
        return self._family_of[number]

    def versions(self, family: int) -> list[int]:
        """Every version held of a document, by number."""
        return list(self._family_documents[self._family_starts[family] : self._family_starts[family + 1]])

    def find_family(self, document_id: str) -> int | None:
        """The document of an id; None where no version that lists codes is held."""
        low, high = 0, len(self._family_starts) - 1
        while low < high:
            middle = (low + high) // 2
            name = self.document(self._family_documents[self._family_starts[middle]]).document_id
            if name == document_id:
                return middle
            low, high = (middle + 1, high) if name < document_id else (low, middle)
        return None

    def member_source(self, position: int) -> tuple[int, int]:
        """The row of a listed diagnosis."""
        return self._member_sources[position], self._member_rows[position]


def _map_bytes(path: Path) -> Any:
    if path.stat().st_size == 0:
        return b""
    with path.open("rb") as stream:
        return mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)


class _Writer:
    """Collects documents and writes the arrays."""

    def __init__(self) -> None:
        self.documents: list[bytes] = []
        self.texts: list[bytes] = []
        self.members: list[npt.NDArray[Any]] = []
        self.rows: list[npt.NDArray[Any]] = []
        self.sources: list[npt.NDArray[Any]] = []
        self.size = 0
        self.starts: list[int] = []
        self.codes: dict[str, list[int]] = {}
        self.families: dict[str, list[int]] = {}
        self.family_of: list[str] = []
        self.contractors: set[str] = set()
        self.lapsed: list[str] = []

    def add(self, raw: RawDocument, revision: int, revisions: Sequence[int], overlay: int) -> None:
        """One version with its reading."""
        groups = sorted(raw.groups, key=lambda g: (g.kind, g.number))
        reading = read_document(str(raw.row["title"]), groups, frozenset(raw.governed))
        states, contractors = collect_windows(raw.jurisdictions)
        self.starts.append(self.size)
        row, number = raw.row, len(self.documents)
        document = Document(
            document_id=raw.key[0],
            version=raw.key[1],
            document_type=row["document_type"],
            effective_from=row["effective_from"],
            effective_to=FOREVER if row["effective_to"] is None else row["effective_to"],
            first_effective_from=row["first_effective_from"],
            is_replaced=row["is_replaced"],
            is_national=row["is_national"],
            claim_kind=row["claim_kind"],
            url=row["url"],
            source=(row["source"], row["source_row"]),
            revision=revision,
            revisions=tuple(revisions),
            overlay=overlay,
            codes=reading.codes,
            rows=raw.governed,
            groups=tuple(self._groups(raw, reading)),
            pairing_unclear=reading.pairing_unclear,
            states=states,
            contractors=contractors,
        )
        value, texts = write_document(document, reading.paragraphs)
        self.documents.append(orjson.dumps(value))
        self.texts.append(orjson.dumps(texts))
        for code in raw.governed:
            self.codes.setdefault(code, []).append(number)
        if raw.governed or row["document_type"] != "NCD":  # determinations without codes replace no list
            self.families.setdefault(raw.key[0], []).append(number)
        self.family_of.append(raw.key[0])
        self.contractors |= set(contractors)

    def _groups(self, raw: RawDocument, reading: DocumentReading) -> list[Group]:
        published = {(g.kind, g.number): g for g in raw.groups}
        groups = []
        for part in reading.groups:
            own = published[part.kind, part.number]
            label = f"{part.kind.value} {part.number}"
            members = sorted((encode_diagnosis(code), code) for code in (part.diagnoses or own.codes))
            places = [raw.places[label, code] for _, code in members]
            start = self.size
            self.size += len(members)
            self.members.append(np.array([key for key, _ in members], dtype=np.uint64))
            self.sources.append(np.array([source for source, _ in places], dtype=np.uint16))
            self.rows.append(np.array([row for _, row in places], dtype=np.uint32))
            groups.append(
                Group(
                    label, part.kind is ListKind.COVERED, part.role, part.scope, part.pair, part.any_order,
                    part.waived_by_modifiers, part.exempt, part.paragraph, start, self.size, own.source, (),
                )
            )  # fmt: skip
        return groups

    def write(self, directory: Path, overlays: Sequence[int]) -> None:
        codes = sorted(self.codes)
        families = sorted(self.families)
        number_of = {name: number for number, name in enumerate(families)}
        _save_lists(directory, "code", [self.codes[code] for code in codes])
        _save_lists(directory, "family", [self.families[name] for name in families])
        save_array(
            directory, "family_of", np.array([number_of.get(name, 0) for name in self.family_of], dtype=np.uint32)
        )
        for name, parts, kind in (
            ("members", self.members, np.uint64),
            ("member_rows", self.rows, np.uint32),
            ("member_sources", self.sources, np.uint16),
        ):
            save_array(directory, name, np.concatenate(parts) if parts else np.empty(0, dtype=kind))
        save_array(directory, "member_starts", np.array(self.starts, dtype=np.uint64))
        for name, file, blobs in (("document", _DOCUMENTS, self.documents), ("text", _TEXTS, self.texts)):
            (directory / file).write_bytes(b"".join(blobs))
            save_array(directory, f"{name}_starts", np.cumsum([0, *map(len, blobs)], dtype=np.uint64))
        meta = {
            "codes": codes,
            "contractors": sorted(self.contractors),
            "overlays": list(overlays),
            "lapsed": self.lapsed,
        }
        (directory / "index.meta.json").write_bytes(orjson.dumps(meta))


def _save_lists(directory: Path, name: str, lists: Sequence[Sequence[int]]) -> None:
    save_array(directory, f"{name}_starts", np.cumsum([0, *map(len, lists)], dtype=np.uint64))
    flat = [number for numbers in lists for number in numbers]
    save_array(directory, f"{name}_documents", np.array(flat, dtype=np.uint32))


def _find_standing(revisions: Revisions, published: Sequence[int]) -> dict[tuple[Key, bytes], list[int]]:
    """The revisions in which each content of each version stands, the first published one first.

    With one revision there is nothing to compare; with more, every one is read twice rather than held in memory.
    """
    standing: dict[tuple[Key, bytes], list[int]] = {}
    for position in published:
        for raw in assemble(revisions[position][1]):
            standing.setdefault((raw.key, raw.digest), []).append(position)
    return standing


class _CoverageIndexKind:
    name = "coverage"
    format = 3

    def build(self, revisions: Revisions, directory: Path) -> None:
        writer = _Writer()
        overlays = {i: curated_roles(tables) for i, (_, tables) in enumerate(revisions) if "roles" in tables}
        published = sorted(range(len(revisions)), key=lambda i: (revisions[i][0].header.published_on, i))
        standing = _find_standing(revisions, published)
        for position in published:
            for raw in assemble(revisions[position][1]):
                positions = standing.get((raw.key, raw.digest), [])
                if positions and positions[0] == position:  # kept once, where it was published first
                    writer.add(raw, position, positions, -1)
                    for overlay, roles in overlays.items():
                        self._add_curated(writer, raw, position, positions, overlay, roles.get(raw.key, []))
        writer.write(directory, sorted(overlays))

    @staticmethod
    def _add_curated(
        writer: _Writer,
        raw: RawDocument,
        first: int,
        positions: Sequence[int],
        overlay: int,
        roles: Sequence[CuratedRole],
    ) -> None:
        if roles:
            document, lapsed = apply_roles(raw, roles)
            writer.add(replace(document), first, positions, overlay)
            writer.lapsed += [f"{raw.key[0]} version {raw.key[1]} {label}" for label in lapsed]

    def open(self, directory: Path) -> CoverageIndex:
        return CoverageIndex(directory)


COVERAGE_INDEX = _CoverageIndexKind()

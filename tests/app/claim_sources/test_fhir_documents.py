"""Resources found in FHIR files, whatever the form of the file, however the stream is cut."""

from __future__ import annotations

import io
import json
from typing import Any, BinaryIO, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_claims import UNHURRIED

from claimedits.app.claim_sources import fhir_documents
from claimedits.app.claim_sources.fhir_documents import read_resources

VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.text('{}[]",\\:éa', max_size=6)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["entry", "a", "b"]), inner, max_size=3)
    ),
    max_leaves=8,
)
RESOURCES = st.dictionaries(st.sampled_from(["id", "x", "item"]), VALUES, max_size=3)


def stream_of(content: bytes, chunk: int = 0) -> BinaryIO:
    class Slow(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(size or chunk, chunk) if chunk else size)

    return Slow(content)


def found(content: str | bytes, chunk: int = 0) -> list[Any]:
    raw = content.encode() if isinstance(content, str) else content
    return [resource.resource or resource.flaw for resource in read_resources(stream_of(raw, chunk))]


@given(st.lists(RESOURCES.filter(bool), max_size=4), st.integers(1, 9), st.sampled_from([None, 2]))
@UNHURRIED
def test_every_form_gives_the_same_resources(resources: list[dict[str, Any]], chunk: int, indent: int | None) -> None:
    bundle = {
        "resourceType": "Bundle",
        "x": ["entry", {"entry": 1}],
        "entry": [{"resource": r} for r in resources],
        "z": [{"a": 1}],
    }
    assert found(json.dumps(bundle, indent=indent), chunk) == resources
    assert found(json.dumps(resources, indent=indent), chunk) == resources
    assert found("\n".join(json.dumps(r, indent=indent) for r in resources), chunk) == resources


@given(st.lists(RESOURCES.filter(bool), min_size=2, max_size=4))
@UNHURRIED
def test_ndjson_is_read_line_by_line(resources: list[dict[str, Any]]) -> None:
    content = "\n".join(json.dumps(r) for r in resources).encode()
    buffered = cast(BinaryIO, io.BufferedReader(io.BytesIO(content)))  # type: ignore[arg-type]
    read = list(read_resources(buffered))
    entries = [r for r in resources if isinstance(r.get("entry"), list)]
    assert entries == []
    assert [(r.position.line, r.resource) for r in read] == list(enumerate(resources, 1))


def test_bad_line_of_ndjson_costs_that_line() -> None:
    content = b'{"a":1}\n{"b":\n\n[1]\n{"c":3}\n'
    read = list(read_resources(cast(BinaryIO, io.BufferedReader(io.BytesIO(content)))))  # type: ignore[arg-type]
    assert [(r.position.line, r.resource, r.flaw) for r in read] == [
        (1, {"a": 1}, ""),
        (2, None, "is no JSON object"),
        (4, None, "is no JSON object"),
        (5, {"c": 3}, ""),
    ]


def test_bundle_on_one_line_of_ndjson() -> None:
    content = b'{"a":1}\n{"entry":[{"resource":{"b":2}},{"request":{}},7]}\n'
    read = list(read_resources(cast(BinaryIO, io.BufferedReader(io.BytesIO(content)))))  # type: ignore[arg-type]
    assert [(r.position.line, r.position.entry, r.resource, r.flaw) for r in read] == [
        (1, 0, {"a": 1}, ""),
        (2, 1, {"b": 2}, ""),
        (2, 2, None, "holds no resource"),
        (2, 3, None, "holds no resource"),
    ]


def test_places_are_byte_offsets() -> None:
    content = b'{"entry": [ {"resource":{"a":1}},\n {"resource":{"b":2}} ]}'
    read = list(read_resources(stream_of(content)))
    assert [(r.position.entry, content[r.position.byte :][:13]) for r in read] == [
        (1, b'{"resource":{'),
        (2, b'{"resource":{'),
    ]


def test_long_resource_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fhir_documents, "LONGEST_RESOURCE", 100)
    content = json.dumps({"entry": [{"resource": {"a": "x" * 500}}, {"resource": {"b": 2}}]})
    assert found(content, 64) == ["is longer than 100 bytes", {"b": 2}]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('{"entry": [{"resource": {"a": 1}}, {"resource": {"b"', [{"a": 1}, "ends in the middle"]),
        ('{"entry": [{"resource": {"a": nil}}, {"resource": {"b": 2}}]}', ["is no JSON object", {"b": 2}]),
        ("}}}] hello", []),
        ("", []),
        ('{"entry": [1, "x", {"resource": {"b": 2}}]}', [{"b": 2}]),
        ('{"a": {"entry": [{"resource": {"b": 2}}]}}', [{"a": {"entry": [{"resource": {"b": 2}}]}}]),
    ],
)
def test_damage_costs_the_resource_it_is_in(content: str, expected: list[Any]) -> None:
    assert found(content) == expected


@given(st.binary(max_size=200), st.integers(1, 50))
@UNHURRIED
def test_any_bytes_end(content: bytes, chunk: int) -> None:
    assert len(found(content, chunk)) <= len(content)

"""Digests of files: computed once, and anew when a file has changed."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from claimedits.rulesets import durable_files
from claimedits.rulesets.durable_files import digest_file

LONG_AGO = 1_700_000_000


@pytest.fixture
def settled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that last changed long before the clock that the module reads."""
    path = tmp_path / "file"
    path.write_bytes(b"one")
    monkeypatch.setattr(durable_files.time, "time_ns", lambda: path.stat().st_ctime_ns + 10**10)
    return path


def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    made: list[str] = []
    real = hashlib.sha256
    monkeypatch.setattr(durable_files.hashlib, "sha256", lambda *parts: made.append("read") or real(*parts))
    return made


def test_an_unchanged_file_is_digested_once(settled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = reads(monkeypatch)
    assert digest_file(settled) == digest_file(settled) == hashlib.new("sha256", b"one").hexdigest()
    assert made == ["read"]


@pytest.mark.parametrize("how", ["written", "replaced", "written with its old time"])
def test_a_changed_file_is_digested_again(how: str, settled: Path) -> None:
    os.utime(settled, (LONG_AGO, LONG_AGO))
    before = digest_file(settled)
    if how == "replaced":
        other = settled.with_name("other")
        other.write_bytes(b"two")
        other.replace(settled)
    else:
        settled.write_bytes(b"two")
    if how != "written":
        os.utime(settled, (LONG_AGO, LONG_AGO))
    assert digest_file(settled) == hashlib.sha256(b"two").hexdigest() != before


def test_a_file_that_has_just_changed_is_not_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"one")
    made = reads(monkeypatch)
    digest_file(path)
    digest_file(path)
    assert made == ["read", "read"]


@pytest.mark.parametrize("size", [0, 1, durable_files._BLOCK - 1, durable_files._BLOCK, durable_files._BLOCK + 1])
def test_files_of_any_size_are_digested_whole(size: int, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * size)
    assert digest_file(path) == hashlib.sha256(b"x" * size).hexdigest()

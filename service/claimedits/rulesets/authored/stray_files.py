"""Rules, lists and tests that stand where nobody reads them: what is passed over in silence decides nothing.

Other files are nobody's concern: notes, files of cases, a publisher's table kept for reference.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from claimedits.model.problems import Problem
from claimedits.rulesets.authored.code_lists import COLUMNS

HEAD = "rule-set.toml"
LISTS = "lists"
SWITCHES = "switches.csv"
_HOLDS = {
    ".toml": (re.compile(rb"^\s*\[\[rule\]\]", re.M), "rules"),
    ".csv": (
        re.compile(rb"^(\xef\xbb\xbf)?(" + ",".join(COLUMNS).encode() + rb"|name,value,allowed)"),
        "a list or switches",
    ),
}
_TESTS = re.compile(rb"^\s*\[\[test\]\]", re.M)


def find_stray_files(directory: Path) -> Iterator[Problem]:
    """Files of an authored rule set that hold rules, lists, switches or tests, and are not read.

    Only ``*.toml``, ``lists/*.csv`` and ``switches.csv`` are read. Folders that begin with a point are not looked into.
    """
    for path in _files(directory, "*"):
        read = path.suffix == ".toml" or path.name == SWITCHES
        if not read and (held := _what_it_holds(path)):
            mend = "rename it to end in .toml"
            if path.suffix.lower() == ".csv":
                mend = f"move a code list to {LISTS}/, name a table of switches {SWITCHES}, or remove the file"
            yield Problem(f"{path.name}:1:1", f"holds {held}, and is not read", mend)
    for folder in _folders(directory):
        for path in _files(folder, "**/*") if folder.name != LISTS else ():
            if held := _what_it_holds(path):
                name = path.relative_to(directory).as_posix()
                place = f"to {LISTS}/" if path.suffix.lower() == ".csv" else f"beside {HEAD}"
                what = f"holds {held}, and is not read: it lies in the folder {folder.name}"
                yield Problem(f"{name}:1:1", what, f"move it {place}, or remove it")


def find_unread_rules(directory: Path) -> Iterator[Problem]:
    """Rules in a directory of rule sets that belong to none: no ``rule-set.toml`` beside them, or too deep below.

    Problems are named relative to the directory.
    """
    for path in _files(directory, "*.toml"):
        if _what_it_holds(path) == "rules":
            what = "holds rules, and belongs to no rule set"
            yield Problem(f"{path.name}:1:1", what, f"move it into a directory with a {HEAD}")
    for folder in _folders(directory):
        if (folder / HEAD).exists():
            continue
        for path in _files(folder, "*.toml"):
            if _what_it_holds(path) == "rules":
                what = f"holds rules, and is not read: {folder.name} has no {HEAD}"
                yield Problem(f"{folder.name}/{path.name}:1:1", what, f"write {HEAD} beside it, or remove the file")
        for head in sorted(folder.glob(f"*/**/{HEAD}")):
            name = head.relative_to(directory).as_posix()
            mend = "move the rule set one folder below the others, or name its directory itself"
            yield Problem(
                f"{name}:1:1", "is not read: rule sets lie one folder below the directory that is named", mend
            )


def _folders(directory: Path) -> list[Path]:
    return sorted(path for path in directory.iterdir() if path.is_dir() and not path.name.startswith("."))


def _files(directory: Path, pattern: str) -> list[Path]:
    return sorted(p for p in directory.glob(pattern) if p.is_file() and p.suffix.lower() in _HOLDS)


def _what_it_holds(path: Path) -> str:
    """What a file holds that is meant to be read; empty = nothing of the kind."""
    content = path.read_bytes()
    pattern, word = _HOLDS[path.suffix.lower()]
    if pattern.search(content):
        return word
    return "tests" if path.suffix.lower() == ".toml" and _TESTS.search(content) else ""

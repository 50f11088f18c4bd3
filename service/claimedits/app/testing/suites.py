"""Finds tests: rule sets with the tests beside them, and files of cases in any folder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from claimedits.app.testing.case_tests import read_table_tests
from claimedits.app.testing.cases import BadCase, Case, read_cases
from claimedits.engine.authored.rule_tests import RuleTest, read_rule_tests
from claimedits.model.problems import ImportRefusedError, Problem
from claimedits.rulesets.authored.compiler import KIND as AUTHORED
from claimedits.rulesets.loaded import CONVENTIONS
from claimedits.rulesets.table_rules import TABLES, read_rule_set_head

SuiteKind = Literal["authored", "tables", "cases"]
AnyTest = RuleTest | Case | BadCase


@dataclass(frozen=True, slots=True)
class Suite:
    """Tests that stand together: those beside one rule set, or those of one file of cases."""

    kind: SuiteKind
    path: Path
    home: Path | None
    """Directory of the rule sets that the tests are decided with; None = those that the package ships."""

    @property
    def name(self) -> str:
        """The path as it was given."""
        return self.path.as_posix()


def find_suites(paths: Iterable[Path]) -> list[Suite]:
    """The suites of files and directories, each once: a directory is searched for rule sets and for ``*.jsonl`` below it.

    Raises:
        FileNotFoundError: there is no such file or directory.
    """
    given = list(paths)
    for path in given:
        if not path.exists():
            raise FileNotFoundError(f"{path}: there is no such file or directory")
    homes = list(dict.fromkeys(home for path in given for home in _homes(path)))
    suites: dict[Path, Suite] = {}
    for path in given:
        for suite in _suites(path, homes):
            suites.setdefault(suite.path.resolve(), suite)
    return list(suites.values())


def _homes(path: Path) -> Iterator[Path]:
    """Directories that hold rule sets."""
    yield from (head.parent.parent for head in find_heads(path))


def find_heads(path: Path) -> list[Path]:
    """Every ``rule-set.toml`` at or below a directory, none in hidden ones."""
    if not path.is_dir():
        return []
    return sorted(p for p in path.rglob("rule-set.toml") if not _is_hidden(p.relative_to(path)))


def _suites(path: Path, homes: Sequence[Path]) -> Iterator[Suite]:
    if path.is_file():
        yield Suite("cases", path, _home_of(path, homes))
        return
    for head in find_heads(path):
        kind = read_rule_set_head(head.parent, []).get("kind")
        if kind == AUTHORED:
            yield Suite("authored", head.parent, head.parent.parent)
        elif kind in TABLES and any(head.parent.glob("*tests.toml")):
            yield Suite("tables", head.parent, head.parent.parent)
    for file in sorted(p for p in path.rglob("*.jsonl") if not _is_hidden(p.relative_to(path))):
        yield Suite("cases", file, _home_of(file, homes))


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _home_of(path: Path, homes: Sequence[Path]) -> Path | None:
    """The rule sets around a file of cases, else those of the run; None = those that the package ships."""
    for parent in path.resolve().parents:
        around = parent.parent if (parent / "rule-set.toml").exists() else parent
        if (around / CONVENTIONS / "rule-set.toml").exists():
            return next((home for home in homes if home.resolve() == around), around)
    return homes[0] if homes else None


def read_suite(suite: Suite) -> list[AnyTest]:
    """The tests of a suite in the order of files and rows. What cannot be read as a whole is one ``BadCase``.

    Raises:
        OSError: a file cannot be read.
    """
    if suite.kind == "cases":
        return list(read_cases(suite.path, suite.name))
    try:
        if suite.kind == "tables":
            return list(read_table_tests(suite.path, suite.name))
        return list(read_rule_tests(suite.path))
    except ImportRefusedError as error:
        problems = tuple(Problem(f"{suite.name}/{p.where}", p.what, p.mend) for p in error.problems)
        return [BadCase(suite.path.name, problems[0].where, problems)]


def id_of(suite: Suite, test: AnyTest) -> str:
    """What ``--run`` selects by: the id of a case, or the rule set's directory and the ``why`` of a test beside rules."""
    if isinstance(test, RuleTest):
        return f"{suite.path.resolve().name}/{test.why or test.where}"
    return test.id or test.where

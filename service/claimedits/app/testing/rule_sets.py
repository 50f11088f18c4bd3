"""The rule sets that tests are decided with: those beside the tests, else those that the package ships; compiled once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Self, cast

from claimedits.app.building import COMPILERS, find_rule_sets
from claimedits.app.shipped import find_rules
from claimedits.engine.authored.rule_tests import set_switches
from claimedits.model.problems import ClaimEditsError, ImportRefusedError, Problem
from claimedits.model.terms import Family
from claimedits.rulesets.authored.authored_index import AUTHORED_INDEX, AuthoredRules
from claimedits.rulesets.authored.compiler import KIND as AUTHORED
from claimedits.rulesets.code_edits import CodeEdits
from claimedits.rulesets.conventions import Conventions
from claimedits.rulesets.loaded import CONVENTIONS
from claimedits.rulesets.revision import RevisionDraft
from claimedits.rulesets.table_rules import TABLES, compile_table_rules, read_rule_set_head

Tables = Mapping[str, list[dict[str, Any]]]


@dataclass(frozen=True, eq=False)
class WrittenSet:
    """One rule set that people wrote, compiled: its draft, and its tables as rows."""

    name: str
    kind: str
    directory: Path
    draft: RevisionDraft
    tables: Tables

    @cached_property
    def authored(self) -> AuthoredRules:
        """Rules, lists and switches of an authored rule set, opened."""
        return AUTHORED_INDEX.open_tables(self.tables)

    @property
    def family(self) -> Family:
        """The family of an authored rule set."""
        return Family[self.draft.header.attributes["family"]]

    def with_tables(self, tables: Tables) -> WrittenSet:
        """The same rule set with other rows, as a mutant has them."""
        return WrittenSet(self.name, self.kind, self.directory, self.draft, tables)

    def with_authored(self, content: AuthoredRules) -> WrittenSet:
        """The same rule set with other rules or lists."""
        other = WrittenSet(self.name, self.kind, self.directory, self.draft, self.tables)
        other.__dict__["authored"] = content
        return other


def compile_written(directory: Path) -> WrittenSet:
    """Compile the rule set of a directory.

    Raises:
        ImportRefusedError: it does not compile; every problem with the directory's name before it.
    """
    problems: list[Problem] = []
    kind = str(read_rule_set_head(directory, problems).get("kind", ""))
    try:
        draft = COMPILERS.get(kind, compile_table_rules)(directory)
    except ImportRefusedError as error:
        placed = [Problem(f"{directory}/{p.where}", p.what, p.mend, p.code) for p in error.problems]
        raise ImportRefusedError(placed, f"{directory.name} does not compile") from None
    tables = {name: table.to_pylist() for name, table in draft.tables.items()}
    return WrittenSet(draft.header.rule_set, kind, directory, draft, tables)


@dataclass(eq=False)
class RuleSets:
    """Rule sets by name, from a home directory first. A rule set is compiled when it is first asked for."""

    home: Path | None = None
    _compiled: dict[str, WrittenSet] = field(default_factory=dict)

    @cached_property
    def directories(self) -> Mapping[str, Path]:
        """Where every rule set of authored rules or tables is, by its id."""
        found: dict[str, Path] = {}
        for root in (find_rules(), self.home):
            if root is None:
                continue
            try:
                paths = find_rule_sets(root)
            except ImportRefusedError:
                continue
            for path in paths:
                head = read_rule_set_head(path, [])
                if head.get("kind") in (AUTHORED, *TABLES):
                    found[str(head.get("id"))] = path
        return found

    def __contains__(self, name: str) -> bool:
        return name in self.directories

    def get(self, name: str) -> WrittenSet:
        """A rule set by id.

        Raises:
            ImportRefusedError: it does not compile.
            ClaimEditsError: there is none.
        """
        written = self._compiled.get(name)
        if written is None:
            if name not in self.directories:
                raise ClaimEditsError(f"there is no rule set {name}")
            written = self._compiled[name] = compile_written(self.directories[name])
        return written

    def replace(self, written: WrittenSet) -> Self:
        """The same rule sets with another in the place of one; what is compiled is shared."""
        other = type(self)(self.home, {**self._compiled, written.name: written})
        other.__dict__["directories"] = self.directories
        return other


def switched(tables: Tables, switches: Mapping[str, str]) -> Tables:
    """The tables with some switches set for all days.

    Raises:
        LookupError: (name, value) of a switch that is not there or cannot be that.
    """
    rows = tables.get("switches", [])
    for name, value in switches.items():
        stated = [row for row in rows if row["name"] == name]
        if not stated or not any(not row["allowed"] or value in row["allowed"].split() for row in stated):
            raise LookupError(name, value)
    return set_switches(tables, switches)


def open_tables(written: WrittenSet, tables: Tables) -> Conventions | CodeEdits:
    """The index of one revision of tables."""
    return CodeEdits(cast(Any, tables)) if written.kind == "code-edits" else Conventions(tables)


__all__ = ["CONVENTIONS", "RuleSets", "Tables", "WrittenSet", "compile_written", "open_tables", "switched"]

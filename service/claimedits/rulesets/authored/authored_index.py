"""The index of authored rules: each revision's rules, lists and switches as they are; conditions are compiled by the engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from claimedits.rulesets.authored.code_lists import CodeList, open_lists
from claimedits.rulesets.authored.rule import Rule, rule_from_json
from claimedits.rulesets.indexes import Revisions
from claimedits.rulesets.windows import Window, read_window


@dataclass(frozen=True, slots=True)
class AuthoredRule:
    """A rule and the row it came from."""

    rule: Rule
    source: int
    source_row: int


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class AuthoredRules:
    """One revision of an authored rule set, opened."""

    rules: tuple[AuthoredRule, ...]
    lists: Mapping[str, CodeList]
    switches: Mapping[str, tuple[Window[str], ...]]


class _AuthoredIndexKind:
    name = "authored"
    format = 1

    def build(self, revisions: Revisions, directory: Path) -> None:
        content = [{name: table.to_pylist() for name, table in tables.items()} for _, tables in revisions]
        (directory / "rules.json").write_bytes(orjson.dumps(content))

    def open(self, directory: Path) -> tuple[AuthoredRules, ...]:
        """One ``AuthoredRules`` a revision, in the order of the editions."""
        return tuple(self.open_tables(tables) for tables in orjson.loads((directory / "rules.json").read_bytes()))

    def open_tables(self, tables: Mapping[str, list[dict[str, Any]]]) -> AuthoredRules:
        """The rules of one revision from its tables as rows."""
        rules = tuple(
            AuthoredRule(rule_from_json(orjson.loads(row["rule"])), row["source"], row["source_row"])
            for row in tables["rules"]
        )
        switches: dict[str, list[Window[str]]] = {}
        for row in tables.get("switches", ()):
            window = read_window(row["effective_from"], row["effective_to"], row["value"])
            switches.setdefault(row["name"], []).append(window)
        return AuthoredRules(
            rules, open_lists(tables.get("lists", ())), {name: tuple(w) for name, w in switches.items()}
        )


AUTHORED_INDEX = _AuthoredIndexKind()

"""Releases in memory for cases: the tables that a case states, the conventions, and nothing else (semantics.md §H)."""

from __future__ import annotations

import copy
import hashlib
import json
import tempfile
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from claimedits.app.testing.case_rows import MODIFIER_KINDS
from claimedits.app.testing.case_rules import rules_draft, select_rules
from claimedits.app.testing.case_tables import TABLES, group_rows, header_of_rows, table_draft
from claimedits.app.testing.cases import Case
from claimedits.app.testing.rule_sets import CONVENTIONS, RuleSets, Tables, WrittenSet, open_tables, switched
from claimedits.model.problems import ClaimEditsError
from claimedits.rulesets.authored.authored_index import AuthoredRules
from claimedits.rulesets.authored.compiler import KIND as AUTHORED
from claimedits.rulesets.indexes import index_kind
from claimedits.rulesets.loaded import LoadedRelease, LoadedRuleSet
from claimedits.rulesets.revision import RevisionDraft, RevisionHeader, RevisionInfo
from claimedits.rulesets.versions import Editions

Rows = Sequence[tuple[int, Mapping[str, Any]]]
REQUIREMENTS = "medicare-modifier-requirements"
"""The rule set of which a case switches on just the rules it names (semantics.md §H)."""
_MOST_REMEMBERED = 256


class CaseSkippedError(Exception):
    """A case that cannot be judged here; the message says why."""


class CaseBrokenError(Exception):
    """A case that asks for something that is not there: (field path, what is wrong, how to mend it)."""


class Watch(Protocol):
    """Watches what is looked up in rule sets that people wrote (``app.testing.recording``)."""

    def open_tables(self, written: WrittenSet, tables: Tables) -> Any: ...

    def open_authored(self, written: WrittenSet, content: AuthoredRules) -> AuthoredRules: ...


def reason_to_skip(case: Case, sets: RuleSets) -> str:
    """Why a case cannot be judged with these rule sets; empty where it can."""
    named = {row["rule_set"] for row in case.rules or ()}
    unknown = sorted(name for name in named if name not in TABLES and name not in sets)
    return f"needs {', '.join(unknown)}, of which a case cannot state rows and no rule set is there" if unknown else ""


def drafts_of_case(case: Case, sets: RuleSets) -> list[RevisionDraft]:
    """Every revision of a case's release as drafts, for a store; the conventions first.

    Raises:
        LookupError: a row names a rule that its rule set does not have.
    """
    drafts = [sets.get(CONVENTIONS).draft]
    for (name, revision), rows in group_rows(case.rules or ()).items():
        if name in TABLES:
            drafts.append(table_draft(name, revision, rows))
        elif name != CONVENTIONS:
            written = sets.get(name)
            drafts.append(rules_draft(revision, rows, written.draft) if _selects(written, rows) else written.draft)
    return drafts


def _selects(written: WrittenSet, rows: Rows) -> bool:
    """Whether the rows choose among the rules of an authored rule set; ``"loaded": true`` alone loads it whole."""
    chosen = any(not row.get("loaded") for _, row in rows)
    return written.kind == AUTHORED and (chosen or written.name == REQUIREMENTS)


class CaseReleases:
    """Opens the release of one case after another; equal tables are indexed once."""

    def __init__(self, sets: RuleSets) -> None:
        self.sets = sets
        self._directory = tempfile.TemporaryDirectory(prefix="claim-edits-test-")
        self._indexes: OrderedDict[str, LoadedRuleSet] = OrderedDict()
        self._written: dict[Any, LoadedRuleSet] = {}

    def with_sets(self, sets: RuleSets) -> CaseReleases:
        """The same with other rule sets; indexes of stated tables are shared, and closed with the original."""
        other = copy.copy(self)
        other.sets, other._written = (
            sets,
            {k: v for k, v in self._written.items() if sets.get(k[0]) is self.sets.get(k[0])},
        )
        return other

    def close(self) -> None:
        """Remove the indexes from the disk."""
        self._indexes.clear()
        self._directory.cleanup()

    def open(self, case: Case, watch: Watch | None = None) -> LoadedRelease:
        """The release that a case's rows state; ``watch`` sees every look-up in rule sets that people wrote.

        Raises:
            CaseSkippedError: the case needs a rule set that is not there.
            CaseBrokenError: a row or switch names something that its rule set does not have.
            ImportRefusedError: a rule set does not compile.
        """
        reason = reason_to_skip(case, self.sets)
        if reason:
            raise CaseSkippedError(reason)
        loaded = [self._tables_of(CONVENTIONS, case.switches, watch)]
        by_set: dict[str, list[tuple[str, Rows]]] = {}
        for (name, revision), rows in group_rows(case.rules or ()).items():
            by_set.setdefault(name, []).append((revision, rows))
        for name, revisions in by_set.items():
            if name in TABLES:
                loaded.append(self._stated(name, revisions))
            elif name != CONVENTIONS:
                written = self.sets.get(name)
                one = written.kind == AUTHORED
                loaded.append(self._authored(written, revisions, watch) if one else self._tables_of(name, {}, watch))
        digest = hashlib.sha256("\n".join(r.id for s in loaded for r in s.editions.revisions).encode()).hexdigest()
        return LoadedRelease(f"sha256:{digest}", {item.name: item for item in loaded})

    def _tables_of(self, name: str, switches: Mapping[str, str], watch: Watch | None) -> LoadedRuleSet:
        written = self.sets.get(name)
        key = (name, tuple(sorted(switches.items())))
        found = self._written.get(key) if watch is None else None
        if found is None:
            try:
                tables = switched(written.tables, switches)
            except LookupError as error:
                switch, value = error.args
                raise CaseBrokenError(
                    f"options.switches.{switch}", f"{name} has no such switch, or it cannot be {value}", ""
                ) from None
            opened = watch.open_tables(written, tables) if watch else open_tables(written, tables)
            found = _loaded(name, written.kind, [_info(written.draft.header, repr(key))], (opened,))
            if watch is None:
                self._written[key] = found
        return found

    def _authored(
        self, written: WrittenSet, revisions: Sequence[tuple[str, Rows]], watch: Watch | None
    ) -> LoadedRuleSet:
        key = (written.name, json.dumps([(r, [row for _, row in rows]) for r, rows in revisions], sort_keys=True))
        found = self._written.get(key) if watch is None else None
        if found is None:
            opened: dict[str, AuthoredRules] = {}
            infos = []
            for revision, rows in revisions:
                header, content = written.draft.header, written.authored
                if _selects(written, rows):
                    for i, row in rows:
                        if not row.get("loaded") and row.get("kind") not in MODIFIER_KINDS:
                            what = f"states no kind that {written.name} knows"
                            raise CaseBrokenError(f"rules[{i}]", what, 'write "loaded": true for all its rules')
                    try:
                        rules = select_rules(rows, content.rules, written.family, len(header.sources))
                    except LookupError as error:
                        places = [i for i, row in rows if row.get("rule") == error.args[0]]
                        what = f"{written.name} has no rule {error.args[0]}"
                        raise CaseBrokenError(
                            f"rules[{places[0]}].rule", what, "name a rule, or its first part"
                        ) from None
                    header = header_of_rows(written.name, AUTHORED, revision, rows, header.attributes, header.sources)
                    content = AuthoredRules(tuple(rules), content.lists, content.switches)
                infos.append(_info(header, key[1]))
                opened[infos[-1].id] = watch.open_authored(written, content) if watch else content
            editions = Editions(infos)
            found = LoadedRuleSet(written.name, AUTHORED, editions, tuple(opened[r.id] for r in editions.revisions))
            if watch is None:
                self._written[key] = found
        return found

    def _stated(self, name: str, revisions: Sequence[tuple[str, Rows]]) -> LoadedRuleSet:
        key = name + json.dumps([(r, [row for _, row in rows]) for r, rows in revisions], sort_keys=True)
        found = self._indexes.get(key)
        if found is None:
            found = self._indexes[key] = self._index(name, revisions)
            if len(self._indexes) > _MOST_REMEMBERED:
                self._indexes.popitem(last=False)
        return found

    def _index(self, name: str, revisions: Sequence[tuple[str, Rows]]) -> LoadedRuleSet:
        drafts = {}
        for revision, rows in revisions:
            draft = table_draft(name, revision, rows)
            info = _info(draft.header, draft.header.sources[-1].sha256)
            drafts[info.id] = (info, draft.tables)
        editions = Editions([info for info, _ in drafts.values()])
        kind = index_kind(editions.revisions[0].header.kind)
        directory = Path(tempfile.mkdtemp(dir=self._directory.name))
        try:
            kind.build([drafts[r.id] for r in editions.revisions], directory)
            return LoadedRuleSet(name, kind.name, editions, kind.open(directory))
        except (ValueError, KeyError, TypeError, OverflowError) as error:
            raise ClaimEditsError(f"the rows of {name} make no table: {error}") from error


def stated_rows(case: Case, release: LoadedRelease) -> dict[tuple[str, int], str]:
    """(revision, record) → the row as JSON, for every row of a table that a case states."""
    found: dict[tuple[str, int], str] = {}
    for (name, revision), rows in group_rows(case.rules or ()).items():
        if name in TABLES:
            kind, content = TABLES[name][0], [row for _, row in rows if not row.get("loaded")]
            label = header_of_rows(name, kind, revision, rows).label
            ids = [r.id for r in release.rule_sets[name].editions.revisions if r.header.label == label]
            found |= {(ids[0], n): json.dumps(row, sort_keys=True) for n, row in enumerate(content, 1)}
    return found


def _info(header: RevisionHeader, content: str) -> RevisionInfo:
    digest = hashlib.sha256(f"{header.rule_set}\n{header.label}\n{content}".encode()).hexdigest()
    return RevisionInfo(f"sha256:{digest}", header, {}, 0, 0, 0)


def _loaded(name: str, kind: str, infos: Sequence[RevisionInfo], index: Any) -> LoadedRuleSet:
    return LoadedRuleSet(name, kind, Editions(infos), index)

"""Watches which rows and rules a test looks up, so that those which no test exercises can be named (``--coverage``).

A look-up leaves a mark on a row: USED where the row answered, OUTSIDE where only its dates kept it from answering, SEEN where
it was read along with others. What was never marked cannot have changed the outcome of the test.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Generic, NamedTuple, TypeVar, cast

from claimedits.app.testing.rule_sets import Tables, WrittenSet
from claimedits.engine.authored.conditions import TRUE, compile_test
from claimedits.engine.authored.facts import Facts
from claimedits.engine.evaluation import Evaluation
from claimedits.model.claim import ClaimLine
from claimedits.model.dates import Day
from claimedits.model.finding import Adjustment, Finding
from claimedits.model.terms import Program, Setting
from claimedits.rulesets.authored.authored_index import AuthoredRules
from claimedits.rulesets.authored.code_lists import CodeList, stands_between
from claimedits.rulesets.authored.rule import Rule, tests_of
from claimedits.rulesets.code_edits import CodeEdits, CodeRanges
from claimedits.rulesets.code_families import CodeFamily, read_code_families
from claimedits.rulesets.conventions import AddOnNote, Conventions, Position
from claimedits.rulesets.windows import Window, read_window

USED, OUTSIDE, SEEN = "used", "outside its dates", "seen"
FIRED, HELD_BACK = "fires", "does not fire"
Row = Mapping[str, Any]
Stated = Mapping[tuple[str, int], str]
"""(revision, record) → the row as JSON."""
E = TypeVar("E")


class Key(NamedTuple):
    """A row of a table, or a version of a rule, of a rule set that people wrote."""

    rule_set: str
    source: int
    """Position of the file among the sources of the compiled rule set."""
    row: int
    """The file's record, or the row of ``[[rule]]``."""


class Marks:
    """Marks of one test, or of many."""

    def __init__(self) -> None:
        self.of: dict[Key, set[str]] = {}
        self.cited: set[tuple[str, str]] = set()
        """(rule set, row) of imported or stated tables behind a finding or a pass."""

    def add(self, key: Key, mark: str) -> None:
        self.of.setdefault(key, set()).add(mark)

    def merge(self, other: Marks) -> None:
        """Take over what another saw."""
        for key, marks in other.of.items():
            self.of.setdefault(key, set()).update(marks)
        self.cited |= other.cited


class _Recorder:
    """Marks the rows of one rule set of tables."""

    def __init__(self, name: str, tables: Tables, marks: Marks) -> None:
        self._name, self._tables, self._marks = name, tables, marks

    def rows(self, table: str) -> list[dict[str, Any]]:
        return self._tables.get(table, [])

    def mark(self, row: Row, mark: str) -> None:
        self._marks.add(Key(self._name, row["source"], row["source_row"]), mark)

    def mark_by_date(self, row: Row, day: Day) -> bool:
        """USED or OUTSIDE; whether the row holds on the day."""
        holds = read_window(row["effective_from"], row["effective_to"], None).covers(day)
        self.mark(row, USED if holds else OUTSIDE)
        return holds

    def mark_first(self, table: str, column: str, name: str, day: Day) -> None:
        """The first row of a name that holds on a day answers; those after it are only seen."""
        answered = False
        for row in self.rows(table):
            if row[column] == name:
                if answered:
                    self.mark(row, SEEN)
                else:
                    answered = self.mark_by_date(row, day)


class RecordingConventions(Conventions):
    """Conventions that mark what is asked of them; the answers are those of ``Conventions``."""

    def __init__(self, name: str, tables: Tables, marks: Marks) -> None:
        super().__init__(tables)
        self._recorder = _Recorder(name, tables, marks)
        self._ranges = {
            row["source_row"]: read_code_families([{**row, "family": ""}])[""]
            for row in ({**r, "effective_from": "", "effective_to": ""} for r in tables.get("code-families", []))
        }
        self.sides = _WatchedSides(self.sides, self._recorder)
        self.ptp_associated = _WatchedModifiers(self.ptp_associated, self._recorder)

    def switch(self, name: str, day: Day) -> str:
        self._recorder.mark_first("switches", "name", name, day)
        return super().switch(name, day)

    def position(
        self, modifier: str, program: Program, setting: Setting, day: Day, pair: tuple[str, str]
    ) -> Position | None:
        position = super().position(modifier, program, setting, day, pair)
        answered = False
        for row in self._recorder.rows("ptp-modifier-positions"):
            if modifier not in row["modifiers"].split():
                continue
            settings = row["settings"].split()
            if row["program"] != program.name or (settings and setting.name not in settings):
                self._recorder.mark(row, SEEN)
            elif not read_window(row["effective_from"], row["effective_to"], None).covers(day):
                self._recorder.mark(row, OUTSIDE)
            else:
                same = position is not None and not answered and _is_row(position, row)
                self._recorder.mark(row, USED if same else SEEN)
                answered = answered or same
        return position

    def names_pair(self, pair: tuple[str, str], day: Day) -> bool:
        for row in self._recorder.rows("ptp-modifier-positions"):
            if row["pairs"]:
                self._recorder.mark(row, SEEN)
        return super().names_pair(pair, day)

    def in_family(self, family: str, code: str, day: Day) -> bool:
        for row in self._rows_of_code(code, day):
            if row["family"] == family:
                self._recorder.mark_by_date(row, day)
        return super().in_family(family, code, day)

    def traits(self, code: str, day: Day) -> tuple[str, ...]:
        for row in self._rows_of_code(code, day):
            self._recorder.mark(row, SEEN)
        return super().traits(code, day)

    def _rows_of_code(self, code: str, day: Day) -> Iterator[Row]:
        for row in self._recorder.rows("code-families"):
            if self._ranges[row["source_row"]].contains(code, day):
                yield row

    def family(self, name: str) -> CodeFamily:
        for row in self._recorder.rows("code-families"):
            if row["family"] == name:
                self._recorder.mark(row, SEEN)
        return super().family(name)

    def modifier_family(self, family: str, day: Day) -> tuple[str, ...]:
        for row in self._recorder.rows("modifier-families"):
            if row["family"] == family:
                self._recorder.mark_by_date(row, day)
        return super().modifier_family(family, day)

    def adjustment(self, name: str, day: Day) -> Adjustment | None:
        self._recorder.mark_first("adjustments", "name", name, day)
        return super().adjustment(name, day)

    def add_on_note(self, note: str, day: Day) -> AddOnNote | None:
        self._recorder.mark_first("aoc-notes", "note", note, day)
        return super().add_on_note(note, day)

    def payer_primaries(self, add_on_code: str, day: Day) -> frozenset[str]:
        for row in self._recorder.rows("aoc-payer-primaries"):
            if row["add_on_code"] == add_on_code:
                self._recorder.mark_by_date(row, day)
        return super().payer_primaries(add_on_code, day)

    def is_distinguishing(self, modifier: str, day: Day) -> bool:
        for row in self._recorder.rows("distinguishing-modifiers"):
            if modifier in row["modifiers"].split():
                self._recorder.mark_by_date(row, day)
        return super().is_distinguishing(modifier, day)


def _is_row(position: Position, row: Row) -> bool:
    stated = (row["column_1"], row["column_2"], tuple(row["condition"].split()), row["authority"])
    return stated == (position.column_1, position.column_2, position.conditions, position.authority)


class _WatchedSides(dict[str, tuple[str, str]]):
    """Modifier → part and side; what is asked is marked."""

    def __init__(self, sides: Mapping[str, tuple[str, str]], recorder: _Recorder) -> None:
        super().__init__(sides)
        self._recorder = recorder

    def _mark(self, modifier: object) -> None:
        for row in self._recorder.rows("modifier-sides"):
            if modifier in row["modifiers"].split():
                self._recorder.mark(row, USED)

    def __getitem__(self, modifier: str) -> tuple[str, str]:
        self._mark(modifier)
        return super().__getitem__(modifier)

    def __contains__(self, modifier: object) -> bool:
        self._mark(modifier)
        return super().__contains__(modifier)

    def get(self, modifier: str, default: Any = None) -> Any:
        self._mark(modifier)
        return super().get(modifier, default)


class _WatchedModifiers(dict[str, None]):
    """The PTP-associated modifiers: every row that names one that is asked for, or every row when all are read, is seen."""

    def __init__(self, modifiers: Mapping[str, None], recorder: _Recorder) -> None:
        super().__init__(modifiers)
        self._recorder = recorder

    def __contains__(self, modifier: object) -> bool:
        for row in self._recorder.rows("ptp-modifier-positions"):
            if modifier in row["modifiers"].split():
                self._recorder.mark(row, SEEN)
        return super().__contains__(modifier)

    def __iter__(self) -> Iterator[str]:
        for row in self._recorder.rows("ptp-modifier-positions"):
            self._recorder.mark(row, SEEN)
        return super().__iter__()


class _WatchedRanges(CodeRanges[E], Generic[E]):
    """Ranges of codes with dated edits; those that name a code that is asked for are marked."""

    def __init__(self, inner: CodeRanges[E], recorder: _Recorder, table: str) -> None:
        super().__init__([], lambda row: row)  # type: ignore[arg-type, return-value]
        self._inner, self._recorder, self._table = inner, recorder, table

    def on(self, code: str, day: Day) -> list[Window[E]]:
        for row in self._recorder.rows(self._table):
            if row["from_code"] <= code < row["to_code"] + "~":
                self._recorder.mark_by_date(row, day)
        return self._inner.on(code, day)


class _WatchedList(CodeList):
    """A code list that marks the rows of what is asked of it."""

    def __init__(self, rows: list[dict[str, Any]], recorder: _Recorder) -> None:
        super().__init__((r["first"], r["last"], r["effective_from"], r["effective_to"]) for r in rows)
        self._rows, self._recorder = rows, recorder

    def holds(self, code: str, day: Day) -> bool:
        for row in self._rows:
            first, last = row["first"], row["last"]
            if code == first or (first != last and len(code) == len(first) and stands_between(code, first, last)):
                self._recorder.mark_by_date(row, day)
        return super().holds(code, day)


class Recording:
    """A ``Watch`` of one test."""

    def __init__(self) -> None:
        self.marks = Marks()

    def open_tables(self, written: WrittenSet, tables: Tables) -> Conventions | CodeEdits:
        if written.kind == "code-edits":
            edits, recorder = CodeEdits(cast(Any, tables)), _Recorder(written.name, tables, self.marks)
            edits.procedures = _WatchedRanges(edits.procedures, recorder, "age-sex")
            edits.diagnoses = _WatchedRanges(edits.diagnoses, recorder, "age-sex")
            edits.sequence = _WatchedRanges(edits.sequence, recorder, "diagnosis-sequence")
            return edits
        return RecordingConventions(written.name, tables, self.marks)

    def open_authored(self, written: WrittenSet, content: AuthoredRules) -> AuthoredRules:
        by_list: dict[str, list[dict[str, Any]]] = {}
        for row in written.tables.get("lists", []):
            by_list.setdefault(row["list"], []).append(row)
        recorder = _Recorder(written.name, written.tables, self.marks)
        lists = {name: _WatchedList(rows, recorder) for name, rows in by_list.items()}
        return AuthoredRules(content.rules, lists, content.switches)


def all_keys(written: WrittenSet) -> Iterable[tuple[Key, str, Row]]:
    """Every row of a rule set with its table, as the marks name it."""
    for table, rows in written.tables.items():
        for row in rows:
            yield Key(written.name, row["source"], row["source_row"]), table, row


_SCOPE = frozenset(("claim.program", "claim.setting", "claim.payer", "claim.state", "claim.billing_provider"))
"""Whom a rule is for: that alone makes no line a near miss."""


def mark_rules(
    marks: Marks, written: WrittenSet, content: AuthoredRules, evaluation: Evaluation, findings: Iterable[Finding]
) -> None:
    """FIRED for every rule of an authored rule set behind a finding, HELD_BACK where a line came near it.

    A line comes near a rule in force that does not fire when one of the rule's conditions holds, those apart that say whom the
    rule is for; a rule of a single condition is held back by any line.
    """
    places = {source.file: number for number, source in enumerate(written.draft.header.sources)}
    fired: set[tuple[int, Key]] = set()
    undecided: set[tuple[int, str]] = set()
    for f in findings:
        if f.citation and f.citation.rule_set == written.name and f.citation.source_file in places:
            key = Key(written.name, places[f.citation.source_file], f.citation.source_row)
            marks.add(key, FIRED)
            fired.add((f.line_number, key))
            undecided.add((f.line_number, f.rule_id))
    facts = Facts(evaluation)
    for authored in content.rules:
        rule, key = authored.rule, Key(written.name, authored.source, authored.source_row)
        if authored.source >= len(places) or HELD_BACK in marks.of.get(key, ()):
            continue
        for line in evaluation.claim.lines:
            here = rule.effective_from <= line.service_date <= rule.effective_to
            spoken = (line.line_number, key) in fired or (line.line_number, f"{written.name}/{rule.id}") in undecided
            if here and not spoken and _is_near(rule, written, facts, line):
                marks.add(key, HELD_BACK)
                break


def _is_near(rule: Rule, written: WrittenSet, facts: Facts, line: ClaimLine) -> bool:
    tests = [test for test in tests_of(rule.when) if test.attribute not in _SCOPE] or list(tests_of(rule.when))
    if len(tests) <= 1 and not rule.blocks:
        return True
    return any(compile_test(test, written.authored)(facts, line) == TRUE for test in tests)


def mark_citations(marks: Marks, findings: Iterable[Finding], written: Iterable[str], stated: Stated) -> None:
    """The imported rows behind findings and passes; those of rule sets that people wrote are marked as rules and rows.

    Args:
        stated: rows that a case states, by revision and place; a row that many cases state counts once.
    """
    names = frozenset(written)
    for f in findings:
        c = f.citation
        if c and c.source_row and c.rule_set not in names:
            row = stated.get((c.revision, c.source_row))
            marks.cited.add((c.rule_set, row) if row else (c.rule_set, f"{c.revision} {c.source_file} {c.source_row}"))

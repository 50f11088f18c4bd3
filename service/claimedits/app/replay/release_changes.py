"""With a baseline: what the other release answers otherwise, exact, line by line (``app.impact.changes``).

Claims that nothing touches are not evaluated twice. Of the others, those whose findings are equal column by column are
found at once; those that only cite otherwise too. The rest is compared as ``claim-edits diff --claims`` compares decisions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from claimedits.app.impact.changes import Cause, ChangeKind, LineChange, compare_decisions
from claimedits.app.replay.counting import Part, part_of
from claimedits.app.replay.reaching import ClaimTraits, Marks, find_touched_claims
from claimedits.app.replay.results import CHANGES, FINDINGS
from claimedits.app.replay.sums import SCHEMAS, Ints, Sums, Words, count, same_word, take_words, words_of
from claimedits.engine.columnar.table import TableEvaluator, TableFindings
from claimedits.model.finding import Adjustment, Citation, Decision, Detail, Finding, LineResult, PtpDetail, Remedy
from claimedits.model.line_table import OUTCOME
from claimedits.model.terms import FAMILIES_BY_NAME, Family, Overridable, Status
from claimedits.rulesets.comparison.reach import Touched

_CITED = (
    "rule_set", "revision", "label", "source_file", "source_sha256", "source_row",
    "effective_from", "effective_to", "authority", "url",
)  # fmt: skip
UNDECIDED, LOST = "NOT_EVALUATED_BEFORE", "NO_LONGER_EVALUATED"
"""Beside the kinds in the sums: newly failing lines that data came for, and lines that are not evaluated any more."""
_REST = tuple(name for name in FINDINGS.names if name not in (*_CITED, "claim_id", "message", "detail"))
"""Columns beside the citation that tell two findings apart; the message is made of the others."""


@dataclass(frozen=True)
class _Change:
    """A line that is answered otherwise: by its row in ``Part.lines``."""

    line: int
    change: LineChange


class Baseline:
    """Evaluates what is needed under the other release."""

    def __init__(self, evaluator: TableEvaluator, touched: Touched | None, as_of: str) -> None:
        self._evaluator = evaluator
        self._touched = touched
        self._as_of = as_of

    def compare(self, table: pa.Table, new: TableFindings, part: Part) -> tuple[pa.Table, Sums]:
        """Changed lines (``results.CHANGES``), and the sums of changes.

        Args:
            table: the claims.
            new: their answers under the release that is replayed against; ``part`` is made of it.
        """
        traits = ClaimTraits(table)
        evaluated = np.zeros(traits.claims, dtype=bool)
        evaluated[part.claim] = True
        if self._touched is None:
            touched = evaluated
        else:
            touched = evaluated & find_touched_claims(
                traits, self._touched.reaches, lambda rule_set: _citing(part, rule_set, traits.claims)
            )
        pieces: list[tuple[_Change, ...]] = []
        by_citation = np.zeros(0, dtype=np.int64)
        old_outcomes = part.statuses[OUTCOME].copy()
        if touched.any():
            sub = table.filter(pa.array(touched[traits.owner]))
            answers = list(self._evaluator.evaluate_batches([sub], rows=sub.num_rows + 1))
            old = part_of(sub, answers[0])
            compared = _Comparison(old, part, touched)
            old_outcomes[compared.new_lines] = old.statuses[OUTCOME]
            by_citation, others = compared.sort_claims()
            pieces = [compared.compare_claim(claim) for claim in others]
        changes = [change for piece in pieces for change in piece]
        return self._changed_lines(part, changes, by_citation), self._sums(
            part, changes, by_citation, old_outcomes, touched
        )

    def _changed_lines(self, part: Part, changes: list[_Change], by_citation: Ints) -> pa.Table:
        """Rows in the order of the lines."""
        line = np.concatenate([by_citation, np.array([one.line for one in changes], dtype=np.int64)])
        if not len(line):
            return CHANGES.empty_table()
        order = np.argsort(line, kind="stable")
        line = line[order]
        cited = len(by_citation)
        kinds = np.array([ChangeKind.CITATION] * cited + [one.change.kind for one in changes], dtype=np.int64)[order]
        outcomes = part.statuses[OUTCOME]
        old = np.concatenate([outcomes[by_citation], np.array([one.change.old for one in changes], dtype=np.int64)])
        gone = [list[str]()] * cited + [[cause.rule_id for cause in one.change.gone] for one in changes]
        come = [list[str]()] * cited + [[cause.rule_id for cause in one.change.come] for one in changes]
        undecided = np.array([False] * cited + [one.change.undecided for one in changes], dtype=bool)
        old = old[order]
        worst = _worst_of_claims(part, line, kinds, old)
        own = part.lines.take(pa.array(line))
        status = pa.array(["", *(one.name for one in sorted(Status))])
        columns = {
            "claim_id": own["claim_id"],
            "billing_provider_id": pc.fill_null(own["billing_provider_id"], ""),
            "claim_kind": pa.array([ChangeKind(kind).name for kind in worst[0]]),
            "claim_old": status.take(pa.array(worst[1])),
            "claim_new": status.take(pa.array(worst[2])),
            "line_number": own["line_number"],
            "procedure_code": own["procedure_code"],
            "kind": pa.array([ChangeKind(kind).name for kind in kinds]),
            "old": status.take(pa.array(old)),
            "new": status.take(pa.array(outcomes[line])),
            "not_evaluated_before": pa.array(undecided[order]),
            "charge_cents": own["charge_cents"],
            "gone": pa.array([gone[i] for i in order.tolist()], pa.list_(pa.string())),
            "come": pa.array([come[i] for i in order.tolist()], pa.list_(pa.string())),
        }
        return pa.table([columns[name] for name in CHANGES.names], schema=CHANGES)

    def _sums(self, part: Part, changes: list[_Change], by_citation: Ints, old_outcomes: Ints, touched: Marks) -> Sums:
        figures = part.figures
        line = np.concatenate([by_citation, np.array([one.line for one in changes], dtype=np.int64)])
        kinds = np.array(
            [ChangeKind.CITATION] * len(by_citation) + [one.change.kind for one in changes], dtype=np.int64
        )
        kind: Words = (kinds, [one.name for one in sorted(ChangeKind)])
        entries = _part_entries(part, changes, line)
        before = np.concatenate(
            [part.statuses[OUTCOME][by_citation], np.array([c.change.old for c in changes], dtype=np.int64)]
        )
        undecided = np.array([False] * len(by_citation) + [one.change.undecided for one in changes], dtype=bool)
        lost = (part.statuses[OUTCOME][line] == Status.NOT_EVALUATED) & (before != Status.NOT_EVALUATED)
        tables = {
            "changes": pa.concat_tables(
                [
                    count("changes", {"kind": kind}, line, figures),
                    *(
                        count("changes", {"kind": same_word(word, int(marks.sum()))}, line[marks], figures)
                        for word, marks in ((UNDECIDED, undecided), (LOST, lost))
                    ),
                ]
            ),
            "change_parts": pa.concat_tables(
                [
                    count(
                        "change_parts",
                        {
                            "part": (np.zeros(len(places), dtype=np.int64), [name]),
                            "name": words,
                            "kind": take_words(kind, places),
                        },
                        line[places],
                        figures,
                    )
                    for name, places, words in entries
                ]
            ),
            "claim_changes": _claim_changes(part, line, kinds, old_outcomes, touched),
        }
        failing = kinds == ChangeKind.NEWLY_FAILING
        counts = {
            "undecided_only_claims": len(
                np.setdiff1d(part.claim[line[failing]], part.claim[line[failing & ~undecided]])
            ),
            "compared_claims": int(np.count_nonzero(touched)),
            "skipped_claims": len(np.unique(part.claim)) - int(np.count_nonzero(touched)),
        }
        return Sums(tables, counts)


def _part_entries(part: Part, changes: list[_Change], line: Ints) -> list[tuple[str, Ints, Words]]:
    """By what changed lines are summed: the part, the changed line (by its place in ``line``), and the name."""
    everything = np.arange(len(line), dtype=np.int64)
    cited = len(line) - len(changes)
    entries = [
        ("code", everything, take_words(words_of(part.lines["procedure_code"]), line)),
        ("provider", everything, take_words(words_of(part.lines["billing_provider_id"]), line)),
    ]
    for name, pick in (("rule", _rule_of), ("rule_set", _rule_set_of), ("family", _family_of)):
        found = [
            (cited + place, word)
            for place, one in enumerate(changes)
            for word in sorted({pick(cause) for cause in one.change.causes})
        ]
        places = np.array([place for place, _ in found], dtype=np.int64)
        entries.append((name, places, words_of(pa.array([word for _, word in found], pa.string()))))
    return entries


def _rule_of(cause: Cause) -> str:
    return cause.rule_id


def _rule_set_of(cause: Cause) -> str:
    return cause.rule_set


def _family_of(cause: Cause) -> str:
    return cause.family.name


def _worst_of_claims(part: Part, line: Ints, kinds: Ints, old: Ints) -> tuple[Ints, Ints, Ints]:
    """For each changed line, the worst change of its claim, and the claim's outcomes before and after."""
    size = int(part.claim.max(initial=-1)) + 1
    claim = part.claim[line]
    worst_kind, worst_old, worst_new = (np.zeros(size, dtype=np.int64) for _ in range(3))
    before = part.statuses[OUTCOME].copy()
    before[line] = old
    np.maximum.at(worst_kind, claim, kinds)
    np.maximum.at(worst_old, part.claim, before)
    np.maximum.at(worst_new, part.claim, part.statuses[OUTCOME])
    return worst_kind[claim], worst_old[claim], worst_new[claim]


def _claim_changes(part: Part, line: Ints, kinds: Ints, old_outcomes: Ints, touched: Marks) -> pa.Table:
    """Compared claims by their worst change and their outcomes."""
    worst = np.zeros((3, len(touched)), dtype=np.int64)
    np.maximum.at(worst[0], part.claim[line], kinds)
    np.maximum.at(worst[1], part.claim, old_outcomes)
    np.maximum.at(worst[2], part.claim, part.statuses[OUTCOME])
    rows, number = np.unique(worst[:, touched], axis=1, return_counts=True)
    columns = {
        "kind": [ChangeKind(kind).name for kind in rows[0]],
        "old": [Status(status).name for status in rows[1]],
        "new": [Status(status).name for status in rows[2]],
        "claims": number,
    }
    return pa.table(columns, SCHEMAS["claim_changes"])


def _citing(part: Part, rule_set: str, claims: int) -> Marks:
    """Claims with a finding that cites a rule set or whose rule is named after it."""
    found = part.findings
    marks = np.zeros(claims, dtype=bool)
    if found.num_rows:
        cites = pc.or_(
            pc.fill_null(pc.equal(found["rule_set"], rule_set), False),
            pc.fill_null(pc.starts_with(found["rule_id"], rule_set), False),
        )
        marks[part.claim[part.line_of[np.asarray(cites)]]] = True
    return marks


class _Comparison:
    """Two answers to the same claims."""

    def __init__(self, old: Part, new: Part, touched: Marks) -> None:
        """``old`` holds the touched claims only, ``new`` holds all of the part."""
        self._old, self._new = old, new
        number = np.cumsum(touched) - 1
        self.new_lines: Ints = np.flatnonzero(touched[new.claim])
        """The line of ``new`` for each line of ``old``."""
        claim_of = new.claim[new.line_of] if len(new.line_of) else new.line_of
        self._new_rows: Ints = np.flatnonzero(touched[claim_of])
        self._claims = int(touched.sum())
        self._new_claim = number[claim_of[self._new_rows]]
        self._old_claim = old.claim[old.line_of] if len(old.line_of) else old.line_of
        self._ends = [np.cumsum(np.bincount(c, minlength=self._claims)) for c in (self._old_claim, self._new_claim)]
        self._line_ends = np.cumsum(np.bincount(old.claim, minlength=self._claims))

    def sort_claims(self) -> tuple[Ints, list[int]]:
        """Lines (of ``new``) of claims that only cite otherwise, and claims (of ``old``) that are to be compared in full."""
        old, new = self._old.findings, self._new.findings.take(pa.array(self._new_rows))
        counts = [np.diff(ends, prepend=0) for ends in self._ends]
        differs = counts[0] != counts[1]
        outcomes = self._old.statuses[OUTCOME] != self._new.statuses[OUTCOME][self.new_lines]
        differs[self._old.claim[outcomes]] = True
        aligned = [np.flatnonzero(~differs[claim]) for claim in (self._old_claim, self._new_claim)]
        one, other = old.take(pa.array(aligned[0])), new.take(pa.array(aligned[1]))
        claim = self._old_claim[aligned[0]]
        rest = np.zeros(len(claim), dtype=bool)
        for name in _REST:
            rest |= _differ(_comparable(one[name]), _comparable(other[name]))
        full = _differ(one["detail"], other["detail"])
        if full.any():
            places = np.flatnonzero(full)
            cut = [
                [_without_dates(text) for text in t["detail"].take(pa.array(places)).to_pylist()] for t in (one, other)
            ]
            rest[places] |= np.array([a != b for a, b in zip(*cut, strict=True)], dtype=bool)
        cited = full
        for name in _CITED:
            cited |= _differ(one[name], other[name])
        differs[claim[rest]] = True
        only_cited = cited & ~differs[claim]
        lines = np.unique(self._old.line_of[aligned[0][only_cited]])
        return self.new_lines[lines], np.flatnonzero(differs).tolist()

    def compare_claim(self, claim: int) -> tuple[_Change, ...]:
        """What changed in a claim, compared finding by finding."""
        begin = int(self._line_ends[claim - 1]) if claim else 0
        old_lines = np.arange(begin, int(self._line_ends[claim]))
        new_lines = self.new_lines[old_lines]
        before = self._decision(self._old, old_lines, self._rows(0, claim))
        after = self._decision(self._new, new_lines, self._new_rows[self._rows(1, claim)])
        line_of = dict(zip((line.line_number for line in after.lines), new_lines.tolist(), strict=True))
        return tuple(_Change(line_of[one.line_number], one) for one in compare_decisions(before, after))

    def _rows(self, side: int, claim: int) -> Ints:
        ends = self._ends[side]
        return np.arange(int(ends[claim - 1]) if claim else 0, int(ends[claim]))

    def _decision(self, part: Part, lines: Ints, findings: Ints) -> Decision:
        own = part.lines.select(["line_number", "procedure_code"]).take(pa.array(lines)).to_pylist()
        asked = [family for family in FAMILIES_BY_NAME if family.name in part.statuses]
        statuses = [part.statuses[name][lines].tolist() for name in (OUTCOME, *(family.name for family in asked))]
        results = tuple(
            LineResult(
                row["line_number"],
                row["procedure_code"] or "",
                Status(outcome),
                tuple(zip(asked, map(Status, of_families), strict=True)),
            )
            for row, outcome, *of_families in zip(own, *statuses, strict=True)
        )
        found = tuple(map(_finding, part.findings.take(pa.array(findings)).to_pylist()))
        return Decision("", "", "", 0, "", Status.PASS, results, found)


def _comparable(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if not pa.types.is_list(column.type):
        return column
    texts = column.cast(pa.list_(pa.string())) if column.type.value_type != pa.string() else column
    return pc.binary_join(texts, "\x1f")


def _differ(one: pa.ChunkedArray, other: pa.ChunkedArray) -> Marks:
    """Where two columns differ; null equals null alone."""
    equal = pc.fill_null(pc.equal(one, other), False)
    both_null = pc.and_(pc.is_null(one), pc.is_null(other))
    return ~np.asarray(pc.or_(equal, both_null))


def _without_dates(text: str | None) -> str | None:
    """A detail without the dates of the PTP row, which belong to the citation."""
    if text is None or '"ptp"' not in text:
        return text
    detail = orjson.loads(text)
    for name in ("effective_from", "effective_to"):
        detail["ptp"].pop(name, None)
    return orjson.dumps(detail).decode()


def _finding(row: dict[str, Any]) -> Finding:
    """A finding with all that ``compare_decisions`` looks at. Remedies and details stand in it as the texts they came as."""
    citation = None if row["rule_set"] is None else Citation(*(row[name] for name in _CITED))
    adjustment = None
    if row["carc"] is not None:
        adjustment = Adjustment(row["adjustment_group"], row["carc"], tuple(row["rarc"] or ()))
    detail = None
    if row["detail"] is not None:
        ptp = orjson.loads(row["detail"]).get("ptp")
        dates = PtpDetail("", "", "", ptp["effective_from"], ptp["effective_to"]) if ptp else None
        detail = Detail(note=_without_dates(row["detail"]) or "", ptp=dates)
    return Finding(
        rule_id=row["rule_id"],
        family=Family[row["family"]],
        status=Status[row["status"]],
        line_number=row["line_number"],
        code=row["code"],
        message="",
        related_line_numbers=tuple(row["related_line_numbers"] or ()),
        citation=citation,
        adjustment=adjustment,
        overridable=Overridable[row["overridable"]],
        remedies=(Remedy(row["remedies"]),) if row["remedies"] else (),
        depends_on=tuple(row["depends_on"] or ()),
        detail=detail,
    )

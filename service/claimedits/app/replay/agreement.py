"""Does the engine agree with what the payer really did? Line by line, by family and by adjustment reason (CARC).

*   A service of the payer's answer is a line of the claim: the one of its line number, if that has the procedure code of the
    answer or the answer names none; else the first line not yet taken with the same procedure code and charge, else with the
    same procedure code.
*   A line was really *denied by an edit* where the payer took money off for a CARC that an edit denies with on the day of
    service: what the conventions of the release state (``adjustments``, dated rows with their source), or the very CARC of a
    FAIL that was found on the line. Other reasons (contract, deductible, eligibility …) are counted apart.
*   The engine agrees where both have a CARC in common, or neither denies.
*   A denial is *preventable* where the FAIL that was found has the CARC that the payer denied with: the edit would have told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from claimedits.app.claim_sources.hashing import hash_texts
from claimedits.app.claim_sources.line_batches import claims_of
from claimedits.app.rendering import as_fields
from claimedits.app.replay.counting import STATUS_WORDS, Part
from claimedits.app.replay.expectations import take_expected
from claimedits.app.replay.results import DISAGREEMENTS
from claimedits.app.replay.service_places import find_places, place_services
from claimedits.app.replay.sums import Ints, Lines, Sums, Words, count, same_word, take_words, words_of
from claimedits.engine.engine import Engine
from claimedits.model.dates import Day
from claimedits.model.line_table import OUTCOME
from claimedits.model.terms import DetailLevel, Family, Status

if TYPE_CHECKING:
    from claimedits.app.replay.evaluating import Question

NOT_DENIED = "not denied"
AGREED, PAYER_ONLY, ENGINE_ONLY, OTHER_REASON = "AGREED", "PAYER_ONLY", "ENGINE_ONLY", "OTHER_REASON"
_FAMILY_OF_CODE: Sequence[tuple[str, Family]] = (
    ("PTP_", Family.PTP),
    ("MUE_", Family.MUE),
    ("AOC_", Family.ADD_ON_CODE),
    ("DUP_", Family.DUPLICATE),
    ("MOD_", Family.MODIFIER),
    ("COV_", Family.COVERAGE),
    ("CODE_", Family.CODE_VALIDITY),
    ("DX_", Family.CODE_VALIDITY),
    ("AGE_SEX", Family.CODE_VALIDITY),
)
"""Which family finds a code, by the code's beginning (semantics.md, §A to §F)."""
_LINE_NUMBERS = 1 << 32


class Expectations:
    """What really happened to the claims of a run, and what is needed to compare with it."""

    def __init__(self, folder: Path, engine: Engine, question: Question) -> None:
        self.folder = folder
        self._engine = engine
        self._question = question
        self._traces_left = 0
        self.reasons = _edit_reasons(engine)

    def begin_partition(self) -> None:
        """The first disagreements of a partition are traced."""
        self._traces_left = self._question.traces

    def trace(self, table: pa.Table, claim: int, starts: Ints) -> str | None:
        """The decision on a claim at detail TRACE, as JSON; None once enough were traced."""
        if self._traces_left <= 0:
            return None
        self._traces_left -= 1
        end = int(starts[claim + 1]) if claim + 1 < len(starts) else table.num_rows
        whole = next(claims_of(table.slice(int(starts[claim]), end - int(starts[claim]))))
        decision = self._engine.evaluate(whole, self._question.as_of, self._question.families, DetailLevel.TRACE)
        return orjson.dumps(as_fields(decision)).decode()


Reasons = Mapping[str, Sequence[tuple[Day, Day, frozenset[Family]]]]
"""By CARC: first and last day on which edits of some families deny with it."""


def _edit_reasons(engine: Engine) -> Reasons:
    reasons: dict[str, list[tuple[Day, Day, frozenset[Family]]]] = {}
    for name, adjustment, first, last in engine.release.conventions.adjustment_rows():
        family = next((family for beginning, family in _FAMILY_OF_CODE if name.startswith(beginning)), None)
        families = frozenset((family,)) if family is not None else frozenset[Family]()
        reasons.setdefault(adjustment.carc, []).append((first, last, families))
    return reasons


class _Answers:
    """What the payer said of the lines of a part: one row an adjustment."""

    def __init__(self, expected: Expectations, part: Part) -> None:
        evaluated = np.unique(part.claim)
        self.rows, owner = take_expected(expected.folder, part.claim_ids.take(pa.array(evaluated)))
        self.claim: Ints = evaluated[owner]
        self.matched = np.unique(self.claim)
        self.line = place_services(self.rows, self.claim, part)
        """The line of each row; -1 = none."""
        self.carc, self.carcs = words_of(self.rows["carc"])
        self.amount = np.asarray(pc.fill_null(self.rows["amount_cents"], 0)).astype(np.int64)
        told = np.asarray(pc.is_valid(self.rows["carc"]))
        no_amount = np.asarray(pc.is_null(self.rows["amount_cents"]))
        self.denies = told & ((self.amount > 0) | no_amount)
        """Whether money was taken off; a table that tells no amounts lists denials only."""
        self.by_edit, self.families = self._sort_reasons(expected, part)

    def _sort_reasons(self, expected: Expectations, part: Part) -> tuple[npt.NDArray[np.bool_], Mapping[Family, Any]]:
        """Which rows deny for an edit's reason on the day of the line, and for which families."""
        days = np.asarray(part.lines["service_date"].cast(pa.int32())).astype(np.int64)
        day = np.where(self.line >= 0, days[self.line] if len(days) else 0, 0)
        by_edit = np.zeros(len(self.line), dtype=bool)
        families = {family: np.zeros(len(self.line), dtype=bool) for family in Family}
        for number, carc in enumerate(self.carcs):
            for first, last, of in expected.reasons.get(carc, ()):
                rows = self.denies & (self.line >= 0) & (self.carc == number) & (day >= first) & (day <= last)
                by_edit |= rows
                for family in of:
                    families[family] |= rows
        return by_edit, families


class _Fails:
    """The FAIL findings of a part that have a CARC."""

    def __init__(self, part: Part) -> None:
        found = part.findings
        fails = np.asarray(pc.equal(found["status"], "FAIL"))
        with_carc = fails & np.asarray(pc.is_valid(found["carc"]))
        self.rows: Ints = np.flatnonzero(with_carc)
        self.line = part.line_of[self.rows]
        self.table = found.take(pa.array(self.rows))
        self.carc, self.carcs = words_of(self.table["carc"])
        self.family, self.families = words_of(self.table["family"])


def compare_with_payer(expected: Expectations, table: pa.Table, part: Part) -> tuple[pa.Table, pa.Array, Sums]:
    """Disagreements (``results.DISAGREEMENTS``), hashes of the claims that have an answer, and the sums."""
    answers, fails = _Answers(expected, part), _Fails(part)
    words = sorted({*answers.carcs, *fails.carcs})
    number = {word: place for place, word in enumerate(words)}
    real = (
        np.array([number[word] for word in answers.carcs], dtype=np.int64)[answers.carc]
        if answers.carcs
        else answers.carc
    )
    found = np.array([number[word] for word in fails.carcs], dtype=np.int64)[fails.carc] if fails.carcs else fails.carc
    size = len(words) + 1
    known = np.unique(fails.line * size + found)
    same = np.isin(answers.line * size + real, known) & answers.denies & (answers.line >= 0)
    by_edit = answers.by_edit | same
    compared = np.zeros(part.lines.num_rows, dtype=bool)
    compared[np.isin(part.claim, answers.matched)] = True
    compared[np.isin(part.claim, answers.claim[(answers.line < 0)])] = False
    compared[answers.line[answers.line >= 0]] = True
    really, fail, agrees = (np.zeros(len(compared), dtype=bool) for _ in range(3))
    really[answers.line[by_edit]] = True
    fail[part.statuses[OUTCOME] == Status.FAIL] = True
    agrees[answers.line[same]] = True
    kinds = {
        PAYER_ONLY: compared & really & ~fail,
        ENGINE_ONLY: compared & ~really & fail,
        OTHER_REASON: compared & really & fail & ~agrees,
    }
    figures = part.figures
    tables = {
        "confusion": _confusion(part, answers, fails, same, compared),
        "preventable": _preventable(part, answers, fails, same, words, real, found),
        "other_denials": _other_denials(figures, answers, by_edit),
    }
    counts = {
        "answered_claims": len(answers.matched),
        "unanswered_claims": len(np.unique(part.claim)) - len(answers.matched),
        "compared_lines": int(compared.sum()),
        "agreed_denied_lines": int((compared & agrees).sum()),
        "agreed_clean_lines": int((compared & ~really & ~fail).sum()),
        **{f"{kind.lower()}_lines": int(marks.sum()) for kind, marks in kinds.items()},
        "services_without_line": _count_services(answers, answers.line < 0),
        "preventable_lines": len(np.unique(answers.line[same])),
        "preventable_amount_cents": int(answers.amount[same].sum()),
        "edit_denial_lines": int((compared & really).sum()),
        "edit_denial_amount_cents": int(answers.amount[by_edit].sum()),
    }
    listed = _list_disagreements(expected, table, part, kinds, (answers, by_edit), fails)
    hashes = _hashes(part, answers.matched)
    return listed, hashes, Sums(tables, counts)


def _hashes(part: Part, matched: Ints) -> pa.Array:
    return pa.array(hash_texts(part.claim_ids.take(pa.array(matched))), pa.uint64())


def _count_services(answers: _Answers, marks: npt.NDArray[np.bool_]) -> int:
    service = np.asarray(answers.rows["service"]).astype(np.int64)
    return len(np.unique((answers.claim * _LINE_NUMBERS + service)[marks & (service > 0)]))


def _confusion(
    part: Part, answers: _Answers, fails: _Fails, same: npt.NDArray[np.bool_], compared: npt.NDArray[np.bool_]
) -> pa.Table:
    """For each family: lines by what the payer denied them for, of the family's reasons, and what the family found."""
    pieces = []
    lines = np.flatnonzero(compared)
    figures = part.figures
    for family in Family:
        if family.name not in part.statuses:
            continue
        of_fail = np.isin(fails.family, [n for n, word in enumerate(fails.families) if word == family.name])
        of_family = answers.families[family] | (same & _shares_carc(answers, fails, of_fail))
        rows = np.flatnonzero(of_family)
        real_line, real_word = _distinct(answers.line[rows], answers.carc[rows], answers.carcs)
        rest = np.setdiff1d(lines, real_line)
        left_line = np.concatenate([real_line, rest])
        left = _joined((real_word[0], real_word[1]), same_word(NOT_DENIED, len(rest)))
        found_line, found_word = _distinct(fails.line[of_fail], fails.carc[of_fail], fails.carcs)
        others = np.setdiff1d(np.arange(len(compared)), found_line)
        right_line = np.concatenate([found_line, others])
        statuses = part.statuses[family.name][others]
        right = _joined(found_word, (statuses, STATUS_WORDS))
        one, other = _pair_up(left_line, right_line)
        amount = _amounts(answers, rows, left_line[one], take_words(left, one))
        pieces.append(
            count(
                "confusion",
                {
                    "family": same_word(family.name, len(one)),
                    "real": take_words(left, one),
                    "found": take_words(right, other),
                },
                left_line[one],
                Lines(figures.claim, figures.charge, figures.has_charge, amount),
            )
        )
    return pa.concat_tables(pieces)


def _shares_carc(answers: _Answers, fails: _Fails, of: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Rows of the payer whose line has a FAIL of the same CARC among some."""
    words = {word: place for place, word in enumerate(answers.carcs)}
    mine = np.array([words.get(word, -1) for word in fails.carcs], dtype=np.int64)
    size = len(answers.carcs) + 1
    known = fails.line[of] * size + (mine[fails.carc[of]] if len(mine) else fails.carc[of])
    return np.isin(answers.line * size + answers.carc, known)


def _distinct(line: Ints, code: Ints, words: Sequence[str]) -> tuple[Ints, Words]:
    size = len(words) + 1
    lines, codes = np.divmod(np.unique(line * size + code), size)
    return lines, (codes, words)


def _joined(one: Words, other: Words) -> Words:
    return np.concatenate([one[0], other[0] + len(one[1])]), [*one[1], *other[1]]


def _pair_up(left: Ints, right: Ints) -> tuple[Ints, Ints]:
    """Places of equal numbers: every one of the left with every one of the right."""
    order = np.argsort(right, kind="stable")
    begin = np.searchsorted(right, left, side="left", sorter=order)
    counts = np.searchsorted(right, left, side="right", sorter=order) - begin
    one = np.repeat(np.arange(len(left)), counts)
    within = np.arange(len(one)) - np.repeat(np.cumsum(counts) - counts, counts)
    return one, order[np.repeat(begin, counts) + within]


def _amounts(answers: _Answers, rows: Ints, line: Ints, words: Words) -> Ints:
    """What the payer took off of each line for each reason."""
    number = {word: place for place, word in enumerate(answers.carcs)}
    size = len(answers.carcs) + 2
    mine = np.array([number.get(word, size - 1) for word in words[1]], dtype=np.int64)
    keys, of_row = np.unique(answers.line[rows] * size + answers.carc[rows], return_inverse=True)
    sums = np.zeros(len(keys), dtype=np.int64)
    np.add.at(sums, of_row, answers.amount[rows])
    found = find_places(keys, line * size + (mine[words[0]] if len(mine) else words[0]))
    return np.where(found >= 0, sums[found] if len(sums) else 0, 0).astype(np.int64)


def _preventable(
    part: Part,
    answers: _Answers,
    fails: _Fails,
    same: npt.NDArray[np.bool_],
    words: Sequence[str],
    real: Ints,
    found: Ints,
) -> pa.Table:
    """Denials that a FAIL with the same CARC had told, by its rule."""
    size = len(words) + 1
    keys, of_row = np.unique(answers.line[same] * size + real[same], return_inverse=True)
    sums = np.zeros(len(keys), dtype=np.int64)
    np.add.at(sums, of_row, answers.amount[same])
    place = find_places(keys, fails.line * size + found)
    rows = np.flatnonzero(place >= 0)
    columns = {
        name: take_words(words_of(fails.table[name]), rows) for name in ("family", "rule_set", "rule_id", "carc")
    }
    _, once = np.unique(
        np.stack([fails.line[rows], *(codes for codes, _ in columns.values())]), axis=1, return_index=True
    )
    once = np.sort(once)
    figures = part.figures
    amount = sums[place[rows[once]]] if len(once) else np.zeros(0, dtype=np.int64)
    return count(
        "preventable",
        {name: take_words(column, once) for name, column in columns.items()},
        fails.line[rows[once]],
        Lines(figures.claim, figures.charge, figures.has_charge, amount),
    )


def _other_denials(figures: Lines, answers: _Answers, by_edit: npt.NDArray[np.bool_]) -> pa.Table:
    rows = np.flatnonzero(answers.denies & ~by_edit & (answers.line >= 0))
    group = words_of(answers.rows["group"])
    return count(
        "other_denials",
        {"group": take_words(group, rows), "carc": (answers.carc[rows], answers.carcs)},
        answers.line[rows],
        Lines(figures.claim, figures.charge, figures.has_charge, answers.amount[rows]),
    )


def _list_disagreements(
    expected: Expectations,
    table: pa.Table,
    part: Part,
    kinds: Mapping[str, npt.NDArray[np.bool_]],
    real: tuple[_Answers, npt.NDArray[np.bool_]],
    fails: _Fails,
) -> pa.Table:
    line = np.flatnonzero(np.any(list(kinds.values()), axis=0))
    if not len(line):
        return DISAGREEMENTS.empty_table()
    kind_of = {int(row): kind for kind, marks in kinds.items() for row in np.flatnonzero(marks)}
    answers, by_edit = real
    carcs: dict[int, set[str]] = {}
    amounts: dict[int, int] = {}
    for row in np.flatnonzero(by_edit).tolist():
        place = int(answers.line[row])
        carcs.setdefault(place, set()).add(answers.carcs[answers.carc[row]])
        amounts[place] = amounts.get(place, 0) + int(answers.amount[row])
    found: dict[int, tuple[set[str], set[str]]] = {}
    is_fail = np.flatnonzero(np.asarray(pc.equal(part.findings["status"], "FAIL")))
    shown = part.findings.select(["rule_id", "carc"]).take(pa.array(is_fail)).to_pylist()
    for finding, place in zip(shown, part.line_of[is_fail].tolist(), strict=True):
        of_line = found.setdefault(place, (set(), set()))
        of_line[1].add(finding["rule_id"])
        if finding["carc"] is not None:
            of_line[0].add(finding["carc"])
    starts = np.flatnonzero(np.diff(np.asarray(words_of(table["claim_id"])[0]), prepend=-1))
    own = part.lines.select(["claim_id", "line_number", "procedure_code", "outcome"]).take(pa.array(line)).to_pylist()
    rows_listed = []
    for place, row in zip(line.tolist(), own, strict=True):
        rows_listed.append(
            row
            | {
                "kind": kind_of[place],
                "real_carcs": sorted(carcs.get(place, ())),
                "amount_cents": amounts.get(place),
                "found_carcs": sorted(found.get(place, (set(), set()))[0]),
                "found_rules": sorted(found.get(place, (set(), set()))[1]),
                "trace": expected.trace(table, int(part.claim[place]), starts),
            }
        )
    return pa.Table.from_pylist(rows_listed, DISAGREEMENTS)

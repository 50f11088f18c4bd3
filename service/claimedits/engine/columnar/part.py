"""One part of a line table while its families are screened: what is plain, what stands alone, what has to be seen together."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from claimedits.engine.columnar.cases import SLOT, UNSEEN_HISTORY, Outcome, Run, bare_claim
from claimedits.engine.columnar.claims import ClaimMaker
from claimedits.engine.columnar.finding_columns import FindingColumns
from claimedits.engine.columnar.lines import LineColumns
from claimedits.model.claim import Claim, ClaimLine
from claimedits.model.terms import Family, Status
from claimedits.rulesets.mapped_arrays import Array

NO_ROWS: Array = np.zeros(0, dtype=np.int64)


@dataclass(slots=True)
class Groups:
    """Rows that have to be seen together."""

    rows: Array
    """Rows of all groups, group by group; within a group in claim order."""
    ends: Array
    """Where each group ends in ``rows``."""
    keys: Sequence[Hashable]
    """For each group all that the family reads of it, but for line numbers and, in a class of days, the day."""
    targets: Sequence[int] | None = None
    """For each group the place, among its lines of the claim's own, of the one that is judged, or -1; None, -1 = all are."""

    @property
    def firsts(self) -> Array:
        """The first row of each group."""
        return np.asarray(self.rows[np.append(0, self.ends[:-1])]) if len(self.ends) else NO_ROWS


NO_GROUPS = Groups(NO_ROWS, NO_ROWS, ())


@dataclass(slots=True)
class Screening:
    """What a family's screening leaves to the single-claim engine; every other line has the status that it was given."""

    family: Family
    alone: Array
    """Rows about which the family says the same whatever stands beside them."""
    alone_by: Sequence[Array]
    """Columns of the part that name all that the family reads of a row that stands alone, as the keys of groups do."""
    groups: Groups
    whole: Array | None = None
    """Claims that the family has to see as a whole."""
    classed: Array | None = None
    """Rows that stand alone whose days ``alone_by`` tells by class, so that their findings have a slot for the day."""
    needs_head: bool = False
    """Whether the family reads fields of the claim that are not in ``cases.bare_claim``."""

    @property
    def families(self) -> frozenset[Family]:
        return frozenset((self.family,))


class Part:
    """One part of a table, on its way."""

    def __init__(self, run: Run, lines: LineColumns) -> None:
        self.run = run
        self.lines = lines
        self.maker = ClaimMaker(lines)
        self.sure = ~lines.unsure[lines.claim_of]
        """Rows of claims that the arrays speak for."""
        self.own = self.sure & ~lines.is_history
        """Rows to be judged."""
        self.kind = lines.program * 16 + lines.setting
        """Program and setting of each claim, as one number."""
        self.has_history = np.zeros(len(self.kind), dtype=bool)
        self.has_history[lines.claim_of[lines.is_history]] = True
        self.statuses: dict[Family, Array] = {}
        self.findings = FindingColumns(run.pool, run.most_bytes)
        m = lines.modifiers.astype(np.int64)
        self.modifier_sets = m[:, 0] | m[:, 1] << 16 | m[:, 2] << 32 | m[:, 3] << 48
        """The modifiers of each row as one number."""

    @cached_property
    def row_kind(self) -> Array:
        """Program and setting of each row."""
        return np.asarray(self.kind[self.lines.claim_of])

    @cached_property
    def kinds(self) -> list[tuple[int, int, Array]]:
        """Each program and setting in the part, with a mark for the rows to be judged."""
        found = np.flatnonzero(np.bincount(self.kind[~self.lines.unsure])).tolist()
        if len(found) == 1:
            return [(*divmod(found[0], 16), self.own)]
        return [(*divmod(kind, 16), self.own & (self.row_kind == kind)) for kind in found]

    def start(self, family: Family, status: Status) -> Array:
        """The statuses of a family, ``status`` for every row to be judged until something else is said."""
        statuses = self.own * np.uint8(status)
        self.statuses[family] = statuses
        return statuses

    def has_modifier(self, words: frozenset[str] | set[str]) -> Array:
        """Rows that carry one of these modifiers."""
        vocabulary = self.lines.vocabularies.modifiers
        flags = np.array([word in words for word in vocabulary.values], dtype=bool)
        if not flags.any():
            return np.zeros(self.lines.n, dtype=bool)
        return np.asarray(flags[self.lines.modifiers].any(axis=1))

    # ---- rows that stand alone ----

    def decide_alone(self, screening: Screening) -> tuple[Array, list[Outcome]]:
        """The outcome of each row in ``screening.alone``: their numbers, and the outcomes."""
        rows, run = screening.alone, self.run
        tag = (screening.family, "alone")
        number_of: dict[Hashable, int] = {}
        numbers: list[int] = []
        firsts: list[int] = []
        for row, key in zip(rows.tolist(), contents_of(screening.alone_by, rows), strict=True):
            number = number_of.setdefault(key, len(number_of))
            if number == len(firsts):
                firsts.append(row)
            numbers.append(number)
        keys = [(tag, key) for key in number_of]
        missing = [i for i, key in enumerate(keys) if key not in run.outcomes]
        made = self.maker.make_lines(np.array([firsts[i] for i in missing], dtype=np.int64), [SLOT] * len(missing))
        for i, line in zip(missing, made, strict=True):
            classed = screening.classed is not None and bool(screening.classed[firsts[i]])
            claim = self._claim_of_one(screening, firsts[i], line)
            run.decide_case(claim, screening.families, None, keys[i], has_day_slot=classed)
        return np.array(numbers, dtype=np.int64), [run.outcomes[key] for key in keys]

    def _claim_of_one(self, screening: Screening, row: int, line: ClaimLine) -> Claim:
        claim = int(self.lines.claim_of[row])
        if screening.needs_head:
            return self.maker.make_claim(claim, (line,), ())._replace(claim_id="")
        return bare_claim(int(self.lines.program[claim]), int(self.lines.setting[claim]), (line,))

    def write_alone(self, screening: Screening, decided: tuple[Array, list[Outcome]], kept: Array) -> None:
        """Write what was decided of the rows that ``kept`` marks among all rows."""
        numbers, outcomes = decided
        if not outcomes:
            return
        chosen = kept[screening.alone]
        rows, numbers = screening.alone[chosen], numbers[chosen]
        statuses = np.array([outcome.statuses[screening.family][0] for outcome in outcomes], dtype=np.uint8)
        self.statuses[screening.family][rows] = statuses[numbers]
        order = np.argsort(numbers, kind="stable")
        ends = np.searchsorted(numbers[order], np.arange(len(outcomes) + 1)).tolist()
        lines, has_slots = self.lines, self.run.pool.has_slots
        for number, outcome in enumerate(outcomes):
            if not outcome.findings:
                continue
            here = rows[order[ends[number] : ends[number + 1]]]
            templates = [template for _, template in outcome.findings]
            if len(templates) == 1 and not has_slots(templates[0]):
                self.findings.add_many(here, templates[0])
                continue
            cells = zip(here.tolist(), lines.line_number[here].tolist(), lines.first_day[here].tolist(), strict=True)
            for row, line_number, day in cells:
                for template in templates:
                    self.findings.add(row, template, (line_number,), day)

    # ---- groups ----

    def decide_groups(self, screening: Screening, kept: Array) -> None:
        """Decide the groups of claims that ``kept`` marks among all rows, and write what is said."""
        groups, lines = screening.groups, self.lines
        chosen = np.flatnonzero(kept[groups.firsts]).tolist()
        if not chosen:
            return
        cases = self._cases(groups, chosen)
        missing: dict[Hashable, Case] = {}
        for case in cases:
            key = case.key = None if case.history else (screening.family, *case.said)
            if key is None or key not in self.run.outcomes:
                missing.setdefault(id(case) if key is None else key, case)
        self._decide_cases(screening, list(missing.values()))
        outcomes, statuses = self.run.outcomes, self.statuses[screening.family]
        days = lines.first_day[groups.firsts].tolist()
        for case, place in zip(cases, chosen, strict=True):
            self.run.stop_if_abandoned()
            outcome = case.outcome or outcomes[case.key]
            values = outcome.statuses[screening.family]
            if case.target is None:
                for row, value in zip(case.own, values, strict=True):
                    statuses[row] = value
            else:
                statuses[case.own[case.target]] = values[case.target]
            for at, template in outcome.findings:
                self.findings.add(case.own[at], template, case.order, days[place])

    def _cases(self, groups: Groups, chosen: Sequence[int]) -> list[Case]:
        lines = self.lines
        rows = groups.rows.tolist()
        numbers = lines.line_number[groups.rows].tolist()
        of_history = lines.is_history[groups.rows].tolist() if lines.is_history.any() else None
        claims = lines.claim_of[groups.firsts]
        kinds, claims_with = self.kind[claims].tolist(), self.has_history[claims].tolist()
        ends = groups.ends.tolist()
        cases = []
        for i in chosen:
            start, end = ends[i - 1] if i else 0, ends[i]
            case = Case(rows[start:end], numbers[start:end], None if of_history is None else of_history[start:end])
            case.target = None if groups.targets is None or groups.targets[i] < 0 else groups.targets[i]
            case.said = (kinds[i], claims_with[i], groups.keys[i], case.ranks, case.target)
            cases.append(case)
        return cases

    def _decide_cases(self, screening: Screening, cases: Sequence[Case]) -> None:
        """Decide cases that have not been decided before."""
        if not cases:
            return
        rows = np.array([row for case in cases for row in case.rows], dtype=np.int64)
        made = self.maker.make_lines(rows, [number for case in cases for number in case.numbers])
        end = 0
        for case in cases:
            start, end = end, end + len(case.rows)
            claim = int(self.lines.claim_of[case.rows[0]])
            own = [line for line in made[start:end] if not line.claim_id]
            others = [line for line in made[start:end] if line.claim_id]
            if not others and self.has_history[claim]:
                others = [UNSEEN_HISTORY]
            # Duplicates alone ask for the billing provider, where a line names no rendering one.
            billing = self.maker.billing_provider(claim) if screening.family is Family.DUPLICATE else ""
            seen = bare_claim(int(self.lines.program[claim]), int(self.lines.setting[claim]), own, others, billing)
            case.outcome = self.run.decide_case(seen, screening.families, case.target, case.key)


class Case:
    """One group on its way to its outcome."""

    __slots__ = ("history", "key", "numbers", "order", "outcome", "own", "ranks", "rows", "said", "target")

    def __init__(self, rows: list[int], numbers: list[int], of_history: list[bool] | None) -> None:
        self.rows = rows
        self.key: Hashable = None
        self.outcome: Outcome | None = None
        self.target: int | None = None
        self.said: tuple[Hashable, ...] = ()
        self.history = of_history is not None and any(of_history)
        if self.history:
            assert of_history is not None
            self.own = [row for row, other in zip(rows, of_history, strict=True) if not other]
            self.order = sorted(number for number, other in zip(numbers, of_history, strict=True) if not other)
        else:
            self.own, self.order = rows, sorted(numbers)
        rank_of = {number: rank for rank, number in enumerate(self.order)}
        self.ranks = tuple([rank_of.get(number, 0) for number in numbers])
        """Of each line by its number, among those of the claim's own."""
        # A case with history is decided for itself alone, and its findings name other claims, whose names may look like slots.
        self.numbers = numbers if self.history else [SLOT + rank for rank in self.ranks]


def contents_of(columns: Sequence[Array], rows: Array) -> list[tuple[object, ...]]:
    """The values of some columns for each of ``rows``."""
    return list(zip(*[column[rows].tolist() for column in columns], strict=True))

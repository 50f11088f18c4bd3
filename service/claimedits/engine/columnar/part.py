"""One part of a line table while its families are screened: what is plain, what stands alone, what has to be seen together."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

import numpy as np

from claimedits.engine.columnar.cases import PASSED, SLOT, UNSEEN_HISTORY, Outcome, Run, bare_claim
from claimedits.engine.columnar.claims import ClaimMaker
from claimedits.engine.columnar.finding_columns import FindingColumns
from claimedits.engine.columnar.lines import LineColumns
from claimedits.model.claim import ClaimLine
from claimedits.model.terms import Family, Status
from claimedits.rulesets.mapped_arrays import Array


@dataclass(slots=True)
class Screening:
    """What a family's screening leaves to the single-claim engine; every other line has the status that it was given."""

    family: Family
    alone: Array
    """Rows about which the family says the same whatever stands beside them."""
    alone_by: Sequence[Array]
    """Columns of the part that name all that the family reads of a row that stands alone."""
    groups: list[list[int]] = field(default_factory=list)
    """Rows that have to be seen together, in claim order; findings about the targets only."""
    targets: list[Sequence[int]] | None = None
    """For each group the places in it that are judged; None = every line of the claim's own."""
    group_keys: list[Hashable] | None = None
    """For each group all that the family reads of it, but for line numbers; None = ask ``group_by``."""
    group_by: Sequence[Array] = ()
    """Columns of the part that name all that the family reads of a row in a group."""
    whole: Array | None = None
    """Claims that the family has to see as a whole."""
    needs_head: bool = False
    """Whether the family reads fields of the claim that are not in ``cases.bare_claim``."""


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
        self.has_history = np.bincount(lines.claim_of[lines.is_history], minlength=len(self.kind)) > 0
        self.statuses: dict[Family, Array] = {}
        self.findings = FindingColumns(run.pool)
        m = lines.modifiers.astype(np.int64)
        self.modifier_sets = m[:, 0] | m[:, 1] << 16 | m[:, 2] << 32 | m[:, 3] << 48
        """The modifiers of each row as one number."""
        self._row_kind: Array | None = None

    @property
    def row_kind(self) -> Array:
        """Program and setting of each row."""
        if self._row_kind is None:
            self._row_kind = self.kind[self.lines.claim_of]
        return self._row_kind

    def kinds(self) -> list[tuple[int, int, Array | None]]:
        """Each program and setting in the part, with the rows to be judged; None = all rows that are to be judged."""
        sure = self.kind[~self.lines.unsure]
        found = np.unique(sure).tolist()
        if len(found) == 1:
            return [(*divmod(found[0], 16), self.own)]
        return [(*divmod(kind, 16), self.own & (self.row_kind == kind)) for kind in found]

    def start(self, family: Family, status: Status) -> Array:
        """The statuses of a family, ``status`` for every row to be judged until something else is said."""
        statuses = np.where(self.own, np.uint8(status), np.uint8(0))
        self.statuses[family] = statuses
        return statuses

    def has_modifier(self, words: frozenset[str] | set[str]) -> Array:
        """Rows that carry one of these modifiers."""
        vocabulary = self.lines.vocabularies.modifiers
        flags = np.array([word in words for word in vocabulary.values], dtype=bool)
        return (
            np.asarray(flags[self.lines.modifiers].any(axis=1)) if flags.any() else np.zeros(self.lines.n, dtype=bool)
        )

    # ---- rows that stand alone ----

    def decide_alone(self, screening: Screening) -> tuple[Array, list[Outcome]]:
        """The outcome of each row in ``screening.alone``: their numbers, and the outcomes."""
        rows = screening.alone
        keys = list(zip(*[column[rows].tolist() for column in screening.alone_by], strict=True))
        tag = (screening.family, "alone")
        outcomes, number_of = [], dict[Hashable, int]()
        numbers = []
        for row, key in zip(rows.tolist(), keys, strict=True):
            number = number_of.get(key)
            if number is None:
                number = number_of[key] = len(outcomes)
                outcomes.append(self._decide_one(screening, row, (tag, key)))
            numbers.append(number)
        return np.array(numbers, dtype=np.int64), outcomes

    def _decide_one(self, screening: Screening, row: int, key: Hashable) -> Outcome:
        outcome = self.run.outcomes.get(key)
        if outcome is not None:
            return outcome
        own = self.maker.make_lines(np.array([row]), [SLOT])
        claim = int(self.lines.claim_of[row])
        if screening.needs_head:
            made = self.maker.make_claim(claim, own, ())._replace(claim_id="")
        else:
            made = bare_claim(int(self.lines.program[claim]), int(self.lines.setting[claim]), own)
        return self.run.decide_case(made, frozenset((screening.family,)), (0,), key)

    # ---- groups ----

    def decide_groups(self, screening: Screening, chosen: Sequence[int]) -> None:
        """Decide the groups at places ``chosen``, and write what is said."""
        lines, run = self.lines, self.run
        groups = [screening.groups[place] for place in chosen]
        if not groups:
            return
        everything = np.concatenate([np.array(group, dtype=np.int64) for group in groups])
        history = lines.is_history[everything].tolist()
        numbers = lines.line_number[everything].tolist()
        claims = lines.claim_of[[group[0] for group in groups]].tolist()
        contents = (
            list(zip(*[column[everything].tolist() for column in screening.group_by], strict=True))
            if screening.group_keys is None
            else []
        )
        ends = np.cumsum([len(group) for group in groups]).tolist()
        cases = []
        missing: dict[Hashable, int] = {}
        for i, end in enumerate(ends):
            start = end - len(groups[i])
            of_history = history[start:end]
            order = sorted(number for number, other in zip(numbers[start:end], of_history, strict=True) if not other)
            rank_of = {number: rank for rank, number in enumerate(order)}
            ranks = tuple(
                [
                    number if other else rank_of[number]
                    for number, other in zip(numbers[start:end], of_history, strict=True)
                ]
            )
            key: Hashable | None = None
            if not any(of_history):
                said = tuple(contents[start:end]) if screening.group_keys is None else screening.group_keys[chosen[i]]
                targets = None if screening.targets is None else tuple(screening.targets[chosen[i]])
                claim = claims[i]
                key = (screening.family, int(self.kind[claim]), bool(self.has_history[claim]), said, ranks, targets)
            cases.append((start, end, ranks, order, key))
            if key is None or (key not in run.outcomes and key not in missing):
                missing[i if key is None else key] = i
        outcomes = self._decide_missing(screening, chosen, groups, cases, list(missing.values()), everything, history)
        statuses = self.statuses[screening.family]
        for i, (start, _, _, order, key) in enumerate(cases):
            outcome = outcomes[i] if key is None else run.outcomes[key]
            group = groups[i]
            for _, values in outcome.statuses:
                places = range(len(values)) if screening.targets is None else screening.targets[chosen[i]]
                own = [row for row, other in zip(group, history[start : start + len(group)], strict=True) if not other]
                for place in places:
                    statuses[own[place]] = values[place]
                for place, template in outcome.findings:
                    self.findings.add(own[place], template, order)

    def _decide_missing(
        self,
        screening: Screening,
        chosen: Sequence[int],
        groups: list[list[int]],
        cases: list[tuple[int, int, tuple[int, ...], list[int], Hashable | None]],
        missing: list[int],
        everything: Array,
        history: list[bool],
    ) -> dict[int, Outcome]:
        """The outcomes of cases that have not been decided before, by place in ``cases``."""
        outcomes: dict[int, Outcome] = {}
        if not missing:
            return outcomes
        rows = np.concatenate([everything[cases[i][0] : cases[i][1]] for i in missing])
        numbers = [
            number if other else SLOT + number
            for i in missing
            for number, other in zip(cases[i][2], history[cases[i][0] : cases[i][1]], strict=True)
        ]
        made = self.maker.make_lines(rows, numbers)
        end = 0
        for i in missing:
            start, end = end, end + len(groups[i])
            claim = int(self.lines.claim_of[groups[i][0]])
            own = [line for line in made[start:end] if not line.claim_id]
            others: list[ClaimLine] = [line for line in made[start:end] if line.claim_id]
            if not others and self.has_history[claim]:
                others = [UNSEEN_HISTORY]
            case = bare_claim(
                int(self.lines.program[claim]),
                int(self.lines.setting[claim]),
                own,
                others,
                self._billing(screening, claim),
            )
            targets = range(len(own)) if screening.targets is None else screening.targets[chosen[i]]
            outcomes[i] = self.run.decide_case(case, frozenset((screening.family,)), targets, cases[i][4])
        return outcomes

    def _billing(self, screening: Screening, claim: int) -> str:
        """Duplicates alone ask for the billing provider, where a line names no rendering one."""
        if screening.family is not Family.DUPLICATE:
            return ""
        return self.maker.billing_provider(claim)


PLAIN = PASSED

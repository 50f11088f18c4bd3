"""Evaluates claims under two releases and compares the answers, on as many processes as are asked for.

The result does not depend on the number of processes: claims are dealt out in chunks of fixed size, and chunks are
summed up in the order of the input.
"""

from __future__ import annotations

import gc
import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from claimedits.app.impact.changes import compare_decisions
from claimedits.app.impact.tally import ChangedClaim, Tally
from claimedits.engine.engine import Engine
from claimedits.model.claim import Claim
from claimedits.model.claim_reading import read_claim
from claimedits.model.dates import format_day, parse_day, today
from claimedits.model.finding import Decision
from claimedits.model.problems import ClaimEditsError, ClaimInvalidError, Problem
from claimedits.model.terms import Family
from claimedits.rulesets.comparison.reach import Reach, Touched
from claimedits.rulesets.store import Store

CHUNK = 250
"""Claims handed to a process at once."""
WAITING = 4
"""Chunks under way for each process: enough to keep it busy, few enough to bound the memory."""


class Question(NamedTuple):
    """Everything that the answers depend on but the claims."""

    store: Path
    old: str
    """Id of the release before."""
    new: str
    as_of: str
    """YYYY-MM-DD; ``settle_as_of`` gives it."""
    families: tuple[Family, ...]
    """Empty = all."""
    touched: Touched | None
    """What the changes can touch (``rulesets.comparison.find_touched``); None = evaluate every claim."""


def settle_as_of(as_of: str) -> str:
    """The day that a whole run is asked about: today (UTC) when empty, so that midnight does not divide the run.

    Raises:
        ClaimEditsError: the text is no date, or lies in the future.
    """
    try:
        day = parse_day(as_of) if as_of else today()
    except ValueError:
        raise ClaimEditsError("as_of: is not a date in the form YYYY-MM-DD; write it like 2024-07-15") from None
    if day > today():
        raise ClaimEditsError("as_of: lies in the future; nothing later than today is known")
    return format_day(day)


class InputClaim(NamedTuple):
    """One claim of the input, or what is wrong with it."""

    position: int
    """1-based."""
    fields: dict[str, Any] | None
    problems: tuple[Problem, ...] = ()


class Refusal(NamedTuple):
    """A claim that could not be read."""

    position: int
    problems: tuple[Problem, ...]


class Chunk(NamedTuple):
    """What became of some claims that follow each other."""

    tally: Tally
    changed: tuple[ChangedClaim, ...]
    refused: tuple[Refusal, ...]


class Pair:
    """Two opened releases."""

    def __init__(self, question: Question) -> None:
        self._question = question
        store = Store.open(question.store)
        self._old = Engine.open(store, question.old)
        self._new = self._old if question.old == question.new else Engine.open(store, question.new)

    def compare(self, claims: Iterable[InputClaim]) -> Chunk:
        """Evaluate claims under both releases, but for those that no change can touch."""
        tally, changed, refused = Tally(), [], []
        for entry in claims:
            try:
                claim = _read(entry)
            except ClaimInvalidError as error:
                tally.refused += 1
                refused.append(Refusal(entry.position, tuple(error.problems)))
                continue
            touched = self._question.touched
            reaches = touched.touching(claim) if touched is not None else None
            if reaches == ():
                tally.skip(claim)
                continue
            change = self._compare(entry.position, claim, reaches, tally)
            if change is not None:
                changed.append(change)
        return Chunk(tally, tuple(changed), tuple(refused))

    def _compare(
        self, position: int, claim: Claim, reaches: tuple[Reach, ...] | None, tally: Tally
    ) -> ChangedClaim | None:
        as_of, families = self._question.as_of, self._question.families
        old = self._old.evaluate(claim, as_of, families)
        if reaches is not None and not any(_may_change(reach, old) for reach in reaches):
            tally.count(claim, None, old.outcome, once=True)
            return None
        new = self._new.evaluate(claim, as_of, families)
        lines = compare_decisions(old, new)
        change = None
        if lines:
            charges = {line.line_number: line.charge_cents for line in claim.lines}
            change = ChangedClaim(
                claim_id=claim.claim_id,
                position=position,
                provider=claim.billing_provider_id,
                old=old.outcome,
                new=new.outcome,
                kind=max(line.kind for line in lines),
                lines=lines,
                charges=tuple(charges[line.line_number] for line in lines),
            )
        tally.count(claim, change, old.outcome)
        return change


def _may_change(reach: Reach, old: Decision) -> bool:
    """Whether a reach that touches the claim may change this answer: ``Reach.only_where_cited``."""
    return not reach.only_where_cited or any(
        finding.rule_id.startswith(reach.rule_set)
        or (finding.citation is not None and finding.citation.rule_set == reach.rule_set)
        for finding in old.findings
    )


def _read(entry: InputClaim) -> Claim:
    if entry.fields is None:
        raise ClaimInvalidError(entry.problems)
    return read_claim(entry.fields)


def measure_impact(
    question: Question,
    claims: Iterable[InputClaim],
    jobs: int = 1,
    report: Callable[[Chunk], None] = lambda chunk: None,
) -> Tally:
    """Compare the answers to all claims.

    Args:
        claims: read as the processes ask for more, never all at once.
        jobs: processes; 1 = this one.
        report: told of every chunk, in the order of the input.

    Raises:
        NotFoundError, StoreError: a release cannot be opened.
        ClaimEditsError: a process ended before its work was done.
    """
    total = Tally()
    pair = Pair(question)  # here in any case: what cannot be opened is told before a claim is read
    chunks = _chunks(claims)
    done = map(pair.compare, chunks) if jobs == 1 else _compare_in_processes(question, chunks, jobs)
    for chunk in done:
        total.merge(chunk.tally)
        report(chunk)
    return total


def _chunks(claims: Iterable[InputClaim]) -> Iterator[list[InputClaim]]:
    rest = iter(claims)
    while chunk := list(islice(rest, CHUNK)):
        yield chunk


_pair: Pair | None = None
"""Of a working process: opened once."""


def _open_pair(question: Question) -> None:
    global _pair
    _pair = Pair(question)
    gc.freeze()  # the releases live as long as the process: not to be searched for garbage again and again


def _compare_here(claims: Sequence[InputClaim]) -> Chunk:
    assert _pair is not None
    return _pair.compare(claims)


def _compare_in_processes(question: Question, chunks: Iterator[list[InputClaim]], jobs: int) -> Iterator[Chunk]:
    # Spawned, not forked: the durable evaluator and gRPC have threads and tables that a fork would share.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, context, _open_pair, (question,)) as pool:
        waiting: deque[Future[Chunk]] = deque()
        try:
            for chunk in chunks:
                waiting.append(pool.submit(_compare_here, chunk))
                if len(waiting) >= jobs * WAITING:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool as error:
            raise ClaimEditsError(
                "a process that compared claims ended before its work was done; is there memory for "
                f"{jobs} of them? Fewer can be asked for with --jobs"
            ) from error
        finally:
            for future in waiting:
                future.cancel()

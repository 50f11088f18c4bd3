"""The durable_rules evaluator: the same candidates, decided by forward chaining behind a containment (docs/decisions/0010).

What the containment holds (durable-rules.md): no timer threads; a first fact that always fires a rule; a catch-all for each kind of
fact; an id for every fact; a session of its own for every evaluation, deleted afterwards; no action but to note what fired; at most 60
rules a host; hosts made once a process and a shape, after a fork anew; one evaluation at a time.
"""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import durable_rules_engine
import orjson

from claimedits.engine.authored.conditions import TRUE, UNKNOWN
from claimedits.engine.authored.matching import Candidate, Verdict, related_of, unique
from claimedits.engine.authored.program import Shape
from claimedits.engine.authored.shapes import BEGIN, GENERIC_RULES, MOST_RULES, generic_rules, rule_of
from claimedits.model.problems import ClaimEditsError

MOST_FACTS = 120
"""Of one session: durable_rules searches some of them one after the other, so many short sessions beat a long one."""
KEYS = 4
"""A fact's key is the candidate's number times this, plus the least value that counts as true."""
Fact = dict[str, Any]
_numbers = itertools.count()
"""Names of rule sets and sessions, never used twice in a process."""


class RuleEngineError(ClaimEditsError):
    """durable_rules did not do what was asked of it. The claim is not answered."""


class _ShapeHost:
    """One durable_rules rule set that decides candidates of its shapes.

    It speaks to the package's C module: the ``Host`` class of the package adds two timer threads that race the caller, swallows
    exceptions of actions, and takes three times as long for each rule that fires.
    """

    def __init__(self, shapes: dict[Shape, str]) -> None:
        definitions = generic_rules()
        definitions |= {name: rule_of(name, shape) for shape, name in shapes.items()}
        assert len(definitions) <= MOST_RULES, f"a host has {len(definitions)} rules"
        self._handle = durable_rules_engine.create_ruleset(f"{os.getpid()}.{next(_numbers)}", _as_json(definitions))

    def fire(self, facts: list[Fact]) -> list[Any]:
        """What fired on ``facts``: for each firing the facts that matched, by antecedent.

        Raises:
            RuleEngineError: the facts were not taken whole. The host is not to be used again.
        """
        session = str(next(_numbers))
        batch: list[Fact] = [{"id": 0, "sid": session, "k": "b"}]
        for i, fact in enumerate(facts, 1):
            fact["id"], fact["sid"] = i, session
            batch.append(fact)
        fired = []
        try:
            refused, state = durable_rules_engine.assert_facts(self._handle, _as_json(batch))
            if refused:
                raise RuleEngineError(f"durable_rules refused the facts (code {refused}); the claim was not answered")
            started = durable_rules_engine.start_action_for_state(self._handle, state)
            message = started[1] if started else None
            primed = False
            while message:
                ((name, matched),) = orjson.loads(message).items()
                if name == BEGIN:
                    primed = True
                else:
                    fired.append(matched)
                message = durable_rules_engine.complete_and_start_action(self._handle, state)
        except durable_rules_engine.error as error:
            raise RuleEngineError(f"durable_rules failed ({error}); the claim was not answered") from error
        if not primed:  # a session without any action must not be deleted: it frees what it never allocated
            raise RuleEngineError("durable_rules did not run a rule that always fires; the claim was not answered")
        durable_rules_engine.delete_state(self._handle, session)
        return fired


def _as_json(content: Any) -> str:
    return orjson.dumps(content).decode()


class _Hosts:
    """Every host of this process, by shape. They outlive releases: a host that is dropped leaks, one that is kept costs nothing."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self._process = os.getpid()
        self._by_shape: dict[Shape, tuple[_ShapeHost, str]] = {}

    def host_of(self, shape: Shape, program_shapes: Iterable[Shape]) -> tuple[_ShapeHost, str]:
        """The host of a shape and the shape's name there; all shapes of the program are made with it."""
        if os.getpid() != self._process:  # a fork: the C tables of the parent are not ours to use
            self._process = os.getpid()
            self._by_shape.clear()
        found = self._by_shape.get(shape)
        if found is None:
            self._make([s for s in dict.fromkeys((shape, *program_shapes)) if s not in self._by_shape])
            found = self._by_shape[shape]
        return found

    def forget(self) -> None:
        """Let the next claim make new hosts, after one has failed."""
        self._by_shape.clear()

    def _make(self, shapes: Sequence[Shape]) -> None:
        """Spread shapes over as many hosts as their rules need."""
        group: dict[Shape, str] = {}
        for shape in shapes:
            if len(group) + GENERIC_RULES == MOST_RULES:
                self._add(group)
                group = {}
            group[shape] = f"s{len(self._by_shape) + len(group)}"
        if group:
            self._add(group)

    def _add(self, group: dict[Shape, str]) -> None:
        host = _ShapeHost(group)
        self._by_shape.update((shape, (host, name)) for shape, name in group.items())


_HOSTS = _Hosts()


def decide(candidates: Sequence[Candidate]) -> list[Verdict]:
    """A verdict for each candidate that is TRUE or UNKNOWN, in the order of the candidates.

    Raises:
        RuleEngineError: durable_rules failed.
    """
    fired: dict[int, list[list[Any]]] = {}
    with _HOSTS.lock:
        for host, facts in _sessions(candidates):
            for matched in _fire(host, facts):
                number, value = divmod(matched["c"]["n"], KEYS)
                things = fired.setdefault(number, [[], [], []])[value]
                things.append(None)
                for block, matches in enumerate(candidates[number].joined):
                    things.append(matches[matched[f"m{block}"]["o"]][0])
    verdicts = []
    for number in sorted(fired):
        candidate, by_value = candidates[number], fired[number]
        value = TRUE if by_value[TRUE] else UNKNOWN
        verdicts.append(Verdict(candidate, value, _related(candidate, value, by_value[value])))
    return verdicts


def _fire(host: _ShapeHost, facts: list[Fact]) -> list[Any]:
    try:
        return host.fire(facts)
    except RuleEngineError:
        _HOSTS.forget()
        raise


def _related(candidate: Candidate, value: int, things: list[Any]) -> list[Any]:
    """What took part, in claim order: the matches of the firings, and what was counted."""
    took_part = set(map(id, things))
    took_part.update(id(other) for matches in candidate.counted for other, sure in matches if sure >= value)
    return unique(thing for thing in related_of(candidate, value) if id(thing) in took_part)


def _facts_of(candidate: Candidate, number: int, name: str) -> Iterator[Fact]:
    """The candidate with every UNKNOWN taken for FALSE, and where something is unknown, once more with it taken for TRUE."""
    matches = candidate.joined
    unsure = UNKNOWN in candidate.leaves or any(sure == UNKNOWN for block in matches for _, sure in block)
    for least in (TRUE, UNKNOWN) if unsure else (TRUE,):
        key = number * KEYS + least
        fact: Fact = {"k": "c", "s": name, "n": key}
        for leaf, value in enumerate(candidate.leaves):
            fact[f"a{leaf}"] = 1 if value >= least else 0
        yield fact
        for block, found in enumerate(matches):
            for i, (_, sure) in enumerate(found):
                if sure >= least:
                    yield {"k": "m", "n": key, "b": block, "o": i}


def _sessions(candidates: Sequence[Candidate]) -> Iterator[tuple[_ShapeHost, list[Fact]]]:
    """The facts of all candidates, cut into sessions. Candidates do not see each other, so any cut gives the same answer."""
    gathered: dict[int, tuple[_ShapeHost, list[Fact]]] = {}
    for number, candidate in enumerate(candidates):
        host, name = _HOSTS.host_of(candidate.compiled.shape, ())
        session = gathered.setdefault(id(host), (host, []))
        session[1].extend(_facts_of(candidate, number, name))
        if len(session[1]) >= MOST_FACTS:
            yield gathered.pop(id(host))
    yield from gathered.values()


def prepare(shapes: Iterable[Shape]) -> None:
    """Make the hosts of all shapes of a program together, so that they share hosts."""
    shapes = tuple(shapes)
    with _HOSTS.lock:
        for shape in shapes:
            _HOSTS.host_of(shape, shapes)

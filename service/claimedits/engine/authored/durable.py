"""The durable_rules evaluator: the same candidates, decided by forward chaining behind a containment (docs/decisions/0010).

What the containment holds (durable-rules.md): no timer threads; a first fact that always fires; a catch-all for each kind of fact; an
id for every fact; a session of its own for every evaluation, deleted whatever happens; actions that only append; at most 60 rules a
host; hosts made once a process and a shape, after a fork anew; one evaluation at a time.
"""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from durable.engine import Host

from claimedits.engine.authored.conditions import TRUE, UNKNOWN
from claimedits.engine.authored.matching import Candidate, Verdict, related_of, unique
from claimedits.engine.authored.program import Shape
from claimedits.engine.authored.shapes import GENERIC_RULES, MOST_RULES, generic_rules, rule_of
from claimedits.model.problems import ClaimEditsError

MOST_FACTS = 120
"""Of one session: durable_rules searches some of them one after the other, so many short sessions beat a long one."""
KEYS = 4
"""A fact's key is the candidate's number times this, plus the least value that counts as true."""
Fact = dict[str, Any]
_RULE_SET = "shapes"


class RuleEngineError(ClaimEditsError):
    """durable_rules did not do what was asked of it. The claim is not answered."""


class _QuietHost(Host):  # type: ignore[misc] # durable_rules has no types
    """A host without its two timer threads, which race the caller and lose results."""

    def _run(self) -> None:
        return


class _ShapeHost:
    """One durable_rules host that decides candidates of its shapes."""

    def __init__(self, shapes: dict[Shape, str]) -> None:
        self._fired: list[Any] = []
        definitions = generic_rules(self._collect)
        for shape, name in shapes.items():
            definitions[name] = rule_of(name, shape, self._collect)
        assert len(definitions) <= MOST_RULES, f"a host has {len(definitions)} rules"
        self._host = _QuietHost()
        self._host.register_rulesets({_RULE_SET: definitions})

    def _collect(self, closure: Any) -> None:
        self._fired.append(closure._m)

    def fire(self, session: str, facts: list[Fact]) -> list[Any]:
        """What fired on ``facts``: for each firing the facts that matched, by antecedent."""
        self._fired.clear()
        batch: list[Fact] = [{"id": 0, "sid": session, "k": "b"}]
        for i, fact in enumerate(facts, 1):
            fact["id"], fact["sid"] = i, session
            batch.append(fact)
        try:
            state = self._host.assert_facts(_RULE_SET, batch)
            if state is None or state.get("exception"):
                raise RuleEngineError("durable_rules failed while it matched rules; the claim was not answered")
            return list(self._fired)
        finally:
            self._host.delete_state(_RULE_SET, session)


class _Hosts:
    """Every host of this process, by shape. They outlive releases: a host that is dropped leaks, one that is kept costs nothing."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self._process = os.getpid()
        self._by_shape: dict[Shape, tuple[_ShapeHost, str]] = {}
        self._names = (f"s{i}" for i in itertools.count())
        self._sessions = itertools.count()

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

    def session(self) -> str:
        return f"{self._process}.{next(self._sessions)}"

    def _make(self, shapes: Sequence[Shape]) -> None:
        """Spread shapes over as many hosts as their rules need."""
        group: dict[Shape, str] = {}
        for shape in shapes:
            if len(group) + GENERIC_RULES == MOST_RULES:
                self._add(group)
                group = {}
            group[shape] = next(self._names)
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
            for matched in host.fire(_HOSTS.session(), facts):
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

"""The durable_rules evaluator: the same candidates, decided by forward chaining behind a containment (docs/decisions/0010).

What the containment holds (durable-rules.md): no timer threads; a first fact that always fires; a catch-all for each kind of fact; an
id for every fact; a session of its own for every evaluation, deleted whatever happens; actions that only append; at most 60 rules a
host; hosts made once a process and a shape, after a fork anew; one evaluation at a time.
"""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Iterable, Sequence
from typing import Any

from durable.engine import Host

from claimedits.engine.authored.conditions import TRUE, UNKNOWN
from claimedits.engine.authored.matching import Candidate, Verdict, related_of, unique
from claimedits.engine.authored.program import Shape
from claimedits.engine.authored.shapes import GENERIC_RULES, MOST_RULES, generic_rules, rule_count, rules_of
from claimedits.model.problems import ClaimEditsError

MOST_FACTS = 120
"""Of one session: durable_rules searches some of them one after the other, so many short sessions beat a long one."""
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
        self._fired: list[tuple[str, Any]] = []
        definitions = generic_rules(self._collect("?"))
        for shape, name in shapes.items():
            definitions |= rules_of(name, shape, self._collect)
        assert len(definitions) <= MOST_RULES, f"a host has {len(definitions)} rules"
        self._host = _QuietHost()
        self._host.register_rulesets({_RULE_SET: definitions})

    def _collect(self, word: str) -> Any:
        fired = self._fired

        def act(closure: Any) -> None:
            fired.append((word, closure._m))

        return act

    def fire(self, session: str, facts: list[dict[str, Any]]) -> list[tuple[str, Any]]:
        """What fired on ``facts``: ``T`` or ``U``, and the facts that matched, by antecedent."""
        self._fired.clear()
        batch = [{"id": 0, "sid": session, "k": "b"}]
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
        size = GENERIC_RULES
        for shape in shapes:
            rules = rule_count(shape)
            if group and size + rules > MOST_RULES:
                self._add(group)
                group, size = {}, GENERIC_RULES
            group[shape] = next(self._names)
            size += rules
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
    values = [0] * len(candidates)
    related: dict[int, list[tuple[int, Any]]] = {}
    with _HOSTS.lock:
        for host, facts in _sessions(candidates):
            for word, matched in host.fire(_HOSTS.session(), facts):
                _note(candidates, word, matched, values, related)
    verdicts = []
    for number, value in enumerate(values):
        if value:
            candidate = candidates[number]
            verdicts.append(Verdict(candidate, value, _related(candidate, value, related.get(number, []))))
    return verdicts


def _note(
    candidates: Sequence[Candidate],
    word: str,
    matched: Any,
    values: list[int],
    related: dict[int, list[tuple[int, Any]]],
) -> None:
    number = matched["c"]["n"]
    value = TRUE if word == "T" else UNKNOWN
    values[number] = max(values[number], value)
    for block, matches in enumerate(candidates[number].joined):
        fact = matched[f"m{block}"]
        related.setdefault(number, []).append((value, matches[fact["o"]][0]))


def _related(candidate: Candidate, value: int, fired: list[tuple[int, Any]]) -> list[Any]:
    """What took part, in claim order: matches of the firings of this value, and what was counted."""
    took_part = {id(thing) for fired_value, thing in fired if fired_value == value}
    counted = {id(other) for matches in candidate.counted for other, sure in matches if sure >= value}
    everything = related_of(candidate, UNKNOWN)
    return unique(thing for thing in everything if id(thing) in took_part or id(thing) in counted)


def _sessions(candidates: Sequence[Candidate]) -> Iterable[tuple[_ShapeHost, list[dict[str, Any]]]]:
    """The facts of all candidates, cut into sessions. Candidates do not see each other, so any cut gives the same answer."""
    open_sessions: dict[int, tuple[_ShapeHost, list[dict[str, Any]]]] = {}
    for number, candidate in enumerate(candidates):
        compiled = candidate.compiled
        host, name = _HOSTS.host_of(compiled.shape, ())
        session = open_sessions.get(id(host))
        if session is None:
            session = open_sessions[id(host)] = (host, [])
        facts = session[1]
        fact: dict[str, Any] = {"k": "c", "s": name, "n": number}
        for leaf, value in enumerate(candidate.leaves):
            fact[f"a{leaf}"] = value
        facts.append(fact)
        for block, matches in enumerate(candidate.joined):
            for i, (_, sure) in enumerate(matches):
                facts.append({"k": "m", "n": number, "b": block, "o": i, "v": sure})
        if len(facts) >= MOST_FACTS:
            yield open_sessions.pop(id(host))
    yield from open_sessions.values()


def prepare(shapes: Iterable[Shape]) -> None:
    """Make the hosts of all shapes of a program together, so that they share hosts."""
    shapes = tuple(shapes)
    with _HOSTS.lock:
        for shape in shapes:
            _HOSTS.host_of(shape, shapes)

"""Which evaluator decides: durable_rules where it works, the plain one elsewhere and on request.

``CLAIMEDITS_RULE_EVALUATOR`` is ``durable``, ``plain`` or empty (durable_rules on Pythons before 3.13 that can import it).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from claimedits.engine.authored import plain
from claimedits.engine.authored.matching import Candidate, Verdict
from claimedits.engine.authored.program import Program
from claimedits.model.problems import ClaimEditsError

SETTING = "CLAIMEDITS_RULE_EVALUATOR"


@dataclass(frozen=True, slots=True)
class Evaluator:
    """One way to decide candidates."""

    name: str
    decide: Callable[[Sequence[Candidate]], list[Verdict]]
    prepare: Callable[[Program], None]
    """Done once a program, before its first use."""


PLAIN = Evaluator("plain", plain.decide, lambda program: None)
_chosen: list[Evaluator] = []


def choose(name: str = "") -> Evaluator:
    """The evaluator of a name; empty = the default of this Python.

    Raises:
        ClaimEditsError: no such evaluator, or durable_rules cannot be imported here.
    """
    if name == "plain":
        return PLAIN
    if name not in ("", "durable"):
        raise ClaimEditsError(f"{SETTING} is {name}; use durable or plain")
    if sys.version_info >= (3, 13) and not name:
        return PLAIN
    try:
        from claimedits.engine.authored import durable
    except ImportError as error:
        if not name:
            return PLAIN
        raise ClaimEditsError(f"durable_rules cannot be imported here ({error}); use {SETTING}=plain") from error
    return Evaluator("durable", durable.decide, lambda program: durable.prepare(program.shapes))


def current() -> Evaluator:
    """The evaluator of this process, chosen at first use from the setting."""
    if not _chosen:
        _chosen.append(choose(os.environ.get(SETTING, "")))
    return _chosen[-1]


@contextmanager
def using(name: str) -> Iterator[Evaluator]:
    """Decide with the evaluator of a name for a while, in all threads of the process: for tests and comparisons."""
    _chosen.append(choose(name))
    try:
        yield _chosen[-1]
    finally:
        _chosen.pop()

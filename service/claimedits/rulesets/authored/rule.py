"""A compiled rule: typed, free of files and positions. Both evaluators read it (semantics.md §E; rules/README.md).

A condition is a tree in negation normal form: only tests carry a negation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from claimedits.model.dates import FOREVER, Day, format_day, parse_day
from claimedits.model.finding import Adjustment, Remedy
from claimedits.model.terms import Family, Overridable, Status
from claimedits.rulesets.windows import BEGINNING

Value = str | Decimal | Day | bool


@dataclass(slots=True, frozen=True)
class Test:
    """One question about one attribute. ``values`` are texts, or numbers as ``Decimal``, or days."""

    __test__ = False

    attribute: str
    operator: str
    """One of ``sentences.OPERATORS``."""
    values: tuple[Any, ...] = ()
    negated: bool = False


@dataclass(slots=True, frozen=True)
class All:
    """True when every part is; empty = true."""

    parts: tuple[Condition, ...]


@dataclass(slots=True, frozen=True)
class Any_:  # noqa: N801 - beside ``All``; ``Any`` is typing's
    """True when some part is; empty = false."""

    parts: tuple[Condition, ...]


Condition = Test | All | Any_


@dataclass(slots=True, frozen=True)
class Block:
    """``[[rule.with]]`` or ``[[rule.without]]``: something beside the line."""

    what: str
    """A word of ``vocabulary.WHAT``."""
    absent: bool
    """True for ``without``: there must be no such thing."""
    same: tuple[str, ...] = ()
    days_before: int | None = None
    """The other line began at most so many days before the line; 0 = the same day. None = not asked."""
    days_after: int | None = None
    at_least: int = 1
    at_least_units: Decimal | None = None
    """Units of the other lines together; None = not asked."""
    when: Condition = All(())
    family: Family | None = None
    """Findings only: of this family."""
    rules: tuple[str, ...] = ()
    """Findings only: ids of authored rules of the same rule set; empty = any."""
    about: str = "this line"
    """Findings only: ``this line`` or ``any line``."""

    @property
    def joins(self) -> bool:
        """Whether one other thing suffices, so that an evaluator may join facts instead of counting them."""
        return not self.absent and self.at_least == 1 and self.at_least_units is None


@dataclass(slots=True, frozen=True)
class Rule:
    """One rule in force on service dates from ``effective_from`` to ``effective_to``, both inclusive."""

    id: str
    title: str
    family: Family
    when: Condition
    status: Status
    code: str
    message: str
    effective_from: Day = BEGINNING
    effective_to: Day = FOREVER
    stratum: int = 0
    """Rules of a lower stratum are decided first; their findings can be read."""
    blocks: tuple[Block, ...] = ()
    if_unknown: str = "NOT_EVALUATED"
    modifiers: tuple[str, ...] = ()
    """Modifiers at fault: those of the line that stand here; the only word ``not_in_force`` means those not in force."""
    missing: tuple[str, ...] = ()
    """Modifiers of which one is missing."""
    authority: str = ""
    url: str = ""
    adjustment: Adjustment | None = None
    overridable: Overridable = Overridable.CORRECTION
    remedies: tuple[Remedy, ...] = ()


def tests_of(condition: Condition) -> Iterator[Test]:
    """Every test of a condition, left to right."""
    if isinstance(condition, Test):
        yield condition
    else:
        for part in condition.parts:
            yield from tests_of(part)


def negate(condition: Condition) -> Condition:
    """The opposite, with negations pushed down to the tests."""
    if isinstance(condition, Test):
        return Test(condition.attribute, condition.operator, condition.values, not condition.negated)
    parts = tuple(negate(part) for part in condition.parts)
    return Any_(parts) if isinstance(condition, All) else All(parts)


def join_all(parts: list[Condition]) -> Condition:
    """All of the parts, nested conjunctions flattened."""
    flat: list[Condition] = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, All) else (part,))
    return flat[0] if len(flat) == 1 else All(tuple(flat))


# JSON: the form kept in the revision's table -------------------------------------------------------------------------


def condition_to_json(condition: Condition) -> list[Any]:
    """``["all", …]``, ``["any", …]`` or ``["test"|"not", attribute, operator, [values]]``; every value a text."""
    if isinstance(condition, Test):
        values = [value if isinstance(value, str) else str(value) for value in condition.values]
        return ["not" if condition.negated else "test", condition.attribute, condition.operator, values]
    return ["all" if isinstance(condition, All) else "any", *map(condition_to_json, condition.parts)]


def condition_from_json(form: list[Any]) -> Condition:
    """The inverse of ``condition_to_json``: operators of numbers and dates begin with ``number`` and ``date``."""
    if form[0] in ("all", "any"):
        parts = tuple(condition_from_json(part) for part in form[1:])
        return All(parts) if form[0] == "all" else Any_(parts)
    _, attribute, operator, values = form
    read: type = Decimal if operator.startswith("number") else int if operator.startswith("date") else str
    return Test(attribute, operator, tuple(read(value) for value in values), form[0] == "not")


def _day_to_json(day: Day) -> str:
    return "" if day in (FOREVER, BEGINNING) else format_day(day)


def rule_to_json(rule: Rule) -> dict[str, Any]:
    """A rule as JSON fields; what is at its default is left out, so that a new field changes no digest."""
    form: dict[str, Any] = {
        "id": rule.id,
        "title": rule.title,
        "family": rule.family.name,
        "effective_from": _day_to_json(rule.effective_from),
        "effective_to": _day_to_json(rule.effective_to),
        "stratum": rule.stratum,
        "when": condition_to_json(rule.when),
        "blocks": [_block_to_json(block) for block in rule.blocks],
        "if_unknown": rule.if_unknown,
        "status": rule.status.name,
        "code": rule.code,
        "message": rule.message,
        "modifiers": list(rule.modifiers),
        "missing": list(rule.missing),
        "authority": rule.authority,
        "url": rule.url,
        "overridable": rule.overridable.name,
        "remedies": [[r.action, list(r.any_of), r.condition] for r in rule.remedies],
    }
    if rule.adjustment:
        form["adjustment"] = [rule.adjustment.group, rule.adjustment.carc, list(rule.adjustment.rarc)]
    return form


def _block_to_json(block: Block) -> dict[str, Any]:
    form: dict[str, Any] = {"what": block.what, "absent": block.absent, "when": condition_to_json(block.when)}
    for name in ("days_before", "days_after"):
        if getattr(block, name) is not None:
            form[name] = getattr(block, name)
    if block.same:
        form["same"] = list(block.same)
    if block.at_least != 1:
        form["at_least"] = block.at_least
    if block.at_least_units is not None:
        form["at_least_units"] = str(block.at_least_units)
    if block.family is not None:
        form |= {"family": block.family.name, "rules": list(block.rules), "about": block.about}
    return form


def rule_from_json(form: dict[str, Any]) -> Rule:
    """The inverse of ``rule_to_json``."""
    adjustment = form.get("adjustment")
    return Rule(
        id=form["id"],
        title=form["title"],
        family=Family[form["family"]],
        when=condition_from_json(form["when"]),
        status=Status[form["status"]],
        code=form["code"],
        message=form["message"],
        effective_from=parse_day(form["effective_from"]) if form["effective_from"] else BEGINNING,
        effective_to=parse_day(form["effective_to"]) if form["effective_to"] else FOREVER,
        stratum=form["stratum"],
        blocks=tuple(_block_from_json(block) for block in form["blocks"]),
        if_unknown=form["if_unknown"],
        modifiers=tuple(form["modifiers"]),
        missing=tuple(form["missing"]),
        authority=form["authority"],
        url=form["url"],
        adjustment=Adjustment(adjustment[0], adjustment[1], tuple(adjustment[2])) if adjustment else None,
        overridable=Overridable[form["overridable"]],
        remedies=tuple(Remedy(action, (), tuple(any_of), condition) for action, any_of, condition in form["remedies"]),
    )


def _block_from_json(form: dict[str, Any]) -> Block:
    units = form.get("at_least_units")
    return Block(
        what=form["what"],
        absent=form["absent"],
        same=tuple(form.get("same", ())),
        days_before=form.get("days_before"),
        days_after=form.get("days_after"),
        at_least=form.get("at_least", 1),
        at_least_units=Decimal(units) if units is not None else None,
        when=condition_from_json(form["when"]),
        family=Family[form["family"]] if "family" in form else None,
        rules=tuple(form.get("rules", ())),
        about=form.get("about", "this line"),
    )

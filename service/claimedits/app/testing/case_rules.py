"""The rows of authored rule sets that a case states: built-in rules by name, required modifiers (semantics.md §H)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
import pyarrow as pa

from claimedits.app.testing.case_tables import header_of_rows
from claimedits.model.dates import FOREVER, parse_day
from claimedits.model.terms import Family, Status
from claimedits.rulesets.authored.authored_index import AuthoredRule
from claimedits.rulesets.authored.compiler import KIND, rules_table
from claimedits.rulesets.authored.rule import All, Condition, Rule, Test, rule_from_json
from claimedits.rulesets.revision import RevisionDraft
from claimedits.rulesets.windows import BEGINNING

Row = Mapping[str, Any]
WITHOUT_RULES = ("E08", "E25")
"""Rows of the table of modifiers that no rule can decide from a claim: naming them asks for nothing."""
_SCOPES = {
    "settings": "claim.setting",
    "places_of_service": "line.place_of_service",
    "billing_provider_ids": "claim.billing_provider",
}


def select_rules(
    rows: Sequence[tuple[int, Row]], rules: Iterable[AuthoredRule], family: Family, case_source: int
) -> list[AuthoredRule]:
    """Just the rules that the rows ask for, in the order of a compiled rule set.

    Args:
        case_source: position of the case itself among the sources of the revision.

    Raises:
        LookupError: a row names a rule that the rule set does not have; the message is the name.
    """
    kept = tuple(rules)
    found: list[AuthoredRule] = []
    for number, row in rows:
        if row.get("loaded"):
            continue
        if row["kind"] == "built_in":
            found.extend(r for r in _built_in(row["rule"], kept) if r not in found)
        else:
            found.extend(AuthoredRule(rule, case_source, number + 1) for rule in _required(row, number + 1, family))
    return sorted(found, key=lambda r: (r.rule.id, r.rule.effective_from))


def _built_in(name: str, rules: Sequence[AuthoredRule]) -> list[AuthoredRule]:
    """The rules of one row of the table: ``E05`` means E05 and every E05.something."""
    found = [r for r in rules if r.rule.id == name or r.rule.id.startswith(f"{name}.")]
    if not found and name not in WITHOUT_RULES:
        raise LookupError(name)
    return found


def _required(row: Row, number: int, family: Family) -> list[Rule]:
    """``required`` and ``exactly_one_of`` rows as rules."""
    any_of = tuple(row["any_of"])
    parts: list[Condition] = [Test("line.procedure_code", "text_in", tuple(row["procedure_codes"]))]
    parts.extend(Test(attribute, "text_in", tuple(row[name])) for name, attribute in _SCOPES.items() if row.get(name))

    def rule(suffix: str, test: Test, code: str, **more: Any) -> Rule:
        return Rule(
            id=f"row-{number}.{suffix}",
            title="Row of the case",
            family=family,
            when=All((*parts, test)),
            status=Status.FAIL,
            code=code,
            message="{line.procedure_code}: {modifiers}",
            effective_from=parse_day(row["effective_from"]) if row.get("effective_from") else BEGINNING,
            effective_to=parse_day(row["effective_to"]) if row.get("effective_to") else FOREVER,
            **more,
        )

    rules = [rule("missing", Test("line.modifiers", "texts_any", any_of, True), "MOD_MISSING", missing=any_of)]
    if row["kind"] == "exactly_one_of":
        rules.append(rule("several", Test("line.modifiers", "texts_two", any_of), "MOD_CONFLICT", modifiers=any_of))
    return rules


def rules_draft(revision: str, rows: Sequence[tuple[int, Row]], built: RevisionDraft) -> RevisionDraft:
    """A revision of the rule set ``built`` that holds just the rules that the rows ask for.

    Raises:
        LookupError: a row names a rule that the rule set does not have.
    """
    head, table = built.header, built.tables["rules"].to_pylist()
    rules = [AuthoredRule(rule_from_json(orjson.loads(row["rule"])), row["source"], row["source_row"]) for row in table]
    chosen = select_rules(rows, rules, Family[head.attributes["family"]], len(head.sources))
    header = header_of_rows(head.rule_set, KIND, revision, rows, head.attributes, head.sources)
    placed = [(r.rule, r.source, r.source_row) for r in chosen]
    tables: dict[str, pa.Table] = {**built.tables, "rules": rules_table(placed)}
    kept = sum(t.num_rows for t in tables.values())
    return RevisionDraft(header, tables, read=kept, kept=kept)

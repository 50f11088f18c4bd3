"""The rows of family MODIFIER that a known answer states, as a revision of authored rules (semantics.md §H)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa

from claimedits.model.dates import FOREVER, parse_day
from claimedits.model.terms import Family, Status
from claimedits.rulesets.authored.compiler import KIND, compile_rules, rules_table
from claimedits.rulesets.authored.rule import All, Condition, Rule, Test, rule_from_json
from claimedits.rulesets.revision import RevisionDraft, RevisionHeader, Source
from claimedits.rulesets.windows import BEGINNING

RULE_SET = "medicare-modifier-requirements"
RULES = Path(__file__).parents[2] / "rules" / RULE_SET
Row = Mapping[str, Any]
_SCOPES = {
    "settings": "claim.setting",
    "places_of_service": "line.place_of_service",
    "billing_provider_ids": "claim.billing_provider",
}


@lru_cache(maxsize=1)
def _built() -> RevisionDraft:
    return compile_rules(RULES)[0]


def modifier_drafts(case_rules: Sequence[Row]) -> list[RevisionDraft]:
    """One draft a revision that the rows of ``medicare-modifier-requirements`` name, holding just the rules they name."""
    grouped: dict[str, list[Row]] = {}
    for row in case_rules:
        if row["rule_set"] == RULE_SET:
            grouped.setdefault(json.dumps(row.get("revision") or {}, sort_keys=True), []).append(row)
    return [_draft(json.loads(revision), rows) for revision, rows in grouped.items()]


def _draft(revision: Row, rows: Sequence[Row]) -> RevisionDraft:
    rules: list[tuple[Rule, int, int]] = []
    for number, row in enumerate(rows, 1):
        if row.get("loaded"):
            continue
        made = _built_in(row["rule"]) if row["kind"] == "built_in" else _required(row, number)
        rules.extend((rule, 0, number) for rule in made)
    rules.sort(key=lambda item: (item[0].id, item[0].effective_from))
    tables: dict[str, pa.Table] = {**_built().tables, "rules": rules_table(rules)}
    content = json.dumps([dict(row) for row in rows], sort_keys=True)
    digest = hashlib.sha256(content.encode()).hexdigest()
    last = revision.get("effective_to")
    header = RevisionHeader(
        rule_set=RULE_SET,
        kind=KIND,
        label=f"{revision.get('label', 'case')} of {digest[:12]}",
        effective_from=parse_day(revision.get("effective_from", "1900-01-01")),
        effective_to=parse_day(last) if last else FOREVER,
        published_on=parse_day(revision.get("published_on", "1900-01-01")),
        sources=tuple(Source("case.jsonl", digest, len(content), len(rows), "utf-8") for _ in _built().header.sources),
        attributes={"family": "MODIFIER", "programs": "MEDICARE"},
    )
    kept = sum(table.num_rows for table in tables.values())
    return RevisionDraft(header, tables, read=kept, kept=kept)


def _built_in(name: str) -> list[Rule]:
    """The rules of one row of the table: ``E05`` means E05 and every E05.something."""
    forms = [json.loads(row) for row in _built().tables["rules"]["rule"].to_pylist()]
    found = [rule_from_json(form) for form in forms if form["id"] == name or form["id"].startswith(f"{name}.")]
    assert found or name in ("E08", "E25"), f"no rule for {name}"
    return found


def _required(row: Row, number: int) -> list[Rule]:
    """``required`` and ``exactly_one_of`` rows as rules."""
    any_of = tuple(row["any_of"])
    parts: list[Condition] = [Test("line.procedure_code", "text_in", tuple(row["procedure_codes"]))]
    parts.extend(Test(attribute, "text_in", tuple(row[name])) for name, attribute in _SCOPES.items() if row.get(name))

    def rule(suffix: str, test: Test, code: str, **more: Any) -> Rule:
        return Rule(
            id=f"row-{number}.{suffix}",
            title="Row of the case",
            family=Family.MODIFIER,
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

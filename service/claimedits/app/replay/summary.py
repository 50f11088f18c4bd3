"""What a replay found, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from claimedits.app.reports.replay_words import OUTCOME_WORDS

SHOWN = 8
"""Rows of each list."""


def summary_lines(report: Mapping[str, Any]) -> Iterator[str]:
    """Counts, outcomes, the dearest rules, and what was compared, from the content of ``report.json``."""
    read, claims, lines = report["input"], report["claims"], report["lines"]
    yield f"records   {read['records']:>14,}"
    yield f"claims    {claims['evaluated']:>14,}  evaluated, with {lines['evaluated']:,} lines"
    if claims["refused"]:
        yield f"refused   {claims['refused']:>14,}"
    duplicates = (
        f"  of them {read['duplicate_claim_ids']:,} with an id that came before" if read["duplicate_claim_ids"] else ""
    )
    yield f"rejected  {read['rejected']:>14,}{duplicates}"
    yield ""
    yield f"{'outcome':<24}{'lines':>14}{'share':>9}{'charges':>20}"
    for row in report["outcomes"]:
        share = f"{100 * row['lines'] / lines['evaluated']:.2f} %"
        money = _money(row["charge_cents"]) if lines["charge_cents"] else ""
        yield f"{OUTCOME_WORDS[row['outcome']].lower():<24}{row['lines']:>14,}{share:>9}{money:>20}".rstrip()
    if report["rules"]:
        yield ""
        yield "rules that deny the most"
        width = max(len(row["rule_id"]) for row in report["rules"][:SHOWN]) + 2
        for row in report["rules"][:SHOWN]:
            money = _money(row["charge_cents"]) if row["charge_cents"] else ""
            yield f"  {row['rule_id']:<{width}}{_lines(row['lines']):>17}{money:>18}".rstrip()
    if report.get("changes"):
        yield from _change_lines(report["changes"])
    if report.get("expected"):
        yield from _reality_lines(report["expected"])


def _change_lines(changes: Mapping[str, Any]) -> Iterator[str]:
    yield ""
    yield f"against the baseline: {changes['evaluated']:,} claims compared, {changes['skipped']:,} that nothing touches"
    for kind, figures in changes["kinds"].items():
        if figures["lines"]:
            words = kind.lower().replace("_", " ")
            money = _money(figures["charge_cents"]) if figures["charge_cents"] else ""
            yield f"  {words:<22}{_lines(figures['lines']):>18}{money:>20}".rstrip()


def _reality_lines(real: Mapping[str, Any]) -> Iterator[str]:
    compared = real["compared_lines"]
    agreed = real["agreed_denied_lines"] + real["agreed_clean_lines"]
    yield ""
    share = f" ({100 * agreed / compared:.2f} %)" if compared else ""
    yield f"against the payer: {compared:,} lines compared, {agreed:,} agree{share}"
    yield f"  only the payer denies {real['payer_only_lines']:>12,}"
    yield f"  only the edits deny   {real['engine_only_lines']:>12,}"
    yield f"  other reasons         {real['other_reason_lines']:>12,}"
    yield f"  preventable denials   {real['preventable_lines']:>12,}  {_money(real['preventable_amount_cents'])}"


def _lines(number: int) -> str:
    return f"{number:,} line" + (" " if number == 1 else "s")


def _money(cents: int) -> str:
    return f"${cents / 100:,.2f}"

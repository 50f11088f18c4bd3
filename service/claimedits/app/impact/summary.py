"""An impact as nested fields (what ``--format json`` prints and reports are drawn from) and as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from claimedits.app.impact.changes import ChangeKind
from claimedits.app.impact.records import rows_of
from claimedits.app.impact.tally import PARTS, ChangedClaim, Figures, Tally

KINDS = tuple(sorted((kind for kind in ChangeKind if kind is not ChangeKind.SAME), reverse=True))
WORDS = {
    ChangeKind.NEWLY_FAILING: "newly failing",
    ChangeKind.NEWLY_PASSING: "newly passing",
    ChangeKind.OUTCOME: "other change of outcome",
    ChangeKind.REASON: "changed reason",
    ChangeKind.REMEDY: "changed remedy",
    ChangeKind.PARTICULARS: "changed particulars",
    ChangeKind.CITATION: "citation only",
}
SHOWN = 10
"""Rows of each list on a terminal."""


SOUNDNESS = "no changed row, nor a change of the revision in force, can touch them"
"""Why a skipped claim has the same answer (``rulesets.comparison.touched`` has the argument)."""


def impact_fields(tally: Tally, changed: Sequence[ChangedClaim]) -> dict[str, Any]:
    """The whole impact: counts, sums, and every changed claim."""
    return {
        "claims": tally.claims,
        "lines": tally.lines,
        "charge_cents": tally.charge_cents,
        "evaluated": tally.evaluated,
        "evaluated_once": tally.evaluated_once,
        "skipped": tally.skipped,
        "skipped_because": SOUNDNESS if tally.skipped else "",
        "refused": tally.refused,
        "claims_by_worst_change": {kind.name: tally.worst[kind] for kind in (*KINDS, ChangeKind.SAME)},
        "newly_failing_decided_before": tally.newly_failing,
        "newly_failing_not_evaluated_before": _figures(tally.undecided),
        "no_longer_evaluated": _figures(tally.no_longer_evaluated),
        "outcomes": [
            {"old": old.name, "new": new.name, "claims": count}
            for (old, new), count in sorted(tally.outcomes.items(), reverse=True)
        ],
        "kinds": {kind.name: _figures(tally.kinds.get(kind, Figures())) for kind in KINDS},
        **{f"by_{part}": [_part(*entry) for entry in _sorted_parts(tally, part)] for part in PARTS},
        "changed_lines": [row for claim in changed for row in rows_of(claim)],
    }


def _figures(figures: Figures) -> dict[str, int]:
    return {
        "lines": figures.lines,
        "claims": figures.claims,
        "charge_cents": figures.charge_cents,
        "lines_without_charge": figures.lines_without_charge,
    }


def _part(name: str, kind: ChangeKind, figures: Figures) -> dict[str, Any]:
    return {"name": name, "kind": kind.name, **_figures(figures)}


def _sorted_parts(tally: Tally, part: str) -> list[tuple[str, ChangeKind, Figures]]:
    entries = [(name, kind, figures) for (name, kind), figures in tally.parts[part].items()]
    return sorted(entries, key=lambda entry: (-entry[1], -entry[2].lines, entry[0]))


def impact_lines(tally: Tally) -> Iterator[str]:
    """The impact for a terminal: totals, kinds, and what stands behind the most changed lines."""
    yield f"{_counted(tally.claims, 'claim')}, {_counted(tally.lines, 'line')}" + (
        f", {tally.refused:,} could not be read" if tally.refused else ""
    )
    yield f"  evaluated under both: {tally.evaluated - tally.evaluated_once:,}"
    if tally.evaluated_once:
        yield f"  under the old one only: {tally.evaluated_once:,} (its answer cites nothing that changes)"
    if tally.skipped:
        yield f"  skipped: {tally.skipped:,} ({SOUNDNESS})"
    yield ""
    yield f"{'change':<24}{'claims':>10}{'lines':>10}{'charges':>16}"
    for kind in KINDS:
        figures = tally.kinds.get(kind)
        if figures:
            yield f"{WORDS[kind]:<24}{figures.claims:>10,}{figures.lines:>10,}{format_money(figures):>16}"
        if kind is ChangeKind.NEWLY_FAILING and tally.undecided.lines:
            of_them = tally.undecided
            yield f"{'  not evaluated before':<24}{of_them.claims:>10,}{of_them.lines:>10,}{format_money(of_them):>16}"
    if not tally.kinds:
        yield "no claim is answered otherwise"
    for part, title in (("rule", "rule"), ("code", "procedure code"), ("provider", "billing provider")):
        yield from _part_lines(tally, part, title)


def _part_lines(tally: Tally, part: str, title: str) -> Iterator[str]:
    entries = [entry for entry in _sorted_parts(tally, part) if entry[1] > ChangeKind.CITATION]
    if not entries:
        return
    yield ""
    yield f"by {title}"
    width = max(len(name or "(none given)") for name, _, _ in entries[:SHOWN]) + 2
    for name, kind, figures in entries[:SHOWN]:
        yield f"  {name or '(none given)':<{width}}{WORDS[kind]:<24}{_counted(figures.lines, 'line'):>12} {format_money(figures):>14}"
    if len(entries) > SHOWN:
        yield f"  … and {len(entries) - SHOWN:,} more (--format json lists them)"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def format_money(figures: Figures) -> str:
    """Charges of the lines, in dollars; empty when no line gives one."""
    if figures.lines_without_charge == figures.lines:
        return ""
    return f"${figures.charge_cents / 100:,.2f}"

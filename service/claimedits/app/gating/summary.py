"""A gate in Markdown, fit for a comment on a pull request, and as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from claimedits.app.comparing import Compared
from claimedits.app.gating.report import GateReport, Step, Verdict
from claimedits.app.gating.running import Gated
from claimedits.app.impact.changes import ChangeKind
from claimedits.app.impact.summary import WORDS
from claimedits.app.impact.tally import Figures

MOST_ROWS = 10
"""Rules, codes or providers in a table of the comment."""
MOST_CHARACTERS = 60_000
"""Of a comment: GitHub takes 65,536."""
_MARKS: Mapping[Verdict, str] = {Verdict.PASSED: "✅", Verdict.STOPPED: "⛔", Verdict.SKIPPED: "⚪"}
_TITLES = {"check": "Check", "test": "Tests", "rows": "Rows", "claims": "Claims", "speed": "Speed"}


def markdown(gated: Gated) -> str:
    """The comment: the verdict, a table of steps, what to mend, and what stands behind the changes."""
    text = "\n".join(_markdown(gated)) + "\n"
    if len(text) > MOST_CHARACTERS:
        cut = text.rindex("\n", 0, MOST_CHARACTERS)
        text = f"{text[:cut]}\n\n… cut here; the report has the rest\n"
    return text


def _markdown(gated: Gated) -> Iterator[str]:
    report = gated.report
    passed = report.verdict is Verdict.PASSED
    yield f"## {_MARKS[report.verdict]} Claim edits: the update {'may go live' if passed else 'is stopped'}"
    yield ""
    yield f"`{report.old[:19]}` → `{report.new[:19]}`, as known on {report.as_of}, by {report.policy}"
    yield ""
    yield "| | step | result |"
    yield "|---|---|---|"
    for step in report.steps:
        yield f"| {_MARKS[step.verdict]} | {_TITLES[step.name]} | {_text(step.headline)} |"
    yield from _measures(report)
    yield from _problems(report)
    yield from _editions(gated.compared)
    if gated.impact is not None:
        for part, title in (("rule", "Rule"), ("code", "Procedure code"), ("provider", "Billing provider")):
            yield from _part(gated.impact.tally.parts[part], title)


def _measures(report: GateReport) -> Iterator[str]:
    measures = [measure for step in report.steps for measure in step.measures]
    if not measures:
        return
    yield ""
    yield "| | figure | found | allowed | |"
    yield "|---|---|--:|--:|---|"
    for measure in measures:
        limit = measure.limit or "not asked"
        cells = " | ".join(map(_text, (measure.name, measure.value, limit, measure.note)))
        yield f"| {_MARKS[measure.verdict]} | {cells} |"


def _problems(report: GateReport) -> Iterator[str]:
    for step in report.steps:
        if step.problems:
            yield ""
            yield f"### {_MARKS[step.verdict]} {_TITLES[step.name]}"
            yield ""
            yield from (f"* {_text(problem)}" for problem in step.problems)


def _editions(compared: Compared) -> Iterator[str]:
    rows = [
        f"| {one.rule_set} | {' → '.join(info.header.label for info in (one.old, one.new) if info)} "
        f"| {sum(t.added for t in one.tables):,} | {sum(t.removed for t in one.tables):,} "
        f"| {sum(t.changed for t in one.tables):,} | {one.retroactive:,} |"
        for one in compared.rule_sets
        if one.differences
    ]
    if rows:
        yield ""
        yield "### What changed"
        yield ""
        yield "| rule set | edition | added | removed | changed | retroactive |"
        yield "|---|---|--:|--:|--:|--:|"
        yield from rows


def _part(figures: Mapping[tuple[str, ChangeKind], Figures], title: str) -> Iterator[str]:
    entries = [(name, kind, one) for (name, kind), one in figures.items() if kind >= ChangeKind.NEWLY_PASSING]
    if not entries:
        return
    entries.sort(key=lambda entry: (-entry[1], -entry[2].lines, entry[0]))
    yield ""
    yield f"<details><summary>Newly failing and passing lines by {title.lower()}</summary>"
    yield ""
    yield f"| {title} | change | lines | claims | charges |"
    yield "|---|---|--:|--:|--:|"
    for name, kind, one in entries[:MOST_ROWS]:
        charges = f"${one.charge_cents / 100:,.2f}" if one.lines > one.lines_without_charge else ""
        yield f"| {_text(name or '(none given)')} | {WORDS[kind]} | {one.lines:,} | {one.claims:,} | {charges} |"
    if len(entries) > MOST_ROWS:
        yield ""
        yield f"and {len(entries) - MOST_ROWS:,} more"
    yield ""
    yield "</details>"


def _text(text: str) -> str:
    """Words that Markdown does not read as markup, on one line."""
    flat = " ".join(text.split())
    for mark in "\\`*_[]<>|~#":
        flat = flat.replace(mark, f"\\{mark}")
    return flat.replace("@", "@\u200b")  # nobody is called by a file name or an edition


def gate_lines(gated: Gated) -> Iterator[str]:
    """The gate for a terminal."""
    report = gated.report
    for step in report.steps:
        yield f"{_word(step.verdict)}  {step.name:<8}{step.headline}"
        yield from _measure_lines(step)
        yield from (f"                - {problem}" for problem in step.problems)
    yield ""
    yield "the update may go live" if report.verdict is Verdict.PASSED else "the update is stopped"


def _measure_lines(step: Step) -> Iterator[str]:
    for measure in step.measures:
        limit = f"at most {measure.limit}" if measure.limit else ""
        note = f"  ({measure.note})" if measure.note else ""
        yield f"  {_word(measure.verdict)}      {measure.name:<28}{measure.value:>20}  {limit}{note}".rstrip()


def _word(verdict: Verdict) -> str:
    return {Verdict.PASSED: "ok     ", Verdict.STOPPED: "STOPPED", Verdict.SKIPPED: "skipped"}[verdict]

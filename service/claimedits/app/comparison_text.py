"""A comparison for people: retroactive changes first, then each rule set by what happened, by section of codes, by rationale."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from claimedits.app.comparing import Compared
from claimedits.app.comparison_documents import first_rows
from claimedits.model.dates import format_day
from claimedits.rulesets.comparison.governance import GovernanceChange
from claimedits.rulesets.comparison.revisions import RevisionComparison
from claimedits.rulesets.comparison.table_comparison import ChangeKind, RowChange, TableComparison
from claimedits.rulesets.comparison.tallies import Tally, group, tally
from claimedits.rulesets.revision import RevisionInfo
from claimedits.rulesets.windows import BEGINNING

MOST_GROUPS = 12
"""Sections or rationales that are listed of one table; the rest is counted."""
MOST_CELL = 80
"""Characters of a cell that a line shows."""
WORDS = {
    "ADDED": "added",
    "ADDED_WITHDRAWN": "added, and withdrawn from the start",
    "REVERSED": "added in place of the edit in the other direction",
    "REMOVED": "removed without a deletion date",
    "WITHDRAWN": "withdrawn as if they had never been",
    "REVIVED": "withdrawn before, now in force",
    "ENDED": "ended, or end earlier",
    "REOPENED": "end later, or no more",
    "FIRST_DAY_CHANGED": "begin on another day",
    "VALUE_RAISED": "value raised",
    "VALUE_LOWERED": "value lowered",
    "VALUE_CONFIDENTIAL": "confidential value changed",
    "NEW_VERSION": "in a new version",
    "CARRIED_OVER": "the same in another version of their document",
}
"""How the words of ``rulesets.comparison.change_words`` are said."""
_DATED_ONLY = {"REMOVED": "removed"}
"""Said of tables whose rows have no dates: there, a row that is gone is nothing odd."""


def comparison_lines(compared: Compared, limit: int) -> Iterator[str]:
    """The lines of the summary; of each table at most ``limit`` rows."""
    if compared.is_empty:
        yield "no difference"
        return
    yield from _retroactive(compared)
    if compared.release is not None:
        yield from _release(compared)
    for comparison in compared.rule_sets:
        yield ""
        yield from _comparison(comparison, limit)


def _retroactive(compared: Compared) -> Iterator[str]:
    if not compared.retroactive:
        yield "no retroactive changes"
        return
    yield f"RETROACTIVE: {_rows(compared.retroactive)} what held on service days before the new revision's own"
    for comparison in compared.rule_sets:
        for table in comparison.tables:
            for word, _, retroactive in group(tally(table) if table.retroactive else (), "change"):
                if retroactive:
                    yield f"  {comparison.rule_set} {table.table}: {retroactive:,} {say_change(word, table)}"


def _release(compared: Compared) -> Iterator[str]:
    release = compared.release
    assert release is not None
    for word, infos in (("new", release.revisions_added), ("gone", release.revisions_removed)):
        if infos:
            yield f"{word} revisions: {', '.join(f'{i.header.rule_set} {i.header.label}' for i in infos)}"
    for word, names in (
        ("new rule sets", release.added),
        ("rule sets no longer held", release.removed),
        ("rule sets without a difference", release.unchanged),
    ):
        if names:
            yield f"{word}: {', '.join(names)}"
    if compared.by_family:
        yield ""
        yield "rows that differ, by family"
        for family, rows, retroactive in compared.by_family:
            yield _group(family or "all families", rows, retroactive, 2)
    if release.governance:
        yield ""
        yield "service days that another revision answers for"
        yield from (f"  {_say_governance(change)}" for change in release.governance)


def _say_governance(change: GovernanceChange) -> str:
    first = "the beginning" if change.first == BEGINNING else format_day(change.first)
    last = format_day(change.last) or "no end"
    old, new = (info.header.label if info else "none" for info in (change.old, change.new))
    if old == new and change.old and change.new:
        old, new = (f"{info.header.label} ({short_id(info.id)})" for info in (change.old, change.new))
    return f"{change.rule_set}  {first} to {last}: {old} -> {new}"


def _comparison(comparison: RevisionComparison, limit: int) -> Iterator[str]:
    old, new = comparison.old, comparison.new
    yield f"{comparison.rule_set}  {_label(old)} -> {_label(new)}"
    for name, before, after in _header_differences(old, new):
        yield f"  {name}: {before} -> {after}"
    for table in comparison.tables:
        yield from _table(table, limit)


def _label(info: RevisionInfo | None) -> str:
    return f"{info.header.label} ({short_id(info.id)})" if info else "nothing"


def short_id(revision_id: str) -> str:
    """The first digits of an id, as many as people need."""
    return revision_id.removeprefix("sha256:")[:12]


def _header_differences(old: RevisionInfo | None, new: RevisionInfo | None) -> Iterator[tuple[str, str, str]]:
    if old is None or new is None:
        return
    periods = [
        f"{format_day(i.header.effective_from)} to {format_day(i.header.effective_to) or 'open'}" for i in (old, new)
    ]
    published = [format_day(info.header.published_on) for info in (old, new)]
    rule_sets = [info.header.rule_set for info in (old, new)]
    for name, (before, after) in (("rule set", rule_sets), ("service dates", periods), ("published on", published)):
        if before != after:
            yield name, before, after


def _table(table: TableComparison, limit: int) -> Iterator[str]:
    counts = (
        f"{table.added:,} added, {table.removed:,} removed, {table.changed:,} changed, {table.unchanged:,} unchanged"
    )
    yield f"  {table.table}: {table.old_rows:,} -> {table.new_rows:,} rows: {counts}"
    for word, columns in (("lost", table.columns_lost), ("gained", table.columns_gained)):
        if columns:
            yield f"    columns {word}: {', '.join(columns)}"
    if not table.differences:
        return
    tallies = tally(table)
    yield from _groups("what happened", [(say_change(w, table), n, r) for w, n, r in group(tallies, "change")])
    by_section = "by document" if "document_id" in table.key else "by section of codes"
    for title, field in ((by_section, "section"), ("by rationale", "rationale")):
        yield from _grouped(title, tallies, field)
    if limit:
        yield f"    rows{f', the first {limit:,}' if table.differences > limit else ''}"
        yield from (f"      {say_row(change)}" for change in first_rows(table, limit))
        if table.differences > limit:
            yield f"      ... and {table.differences - limit:,} more (--limit, or --parquet for all of them)"


def _grouped(title: str, tallies: Sequence[Tally], field: str) -> Iterator[str]:
    groups = [(value or "none stated", n, r) for value, n, r in group(tallies, field)]
    if [value for value, _, _ in groups] != ["none stated"]:
        yield from _groups(title, groups)


def _groups(title: str, groups: Sequence[tuple[str, int, int]]) -> Iterator[str]:
    yield f"    {title}"
    for value, rows, retroactive in groups[:MOST_GROUPS]:
        yield _group(value, rows, retroactive, 6)
    if len(groups) > MOST_GROUPS:
        rest = sum(rows for _, rows, _ in groups[MOST_GROUPS:])
        yield f"      {rest:>9,}  in {len(groups) - MOST_GROUPS} more"


def _group(value: str, rows: int, retroactive: int, indent: int) -> str:
    return f"{' ' * indent}{rows:>9,}  {value}{f' ({retroactive:,} retroactive)' if retroactive else ''}"


def say_change(word: str, table: TableComparison) -> str:
    """A word of ``change_words`` as people say it."""
    if word in _DATED_ONLY and "effective_from" not in table.key:
        return _DATED_ONLY[word]
    return WORDS.get(word) or f"{word.removesuffix('_CHANGED').lower().replace('_', ' ')} changed"


def say_row(change: RowChange) -> str:
    """One difference in one line: sign, key, what differs, where it stands in the publisher's file."""
    sign = {ChangeKind.ADDED: "+", ChangeKind.REMOVED: "-", ChangeKind.CHANGED: "~"}[change.kind]
    key = " ".join(value for _, value in change.key if value)
    if change.kind is ChangeKind.CHANGED:
        parts = [
            f"{name} {_shortened(before)} -> {_shortened(after)}"
            for (name, before), (_, after) in zip(change.before, change.after, strict=True)
        ]
    else:
        stated = [(name, value) for name, value in change.before or change.after if value and value != "false"]
        parts = [f"{name} {_shortened(value)}" for name, value in stated]
    file, row = change.new_source_file, change.new_source_row
    if change.kind is ChangeKind.REMOVED:
        file, row = change.old_source_file, change.old_source_row
    place = f"  [{file}:{row}]" if file else ""
    shown = f"  {', '.join(parts)}" if parts else ""
    return f"{sign} {key}{'  RETROACTIVE' if change.retroactive else ''}{shown}{place}"


def _shortened(cell: str) -> str:
    """A cell as it fits into a line: paragraphs are long."""
    text = " ".join(cell.split())
    if not text:
        return "empty"
    return text if len(text) <= MOST_CELL else f"{text[: MOST_CELL - 3]}..."


def _rows(count: int) -> str:
    return "1 row changes" if count == 1 else f"{count:,} rows change"

"""What the difference of two releases can touch, so that a claim it cannot touch need not be evaluated under both.

The claim: *a claim that no reach touches gets the same statuses, findings, citations and details under both releases* (at
detail FINDINGS or ALL, for one ``as_of`` on or before today; the ids of release and decision differ, and a trace shows every
look-up). Never the other way round: a touched claim may well have the same answer. The argument, by what the engine reads:

1.  A decision reads the claim's lines, its history lines, and rows of rule sets. A rule set that is equal in both releases
    (same revisions) gives the same rows. Families react to each other only about lines of the same claim (an add-on falls with
    its primary, POLICY reads findings), and a reach touches whole claims, so each rule set can be looked at by itself.
2.  Of a rule set with dated editions a family sees, for a service day, a *selection* (§G.3, ``versions.View``): the revision in
    force, the newest one known, and whether the answer is reconstructed or stale. Days are cut into stretches on which the
    selection is constant in both releases, for every publication day up to ``as_of`` (every one, where none is given), and
    for every value that the conventions give to ``version.reconstruct_dated_rows`` and ``version.after_last``.
    a.  *Another kind of answer* (none against some, reconstructed or stale against not): everything on those days.
    b.  *Another revision in force*: the codes whose rows differ; all other answers are equal but for the citation, and those that
        cite the rule set are in a reach of their own (``only_where_cited``).
    c.  *The same revision in force, another newest one*: presence.py, ptp.py, add_on_code.py and code_lists.py read rows of the
        newest revision, too (retroactive changes, ``version_conflict``), mue_findings.py its value: the codes whose rows differ
        anywhere between the revisions concerned. A row of the newest revision that the one in force lacks is among them, so its
        citation is covered. Where ``version.value_source`` may be ``newest``, the newest one counts as in force.
    Rows differ where any column but the source's place does, describing ones included: findings show them.
3.  Which claims can read a differing row:
    *   PTP: only claims that hold both codes of the pair, on lines or history lines (``PtpIndex.conflicts``).
    *   MUE: rows are found by the line's code. AOC: by the add-on's code; a primary's row is read for its add-on only, and an
        add-on list only ever names codes of the claim. Fee schedule, lists of procedure codes: by code, history included.
    *   Lists of modifiers: by the modifiers of the claim. ICD-10-CM: by diagnosis; messages name codes above and below, and
        other editions known, so a differing code touches its stems and branches, whichever edition it differs in.
    *   Coverage: ``coverage_reach``. Rules that people write: ``authored_reach``.
4.  The conventions and the ``duplicates`` rule set answer for every claim, and their newest revision for all days: another
    one touches everything. So do a rule set that only one release holds, curated code edits, a column that only one revision has,
    and every kind of rule set that this module does not know.
5.  Code lists, place-of-service and adjustment lists and value sets that no family reads touch nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import pyarrow as pa

from claimedits.model.dates import Day
from claimedits.model.terms import Program, Setting
from claimedits.rulesets.comparison.authored_reach import authored_reaches
from claimedits.rulesets.comparison.coverage_reach import coverage_reaches
from claimedits.rulesets.comparison.governance import merge, stretches
from claimedits.rulesets.comparison.reach import Reach, Touched
from claimedits.rulesets.comparison.revisions import RevisionComparison, compare_revisions
from claimedits.rulesets.revision import RevisionInfo
from claimedits.rulesets.store import Store
from claimedits.rulesets.versions import Editions, Selection

CONVENTIONS = "ncci-conventions"
NEVER_READ = frozenset(("value-sets", "place-of-service", "adjustment-codes"))
"""Kinds for look-up: no family decides by them."""
_DATED = frozenset(("ptp", "aoc", "procedure-codes", "modifiers"))
"""Kinds whose rows may be read from a later revision (``dated_rows=True``)."""
_BY_NEWEST = frozenset(("conventions", "duplicates"))
_VALUED = frozenset(("ptp", "mue"))
"""Kinds for which the switch ``version.value_source`` may take values from the newest revision."""
_LISTS = frozenset(("procedure-codes", "modifiers"))
_COLUMNS: Mapping[str, tuple[str, str]] = {
    "mue": ("values", "procedure_code"),
    "aoc": ("edits", "add_on_code"),
    "pfs": ("indicators", "procedure_code"),
    "procedure-codes": ("codes", "procedure_code"),
    "modifiers": ("modifiers", "modifier"),
    "icd10": ("codes", "icd10_code"),
}
"""Table and column by which rows of a kind are found."""


def find_touched(store: Store, old_id: str, new_id: str, *, as_of: Day | None = None) -> Touched:
    """What the difference of two kept releases (ids or unique prefixes) can touch.

    ``as_of``: for answers as known on this day; None = for whatever day they are asked.

    Raises:
        NotFoundError: the store holds no such release.
        StoreError: a table, or a revision's manifest, is damaged.
    """
    sides = [_editions(store, release_id) for release_id in (old_id, new_id)]
    finder = _Finder(store, sides[0], sides[1], as_of)
    reaches: list[Reach] = []
    for name in sorted({*sides[0], *sides[1]}):
        reaches += finder.reaches(name)
    return Touched(tuple(dict.fromkeys(reach for reach in reaches if not reach.is_empty)))


def _editions(store: Store, release_id: str) -> dict[str, Editions]:
    grouped: dict[str, list[RevisionInfo]] = {}
    for revision_id in store.release(release_id).revisions:
        info = store.revision(revision_id)
        grouped.setdefault(info.header.rule_set, []).append(info)
    return {name: Editions(infos) for name, infos in grouped.items()}


class Answering(NamedTuple):
    """Who answers on a stretch of days in one release: ids of revisions; empty = none."""

    in_force: str = ""
    newest: str = ""
    reconstructed: bool = False
    stale: bool = False
    others: frozenset[str] = frozenset()
    """ICD-10-CM: all known editions, since a finding about an unknown code may cite another one."""

    def is_like(self, other: Answering) -> bool:
        """Whether both answer, and in the same manner."""
        return bool(self.in_force and other.in_force) and self[2:4] == other[2:4]


Differing = tuple[Day, Day, Answering, Answering]
"""First and last day of a stretch, and who answers in the old and in the new release."""


class _Finder:
    def __init__(
        self, store: Store, old: Mapping[str, Editions], new: Mapping[str, Editions], as_of: Day | None
    ) -> None:
        self._store, self._old, self._new, self._as_of = store, old, new, as_of
        self._compared: dict[tuple[str, str], RevisionComparison] = {}
        self._switches = _Switches(store, [side.get(CONVENTIONS) for side in (old, new)])

    def reaches(self, name: str) -> Iterable[Reach]:
        """The reaches of one rule set."""
        old, new = self._old.get(name), self._new.get(name)
        present = new or old
        assert present is not None
        kind = present.revisions[0].header.kind
        everything = partial(Reach, name, everything=True, **_who(name, kind))
        if kind in NEVER_READ:
            return ()
        if old is None or new is None:
            return (everything(reason=f"only the {'new' if old is None else 'old'} release holds it"),)
        if [info.id for info in old.revisions] == [info.id for info in new.revisions]:
            return ()
        if kind in _BY_NEWEST:
            if old.revisions[old.newest].id == new.revisions[new.newest].id:
                return ()
            return (everything(reason="another revision answers for every claim"),)
        if kind == "coverage":
            return coverage_reaches(self._store, everything, old, new, self._days_known(old, new))
        if kind == "authored":
            return authored_reaches(self._store, everything, list(self._stretches(kind, old, new)), old, new)
        return self._by_rows(kind, everything, old, new)

    # ---- Stretches of days ----

    def _days_known(self, old: Editions, new: Editions) -> list[Day]:
        """Days on which something became known, up to ``as_of``: between two of them no view changes."""
        if self._as_of is not None:
            return [self._as_of]
        return sorted({info.header.published_on for editions in (old, new) for info in editions.revisions})

    def _stretches(self, kind: str, old: Editions, new: Editions) -> Iterator[Differing]:
        """Days on which the releases answer differently, for every ``as_of`` and switch that may matter."""
        reconstructs = self._switches.truths("version.reconstruct_dated_rows", "true") if kind in _DATED else {False}
        if kind == "modifiers":
            reconstructs = {*reconstructs, False}  # rules that people write read this list without it
        for as_of in self._days_known(old, new):
            for reconstruct in sorted(reconstructs):
                for stale in sorted(self._switches.truths("version.after_last", "evaluate_stale")):
                    views = [side.known(as_of, reconstruct=reconstruct, stale=stale) for side in (old, new)]
                    others = [_others(kind, side, as_of) for side in (old, new)]
                    parts = (
                        (s.first, s.last, (_name(old, s.old, others[0]), _name(new, s.new, others[1])))
                        for s in stretches(views[0], old, views[1], new)
                    )
                    for first, last, value in merge(parts):
                        assert isinstance(value, tuple)
                        if value[0] != value[1]:
                            yield first, last, *value

    # ---- Kinds whose rows are found by a code ----

    def _by_rows(self, kind: str, everything: Callable[..., Reach], old: Editions, new: Editions) -> Iterator[Reach]:
        if kind not in _COLUMNS and kind != "ptp":
            for first, last, _, _ in self._stretches(kind, old, new):
                yield everything(reason="other curated rows may answer on these days", first=first, last=last)
            return
        chain = _chain(old, new)
        by_newest = kind in _VALUED and True in self._switches.truths("version.value_source", "newest")
        for first, last, before, after in self._stretches(kind, old, new):
            if not before.is_like(after):
                reason = _say_other(before, after)
                yield everything(reason=reason, first=first, last=last)
                continue
            in_force_differs = before.in_force != after.in_force or (by_newest and before.newest != after.newest)
            if in_force_differs and kind in _LISTS and self._lists_differ(kind, before.in_force, after.in_force):
                yield everything(reason="another list decides which codes exist", first=first, last=last)
                continue
            if in_force_differs:
                yield everything(
                    reason="another revision with the same rows answers",
                    first=first,
                    last=last,
                    only_where_cited=True,
                )
            ids = {*before[:2], *after[:2], *before.others, *after.others}
            concerned = replace(everything(reason="rows differ", first=first, last=last), everything=False)
            yield self._rows_that_differ(kind, concerned, chain, ids)

    def _lists_differ(self, kind: str, before: str, after: str) -> bool:
        """Whether the revisions differ in what they say of codes that they do not hold, or in rank among other lists."""
        lists = {
            name
            for side in (self._old, self._new)
            for name, editions in side.items()
            if editions.revisions[0].header.kind == kind
        }
        headers = [self._store.revision(revision).header for revision in (before, after)]
        return len(lists) > 1 or headers[0].attributes.get("covers") != headers[1].attributes.get("covers")

    def _rows_that_differ(self, kind: str, reach: Reach, chain: Sequence[RevisionInfo], ids: set[str]) -> Reach:
        """The codes whose rows are not equal in all of these revisions: found between neighbours from the first to the last."""
        places = [place for place, info in enumerate(chain) if info.id in ids]
        codes: set[Any] = set()
        for place in range(min(places), max(places)):
            comparison = self._compare(chain[place].id, chain[place + 1].id)
            if any(table.columns_lost or table.columns_gained for table in comparison.tables):
                return replace(reach, everything=True, reason="a column is in one revision only")
            codes |= changed_pairs(comparison) if kind == "ptp" else changed_codes(comparison, *_COLUMNS[kind])
        found = frozenset(codes)
        match kind:
            case "ptp":
                return replace(reach, pairs=found)
            case "modifiers":
                return replace(reach, modifiers=found)
            case "icd10":
                return replace(reach, diagnoses=found)
        return replace(reach, procedure_codes=found)

    def _compare(self, old: str, new: str) -> RevisionComparison:
        compared = self._compared.get((old, new))
        if compared is None:
            compared = self._compared[old, new] = compare_revisions(self._store, old, new, edition_days=True)
        return compared


class _Switches:
    """Values that the conventions of either release give to a switch, on whatever days."""

    def __init__(self, store: Store, conventions: Sequence[Editions | None]) -> None:
        self._values: dict[str, set[str]] = {}
        for editions in conventions:
            if editions is None:
                continue
            for row in store.tables(editions.revisions[editions.newest].id)["switches"].to_pylist():
                self._values.setdefault(row["name"], set()).add(row["value"])

    def truths(self, name: str, value: str) -> set[bool]:
        """Whether the switch may have this value, may have another, or both."""
        values = self._values.get(name)
        return {True, False} if values is None else {found == value for found in values}


def changed_codes(comparison: RevisionComparison, table: str, column: str) -> set[str]:
    """Codes of the rows that differ, by either revision."""
    compared = comparison.table(table)
    return {
        code
        for old in (True, False)
        for code in compared.side_values(column, old=old).cast(pa.string()).unique().to_pylist()
        if code is not None
    }


def changed_pairs(comparison: RevisionComparison) -> set[tuple[str, str]]:
    """Pairs of the PTP rows that differ, the lesser code first."""
    compared = comparison.table("edits")
    pairs = set()
    for old in (True, False):
        columns = [
            compared.side_values(name, old=old).cast(pa.string()).to_pylist() for name in ("column_1", "column_2")
        ]
        pairs |= {(a, b) if a < b else (b, a) for a, b in zip(*columns, strict=True) if a is not None}
    return pairs


def _chain(old: Editions, new: Editions) -> tuple[RevisionInfo, ...]:
    """The revisions of both releases, each once, in their order."""
    return Editions(list({info.id: info for side in (old, new) for info in side.revisions}.values())).revisions


def _name(editions: Editions, selection: Selection | None, others: frozenset[str]) -> Answering:
    if selection is None:
        return Answering()
    revisions = editions.revisions
    return Answering(
        revisions[selection.in_force].id,
        revisions[selection.newest].id,
        selection.reconstructed,
        selection.stale,
        others,
    )


def _others(kind: str, editions: Editions, as_of: Day) -> frozenset[str]:
    if kind != "icd10":
        return frozenset()
    return frozenset(info.id for info in editions.revisions if info.header.published_on <= as_of)


def _say_other(before: Answering, after: Answering) -> str:
    words = []
    for answering in (before, after):
        if not answering.in_force:
            words.append("no revision")
        elif answering.reconstructed:
            words.append("a later revision")
        else:
            words.append("an outdated one" if answering.stale else "a revision of these days")
    return f"{words[0]} answered, now {words[1]} does"


_SETTINGS: Mapping[str, frozenset[Setting]] = {
    "practitioner": frozenset((Setting.PRACTITIONER, Setting.ASC)),
    "outpatient-hospital": frozenset((Setting.OUTPATIENT_HOSPITAL,)),
    "dme": frozenset((Setting.DME_SUPPLIER,)),
}


def _who(name: str, kind: str) -> dict[str, Any]:
    """Programs and settings whose claims read a rule set, by its name (§A.2, §B.3, §D.1); all where the name does not say."""
    program, _, rest = name.partition("-")
    if kind not in ("ptp", "mue", "aoc") or program.upper() not in Program.__members__:
        return {}
    who: dict[str, Any] = {"programs": frozenset((Program[program.upper()],))}
    settings = rest.removeprefix(f"{kind}-").removesuffix("-confidential")
    if kind != "aoc" and settings in _SETTINGS:
        who["settings"] = _SETTINGS[settings]
    return who

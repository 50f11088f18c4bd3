"""A claim that no reach touches has the same answer under both releases: held against evaluating it under both."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from made_revisions import draft, header, mue, ptp

from claimedits.engine.engine import Engine
from claimedits.model.claim_reading import read_claim
from claimedits.model.dates import parse_day, today
from claimedits.model.finding import Decision
from claimedits.rulesets.authored.compiler import compile_rules
from claimedits.rulesets.comparison.reach import Reach, Touched
from claimedits.rulesets.comparison.touched import find_touched
from claimedits.rulesets.revision import RevisionDraft
from claimedits.rulesets.store import Store
from claimedits.rulesets.table_rules import compile_table_rules

RULES = Path(__file__).parents[3] / "rules"
CODES = [f"A{n:04d}" for n in range(1, 15)]
MODIFIERS = ["59", "XE", "LT", "RT", "KX", "GA"]
DIAGNOSES = ["E1140", "E1141", "E114", "Z0000", "E11401"]
PERIODS = ["2024-01-01..2024-03-31", "2024-04-01..2024-06-30", "2024-07-01..2024-09-30"]
DAYS = ["2023-11-15", "2024-02-10", "2024-03-31", "2024-05-20", "2024-06-30", "2024-07-01", "2024-08-15", "2024-11-01"]
PAYER_RULES = """
[[rule]]
id = "one"
title = "One"
when = 'line.procedure_code is one of ["{code}"]'
status = "REVIEW"
code = "POLICY_REVIEW"
message = "{{line.procedure_code}} is looked at"

[[rule]]
id = "two"
title = "Two"
when = ['line.modifiers include any of ["KX"]', "line.units is at least {units}"]
status = "FAIL"
code = "POLICY_UNITS"
message = "too many units"
"""


def with_switches(conventions: RevisionDraft, dice: random.Random) -> RevisionDraft:
    """The conventions with other values of the switches that choose revisions, for half of the worlds."""
    values = {
        "version.value_source": dice.choice(("dos_revision", "newest")),
        "version.reconstruct_dated_rows": dice.choice(("true", "false")),
        "version.after_last": dice.choice(("not_evaluated", "evaluate_stale")),
    }
    if dice.random() < 0.5:
        return conventions
    switches = conventions.tables["switches"]
    chosen = [values.get(row["name"], row["value"]) for row in switches.to_pylist()]
    place = switches.column_names.index("value")
    tables = {**conventions.tables, "switches": switches.set_column(place, "value", pa.array(chosen))}
    return RevisionDraft(conventions.header, tables, conventions.read, conventions.kept)


class World:
    """Some revisions of every kind, each a little different from the one before, and claims about their codes."""

    def __init__(self, seed: int, directory: Path) -> None:
        self.dice = random.Random(seed)
        self.directory = directory
        self.store = Store.open(directory / "store", create=True)
        self.revisions: dict[str, list[str]] = {}
        for rule_set, rows in self.first_rows().items():
            self.editions(rule_set, rows)
        self.payer_policy()
        self.keep(with_switches(compile_table_rules(RULES / "ncci-conventions"), self.dice))
        self.keep(compile_table_rules(RULES / "duplicates"))

    def keep(self, made: RevisionDraft) -> None:
        info, _ = self.store.add_revision(made)
        self.revisions.setdefault(info.header.rule_set, []).append(info.id)

    def first_rows(self) -> dict[str, list[dict[str, Any]]]:
        dice = self.dice
        pairs = dice.sample([(a, b) for a in CODES for b in CODES if a < b], 30)
        return {
            "medicare-ptp-practitioner": [ptp(f"{a}+{b}", modifier_indicator=dice.choice((0, 1))) for a, b in pairs],
            "medicare-mue-practitioner": [mue(code, dice.choice((0, 1, 2, 3))) for code in CODES[:12]],
            "medicare-aoc": [
                {"add_on_code": a, "primary_code": b, "edit_type": dice.choice((1, 3))}
                for a, b in dice.sample(pairs, 6)
            ],
            "medicare-pfs-indicators": [
                {
                    "procedure_code": code,
                    "status": "A",
                    "bilateral": dice.choice("012"),
                    "global_days": dice.choice(("ZZZ", "000")),
                }
                for code in CODES
            ],
            "procedure-codes": [{"procedure_code": code} for code in CODES[:13]],
            "modifiers": [{"modifier": modifier} for modifier in MODIFIERS[1:]],
            "icd10cm": [
                {"icd10_code": code, "billable": len(code) > 4, "effective_from": "2023-10-01"}
                for code in DIAGNOSES[:4]
            ],
        }

    def editions(self, rule_set: str, rows: list[dict[str, Any]]) -> None:
        kind = next((k for k in ("ptp", "mue", "aoc", "pfs", "icd10") if k in rule_set), rule_set)
        covers = {"covers": "HCPCS_LEVEL_II"} if kind == "procedure-codes" else {}
        for number, period in enumerate(PERIODS):
            published = f"2024-{3 * number + 1:02d}-01"
            self.keep(draft(header(rule_set, kind, f"e{number}", period, published, **covers), rows))
            if self.dice.random() < 0.4:
                rows = self.changed(rows)
                again = header(rule_set, kind, f"e{number}r1", period, published[:-2] + "20", **covers)
                self.keep(draft(again, rows))
            rows = self.changed(rows)

    def changed(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        dice, changed = self.dice, [dict(row) for row in rows]
        for _ in range(dice.randrange(1, 3)):
            row = dice.choice(changed)
            what = dice.randrange(4)
            if what == 0 and len(changed) > 2:
                changed.remove(row)
            elif "effective_from" in row or "column_1" in row or "add_on_code" in row:
                row["effective_to"] = dice.choice(("2020-01-01", "2024-03-31", "2024-06-30", ""))
            if "modifier_indicator" in row:
                row["modifier_indicator"] = dice.choice((0, 1))
            if "value" in row:
                row["value"] = dice.choice((0, 1, 2, 3))
            if "bilateral" in row:
                row["bilateral"] = dice.choice("012")
            if "billable" in row:
                row["billable"] = dice.choice((True, False))
        return changed

    def payer_policy(self) -> None:
        for number, period in enumerate(PERIODS[:2]):
            folder = self.directory / f"payer{number}"
            folder.mkdir()
            first = period.partition("..")[0]
            (folder / "rule-set.toml").write_text(
                f'id = "payer"\nkind = "authored"\nfamily = "POLICY"\nlabel = "e{number}"\neffective_from = "{first}"\n'
                f'published_on = "{first}"\nauthority = "made up"\n'
            )
            rules = PAYER_RULES.format(code=self.dice.choice(CODES), units=self.dice.choice((1, 2)))
            (folder / "rules.toml").write_text(rules)
            (made,) = compile_rules(folder)
            self.keep(made)

    def release(self) -> str:
        """A release that leaves out most of one rule set's editions, or all of them."""
        dice = self.dice
        chosen = []
        for rule_set, revisions in self.revisions.items():
            if rule_set in ("ncci-conventions", "duplicates"):
                chosen += revisions
            elif dice.random() > 0.05:
                chosen += dice.sample(revisions, dice.randrange(1, len(revisions) + 1))
        return self.store.create_release(chosen).id

    def neighbour(self, release: str) -> str:
        """A release that differs in one or two revisions."""
        dice, chosen = self.dice, set(self.store.release(release).revisions)
        names = [name for name in self.revisions if name not in ("ncci-conventions", "duplicates")]
        for name in dice.sample(names, dice.randrange(1, 3)):
            revision = dice.choice(self.revisions[name])
            chosen ^= {revision}
        return self.store.create_release(sorted(chosen)).id

    def claim(self, number: int) -> dict[str, Any]:
        dice = self.dice
        day = dice.choice(DAYS)
        return {
            "claim_id": f"T-{number}",
            "program": "MEDICARE",
            "setting": dice.choice(("PRACTITIONER", "PRACTITIONER", "ASC", "OUTPATIENT_HOSPITAL")),
            "billing_provider_id": "1234567893",
            "state": "PA",
            "diagnoses": dice.sample(DIAGNOSES, 2),
            "lines": [self.line(n, day) for n in range(1, dice.randrange(2, 4))],
            "history_lines": [
                {**self.line(1, day), "claim_id": "H", "paid": dice.choice((True, False))}
                for _ in range(dice.randrange(2))
            ],
        }

    def line(self, number: int, day: str) -> dict[str, Any]:
        dice = self.dice
        ends = [other for other in DAYS if day <= other <= f"{day[:5]}12-31"]
        return {
            "line_number": number,
            "procedure_code": dice.choice(CODES),
            "modifiers": dice.sample(MODIFIERS, dice.choice((0, 0, 1))),
            "units": str(dice.choice((1, 1, 2, 3))),
            "service_date": day,
            "service_date_end": dice.choice(ends) if dice.random() < 0.15 else day,
            "diagnosis_pointers": [dice.choice((1, 2))],
            "place_of_service": "11",
        }


def plain(decision: Decision) -> Decision:
    return decision._replace(release="", decision_id="")


def cites(decision: Decision, rule_set: str) -> bool:
    return any(
        finding.rule_id.startswith(rule_set) or (finding.citation is not None and finding.citation.rule_set == rule_set)
        for finding in decision.findings
    )


def test_an_untouched_claim_has_the_same_answer(tmp_path: Path) -> None:
    seen: Counter[str] = Counter()
    for seed in range(8):
        (tmp_path / str(seed)).mkdir()
        seen += answers_of(World(seed, tmp_path / str(seed)))
    assert seen["skipped"] > 1000 and seen["differs"] > 1000, seen


def answers_of(world: World) -> Counter[str]:
    """Evaluates made-up claims under pairs of releases; counts those that differ, and those that the reaches let be skipped."""
    seen: Counter[str] = Counter()
    old = world.release()
    for new in (world.neighbour(old), world.neighbour(old), world.release()):
        engines = Engine.open(world.store, old), Engine.open(world.store, new)
        as_of = parse_day(world.dice.choice(("2024-02-15", "2024-05-15", "2024-08-15")))
        touched = {day: find_touched(world.store, old, new, as_of=day) for day in (as_of, today(), None)}
        for number in range(60):
            claim = read_claim(world.claim(number))
            for day in (as_of, today()):
                answers = [engine.evaluate(claim, day) for engine in engines]
                differs = plain(answers[0]) != plain(answers[1])
                for known in (day, None):
                    seen[hold(touched[known], claim, answers[0], differs)] += 1
    return seen


def hold(touched: Touched, claim: Any, old: Decision, differs: bool) -> str:
    reaches = touched.touching(claim)
    assert touched.touches(claim) is bool(reaches)
    needed = [reach for reach in reaches if not reach.only_where_cited or cites(old, reach.rule_set)]
    assert needed or not differs, (claim, [reach.reason for reach in reaches])
    return "differs" if differs else "same" if needed else "skipped"


def the_reaches(store: Store, old: Sequence[RevisionDraft], new: Sequence[RevisionDraft]) -> Touched:
    conventions = [compile_table_rules(RULES / name) for name in ("ncci-conventions", "duplicates")]
    releases = [
        store.create_release([store.add_revision(made)[0].id for made in (*side, *conventions)]).id
        for side in (old, new)
    ]
    return find_touched(store, *releases, as_of=today())


def a_claim(*codes: str, day: str = "2024-05-20", **parts: Any) -> Any:
    lines = [
        {"line_number": n, "procedure_code": code, "units": "1", "service_date": day, "place_of_service": "11"}
        for n, code in enumerate(codes, 1)
    ]
    fields: Mapping[str, Any] = {
        "claim_id": "T",
        "program": "MEDICARE",
        "setting": "PRACTITIONER",
        "billing_provider_id": "1234567893",
        "state": "PA",
        "lines": lines,
        **parts,
    }
    return read_claim(fields)


Q2 = draft(
    header("medicare-ptp-practitioner", "ptp", "v30.1", PERIODS[1], "2024-03-01"),
    [ptp("A0001+A0002"), ptp("A0003+A0004")],
)
Q3 = draft(
    header("medicare-ptp-practitioner", "ptp", "v30.2", PERIODS[2], "2024-06-01"),
    [ptp("A0001+A0002", modifier_indicator=0), ptp("A0003+A0004")],
)


def test_a_new_quarter_touches_its_own_days_and_the_pairs_that_it_changed(tmp_path: Path) -> None:
    touched = the_reaches(Store.open(tmp_path / "store", create=True), [Q2], [Q2, Q3])
    assert touched.pairs == {("A0001", "A0002")}
    assert not touched.everything
    assert touched.touches(a_claim("A0002", "A0001"))
    assert not touched.touches(a_claim("A0003", "A0004"))
    assert not touched.touches(a_claim("A0001", "A0003"))
    assert touched.touches(a_claim("A0003", day="2024-07-01"))
    assert not touched.touches(a_claim("A0003", day="2024-10-01"))
    assert not touched.touches(a_claim("A0001", "A0002", setting="OUTPATIENT_HOSPITAL"))
    assert not touched.touches(a_claim("A0001", "A0002", program="MEDICAID"))


def test_a_pair_may_stand_between_a_line_and_history(tmp_path: Path) -> None:
    touched = the_reaches(Store.open(tmp_path / "store", create=True), [Q2], [Q2, Q3])
    history = {"claim_id": "H", "line_number": 1, "procedure_code": "A0002", "units": "1", "service_date": "2024-05-20"}
    assert touched.touches(a_claim("A0001", history_lines=[history]))
    assert not touched.touches(a_claim("A0003", history_lines=[history]))


def test_a_re_issue_touches_what_cites_it(tmp_path: Path) -> None:
    again = draft(
        header("medicare-ptp-practitioner", "ptp", "v30.1r1", PERIODS[1], "2024-04-20"),
        [ptp("A0001+A0002"), ptp("A0003+A0004", effective_to="2024-04-30")],
    )
    touched = the_reaches(Store.open(tmp_path / "store", create=True), [Q2], [again])
    reaches = touched.touching(a_claim("A0001", "A0002"))
    assert [reach.only_where_cited for reach in reaches] == [True]
    assert {reach.only_where_cited for reach in touched.touching(a_claim("A0003", "A0004"))} == {True, False}


def test_other_conventions_touch_everything(tmp_path: Path) -> None:
    conventions = compile_table_rules(RULES / "ncci-conventions")
    store = Store.open(tmp_path / "store", create=True)
    later = RevisionDraft(
        header("ncci-conventions", "conventions", "later", "1900-01-01..", "2026-12-01"),
        conventions.tables,
        conventions.read,
        conventions.kept,
    )
    touched = the_reaches(store, [Q2], [Q2, later])
    assert touched.everything_because == ("ncci-conventions: another revision answers for every claim",)
    assert touched.touches(a_claim("A0009", day="2001-01-01"))


def test_before_a_re_issue_was_known_it_answered_nothing(tmp_path: Path) -> None:
    again = draft(header("medicare-ptp-practitioner", "ptp", "v30.1r1", PERIODS[1], "2024-04-20"), [ptp("A0001+A0002")])
    store = Store.open(tmp_path / "store", create=True)
    the_reaches(store, [Q2], [again])
    by_revision = {
        store.revision(r).header.label: release.id for release in store.releases() for r in release.revisions
    }
    touched = find_touched(store, by_revision["v30.1"], by_revision["v30.1r1"], as_of=parse_day("2024-04-19"))
    assert touched.everything_because == ()
    assert [reach.reason for reach in touched.touching(a_claim("A0009"))] == [
        "a revision of these days answered, now no revision does"
    ]


def test_the_same_release_touches_nothing(tmp_path: Path) -> None:
    assert the_reaches(Store.open(tmp_path / "store", create=True), [Q2], [Q2]) == Touched()


@pytest.mark.parametrize("code", ["E114", "E1140", "E11401", "E11.40"])
def test_a_diagnosis_touches_those_above_and_below(code: str) -> None:
    reach = Reach("icd10cm", "rows differ", diagnoses=frozenset(("E1140",)))
    assert reach.touches(a_claim("A0001", diagnoses=[code]))
    assert not reach.touches(a_claim("A0001", diagnoses=["E1141"]))

"""Which claims a difference between coverage exports can touch: held against evaluating them under both."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import Any

from made_revisions import header

from claimedits.engine.engine import Engine
from claimedits.model.claim_reading import read_claim
from claimedits.model.dates import parse_day, today
from claimedits.rulesets.comparison.touched import find_touched
from claimedits.rulesets.coverage.tables import SCHEMAS, build_table
from claimedits.rulesets.revision import RevisionDraft
from claimedits.rulesets.store import Store
from claimedits.rulesets.table_rules import compile_table_rules

RULES = Path(__file__).parents[3] / "rules"
CODES = [f"G{n:04d}" for n in range(1, 9)]
DIAGNOSES = ["E1140", "E1141", "B351", "Z0000"]
DAYS = ["2023-12-01", "2024-02-10", "2024-05-20", "2024-08-15"]
CONTRACTORS = ["11", "22"]


class Export:
    """The documents of one weekly export: the latest version of each."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self.versions = {f"A{n}": 1 for n in range(5)}
        self.codes = {name: dice.sample(CODES, 2) for name in self.versions}
        self.diagnoses = {name: dice.sample(DIAGNOSES, 2) for name in self.versions}
        self.contractors = {name: dice.choice(CONTRACTORS) for name in self.versions}
        self.ends: dict[str, str] = {}

    def change(self) -> None:
        """One document gets a new version, other codes or diagnoses, an end, or goes."""
        name = self.dice.choice(sorted(self.versions))
        what = self.dice.randrange(6)
        if what == 0:
            self.versions[name] += 1
        elif what == 1:
            self.codes[name] = self.dice.sample(CODES, 2)
        elif what == 2:
            self.diagnoses[name] = self.dice.sample(DIAGNOSES, 2)
        elif what == 3:
            self.ends[name] = "2024-06-30"
        elif what == 4 and len(self.versions) > 3:
            del self.versions[name]
        else:
            self.contractors[name] = self.dice.choice(CONTRACTORS)

    def tables(self) -> dict[str, Any]:
        documents, codes, diagnoses, places = [], [], [], []
        for n, (name, version) in enumerate(sorted(self.versions.items()), 2):
            key = (name, str(version))
            begins = parse_day(f"2024-0{version}-01")
            ends = parse_day(self.ends[name]) if name in self.ends else None
            documents.append(
                (*key, "ARTICLE", f"Article {name}", begins, ends, parse_day("2024-01-01"), False, False, "", "", 0, n)
            )
            codes += [(*key, 1, code, 0, n) for code in self.codes[name]]
            diagnoses += [(*key, "covered", 1, code, False, 0, n) for code in self.diagnoses[name]]
            places.append((*key, self.contractors[name], self.contractors[name], "PA", None, None, 0, n))
        rows: dict[str, list[tuple[Any, ...]]] = {
            "documents": documents,
            "procedure_codes": codes,
            "diagnoses": diagnoses,
            "jurisdictions": places,
        }
        return {name: build_table(SCHEMAS[name], part) for name, part in rows.items()}


def keep_exports(store: Store, dice: random.Random) -> list[str]:
    export, kept = Export(dice), []
    for number in range(4):
        published = f"2024-0{2 * number + 1}-05"
        period = dice.choice(("1990-01-01..", f"{published}..", "1990-01-01..2024-07-31"))
        tables = export.tables()
        rows = sum(table.num_rows for table in tables.values())
        head = header("medicare-coverage", "coverage", f"week {number}", period, published)
        kept.append(store.add_revision(RevisionDraft(head, tables, rows, rows))[0].id)
        for _ in range(dice.randrange(3)):
            export.change()
    return kept


def a_claim(dice: random.Random, number: int) -> dict[str, Any]:
    day = dice.choice(DAYS)
    line = {"line_number": 1, "procedure_code": dice.choice(CODES), "units": "1", "service_date": day}
    return {
        "claim_id": f"T-{number}",
        "program": dice.choice(("MEDICARE", "MEDICARE", "MEDICAID")),
        "setting": "PRACTITIONER",
        "state": dice.choice(("PA", "PA", "")),
        "contractor_id": dice.choice(("", *CONTRACTORS)),
        "diagnoses": dice.sample(DIAGNOSES, 1),
        "lines": [{**line, "diagnosis_pointers": [1]}],
    }


def test_an_untouched_claim_has_the_same_answer(tmp_path: Path) -> None:
    seen: Counter[str] = Counter()
    for seed in range(12):
        seen += answers_of(random.Random(seed), tmp_path / str(seed))
    assert seen["skipped"] > 300 and seen["differs"] > 300, seen


def answers_of(dice: random.Random, directory: Path) -> Counter[str]:
    store = Store.open(directory, create=True)
    shared = [
        store.add_revision(compile_table_rules(RULES / name))[0].id for name in ("ncci-conventions", "duplicates")
    ]
    exports = keep_exports(store, dice)
    seen: Counter[str] = Counter()
    for _ in range(3):
        sides = [store.create_release([*shared, *dice.sample(exports, dice.randrange(1, 4))]).id for _ in range(2)]
        engines = [Engine.open(store, side) for side in sides]
        for as_of in (parse_day("2024-04-01"), today()):
            touched = find_touched(store, sides[0], sides[1], as_of=as_of)
            for number in range(40):
                claim = read_claim(a_claim(dice, number))
                old, new = (
                    engine.evaluate(claim, as_of, ["COVERAGE"], "ALL")._replace(release="", decision_id="")
                    for engine in engines
                )
                cites = any(f.citation and f.citation.rule_set == "medicare-coverage" for f in old.findings)
                needed = any(cites or not reach.only_where_cited for reach in touched.touching(claim))
                assert needed or old == new, (claim, old, new)
                seen["differs" if old != new else "same" if needed else "skipped"] += 1
    return seen

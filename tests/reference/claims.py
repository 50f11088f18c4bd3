"""Made claims in which rules really fire: drawn from the loaded tables, the same for the same seed and number."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from reference_tables import ONE_DAY, Date, Revision, Row

Claim = dict[str, Any]
GOVERNED_DATES = ["2024-04-01", "2024-05-15", "2024-06-30", "2024-07-01", "2024-07-15", "2024-08-15", "2024-09-30"]
OTHER_DATES = [
    "2012-12-31",
    "2013-01-15",
    "2013-03-31",
    "2013-04-01",
    "2014-12-31",
    "2015-01-01",
    "2019-06-30",
    "2019-07-01",
]
OTHER_DATES += [
    "2020-02-20",
    "2023-12-31",
    "2024-01-01",
    "2024-03-31",
    "2024-10-01",
    "2024-12-31",
    "2025-01-01",
    "2026-02-03",
]
AS_OF = ["2024-03-15", "2024-06-05", "2024-08-01", "2024-08-12", "2024-09-15", "2026-11-01"]
SIDES = ["LT", "RT", "E1", "E3", "FA", "F5", "TA", "T5", "LC", "RC", "LM", "RI"]
BYPASSING = ["59", "XE", "XP", "XS", "XU", "58", "78", "79", "25", "24", "57", "27"]
NEVER_BYPASSING = ["22", "26", "50", "51", "52", "76", "77", "80", "TC", "KX", "GP", "Q6", "JW", "95"]
EXCLUDING = ["GY", "55"]
PRACTITIONERS = [("", ""), ("A", "11"), ("B", "11"), ("C", "20"), ("D", "")]
SETTINGS = ["PRACTITIONER"] * 11 + ["OUTPATIENT_HOSPITAL"] * 5 + ["ASC"] * 3 + ["DME_SUPPLIER"]


@dataclass
class MadeClaim:
    """A claim, when it is asked about, and the number that makes it again."""

    number: int
    claim: Claim
    as_of: str


class Maker:
    """Makes claims from the rows of ``revisions``."""

    def __init__(self, revisions: list[Revision], seed: str = "claims") -> None:
        self.seed = seed
        self.pairs = [row for revision in revisions for row in revision.rows if "column_1" in row]
        by_length: dict[str, list[Row]] = {}
        for row in self.pairs:
            by_length.setdefault(row["column_1"], []).append(row)
        self.pairs_of = by_length
        self.values = [r for revision in revisions for r in revision.rows if "value" in r]
        self.positive = [row for row in self.values if row["value"] > 0]
        self.line_edits = [row for row in self.values if row["mai"] == "1"]
        add_ons = [row for revision in revisions for row in revision.rows if "add_on_code" in row]
        self.add_ons: dict[str, list[Row]] = {}
        for row in add_ons:
            self.add_ons.setdefault(row["add_on_code"], []).append(row)
        self.codes = sorted({row["procedure_code"] for row in self.values})
        self.zzz = sorted({r["procedure_code"] for v in revisions for r in v.rows if r.get("global_days") == "ZZZ"})

    def make(self, count: int, first: int = 0) -> Iterator[MadeClaim]:
        for number in range(first, first + count):
            yield self.make_one(number)

    def make_one(self, number: int) -> MadeClaim:
        dice = random.Random(f"{self.seed}-{number}")
        setting = dice.choice(SETTINGS)
        day = Date.fromisoformat(dice.choice(GOVERNED_DATES * 4 + OTHER_DATES))
        draft = Draft(dice, day, dice.choice([0.0, 0.0, 0.5, 1.0]))
        scenarios = [self.conflict, self.conflict, self.conflict, self.units, self.units, self.add_on, self.repeat]
        for scenario in dice.sample(scenarios, dice.choice([1, 1, 1, 2])):
            scenario(draft)
        dice.shuffle(draft.lines)
        claim = {
            "claim_id": f"made-{number}",
            "program": "MEDICAID" if dice.random() < 0.1 else "MEDICARE",
            "setting": setting,
            "billing_provider_id": "1234567893",
            "state": "PA",
            "contractor_id": "",
            "patient": {"patient_id": "", "birth_date": "1950-02-03", "sex": "F"},
            "diagnoses": ["E11.42"],
            "lines": number_lines(draft.lines),
            "history_lines": number_lines(draft.history),
        }
        return MadeClaim(number, claim, dice.choice([*AS_OF, *["2026-11-01"] * 8]))

    def conflict(self, draft: Draft) -> None:
        """A pair of the tables near its own dates, with modifiers, perhaps on two claims or with a third line."""
        dice = draft.dice
        row = dice.choice(self.pairs)
        if dice.random() < 0.25:
            ends = [row["effective_from"], row["effective_from"] - ONE_DAY]
            ends += [row["effective_to"], row["effective_to"] + ONE_DAY] if row["effective_to"] else []
            draft.day = dice.choice(ends)
        other_day = draft.day + ONE_DAY if dice.random() < 0.06 else draft.day
        draft.add(row["column_1"], modifiers(dice, row["column_1"]), span=0.05, history=0.1)
        draft.add(row["column_2"], modifiers(dice, row["column_2"]), day=other_day, span=0.05, history=0.1)
        if dice.random() < 0.3:
            third = dice.choice(self.pairs_of[row["column_1"]])
            draft.add(third["column_2"], modifiers(dice, third["column_2"]))
        if dice.random() < 0.1:
            draft.add(row["column_1"], modifiers(dice, row["column_1"]))

    def units(self, draft: Draft) -> None:
        """Units about the value of a code, on one to three lines, spans and prior claims among them."""
        dice = draft.dice
        row = dice.choice(
            self.line_edits if dice.random() < 0.15 else self.values if dice.random() < 0.2 else self.positive
        )
        value = row["value"]
        lines = dice.choice([1, 1, 2, 2, 3])
        for _ in range(lines):
            share = max(1, value // lines) if dice.random() < 0.7 else value + dice.choice([0, 1])
            units = str(max(1, share + dice.choice([0, 0, 1])))
            if dice.random() < 0.08:
                units = f"{units}.5"
            day = draft.day + ONE_DAY if dice.random() < 0.1 else draft.day
            draft.add(row["procedure_code"], modifiers(dice, row["procedure_code"]), units, day, span=0.2, history=0.12)
        if dice.random() < 0.1:
            draft.add(dice.choice(["00840", "00400", "ZZZZ1"]), ["AA"], "12")

    def add_on(self, draft: Draft) -> None:
        """An add-on code with a listed primary, another service, a primary of another day or claim, or nothing."""
        dice = draft.dice
        code = dice.choice([*sorted(self.add_ons), *["99292", "96376", "96375"] * 4])
        if code not in self.add_ons or dice.random() < 0.05:
            code = dice.choice(self.zzz)
        draft.add(code, modifiers(dice, code) if dice.random() < 0.3 else [])
        primaries = sorted({row["primary_code"] for row in self.add_ons.get(code, [])} - {"CCCCC"})
        kind = dice.random()
        if kind < 0.65 and primaries:
            primary = dice.choice(primaries)
            other_day = draft.day + dice.choice([-1, 1]) * ONE_DAY if dice.random() < 0.2 else draft.day
            draft.add(primary, modifiers(dice, primary) if dice.random() < 0.3 else [], day=other_day, history=0.3)
            if dice.random() < 0.2:
                draft.add(dice.choice(primaries), [], history=0.3)
            if dice.random() < 0.25 and primary in self.pairs_of:
                draft.add(dice.choice(self.pairs_of[primary])["column_2"], [])
        elif kind < 0.85:
            draft.add(dice.choice(self.codes), [], history=0.15)

    def repeat(self, draft: Draft) -> None:
        """The same service two or three times."""
        dice = draft.dice
        code = dice.choice(self.codes)
        pool = [[], [], ["76"], ["26"], ["GP"], ["RT"], ["LT"], ["59"], ["GP", "KX"], ["KX", "GP"]]
        for _ in range(dice.choice([2, 2, 3])):
            day = draft.day + ONE_DAY if dice.random() < 0.1 else draft.day
            draft.add(code, list(dice.choice(pool)), day=day, history=0.2)


class Draft:
    """The lines of a claim while it is made."""

    def __init__(self, dice: random.Random, day: Date, group: float) -> None:
        self.dice, self.day, self.group = dice, day, group
        self.lines: list[Claim] = []
        self.history: list[Claim] = []

    def add(
        self,
        code: str,
        mods: list[str],
        units: str = "1",
        day: Date | None = None,
        span: float = 0.02,
        history: float = 0.0,
    ) -> None:
        """``group``: how probably a rendering practitioner is named; ``span``, ``history``: how probably it is one."""
        dice, day = self.dice, day or self.day
        end = (day + dice.choice([1, 2, 4]) * ONE_DAY).isoformat() if dice.random() < span else ""
        rendering, specialty = dice.choice(PRACTITIONERS) if dice.random() < self.group else ("", "")
        line = {
            "procedure_code": code,
            "modifiers": mods,
            "units": units,
            "service_date": day.isoformat(),
            "service_date_end": end,
            "diagnosis_pointers": [1],
            "rendering_provider_id": rendering,
            "rendering_specialty": specialty,
            "place_of_service": "22" if dice.random() < 0.03 else "11",
            "revenue_code": "",
            "charge_cents": 10000,
        }
        if self.lines and dice.random() < history:
            paid = dice.choice([True, True, False, None])
            line["claim_id"] = "earlier"
            self.history.append(line if paid is None else {**line, "paid": paid})
        else:
            self.lines.append(line)


def modifiers(dice: random.Random, code: str) -> list[str]:
    """None, or up to four, most of them telling. 91 stands only on codes that surely are, or are not, laboratory codes."""
    if dice.random() < 0.4:
        return []
    chosen: list[str] = []
    for _ in range(dice.choice([1, 1, 1, 2, 2, 4])):
        pool = dice.choices([BYPASSING, SIDES, NEVER_BYPASSING, ["91"], EXCLUDING], [8, 6, 4, 1, 0.6])[0]
        modifier = dice.choice(pool)
        if modifier not in chosen and (
            modifier != "91" or (code.isdigit() and (code < "80000" or "80047" <= code <= "89398"))
        ):
            chosen.append(modifier)
    return chosen


def number_lines(lines: list[Claim]) -> list[Claim]:
    return [{"line_number": number, **line} for number, line in enumerate(lines, 1)]

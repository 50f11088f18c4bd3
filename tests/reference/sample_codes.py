"""Which codes the made claims are about, and revisions invented to try the two time axes (semantics.md §G.3)."""

from __future__ import annotations

import dataclasses
import random
from pathlib import Path
from typing import Any

from publisher_files import ptp_lines, read_add_on, read_indicators, read_mue
from reference_tables import ONE_DAY, Date, Revision, Row

ALWAYS = [
    "99202",
    "99213",
    "99214",
    "99215",
    "99221",
    "99232",
    "99283",
    "99284",
    "99285",
    "99291",
    "99292",
    "99358",
    "99452",
    "G0463",
    "G0438",
    "G0402",
    "92004",
    "92014",
    "77427",
    "80048",
    "80053",
    "80061",
    "82565",
    "82247",
    "85025",
    "85027",
    "86334",
    "88350",
    "88305",
    "36415",
    "96360",
    "96365",
    "96366",
    "96367",
    "96372",
    "96374",
    "96375",
    "96376",
    "96409",
    "96413",
    "29581",
    "29584",
    "97140",
    "97110",
    "97530",
    "97161",
    "98940",
    "24305",
    "64718",
    "38221",
    "38220",
    "20220",
    "45385",
    "45380",
    "45378",
    "11055",
    "11720",
    "11721",
    "11719",
    "17000",
    "17281",
    "17311",
    "11102",
    "13121",
    "13120",
    "67904",
    "15823",
    "66984",
    "64612",
    "20610",
    "19303",
    "19301",
    "19302",
    "28296",
    "28285",
    "29806",
    "29822",
    "00840",
    "00400",
    "01967",
    "62322",
    "94002",
    "76000",
    "93458",
    "93623",
    "93653",
    "77066",
    "77065",
    "77067",
    "90837",
    "90833",
    "90785",
    "69990",
    "61781",
    "22551",
    "22630",
    "63047",
    "63048",
    "47531",
    "47544",
    "76937",
    "36556",
    "L1832",
    "A4570",
    "J3471",
    "J7507",
    "A0425",
    "J1100",
    "A4253",
    "E0601",
    "B4154",
]


def choose_codes(data: Path, seed: str = "codes") -> set[str]:
    """About 700 codes: well-known ones, some of every table, and those that changed between the quarters."""
    dice = random.Random(seed)
    codes = set(ALWAYS)
    tables = [read_mue(path) for path in sorted((data / "ncci" / "mue").glob("*2024-q3*.zip"))]
    for table in tables:
        listed = [row["procedure_code"] for row in table.rows]
        line_edits = [row["procedure_code"] for row in table.rows if row["mai"] == "1"]
        codes |= set(dice.sample(listed, 90)) | set(pick(dice, line_edits, 15))
    before = read_mue(next((data / "ncci" / "mue").glob("*2024-q2-practitioner*.zip")))
    old = {row["procedure_code"]: (row["value"], row["mai"]) for row in before.rows}
    new = {row["procedure_code"]: (row["value"], row["mai"]) for row in tables[-1].rows}
    codes |= {code for code in old if code in new and old[code] != new[code]}
    codes |= add_on_codes(data, dice)
    codes |= changed_pairs(data, dice)
    return codes


def pick(dice: random.Random, population: list[Any], count: int) -> list[Any]:
    return dice.sample(population, min(count, len(population)))


def add_on_codes(data: Path, dice: random.Random) -> set[str]:
    table = read_add_on(next((data / "ncci" / "aoc").glob("*.zip")))
    listed = sorted({row["add_on_code"] for row in table.rows})
    undefined = sorted({row["add_on_code"] for row in table.rows if row["primary_code"] == "CCCCC"})
    mixed = sorted({row["add_on_code"] for row in table.rows if row["edit_type"] == "3"})
    chosen = set(pick(dice, listed, 50) + pick(dice, undefined, 10) + pick(dice, mixed, 15))
    codes = set(chosen)
    for code in sorted(chosen):
        primaries = sorted({row["primary_code"] for row in table.rows_of(code)} - {"CCCCC"})
        codes |= set(pick(dice, primaries, 4))
    indicators = read_indicators(data / "pfs" / "rvu24c.zip", "2024Q3", Date(2024, 6, 10))
    zzz = [
        r["procedure_code"]
        for r in indicators.rows
        if r["global_days"] == "ZZZ" and not table.rows_of(r["procedure_code"])
    ]
    return codes | set(pick(dice, zzz, 8))


def changed_pairs(data: Path, dice: random.Random) -> set[str]:
    """Codes of rows that began or ended between the two quarters, and of withdrawn rows."""
    changed, withdrawn = [], []
    for archive in sorted((data / "ncci" / "ptp").glob("*2024q3-practitioner*.zip")):
        for cells in ptp_lines(archive):
            if cells[3] == "20240701" or cells[4] == "20240630":
                changed.append(cells[:2])
            elif cells[5] == "9" and cells[3] > "2015":
                withdrawn.append(cells[:2])
    return {code for pair in pick(dice, changed, 60) + pick(dice, withdrawn, 25) for code in pair}


def invent_revisions(revisions: list[Revision], seed: str = "invented") -> list[Revision]:
    """Revisions no publisher issued: a next quarter, a replacement, Medicaid tables, and MUE of before the day edits."""
    dice = random.Random(seed)
    by_name = {(revision.rule_set, revision.label): revision for revision in revisions}
    practitioner = by_name["medicare-ptp-practitioner", "v30.2"]
    hospital = by_name["medicare-ptp-outpatient-hospital", "v30.2"]
    mue = by_name["medicare-mue-practitioner", "2024Q3"]
    next_quarter = (Date(2024, 10, 1), Date(2024, 12, 31), Date(2024, 9, 1))
    same_quarter = (Date(2024, 7, 1), Date(2024, 9, 30), Date(2024, 8, 10))
    replacement = vary(practitioner, "medicare-ptp-practitioner", "v30.2r1", same_quarter, dice)
    invented = [
        replacement,
        vary(replacement, "medicare-ptp-practitioner", "v30.3", next_quarter, dice),
        vary(hospital, "medicare-ptp-outpatient-hospital", "v30.3", next_quarter, dice),
        vary(hospital, "medicaid-ptp-practitioner", "v30.2", same_quarter, dice),
        vary(hospital, "medicaid-ptp-dme", "v30.2", same_quarter, dice),
        vary(by_name["medicare-aoc", "V2024Q2"], "medicare-aoc", "V2024Q4", next_quarter, dice),
    ]
    for label, period in (("2024Q4", next_quarter), ("2024Q3r1", same_quarter)):
        invented.append(
            dataclasses.replace(
                with_period(mue, label, period), rows=[vary_value(row, dice) for row in mue.rows], by_codes={}
            )
        )
    old = [{**row, "mai": None} for row in mue.rows]
    early = with_period(mue, "2013Q1", (Date(2013, 1, 1), Date(2013, 3, 31), Date(2012, 12, 1)))
    invented.append(dataclasses.replace(early, rows=old, by_codes={}))
    invented.append(with_period(mue, "2013Q2", (Date(2013, 4, 1), Date(2013, 6, 30), Date(2013, 3, 1))))
    medicaid = with_period(mue, "2024Q3", (Date(2024, 7, 1), Date(2024, 9, 30), Date(2024, 6, 1)))
    invented.append(dataclasses.replace(medicaid, rule_set="medicaid-mue-practitioner", rows=old, by_codes={}))
    return invented


def with_period(revision: Revision, label: str, period: tuple[Date, Date, Date]) -> Revision:
    start, end, published = period
    return dataclasses.replace(
        revision, label=label, effective_from=start, effective_to=end, published_on=published, by_codes={}
    )


def vary(
    revision: Revision, rule_set: str, label: str, period: tuple[Date, Date, Date], dice: random.Random
) -> Revision:
    rows = [varied for row in revision.rows for varied in vary_row(row, dice)]
    seen, unique = set(), []
    for row in rows:
        key = (
            row.get("column_1", row.get("add_on_code")),
            row.get("column_2", row.get("primary_code")),
            row["effective_from"],
        )
        if key not in seen or "column_1" in row:
            unique.append(row)
        seen.add(key)
    return dataclasses.replace(with_period(revision, label, period), rule_set=rule_set, rows=unique)


def vary_row(row: Row, dice: random.Random) -> list[Row]:
    """Mostly the row as it is; else withdrawn, closed earlier, given another indicator, dated back, or left out."""
    if row["effective_to"] is not None or dice.random() > 0.15:
        return [row]
    start = row["effective_from"]
    closed = max(
        start + ONE_DAY, dice.choice([Date(2024, 3, 31), Date(2024, 6, 30), Date(2024, 8, 15), Date(2024, 9, 30)])
    )
    earlier = dice.choice([Date(2024, 5, 1), Date(2024, 7, 15), start])
    another = dict(row)
    if "column_1" in row:
        another["modifier_indicator"] = "1" if row["modifier_indicator"] == "0" else "0"
    choices: list[list[Row]] = [
        [{**row, "effective_to": start, **({"modifier_indicator": "9"} if "column_1" in row else {})}],
        [{**row, "effective_to": closed}],
        [{**row, "effective_to": closed}, {**another, "effective_from": closed + ONE_DAY}],
        [another],
        [{**row, "effective_from": earlier}],
        [],
    ]
    if "column_1" in row:
        turned = {**row, "column_1": row["column_2"], "column_2": row["column_1"], "effective_from": closed + ONE_DAY}
        choices.append([{**row, "effective_to": closed}, turned])
    return dice.choice(choices)


def vary_value(row: Row, dice: random.Random) -> Row:
    if dice.random() > 0.3:
        return row
    return {**row, "value": max(0, row["value"] + dice.choice([-1, 1, 2])), "mai": dice.choice(["1", "2", "3"])}

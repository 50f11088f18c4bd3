"""Small rule sets and updates made from the texts of an example, and what check says of them.

A file without a folder, or in ``lists/``, belongs to the rule set ``acme-policy``; files of the example take the place of those
of the base, or stand beside them. ``ncci-conventions/NAME.csv`` adds rows to the shipped table, or takes its place where it begins
with the header. ``codes.csv`` is a loaded list of procedure codes. ``edits.csv`` and ``values.csv`` are tables of an update, with
``… of the edition before``; ``revision.toml`` changes the head of the new one. ``G1000 to G1059`` in the first cell of such
a row stands for that many rows.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import shutil
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from claimedits.app.checking import LintFinding, check_revisions, check_rules
from claimedits.app.shipped import find_rules
from claimedits.model.dates import FOREVER, parse_day
from claimedits.model.problems import Problem
from claimedits.rulesets.revision import RevisionDraft, RevisionHeader, Source
from claimedits.rulesets.store import Store

Files = Mapping[str, str]
BEFORE = " of the edition before"
BASE = {
    "rule-set.toml": """id = "acme-policy"
kind = "authored"
family = "POLICY"
payers = ["ACME"]
label = "2026-01"
effective_from = "2024-01-01"
published_on = "2023-12-01"
authority = "Acme provider manual, January 2024"
""",
    "policy.toml": """[[rule]]
id = "wellness-visit"
title = "One wellness visit a day"
when = ['line.procedure_code is "G0439"', 'line.units is more than 1']
status = "FAIL"
code = "POLICY_FREQUENCY"
message = "{line.units} wellness visits on {line.service_date}"
adjustment = { group = "CO", carc = "119" }
""",
    "tests.toml": """[[test]]
why = "two visits on a day"
payer = "ACME"
line = [{ code = "G0439", units = 2, date = "2024-06-03" }]
expect = ["1 wellness-visit FAIL"]
""",
}
_SHIPPED = ("ncci-conventions", "code-edits", "duplicates", "coverage-roles")
_BESIDE = ("lab-ncd", "other")
"""Folders beside the rule sets that an example states whole."""
_USUAL_DAY = "2024-06-03"
_TABLES: dict[str, dict[str, Any]] = {
    "edits": {
        "kind": "ptp",
        "rule_set": "medicare-ptp-practitioner",
        "labels": ("v30.1", "v30.2"),
        "files": ("ccipra-v301r0-f1.TXT", "ccipra-v302r0-f1.TXT"),
    },
    "values": {
        "kind": "mue",
        "rule_set": "medicare-mue-practitioner",
        "labels": ("2024Q2", "2024Q3"),
        "files": tuple(f"MCR_MUE_PractitionerServices_Eff_{day}-01-2024.csv" for day in ("04", "07")),
    },
}
_QUARTERS = (
    {"effective_from": "2024-04-01", "effective_to": "2024-06-30", "published_on": "2024-03-01"},
    {"effective_from": "2024-07-01", "effective_to": "2024-09-30", "published_on": "2024-06-01"},
)


def check_example(files: Files, directory: Path) -> list[LintFinding]:
    """What check says of an example, written into ``directory``, which is the working directory."""
    store = Store.open(directory / "store", create=True)
    if "codes.csv" in files:
        store.add_revision(_code_list(files["codes.csv"]))
    table = next((name for name in _TABLES if f"{name}.csv" in files), None)
    if table is not None:
        if f"{table}.csv{BEFORE}" in files:
            store.add_revision(_draft(table, files[f"{table}.csv{BEFORE}"], 0, {}))
        head = tomllib.loads(files.get("revision.toml", ""))
        info, _ = store.add_revision(_draft(table, files[f"{table}.csv"], 1, head))
        return check_revisions(store, [info.id])
    rules = Path("rules")
    shutil.rmtree(directory / rules, ignore_errors=True)
    _write_rules(files, directory / rules)
    return check_rules(rules, store=store if "codes.csv" in files else None)


def _write_rules(files: Files, rules: Path) -> None:
    apart = (*_SHIPPED, *_BESIDE, "codes.csv")
    own = {name: text for name, text in files.items() if name.partition("/")[0] not in apart}
    if own or not files or any(name.startswith("lab-ncd/") for name in files):
        for name, text in {**BASE, **own}.items():
            if text != "":
                _write(rules / "acme-policy" / name, text)
        if "more.toml" in own:
            _write(rules / "acme-policy" / "added.tests.toml", _tests_for(own["more.toml"]))
    for name, text in files.items():
        folder, _, file = name.partition("/")
        if folder in _SHIPPED:
            if not (rules / folder).exists():
                shutil.copytree(find_rules() / folder, rules / folder)
            path = rules / folder / file
            kept = path.read_text(encoding="utf-8") if path.exists() else ""
            header = kept.partition("\n")[0]
            path.write_text(text if text.startswith(header) and header else kept + text, encoding="utf-8")
        elif folder in _BESIDE:
            _write(rules / name, text)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _tests_for(rules: str) -> str:
    """A test for each rule, so that what an example shows is not that its rules have none."""
    tests = []
    try:
        parsed = tomllib.loads(rules)["rule"]
    except tomllib.TOMLDecodeError:
        return ""
    for number, rule in enumerate(parsed, 1):
        first, last = rule.get("effective_from", ""), rule.get("effective_to", "")
        day = first if first > _USUAL_DAY else last if last and last < _USUAL_DAY else _USUAL_DAY
        tests.append(
            f'[[test]]\nwhy = "rule {number} of the example: {rule["id"]}"\npayer = "ACME"\n'
            f'line = [{{ code = "G0438", date = "{day}" }}]\nexpect = ["1 {rule["id"]} {rule["status"]}"]\n'
        )
    return "\n".join(tests)


def _rows(text: str) -> list[dict[str, str]]:
    rows = []
    for row in csv.DictReader(io.StringIO(text)):
        name = next(iter(row))
        first, _, last = row[name].partition(" to ")
        numbers = range(int(first[1:]), int(last[1:]) + 1) if last else ()
        rows += [{**row, name: f"{first[0]}{number:04d}"} for number in numbers] or [row]
    return rows


def _dates(cells: list[str]) -> pa.Array:
    return pa.array([dt.date.fromisoformat(cell) if cell else None for cell in cells], pa.date32())


def _draft(table: str, text: str, number: int, changed: Mapping[str, str]) -> RevisionDraft:
    """The revision of a table as its importer would make it: rows in canonical order, each with its record."""
    about = _TABLES[table]
    rows = [(record, row) for record, row in enumerate(_rows(text), 2)]
    rows.sort(key=lambda item: list(item[1].values()))
    columns: dict[str, Any] = {}
    for name in rows[0][1]:
        cells = [row[name] for _, row in rows]
        if name in ("effective_from", "effective_to"):
            columns[name] = _dates(cells)
        elif name in ("modifier_indicator", "mai"):
            columns[name] = pa.array([int(cell) for cell in cells], pa.uint8())
        elif name == "value":
            columns[name] = pa.array([int(cell) for cell in cells], pa.int32())
        else:
            columns[name] = pa.array(cells, pa.string())
    if about["kind"] == "ptp":
        columns["in_existence_prior_to_1996"] = pa.array([False] * len(rows))
    else:
        columns["confidential"] = pa.array([False] * len(rows))
    columns["source"] = pa.array([0] * len(rows), pa.uint16())
    columns["source_row"] = pa.array([record for record, _ in rows], pa.uint32())
    head = {"label": about["labels"][number], **_QUARTERS[number], **changed}
    rejected = [_problem(head["rejected"])] if "rejected" in head else []
    header = _header(about["rule_set"], about["kind"], head, about["files"][number], len(rows) + 1)
    return RevisionDraft(header, {table: pa.table(columns)}, len(rows) + len(rejected), len(rows), rejected)


def _problem(text: str) -> Problem:
    where, _, said = text.partition(": ")
    what, _, mend = said.partition("; ")
    return Problem(where, what, mend)


def _header(rule_set: str, kind: str, head: Mapping[str, str], file: str, records: int) -> RevisionHeader:
    return RevisionHeader(
        rule_set,
        kind,
        head["label"],
        parse_day(head["effective_from"]),
        parse_day(head["effective_to"]) if head["effective_to"] else FOREVER,
        parse_day(head["published_on"]),
        (Source(file, "0" * 64, 1, records, "utf-8"),),
    )


def _code_list(text: str) -> RevisionDraft:
    rows = _rows(text)
    table = pa.table(
        {
            "procedure_code": pa.array([row["procedure_code"] for row in rows], pa.string()),
            "effective_from": _dates([row["effective_from"] for row in rows]),
            "effective_to": _dates([row["effective_to"] for row in rows]),
            "source": pa.array([0] * len(rows), pa.uint16()),
            "source_row": pa.array(range(2, len(rows) + 2), pa.uint32()),
        }
    )
    head = {"label": "2024Q3", **_QUARTERS[1]}
    header = _header("procedure-codes", "procedure-codes", head, "codes.csv", len(rows) + 1)
    return RevisionDraft(header, {"codes": table}, len(rows), len(rows))

"""Small rule sets with tests beside them, and small files of cases, written into a directory."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

RULES = Path(__file__).parents[3] / "rules"
HEAD = """id = "acme"
kind = "authored"
family = "POLICY"
label = "1"
effective_from = "2020-01-01"
published_on = "2020-01-01"
authority = "Acme manual"
"""
RULE = """[[rule]]
id = "two-units"
title = "One unit"
effective_from = "2024-01-01"
when = ["line.procedure_code is in list drugs", "line.units is more than 1"]
status = "FAIL"
code = "POLICY_UNITS"
message = "{line.units} units"
"""
DRUGS = "first,last,effective_from,effective_to,source\nJ0897,,,,Acme list\nJ1745,,,2024-06-30,Acme list\n"
TESTS = """[[test]]
why = "two units"
line = [{ code = "J0897", units = 2, date = "2024-01-01" }]
expect = ["1 two-units FAIL"]

[[test]]
why = "one unit"
line = [{ code = "J0897", date = "2024-01-01" }]
expect = []
"""


def write_rule_set(home: Path, tests: str = TESTS, rules: str = RULE, drugs: str = DRUGS, name: str = "acme") -> Path:
    """An authored rule set with a list and tests, in a home without conventions of its own."""
    directory = home / name
    (directory / "lists").mkdir(parents=True)
    files = {
        "rule-set.toml": HEAD.replace('"acme"', f'"{name}"'),
        "rules.toml": rules,
        "tests.toml": tests,
        "lists/drugs.csv": drugs,
    }
    for file, content in files.items():
        (directory / file).write_text(content, encoding="utf-8")
    return directory


def copy_rules(home: Path, *names: str) -> Path:
    """The project's conventions without their tests, and other rule sets of the project, in a home of their own."""
    shutil.copytree(RULES / "ncci-conventions", home / "ncci-conventions", ignore=shutil.ignore_patterns("*tests.toml"))
    for name in names:
        shutil.copytree(RULES / name, home / name)
    return home


def line(number: int, code: str, **fields: Any) -> dict[str, Any]:
    return {
        "line_number": number,
        "procedure_code": code,
        "modifiers": [],
        "units": "1",
        "service_date": "2024-08-15",
        "place_of_service": "11",
        **fields,
    }


PTP_ROW = {
    "family": "PTP",
    "rule_set": "medicare-ptp-practitioner",
    "column_1": "G0247",
    "column_2": "G0127",
    "effective_from": "2010-01-01",
    "effective_to": "",
    "modifier_indicator": "1",
}

COVERAGE_ROW = {
    "family": "COVERAGE",
    "rule_set": "medicare-coverage",
    "document_id": "A1",
    "states": ["PA"],
    "procedure_codes": ["G0127"],
    "groups": [{"group": 1, "role": "standalone", "icd10_codes": ["E11.9", "E11.8"]}],
    "effective_from": "2020-01-01",
    "effective_to": "",
}


def ptp_case(identifier: str = "C-1", **fields: Any) -> dict[str, Any]:
    """Column 2 is denied, column 1 is not."""
    claim = {
        "claim_id": identifier,
        "program": "MEDICARE",
        "setting": "PRACTITIONER",
        "billing_provider_id": "1234567893",
        "state": "PA",
        "lines": [line(1, "G0127"), line(2, "G0247")],
    }
    case = {
        "id": identifier,
        "why": "column 2 is denied",
        "rules": [dict(PTP_ROW)],
        "claim": claim,
        "options": {"as_of": "", "families": ["PTP"]},
        "expect": [
            {"line_number": 1, "family": "PTP", "status": "FAIL", "code": "PTP_CONFLICT", "related_line_numbers": [2]},
            {"line_number": 2, "family": "PTP", "status": "PASS"},
        ],
    }
    return {k: v for k, v in {**case, **fields}.items() if v is not None}


def write_cases(path: Path, *cases: dict[str, Any] | str) -> Path:
    """A file of cases, one a line; a text stands as it is."""
    lines = [case if isinstance(case, str) else json.dumps(case) for case in cases]
    path.write_text("".join(f"{text}\n" for text in lines), encoding="utf-8")
    return path

"""One release of every family, made up, for look-ups: two NCCI quarters, two versions of an article, two ICD-10-CM editions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from releases import RULES, aoc_row, drafts_of_rows, mue_row, ptp_row

from claimedits.app.building import compile_rules
from claimedits.app.lookup import LookUp
from claimedits.model.dates import FOREVER, parse_day
from claimedits.rulesets.loaded import LoadedRelease
from claimedits.rulesets.revision import RevisionDraft, RevisionHeader, Source
from claimedits.rulesets.store import Store
from claimedits.rulesets.table_rules import compile_table_rules

Q2 = {"label": "Q2", "effective_from": "2024-04-01", "effective_to": "2024-06-30", "published_on": "2024-03-01"}
Q3 = {"label": "Q3", "effective_from": "2024-07-01", "effective_to": "2024-09-30", "published_on": "2024-06-01"}
FY2024 = {"label": "FY2024", "effective_from": "2023-10-01", "effective_to": "2024-09-30", "published_on": "2023-06-01"}
FY2025 = {"label": "FY2025", "effective_from": "2024-10-01", "effective_to": "2025-09-30", "published_on": "2024-06-15"}
RULE_SETS = ("ncci-conventions", "duplicates", "medicare-modifier-requirements", "example-payer-policy")

AGE_SEX = """kind,from_code,to_code,sex,age_min,age_max,lifted_by_modifiers,lifted_by_condition_codes,effective_from,effective_to,source
procedure,G0123,G0124,F,,,KX,45,2020-01-01,,made up
diagnosis,P00,P96,,,0,,,2015-10-01,,made up
"""
SEQUENCE = "from_code,to_code,reason,effective_from,effective_to,source\nE1142,E1142,manifestation,2015-10-01,2024-12-31,made up\n"
CODE_EDITS_HEAD = """id = "code-edits"
kind = "code-edits"
label = "made up"
effective_from = "1900-01-01"
published_on = "1900-01-01"
authority = "made up"
"""


def article(document_id: str, groups: Sequence[Mapping[str, Any]], **parts: Any) -> dict[str, Any]:
    row = {
        "family": "COVERAGE", "rule_set": "medicare-coverage", "document_id": document_id, "states": ["PA", "NJ"],
        "procedure_codes": ["G0127", "G0247"], "effective_from": "2024-01-01", "effective_to": "", "groups": list(groups),
    }  # fmt: skip
    return {**row, **parts}


def group(number: int, role: str, *codes: str, **parts: Any) -> dict[str, Any]:
    return {"group": number, "role": role, "icd10_codes": list(codes), **parts}


def rows() -> list[dict[str, Any]]:
    """The tables in the known-answers form."""
    return [
        *(ptp_row("G0247", "G0127", "1", revision=revision) for revision in (Q2, Q3)),
        ptp_row("G0247", "G0245", "0", effective_from="2020-01-01", effective_to="2023-12-31", revision=Q2),
        ptp_row("G0127", "G0102", "1", effective_from="2024-07-01", revision=Q3),
        mue_row("G0127", 1, "2", revision=Q2),
        mue_row("G0127", 2, "2", revision=Q3),
        aoc_row("G2211", "G0127"),
        {"family": "CODE_VALIDITY", "rule_set": "procedure-codes", "procedure_code": "G0127",
         "effective_from": "1999-01-01", "effective_to": "2024-08-31"},
        *({"family": "CODE_VALIDITY", "rule_set": "icd10cm", "icd10_code": code, "billable": billable, "revision": revision,
           "effective_from": revision["effective_from"], "effective_to": revision["effective_to"]}
          for revision in (FY2024, FY2025)
          for code, billable in (("E11.4", False), ("E11.40", True), ("E11.42", True))),
        *({"family": "CODE_VALIDITY", "rule_set": "medicare-pfs-indicators", "procedure_code": "G0127", "modifier": modifier,
           "status": "R", "bilateral_indicator": "0", "global_days": "000", "revision": Q3} for modifier in ("", "TC")),
        article("A90001", [group(1, "standalone", "E11.42", "E11.40")], version=4, effective_to="2024-06-30"),
        article("A90001", [group(1, "primary_eligible", "B35.1"), group(2, "required_secondary", "E11.42"),
                           group(3, "non_covered", "Z00.00", procedure_codes=["G0247"])],
                version=5, effective_from="2024-07-01", waived_by_modifiers=["Q8"]),
        article("A90002", [group(1, "standalone", "E11.42")], procedure_codes=["J3420"], states=["KY"]),
        article("NCD-1", [group(1, "standalone", "E11.42")], procedure_codes=["J1100"], states=[], national=True),
    ]  # fmt: skip


def drafts(path: Path) -> list[RevisionDraft]:
    """Every revision of the release."""
    edits = path / "code-edits"
    edits.mkdir()
    for name, text in (
        ("rule-set.toml", CODE_EDITS_HEAD),
        ("age-sex.csv", AGE_SEX),
        ("diagnosis-sequence.csv", SEQUENCE),
    ):
        (edits / name).write_text(text, encoding="utf-8")
    return [
        *drafts_of_rows(rows()),
        *(draft for name in RULE_SETS for draft in compile_rules(RULES / name)),
        compile_table_rules(edits),
        modifiers_draft(),
        value_sets_draft(),
    ]


def _header(rule_set: str, kind: str) -> RevisionHeader:
    source = Source(f"{rule_set}.csv", "0" * 64, 1, 1, "utf-8")
    first = parse_day("1900-01-01")
    return RevisionHeader(rule_set, kind, "made up", first, FOREVER, first, (source,))


def modifiers_draft() -> RevisionDraft:
    """JZ from 2023-01-01 on, and GZ."""
    days = [parse_day("2023-01-01"), None]
    table = pa.table(
        {
            "modifier": ["JZ", "GZ"],
            "effective_from": pa.array(days, pa.date32()),
            "effective_to": pa.array([None, None], pa.date32()),
            "title": ["Zero drug amount discarded", "Expected denial"],
            "source": pa.array([0, 0], pa.uint16()),
            "source_row": pa.array([2, 3], pa.uint32()),
        }
    ).sort_by("modifier")
    return RevisionDraft(_header("modifiers", "modifiers"), {"modifiers": table}, read=2, kept=2)


def value_sets_draft() -> RevisionDraft:
    """One set, of one code."""
    row = {
        "category": "drugs",
        "determination": "vitamin-b12",
        "value_set": "Anemia",
        "system": "icd10",
        "code": "D51.0",
        "path": "a",
    }
    table = pa.table({name: [text] for name, text in row.items()})
    table = table.append_column("source", pa.array([0], pa.uint16())).append_column(
        "source_row", pa.array([2], pa.uint32())
    )
    return RevisionDraft(_header("coverage-value-sets", "value-sets"), {"value_sets": table}, read=1, kept=1)


def open_release(path: Path) -> LoadedRelease:
    store = Store.open(path / "store", create=True)
    release = store.create_release([store.add_revision(draft)[0].id for draft in drafts(path)])
    store.activate(release.id, "a tester")
    return LoadedRelease.open(store, release.id)


def asked(*codes: str, day: str = "2024-08-15", as_of: str = "2024-09-01", **parts: Any) -> LookUp:
    return LookUp(codes, parse_day(day), parse_day(as_of), **parts)

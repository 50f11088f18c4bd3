"""A release in which everything happens to a few codes, and claims made of these codes at random."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

from lookup_release import Q3, drafts
from releases import aoc_row, drafts_of_rows, mue_row, ptp_row

from claimedits.app.testing.case_tables import ALWAYS, header_of_rows, mue
from claimedits.model.dates import date_of, parse_day
from claimedits.rulesets.loaded import LoadedRelease
from claimedits.rulesets.revision import RevisionDraft
from claimedits.rulesets.store import Store

CODES = ["G0127", "G0247", "G0245", "G0102", "G2211", "J3420", "J1100", "G0123", "99213", "99291", "99292", "00100"]
HOSPITAL, MEDICAID = "medicare-ptp-outpatient-hospital", "medicaid-ptp-practitioner"
R1 = {**Q3, "label": "Q3r1", "published_on": "2024-08-05"}


def rows() -> list[dict[str, Any]]:
    """What the release holds beside ``lookup_release``: chains of pairs, replaced values, add-on codes of every type."""
    return [
        ptp_row("G0102", "99213", "1", revision=R1),
        ptp_row("99213", "G0123", "1", revision=R1),
        ptp_row("G0123", "G2211", "0", effective_from="2024-07-10", effective_to="2024-08-20", revision=R1),
        ptp_row("G0123", "G2211", "1", effective_from="2024-08-21", revision=R1),
        ptp_row("J1100", "99291", "9", effective_to="2010-01-01", revision=R1),
        ptp_row("G0247", "G0127", "0", rule_set=HOSPITAL, effective_from="2010-01-01"),
        ptp_row("99213", "G0127", "1", rule_set=HOSPITAL, effective_from="2010-01-01"),
        ptp_row("G0247", "G0127", "1", rule_set=MEDICAID, effective_from="2010-01-01"),
        mue_row("G0127", 1, "3", revision=R1),
        mue_row("G0247", 2, "3", revision=R1),
        mue_row("G0245", 0, "2", revision=R1),
        mue_row("99213", 1, "1", revision=R1),
        mue_row("G2211", 1, "2", revision=R1),
        mue_row("J1100", 10, "3", rule_set="medicare-mue-outpatient-hospital"),
        mue_row("G0127", 1, "2", rule_set="medicare-mue-outpatient-hospital"),
        mue_row("J1100", 10, "3", rule_set="medicare-mue-dme"),
        mue_row("G0127", 1, None, rule_set="medicaid-mue-practitioner"),
        aoc_row("G2211", "99213"),
        aoc_row("99292", "99291"),
        aoc_row("G0102", "G0247", "2", effective_to="2024-07-31"),
        aoc_row("J3420", "CCCCC", "3", effective_from="2024-05-01"),
        {"family": "CODE_VALIDITY", "rule_set": "procedure-codes", "procedure_code": "99213",
         "effective_from": "1999-01-01", "effective_to": ""},
        {"family": "CODE_VALIDITY", "rule_set": "medicare-pfs-indicators", "procedure_code": "G0123", "status": "A",
         "bilateral_indicator": "1", "global_days": "ZZZ", "revision": Q3},
    ]  # fmt: skip


def open_made_release(path: Path) -> LoadedRelease:
    store = Store.open(path / "store", create=True)
    made = [*drafts(path), *drafts_of_rows(rows()), confidential_draft()]
    return LoadedRelease.open(store, store.create_release([store.add_revision(draft)[0].id for draft in made]).id)


def confidential_draft() -> RevisionDraft:
    """One value that may not be shown."""
    values = [mue_row("J3420", 3, "3", confidential=True)]
    header = header_of_rows("medicare-mue-practitioner-confidential", "mue", json.dumps(ALWAYS), [(0, values[0])])
    return RevisionDraft(header, mue(values), read=1, kept=1)


AS_OF = ["2024-05-20", "2024-08-01", "2024-08-10", "2024-12-01"]
_DAYS = ["2024-07-15", "2024-08-15", "2024-08-15", "2024-08-16", "2024-06-30", "2024-07-01", "2012-06-01", "2024-12-01"]
_MODIFIERS = [
    [],
    [],
    [],
    ["59"],
    ["RT"],
    ["LT"],
    ["XS", "59"],
    ["25"],
    ["GY"],
    ["55"],
    ["JZ"],
    ["76"],
    ["50"],
    ["", "GZ"],
]
_PROVIDERS = [("", ""), ("", ""), ("A", "11"), ("B", "11"), ("C", "20"), ("D", "")]
_DIAGNOSES = [[], ["E11.42"], ["E11.4"], ["E11.42", "B35.1"], ["P05"], ["Z00.00", "E11.40"]]


def random_claim(chance: Random, number: int) -> dict[str, Any]:
    """A claim of few codes, days and practitioners, so that lines meet."""
    diagnoses = chance.choice(_DIAGNOSES)
    setting = chance.choice(["PRACTITIONER"] * 6 + ["OUTPATIENT_HOSPITAL", "ASC", "DME_SUPPLIER"])
    count = chance.choice([1, 2, 2, 3, 4, 5, 7])
    numbers = chance.sample(range(1, 12), count)
    if chance.random() < 0.7:
        numbers.sort()
    claim: dict[str, Any] = {
        "claim_id": f"T-{number}",
        "program": "MEDICAID" if chance.random() < 0.1 else "MEDICARE",
        "setting": setting,
        "billing_provider_id": chance.choice(["1234567893", "A"]),
        "state": chance.choice(["PA", "KY", ""]),
        "contractor_id": "",
        "patient": chance.choice(
            [{}, {"birth_date": "1950-02-03", "sex": "F"}, {"birth_date": "2024-07-20", "sex": "M"}]
        ),
        "type_of_bill": "131" if setting == "OUTPATIENT_HOSPITAL" else "",
        "condition_codes": chance.choice([None, None, [], ["45"]]),
        "diagnoses": diagnoses,
        "payer_id": chance.choice(["", "ACME"]),
    }
    claim["lines"] = [_line(chance, number, claim) for number in numbers]
    claim["history_lines"] = []
    if chance.random() < 0.25:
        claim["history_lines"] = [
            {**_line(chance, n + 1, claim), "diagnosis_pointers": [], "claim_id": chance.choice(["H-1", "H-2"]),
             "paid": chance.choice([True, False, None])}
            for n in range(chance.choice([1, 1, 2]))
        ]  # fmt: skip
    return claim


def _line(chance: Random, number: int, claim: dict[str, Any]) -> dict[str, Any]:
    day = chance.choice(_DAYS[:2] if chance.random() < 0.7 else _DAYS)
    end = ""
    if chance.random() < 0.12:
        end = date_of(parse_day(day) + chance.choice([0, 1, 3, 40])).isoformat()
    provider, specialty = chance.choice(_PROVIDERS)
    bare = claim["setting"] == "OUTPATIENT_HOSPITAL" and chance.random() < 0.2
    return {
        "line_number": number,
        "procedure_code": "" if bare else chance.choice(CODES[:6] if chance.random() < 0.6 else CODES),
        "modifiers": chance.choice(_MODIFIERS),
        "units": chance.choice(["1", "1", "1", "2", "3", "1.5", "0", "11", "0.125"]),
        "service_date": day,
        "service_date_end": end,
        "diagnosis_pointers": [1] if claim["diagnoses"] and chance.random() < 0.5 else [],
        "rendering_provider_id": provider,
        "rendering_specialty": specialty,
        "place_of_service": chance.choice(["11", "11", "22", ""]),
        "revenue_code": "0450" if bare or chance.random() < 0.05 else "",
        "charge_cents": chance.choice([None, 12500]),
        "non_covered_charge_cents": chance.choice([None, None, 0]),
    }

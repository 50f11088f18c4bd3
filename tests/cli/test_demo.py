"""``claim-edits demo`` shows every kind of finding as a person reads it, from what the repository ships."""

from __future__ import annotations

import re

import pytest
from click.testing import CliRunner

from claimedits.app.shipped import find_samples
from claimedits.cli.main import cli
from claimedits.rulesets.code_sets import class_of_procedure


@pytest.fixture(scope="module")
def shown() -> dict[str, str]:
    """What the demo prints of each claim, by claim id."""
    result = CliRunner().invoke(cli, ["demo"])
    assert result.exit_code == 0, result.output
    blocks = re.findall(r"^\w+  (DEMO-\S+)  (.*?)\n\n", result.output, re.DOTALL | re.MULTILINE)
    return dict(blocks)


@pytest.mark.parametrize(
    ("claim", "lines"),
    [
        (
            "DEMO-8-not-necessary",
            [
                "J3420 ×1 on 2024-08-15 for R53.83",
                "   line 1 COVERAGE FAIL COV_NOT_LISTED",
                "      A90001 version 3, J3420: no diagnosis of the line is listed",
                "      cited: medicare-coverage article 2024-06-01, article_x_icd10_covered_group.csv row 2; Medicare Coverage Database; "
                "IOM 100-08 ch. 13",
            ],
        ),
        ("DEMO-9-not-pointed", ["   line 1 COVERAGE FAIL COV_NOT_POINTED"]),
        (
            "DEMO-10-modifier-missing",
            [
                "   line 1 MODIFIER FAIL MOD_MISSING",
                "      J0897 comes in single-dose containers: JW for discarded units, or JZ for none, is missing",
            ],
        ),
        (
            "DEMO-11-payer-rule",
            [
                "   line 1 POLICY FAIL POLICY_PRIOR_AUTHORIZATION",
                "      J0897 needs prior authorization, and the claim names none",
            ],
        ),
        ("DEMO-1-conflict", ["   line 2 PTP FAIL PTP_CONFLICT"]),
        ("DEMO-2-bypass", ["   line 2 PTP BYPASSED PTP_BYPASSED"]),
        ("DEMO-3-units", ["   line 1 MUE FAIL MUE_EXCEEDED"]),
        ("DEMO-4-lonely-add-on", ["   line 1 ADD_ON_CODE FAIL AOC_PRIMARY_MISSING"]),
    ],
)
def test_a_claim_and_its_finding(shown: dict[str, str], claim: str, lines: list[str]) -> None:
    printed = shown[claim].splitlines()
    assert [line for line in lines if line not in printed] == []
    # One thing goes wrong with each of these claims, and nothing else is said.
    assert sum(line.startswith("   line ") for line in printed) == 1


def test_a_clean_claim_has_no_findings(shown: dict[str, str]) -> None:
    assert shown["DEMO-7-clean"] == "G0463 ×1 on 2024-08-15, G2211 ×1 on 2024-08-15"


def test_the_samples_hold_no_cpt_codes() -> None:
    """CPT is licensed: what is shipped has codes of HCPCS Level II, or codes that no list has."""
    tables = [p for p in find_samples().iterdir() if p.suffix in (".csv", ".txt", ".TXT")]
    cells = [cell for path in tables for cell in re.split(r"[,\t\s]", path.read_text(encoding="utf-8"))]
    assert len(tables) == 7
    assert [cell for cell in cells if class_of_procedure(cell).startswith("CPT")] == []
    procedures = (find_samples() / "coverage" / "article_x_hcpc_code.csv").read_text(encoding="utf-8")
    assert procedures.splitlines()[1:] == ['"90001","3","J3420","1","N"']

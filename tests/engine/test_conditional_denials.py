"""A column 2 denied against a column 1 that is itself denied says what it presumes (semantics.md §A.6)."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from releases import RULES, claim, drafts_of_rows, line, mue_row, ptp_row

from claimedits.engine.engine import Engine
from claimedits.rulesets.store import Store
from claimedits.rulesets.table_rules import compile_table_rules

UNDATED = "ptp.column_1_denied,conditional,conditional plain,,,"
DATED = (
    "ptp.column_1_denied,conditional,conditional plain,,2024-06-30,{source}\n"
    "ptp.column_1_denied,plain,conditional plain,2024-07-01,,{source}"
)


def dated_conventions(path: Path) -> Path:
    """The shipped conventions, with a switch that changes on 2024-07-01."""
    copy = shutil.copytree(RULES / "ncci-conventions", path / "ncci-conventions")
    switches = copy / "switches.csv"
    lines = switches.read_text(encoding="utf-8").splitlines()
    (place,) = (i for i, text in enumerate(lines) if text.startswith(UNDATED))
    lines[place] = DATED.format(source=lines[place].removeprefix(UNDATED))
    switches.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return copy


@pytest.mark.parametrize(("day", "conditional"), [("2024-06-30", True), ("2024-07-01", False)])
def test_the_switch_of_the_line_s_day_decides(tmp_path: Path, day: str, conditional: bool) -> None:
    store = Store.open(tmp_path / "store", create=True)
    rows = [ptp_row("G0247", "G0127"), mue_row("G0247", 1, "2")]
    drafts = [
        *drafts_of_rows(rows),
        compile_table_rules(dated_conventions(tmp_path)),
        compile_table_rules(RULES / "duplicates"),
    ]
    release = store.create_release([store.add_revision(draft)[0].id for draft in drafts])
    engine = Engine.open(store, release.id)
    lines = (line(1, "G0247", units="2", service_date=day), line(2, "G0127", service_date=day))
    findings = engine.evaluate(claim(*lines), families=["PTP", "MUE"]).findings
    (denial,) = (f for f in findings if f.code == "MUE_EXCEEDED")
    (conflict,) = (f for f in findings if f.code == "PTP_CONFLICT")
    assert conflict.line_number == 2
    assert conflict.detail is not None
    assert conflict.detail.conditional is conditional
    assert conflict.depends_on == ((denial.finding_id,) if conditional else ())

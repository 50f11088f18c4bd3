"""Which claims a difference between rules that people write can touch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from claimedits.model.claim_reading import read_claim
from claimedits.rulesets.authored.compiler import compile_rules
from claimedits.rulesets.comparison.reach import Reach
from claimedits.rulesets.comparison.touched import find_touched
from claimedits.rulesets.store import Store
from claimedits.rulesets.table_rules import compile_table_rules

RULES = Path(__file__).parents[3] / "rules"
HEAD = """id = "payer"
kind = "authored"
family = "POLICY"
label = "{label}"
effective_from = "1900-01-01"
published_on = "2024-0{day}-01"
authority = "made up"
"""
RULE = """[[rule]]
id = "{id}"
title = "A rule"
when = {when}
status = "{status}"
code = "POLICY_ONE"
message = "one"
"""
SAME = RULE.format(id="same", when="'line.units is 2'", status="FAIL")
LIST = "first,last,effective_from,effective_to,source\nJ1000,J1999,,,made up\nE0100,E0100,,,made up\n"


def reaches(path: Path, old: str, new: str, *, lists: tuple[str, str] = (LIST, LIST), head: str = "") -> list[Reach]:
    """What touches claims when rules become other ones, apart from what only cites them."""
    store = Store.open(path / "store", create=True)
    shared = [
        store.add_revision(compile_table_rules(RULES / name))[0].id for name in ("ncci-conventions", "duplicates")
    ]
    releases = []
    for day, rules in enumerate((old, new), 1):
        folder = path / str(day)
        (folder / "lists").mkdir(parents=True)
        (folder / "rule-set.toml").write_text(HEAD.format(label=day, day=day) + (head if day == 2 else ""))
        (folder / "rules.toml").write_text(SAME + rules)
        (folder / "lists" / "drugs.csv").write_text(lists[day - 1])
        (made,) = compile_rules(folder)
        releases.append(store.create_release([*shared, store.add_revision(made)[0].id]).id)
    return [reach for reach in find_touched(store, *releases, as_of=20_000).reaches if not reach.only_where_cited]


def rule(when: str, status: str = "FAIL", name: str = "one") -> str:
    return RULE.format(id=name, when=when, status=status)


def claim(code: str, *modifiers: str) -> Any:
    line = {
        "line_number": 1,
        "procedure_code": code,
        "modifiers": list(modifiers),
        "units": "1",
        "service_date": "2024-05-20",
    }
    return read_claim({"claim_id": "T", "program": "MEDICARE", "setting": "PRACTITIONER", "lines": [line]})


@pytest.mark.parametrize(
    ("when", "touched", "untouched"),
    [
        ("""'line.procedure_code is "E0100"'""", claim("E0100"), claim("E0101")),
        ("""'line.procedure_code is one of ["E0100", "E0102"]'""", claim("E0102"), claim("E0101")),
        ("""'line.procedure_code is in list drugs'""", claim("J1500"), claim("J2000")),
        ("""'line.procedure_code is between "E0100" and "E0105"'""", claim("E0105"), claim("E0106")),
        ("""'line.procedure_code starts with "E01"'""", claim("E0199"), claim("E0200")),
        ("""'line.modifiers include any of ["KX", "GA"]'""", claim("E0100", "GA"), claim("E0100", "GY")),
        ("""['line.units is 9', 'line.modifiers include "KX"']""", claim("E0100", "KX"), claim("E0100")),
    ],
)
def test_a_rule_touches_what_its_condition_asks_for(tmp_path: Path, when: str, touched: Any, untouched: Any) -> None:
    (reach,) = reaches(tmp_path, rule(when), rule(when, "REVIEW"))
    assert (reach.touches(touched), reach.touches(untouched), reach.everything) == (True, False, False)


def test_both_conditions_of_a_rule_that_moved(tmp_path: Path) -> None:
    old, new = (rule(f"""'line.procedure_code is "{code}"'""") for code in ("E0100", "E0200"))
    (reach,) = reaches(tmp_path, old, new)
    assert [reach.touches(claim(code)) for code in ("E0100", "E0200", "E0300")] == [True, True, False]


@pytest.mark.parametrize(
    "when",
    [
        "'line.units is 3'",
        """'line.procedure_code is not "E0100"'""",
        """'line.procedure_code is not in list drugs'""",
        """'line.modifiers include none of ["KX"]'""",
    ],
)
def test_a_rule_that_may_match_any_line_touches_everything(tmp_path: Path, when: str) -> None:
    (reach,) = reaches(tmp_path, rule(when), rule(when, "REVIEW"))
    assert (reach.everything, reach.reason) == (True, "rule one differs, which looks at every line")


def test_a_list_that_differs_touches_everything(tmp_path: Path) -> None:
    when = rule("'line.procedure_code is in list drugs'")
    (reach,) = reaches(tmp_path, when, when, lists=(LIST, LIST.replace("J1999", "J1998")))
    assert (reach.everything, reach.reason) == (True, "lists of the rules differ")


def test_other_claims_governed_touch_everything(tmp_path: Path) -> None:
    when = rule("""'line.procedure_code is "E0100"'""")
    (reach,) = reaches(tmp_path, when, when, head='programs = ["MEDICAID"]\n')
    assert (reach.everything, reach.reason) == (True, "the rule set governs other claims")


def test_equal_rules_touch_what_cites_them_only(tmp_path: Path) -> None:
    when = rule("""'line.procedure_code is "E0100"'""")
    assert reaches(tmp_path, when, when) == []

"""Confidential MUE values are evaluated and never shown (semantics.md §B.3)."""

from __future__ import annotations

import json

import orjson
import pytest
from releases import RULES, claim, drafts_of_rows, line, mue_row

from claimedits.app.lookup import LookUp, look_up
from claimedits.app.rendering import as_fields
from claimedits.app.testing.case_tables import ALWAYS, header_of_rows, mue
from claimedits.engine.engine import Engine
from claimedits.model.dates import parse_day
from claimedits.rulesets.revision import RevisionDraft
from claimedits.rulesets.store import Store
from claimedits.rulesets.table_rules import compile_table_rules

VALUE = 7341


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    store = Store.open(tmp_path_factory.mktemp("confidential") / "store", create=True)
    rows = [mue_row("J1100", VALUE, "3", confidential=True)]
    header = header_of_rows("medicare-mue-practitioner-confidential", "mue", json.dumps(ALWAYS), [(0, rows[0])])
    drafts = [
        *drafts_of_rows([mue_row("G0463", 1, "2")]),
        RevisionDraft(header, mue(rows), read=1, kept=1),
        compile_table_rules(RULES / "ncci-conventions"),
    ]
    release = store.create_release([store.add_revision(d)[0].id for d in drafts])
    return Engine.open(store, release.id)


@pytest.mark.parametrize(("units", "code"), [("7341", ""), ("7342", "MUE_EXCEEDED"), ("9000", "MUE_EXCEEDED")])
def test_the_value_decides(engine: Engine, units: str, code: str) -> None:
    decision = engine.evaluate(claim(line(1, "J1100", units=units)), families=["MUE"], detail="ALL")
    assert [finding.code for finding in decision.findings] == [code]


@pytest.mark.parametrize("units", ["1", "9000"])
@pytest.mark.parametrize("detail", ["FINDINGS", "ALL", "TRACE"])
def test_the_value_is_never_shown(engine: Engine, units: str, detail: str) -> None:
    decision = engine.evaluate(claim(line(1, "J1100", units=units)), families=["MUE"], detail=detail)
    answer = as_fields(decision)
    for name in ("decision_id", "release"):
        answer.pop(name)
    for finding in answer["findings"]:
        finding.pop("citation")
    assert str(VALUE).encode() not in orjson.dumps(answer)


def test_a_look_up_does_not_show_it_either(engine: Engine) -> None:
    asked = LookUp(("J1100",), parse_day("2024-08-15"), parse_day("2024-08-15"))
    (edit,) = look_up(engine.release, asked)
    assert dict(edit.fields)["value"] == "confidential"


def test_a_code_in_neither_table_has_no_value(engine: Engine) -> None:
    decision = engine.evaluate(claim(line(1, "J3471")), families=["MUE"])
    assert [finding.code for finding in decision.findings] == ["MUE_NO_VALUE"]

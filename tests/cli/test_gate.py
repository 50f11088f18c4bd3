"""``claim-edits gate``: each step passes, stops or is skipped; figures, approvals, exit codes, Markdown, JSON, page."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner, Result

sys.path.insert(0, str(Path(__file__).parents[1] / "app" / "impact"))
sys.path.insert(0, str(Path(__file__).parents[1] / "engine"))

from releases import claim, line, mue_row, ptp_row
from update import make_update

from claimedits.app.checking import LintSettings, check_rules, read_settings
from claimedits.app.gating import GateReport, Step, Verdict
from claimedits.app.gating.policy import default_policy
from claimedits.app.gating.running import Gated
from claimedits.app.gating.speed import compare_speed
from claimedits.app.gating.steps import check_step
from claimedits.app.gating.summary import MOST_CHARACTERS, markdown
from claimedits.app.impact.running import Question
from claimedits.app.shipped import find_rules
from claimedits.cli.main import cli
from claimedits.engine.engine import Engine
from claimedits.model.claim_reading import read_claim
from claimedits.rulesets.store import Store

QUARTER = {"label": "v2", "effective_from": "2024-07-01", "effective_to": "", "published_on": "2024-06-01"}
BEFORE = {"label": "v1", "effective_from": "2024-04-01", "effective_to": "2024-06-30", "published_on": "2024-03-01"}
MANY = [f"{number}" for number in range(20100, 20180)]
"""Codes enough that one more row is no odd change."""


def quarter(revision: dict[str, str], *more: dict[str, Any]) -> list[Any]:
    pairs = [ptp_row("64633", "64484"), *(ptp_row(code, "64484") for code in MANY)]
    values = [mue_row("11055", 3, "2"), *(mue_row(code, 1, "2") for code in MANY)]
    return [{**row, "revision": revision} for row in (*values, *pairs, *more)]


BASE = quarter(BEFORE)
FOLLOWING = quarter(QUARTER, ptp_row("20100", "20101", effective_from="2024-07-01"), mue_row("20200", 2, "3"))
CLAIMS = [
    claim(line(1, "11055", service_date=f"2024-{month}-10"), claim_id=f"C-{n}")
    for n, month in enumerate(["05"] * 15 + ["08"] * 15)
]


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Callable[..., Result]]:
    def run(
        before: list[Any], after: list[Any], *options: str, claims: list[Any] | None = CLAIMS, policy: str = ""
    ) -> Result:
        update = make_update(tmp_path, before, after)
        arguments = ["gate", update.old, update.new, "--store", str(update.store), "--as-of", "2026-11-01"]
        arguments += ["--jobs", "1", "--family", "PTP", "--family", "MUE"]
        if claims is not None:
            path = tmp_path / "claims.ndjson"
            path.write_bytes(b"\n".join(map(orjson.dumps, claims)))
            arguments += ["--claims", str(path)]
        if policy:
            (tmp_path / "gate.toml").write_text(policy, encoding="utf-8")
            arguments += ["--policy", str(tmp_path / "gate.toml")]
        return CliRunner().invoke(cli, [*arguments, *options])

    yield run


def steps(result: Result) -> dict[str, Any]:
    document = orjson.loads(result.stdout)
    return {step["name"]: step for step in document["steps"]}


def test_a_new_quarter_without_a_surprise_passes(gate: Callable[..., Result], tmp_path: Path) -> None:
    written = tmp_path / "gate.md"
    result = gate(BASE, [*BASE, *FOLLOWING], "--format", "json", "--summary", str(written))
    assert result.exit_code == 0, result.output
    found = steps(result)
    assert {name: step["verdict"] for name, step in found.items()} == {
        "check": "passed",
        "test": "skipped",
        "rows": "passed",
        "claims": "passed",
        "speed": "skipped",
    }
    assert found["test"]["headline"] == "no rules or cases were named, so nothing was tested"
    assert found["claims"]["headline"] == "30 claims: 0 newly failing, 0 newly passing"
    text = written.read_text(encoding="utf-8")
    assert text.startswith("## ✅ Claim edits: the update may go live\n")
    assert "| ✅ | Claims | 30 claims: 0 newly failing, 0 newly passing |" in text


def lowered(value: int = 1) -> list[Any]:
    """The same quarters, where a value in force before was overwritten: claims that passed fail."""
    return [{**BASE[0], "value": value}, *BASE[1:], *FOLLOWING]


TWO_UNITS = [
    claim(line(1, "11055", units="2", service_date="2024-05-10"), claim_id="C-1", billing_provider_id="@team"),
    *[claim(line(1, "64633", service_date="2024-05-10"), claim_id=f"C-{n}") for n in range(2, 40)],
]


def test_claims_that_fail_newly_stop_it(gate: Callable[..., Result], tmp_path: Path) -> None:
    written = tmp_path / "gate.md"
    result = gate([*BASE, *FOLLOWING], lowered(), "--summary", str(written), claims=TWO_UNITS)
    assert result.exit_code == 1
    assert "1 (2.56 %) of 39 claims fail newly; the policy allows 0.5 %" in result.output
    assert result.output.splitlines()[-1] == "the update is stopped"
    text = written.read_text(encoding="utf-8")
    assert "| medicare-mue-practitioner/11055 | newly failing | 1 | 1 |  |" in text
    assert "@\u200bteam" in text and "@team" not in text


def test_the_policy_may_allow_it(gate: Callable[..., Result]) -> None:
    policy = '[claims]\nnewly_failing = "3 %"\n[rows]\nretroactive = 5\n'
    result = gate([*BASE, *FOLLOWING], lowered(), "--format", "json", claims=TWO_UNITS, policy=policy)
    assert steps(result)["claims"]["verdict"] == "passed", result.output


def test_somebody_may_approve_this_release_and_no_other(gate: Callable[..., Result], tmp_path: Path) -> None:
    update = make_update(tmp_path / "once", [*BASE, *FOLLOWING], lowered())
    approval = (
        '[claims]\nnewly_failing = 0\n[[approval]]\nlimit = "claims.newly_failing"\nmost = {most}\nby = "J. Doe"\n'
        'reason = "agreed with the plan"\nrelease = "{release}"\nuntil = "{until}"\n'
    )
    good = {"most": 1, "release": update.new[:20], "until": "2026-11-01"}
    for parts, why in (
        ({**good, "release": update.old[:20]}, f"what J. Doe approved is another release, {update.old[:20]}"),
        ({**good, "until": "2026-10-31"}, "the approval of J. Doe ended on 2026-10-31"),
    ):
        result = gate(
            [*BASE, *FOLLOWING], lowered(), "--format", "json", claims=TWO_UNITS, policy=approval.format(**parts)
        )
        step = steps(result)["claims"]
        assert (step["verdict"], step["problems"]) == (
            "stopped",
            [f"1 (2.56 %) of 39 claims fail newly; the policy allows 0; {why}"],
        )
    passed = gate([*BASE, *FOLLOWING], lowered(), "--format", "json", claims=TWO_UNITS, policy=approval.format(**good))
    assert steps(passed)["claims"]["measures"][0]["note"] == "approved by J. Doe: agreed with the plan"


def test_lines_that_are_no_longer_evaluated_stop_it(gate: Callable[..., Result]) -> None:
    result = gate([*BASE, *FOLLOWING], BASE, "--format", "json")
    assert result.exit_code == 1
    assert (
        "15 (50.00 %) of 30 claims have a line that is no longer evaluated; the policy allows 0"
        in steps(result)["claims"]["problems"]
    )


def test_a_rule_set_that_is_gone_stops_it(gate: Callable[..., Result]) -> None:
    result = gate(BASE, [row for row in BASE if row["family"] == "MUE"], "--format", "json")
    assert steps(result)["rows"]["problems"] == [
        "medicare-ptp-practitioner: the new release lacks the rule set; what it held is no longer evaluated"
    ]


def test_retroactive_rows_need_an_approval(gate: Callable[..., Result], tmp_path: Path) -> None:
    pairs = [ptp_row("11055", f"1172{n}", effective_from="2020-01-01") for n in range(2)]
    early = [*BASE, *quarter(QUARTER, *pairs, mue_row("20200", 2, "3"))]
    update = make_update(tmp_path / "once", BASE, early)
    store = Store.open(update.store)
    news = set(store.release(update.new).revisions) - set(store.release(update.old).revisions)
    (new,) = (one for one in news if store.revision(one).header.kind == "ptp")
    approval = (
        '[claims]\nrequired = false\n[rows]\nretroactive = 0\n[[approval]]\nlimit = "rows.retroactive"\nmost = {most}\n'
        'by = "J. Doe"\nreason = "re-billed"\nrevision = "{revision}"\n'
    )
    for policy, why in (
        ("", "look at them, and approve them in the policy"),
        (approval.format(most=1, revision=new), "J. Doe approved 1 of them"),
        (
            approval.format(most=2, revision="sha256:" + "0" * 8),
            "what J. Doe approved is another revision, sha256:00000000",
        ),
    ):
        rows = steps(gate(BASE, early, "--format", "json", policy=policy))["rows"]
        assert (rows["verdict"], rows["problems"]) == (
            "stopped",
            [
                f"medicare-ptp-practitioner: 2 retroactive changes; {why} (claim-edits diff shows them; revision {new[:19]})"
            ],
        )
    for revision in (new, new[:19] + "…", new.removeprefix("sha256:")[:6]):
        result = gate(BASE, early, "--format", "json", policy=approval.format(most=2, revision=revision))
        rows = steps(result)["rows"]
        assert (rows["verdict"], rows["measures"][0]["value"], rows["measures"][0]["note"]) == (
            "passed",
            "2",
            "medicare-ptp-practitioner approved by J. Doe: re-billed",
        )


def test_without_claims_nobody_knows(gate: Callable[..., Result]) -> None:
    result = gate(BASE, [*BASE, *FOLLOWING], "--format", "json", claims=None)
    step = steps(result)["claims"]
    assert (step["verdict"], step["headline"]) == (
        "stopped",
        "no claims were given, so nobody knows which of them the update hits",
    )
    lenient = gate(BASE, [*BASE, *FOLLOWING], "--format", "json", claims=None, policy="[claims]\nrequired = false\n")
    assert steps(lenient)["claims"]["verdict"] == "skipped"


def test_claims_that_cannot_be_read_are_named(gate: Callable[..., Result]) -> None:
    result = gate(BASE, [*BASE, *FOLLOWING], "--format", "json", claims=[*CLAIMS, {"claim_id": "C-99"}])
    assert steps(result)["claims"]["problems"] == [
        "1 (3.23 %) of 31 claims could not be read; the policy allows 1 %",
        "claim 31: program: is missing; use one of MEDICARE, MEDICAID",
    ]


def test_tests_decide_too(gate: Callable[..., Result], tmp_path: Path) -> None:
    case = {
        "id": "OWN-1",
        "claim": claim(line(1, "11055", units="2", service_date="2024-05-10")),
        "expect": {"lines": [{"line_number": 1, "family": "MUE", "status": "FAIL"}]},
    }
    path = tmp_path / "cases.jsonl"
    path.write_bytes(orjson.dumps(case))
    result = gate(BASE, [*BASE, *FOLLOWING], "--format", "json", "--tests", str(path))
    assert steps(result)["test"]["verdict"] == "stopped"
    empty = gate(
        BASE, [*BASE, *FOLLOWING], "--format", "json", policy="[test]\nrequired = true\n[claims]\nrequired = false\n"
    )
    assert steps(empty)["test"]["verdict"] == "stopped"


def test_a_page_is_written_too(gate: Callable[..., Result], tmp_path: Path) -> None:
    gate(BASE, [*BASE, *FOLLOWING], "--html", str(tmp_path / "update.html"))
    assert (tmp_path / "update.html").read_text(encoding="utf-8").startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("options", "policy", "message"),
    [
        ([], "[check]\nfail_on = 1\n", "gate.toml:2:11: 1 stands without quotes"),
        (["--rules", "missing"], "", "'missing' does not exist"),
    ],
)
def test_a_gate_that_cannot_be_run_is_no_verdict(
    options: list[str], policy: str, message: str, gate: Callable[..., Result]
) -> None:
    result = gate(BASE, [*BASE, *FOLLOWING], *options, policy=policy)
    assert result.exit_code == 2
    assert message in result.output


def test_revisions_pass_no_gate(tmp_path: Path) -> None:
    update = make_update(tmp_path, BASE, BASE)
    arguments = ["gate", "medicare-mue-practitioner@nothing", update.new, "--store", str(update.store)]
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 2
    assert "the store holds no medicare-mue-practitioner nothing" in result.output


def test_the_default_policy_can_be_seen() -> None:
    result = CliRunner().invoke(cli, ["gate", "--show-policy"])
    assert result.exit_code == 0
    assert 'newly_failing = "0.5 %"' in result.output


def test_a_comment_is_cut_to_what_a_host_takes(tmp_path: Path) -> None:
    update: Question = make_update(tmp_path, BASE, BASE)
    from claimedits.app.comparing import compare
    from claimedits.rulesets.store import Store

    compared = compare(Store.open(update.store), update.old, update.new)
    long = Step("check", Verdict.STOPPED, "many", problems=["x" * 100] * 2000)
    text = markdown(Gated(GateReport(update.old, update.new, "2026-11-01", "p", (long,)), compared))
    assert len(text) < MOST_CHARACTERS + 100
    assert text.endswith("\n\n… cut here; the report has the rest\n")


class Clock:
    """Time that passes a second a claim, and a quarter longer under the second engine."""

    def __init__(self) -> None:
        self.now = 0.0
        self.asked = 0

    def __call__(self) -> float:
        return self.now


def test_speed_is_the_ratio_of_the_shortest_times(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    update = make_update(tmp_path, BASE, [*BASE, *FOLLOWING])
    old, new = Engine.open(update.store, update.old), Engine.open(update.store, update.new)
    clock, seconds = Clock(), {id(old): 1.0, id(new): 1.25}
    evaluate = Engine.evaluate

    def slow(self: Engine, *arguments: Any) -> Any:
        clock.now += seconds[id(self)]
        return evaluate(self, *arguments)

    monkeypatch.setattr(Engine, "evaluate", slow)
    claims = [read_claim(fields) for fields in (*CLAIMS[:15], *TWO_UNITS)]
    speed = compare_speed(old, new, claims, "2026-11-01", (), clock)
    assert (speed.ratio, speed.claims) == (1.25, 54)
    few = compare_speed(old, new, claims[:5], "2026-11-01", (), clock)
    assert (few.ratio, few.claims) == (None, 5)
    other_work = [read_claim(fields) for fields in CLAIMS[15:]] * 2
    assert compare_speed(old, new, other_work, "2026-11-01", (), clock).ratio is None


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """Rules whose test fails, and releases without and with them, in ``tmp_path``."""
    rules = tmp_path / "rules"
    for name in ("example-payer-policy", "ncci-conventions", "duplicates"):
        shutil.copytree(find_rules() / name, rules / name)
    tests = rules / "example-payer-policy" / "tests.toml"
    text = tests.read_text(encoding="utf-8")
    assert '"2 prior-authorization FAIL"' in text
    tests.write_text(
        text.replace('"2 prior-authorization FAIL"', '"2 prior-authorization REVIEW"', 1), encoding="utf-8"
    )
    for name in ("ncci-conventions", "duplicates", "example-payer-policy"):
        CliRunner().invoke(cli, ["build", str(rules / name), "--store", str(tmp_path / "store")])
        if name == "duplicates":
            release(tmp_path, "--activate")
    return rules


def release(folder: Path, *options: str) -> str:
    result = CliRunner().invoke(cli, ["release", "create", "--store", str(folder / "store"), *options])
    assert result.exit_code == 0, result.output
    return result.stdout.split()[0]


def test_what_was_refused_at_the_build_is_asked_whatever_rules_are_named(built: Path, tmp_path: Path) -> None:
    new = release(tmp_path, "--override-checks", "to see that the gate stops it")
    (tmp_path / "gate.toml").write_text("[claims]\nrequired = false\n", encoding="utf-8")
    words = ["gate", "active", new, "--store", str(tmp_path / "store"), "--policy", str(tmp_path / "gate.toml")]
    for others in ([], ["--rules", str(built / "duplicates")]):
        result = CliRunner().invoke(cli, [*words, *others, "--format", "json"])
        assert result.exit_code == 1
        check = steps(result)["check"]
        assert check["verdict"] == "stopped"
        (problem,) = check["problems"]
        assert "tests.toml:" in problem
        assert "the first day of the rule" in problem
        assert "(example-payer-policy 2026-01, sha256:" in problem


def test_rules_keep_their_own_silences_beside_those_of_the_gate(built: Path, tmp_path: Path) -> None:
    rules, store = built / "example-payer-policy", Store.open(tmp_path / "store")
    odd = rules / "policy.toml"
    odd.write_text(odd.read_text(encoding="utf-8") + "\n[lists]\nnobody = ['G0438']\n", encoding="utf-8")
    active = store.active()
    assert active is not None
    (lint,) = {finding.lint.id for finding in check_rules(rules)}
    silence = f'[[silence]]\nlint = "{lint}"\nreason = "kept for the next quarter"\n'

    def asked(settings: LintSettings) -> Verdict:
        return check_step(store, active, active, [rules], settings, default_policy()).verdict

    (tmp_path / "lints.toml").write_text("", encoding="utf-8")
    none = read_settings(tmp_path / "lints.toml", "lints.toml")
    assert asked(none) is Verdict.STOPPED
    (tmp_path / "lints.toml").write_text(silence, encoding="utf-8")
    assert asked(read_settings(tmp_path / "lints.toml", "lints.toml")) is Verdict.PASSED
    (rules / "lints.toml").write_text(silence, encoding="utf-8")
    assert asked(none) is Verdict.PASSED

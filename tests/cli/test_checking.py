"""``claim-edits check`` on the command line: what it prints, in which form, and its exit codes."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

sys.path.insert(0, str(Path(__file__).parents[1] / "app" / "checking"))

from lint_examples import BASE, check_example

from claimedits.cli.main import cli
from claimedits.rulesets.lints.catalogue import LINTS
from claimedits.rulesets.store import Store

RULES = Path(__file__).parents[2] / "rules"
FIXTURES = Path(__file__).parents[1] / "fixtures" / "lints"
TITLE = BASE["policy.toml"].replace('id = "wellness-visit"', 'id = "second"').replace("G0439", "G0438")
SECOND_TEST = BASE["tests.toml"].replace("two visits", "two first visits").replace("wellness-visit", "second")
ROWS = [
    "column_1,column_2,effective_from,effective_to,modifier_indicator,rationale",
    "G0438,G0439,2022-01-01,,0,Exclusive",
]
UPDATE = {
    "edits.csv of the edition before": "\n".join([*ROWS, ""]),
    "edits.csv": "\n".join([ROWS[0], ROWS[1].replace(",,0,", ",,1,"), ""]),
}
FLIPPED = (
    "ccipra-v302r0-f1.TXT:2:1: error CE403: row 2 (column 1 G0438, column 2 G0439): the modifier indicator was 0 in the edition "
    "before, is 1; compare with the published table; an indicator is changed by closing the window and opening another one"
)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["check", *arguments])


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def one_title_twice(here: Path) -> Path:
    """A rule set with one mistake, a warning."""
    return write(here / "rules" / "acme-policy", {"more.toml": TITLE, "more.tests.toml": SECOND_TEST})


def write(directory: Path, files: Mapping[str, str]) -> Path:
    directory.mkdir(parents=True)
    for name, text in {**BASE, **files}.items():
        (directory / name).write_text(text, encoding="utf-8")
    return directory


def test_shipped_rules_are_silent() -> None:
    result = run(str(RULES))
    assert (result.exit_code, result.output) == (0, "")


def test_a_warning_is_a_problem(one_title_twice: Path) -> None:
    result = run("rules")
    assert result.exit_code == 1
    assert result.stdout == (
        'rules/acme-policy/policy.toml:3:9: warning CE114: rule wellness-visit has the title of rule second (more.toml:1): "One '
        'wellness visit a day"; say in each title what sets the rule apart\n'
    )


def test_fail_on_and_show(one_title_twice: Path) -> None:
    assert run("rules", "--fail-on", "error").exit_code == 0
    result = run("rules", "--show", "error")
    assert (result.exit_code, result.stdout) == (1, "")


def test_one_rule_set_alone(one_title_twice: Path) -> None:
    result = run("rules/acme-policy")
    assert result.exit_code == 1
    assert result.stdout.startswith("rules/acme-policy/policy.toml:3:9: warning CE114: ")


def test_the_working_directory_is_the_rule_set(one_title_twice: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(one_title_twice)
    assert run(".").stdout.startswith("policy.toml:3:9: warning CE114: ")


def test_settings_of_the_directory_around_hold_for_one_rule_set(one_title_twice: Path) -> None:
    silences = "".join(
        f'[[silence]]\nlint = "CE114"\nrule = "{rule}"\nreason = "both stand on the card"\n'
        for rule in ("wellness-visit", "gone")
    )
    (one_title_twice.parent / "lints.toml").write_text(silences, encoding="utf-8")
    result = run("rules")
    assert result.stdout == (
        "rules/lints.toml:5:1: warning CE003: no finding of CE114 duplicate-title is silenced by this; remove it\n"
    )
    assert (run("rules/acme-policy").exit_code, run("rules/acme-policy").output) == (0, "")


def test_settings_that_are_named_take_the_place_of_the_others(one_title_twice: Path) -> None:
    settings = Path("own.toml")
    settings.write_text('[severity]\nduplicate-title = "info"\n', encoding="utf-8")
    assert (run("rules", "--config", "own.toml").exit_code, run("rules", "--config", "own.toml").output) == (0, "")
    assert " info CE114: " in run("rules", "--config", "own.toml", "--show", "info").stdout


def test_a_lint_is_not_switched_off(one_title_twice: Path) -> None:
    Path("own.toml").write_text('[severity]\nduplicate-title = "off"\n', encoding="utf-8")
    assert run("rules", "--config", "own.toml", "--show", "error").stdout == (
        "own.toml:2:19: error CE001: off is no severity; a lint is not switched off: write a [[silence]] with a reason\n"
    )


def test_revisions_of_a_store(here: Path) -> None:
    check_example(UPDATE, here)
    ids = {info.header.label: info.id for info in Store.open(here / "store").revisions()}
    for targets in ([], [ids["v30.2"]], [ids["v30.2"][:14]], [ids["v30.2"], "--against", ids["v30.1"]]):
        result = run(*targets, "--store", "store")
        assert (result.exit_code, result.stdout) == (1, FLIPPED + "\n")
    assert (run(ids["v30.1"], "--store", "store").exit_code, run(ids["v30.1"], "--store", "store").output) == (0, "")


def test_a_release_stands_for_its_revisions(here: Path) -> None:
    check_example(UPDATE, here)
    store = Store.open(here / "store")
    old, new = (store.create_release([info.id]).id for info in store.revisions())
    assert run(new, "--against", old, "--store", "store").stdout == FLIPPED + "\n"
    assert run(old, "--store", "store").stdout == ""


def test_settings_of_the_working_directory_hold_for_revisions(here: Path) -> None:
    check_example(UPDATE, here)
    silence = '[[silence]]\nlint = "CE403"\nrule = "medicare-ptp-practitioner/G0438+G0439"\nreason = "announced on 2024-06-14"\n'
    Path("lints.toml").write_text(silence, encoding="utf-8")
    assert (run("--store", "store").exit_code, run("--store", "store").output) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "name a directory of rules, or give --store DIR to check revisions"),
        (["nowhere"], "nowhere is no directory; name a directory of rules, or give --store DIR to check revisions"),
        (["--against", "abc"], "--against needs a store; name a directory of rules, or give --store DIR to check revisions"),
        (["--store", "store", "abcdef"], "the store holds no revision and no release abcdef; 'claim-edits release list' names them"),
        (["--explain", "CE999"], "there is no lint CE999; claim-edits check --list shows them"),
        (["empty"], "empty: holds no rule set; name a directory with rule-set.toml, or one of such directories"),
        (["--store", "empty"], "empty: "),
        (["--config", "empty", "empty"], "'empty' is a directory"),
    ],
)  # fmt: skip
def test_usage(here: Path, arguments: list[str], message: str) -> None:
    Store.open(here / "store", create=True)
    Path("empty").mkdir()
    result = run(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr


def test_list_names_every_lint() -> None:
    lines = run("--list").stdout.splitlines()[1:]
    assert [line.split()[:2] for line in lines] == [[lint.id, lint.name] for lint in LINTS.values()]


def test_json(one_title_twice: Path) -> None:
    (finding,) = json.loads(run("rules", "--format", "json").stdout)
    assert finding | {"fingerprint": ""} == {
        "lint": "CE114",
        "name": "duplicate-title",
        "severity": "warning",
        "where": "rules/acme-policy/policy.toml:3:9",
        "file": "rules/acme-policy/policy.toml",
        "row": 3,
        "column": 9,
        "what": 'rule wellness-visit has the title of rule second (more.toml:1): "One wellness visit a day"',
        "mend": "say in each title what sets the rule apart",
        "rule": "wellness-visit",
        "rule_set": "acme-policy",
        "revision": "",
        "fingerprint": "",
    }
    assert len(finding["fingerprint"]) == 32

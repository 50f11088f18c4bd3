"""``claim-edits build`` and ``release``: what the checks refuse, who lets it through, and what the release shows of it."""

from __future__ import annotations

import shutil
from pathlib import Path

import click
import orjson
import pytest
from click.testing import CliRunner, Result

from claimedits.app.shipped import find_rules
from claimedits.cli.imports import build
from claimedits.cli.releases import release
from claimedits.rulesets.store import Store

POLICY = "example-payer-policy"


def run(command: click.Command, *arguments: object) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


@pytest.fixture
def rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The shipped example policy with a test that fails, in a working directory without settings."""
    monkeypatch.chdir(tmp_path)
    for name in (POLICY, "ncci-conventions", "duplicates"):
        shutil.copytree(find_rules() / name, tmp_path / "rules" / name)
    path = tmp_path / "rules" / POLICY / "tests.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('"1 prior-authorization FAIL"', '"1 prior-authorization REVIEW"', 1), encoding="utf-8")
    return Path("rules")


SAID = (
    f"rules/{POLICY}/tests.toml:1:1: no authorization: the drug is denied, what gives it is reviewed: "
    "line 1 prior-authorization: differs: status: expected REVIEW, got FAIL"
)


def test_build_says_what_release_create_will_refuse(rules: Path) -> None:
    built = run(build, rules, "--store", "store")
    assert built.exit_code == 0
    assert built.stderr == f"warning: 1 problems, for which 'release create' will refuse it:\n  {SAID}\n"
    again = orjson.loads(run(build, rules, "--store", "store", "--format", "json").stdout)
    policy = next(fields for fields in again if fields["rule_set"] == POLICY)
    assert policy["tests"] > 0 and [f"{p['where']}: {p['what']}" for p in policy["problems"]] == [SAID]
    assert [fields["problems"] for fields in again if fields["rule_set"] != POLICY] == [[], []]


def test_release_create_refuses_it_and_shows_who_let_it_through(rules: Path) -> None:
    run(build, rules, "--store", "store")
    refused = run(release, "create", "--store", "store", "--activate")
    assert (refused.exit_code, refused.stdout) == (1, "")
    headline, problem = refused.stderr.splitlines()
    assert headline.startswith("error: 1 problems, no release was created; mend them and build again")
    assert problem.strip().startswith(f"{SAID} ({POLICY} ")
    store = Store.open("store")
    assert store.releases() == [] and store.active() is None

    blank = run(release, "create", "--store", "store", "--override-checks", " ")
    assert blank.exit_code == 2 and "say why, for the release" in blank.stderr

    options = ("--override-checks", "agreed with the payer", "--who", "ada", "--activate")
    made = run(release, "create", "--store", "store", *options)
    assert made.exit_code == 0 and made.stdout.endswith(", active\n")
    shown = run(release, "show", "--store", "store").stdout.splitlines()
    place = next(i for i, line in enumerate(shown) if line.startswith("checks overridden by ada at "))
    assert shown[place].endswith(": agreed with the payer") and shown[place + 1].strip().startswith(SAID)
    (override,) = orjson.loads(run(release, "show", "--store", "store", "--format", "json").stdout)["overrides"]
    assert (override["reason"], override["who"], len(override["problems"])) == ("agreed with the payer", "ada", 1)


def test_a_revision_may_be_left_out(rules: Path) -> None:
    run(build, rules, "--store", "store")
    (policy,) = Store.open("store").revisions(POLICY)
    made = run(release, "create", "--store", "store", "--without", policy.id, "--format", "json")
    assert made.exit_code == 0
    assert policy.id not in orjson.loads(made.stdout)["revisions"]


def test_the_pointer_moves_only_from_where_it_is_believed_to_be(rules: Path) -> None:
    run(build, rules, "--store", "store")
    (policy,) = Store.open("store").revisions(POLICY)
    names = []
    for options in (("--without", policy.id), ("--override-checks", "agreed")):
        made = run(release, "create", "--store", "store", *options, "--format", "json")
        names.append(orjson.loads(made.stdout)["id"])
    move = ("--store", "store", "--who", "ada", "--why", "a test", "--expected-current")
    assert run(release, "activate", names[0], *move, names[1]).exit_code == 2
    assert run(release, "activate", names[0], *move, "none").stdout == f"active: {names[0]}\n"
    assert run(release, "activate", names[1], *move, names[0][:13]).stdout == f"active: {names[1]}\n"
    refused = run(release, "rollback", *move, "none")
    assert refused.exit_code == 2 and f"it is {names[1]} by ada at " in refused.stderr
    malformed = run(release, "rollback", *move, "nonsense")
    assert malformed.exit_code == 2 and "an id is 'sha256:' and hexadecimal digits" in malformed.stderr
    assert run(release, "rollback", *move, names[1]).stdout == f"active: {names[0]}\n"
    history = Store.open("store").activations()
    assert [(a.release, a.action, a.who, a.why) for a in history] == [
        (names[0], "activate", "ada", "a test"),
        (names[1], "activate", "ada", "a test"),
        (names[0], "rollback", "ada", "a test"),
    ]


def test_a_tampered_table_is_neither_released_nor_activated(rules: Path) -> None:
    run(build, rules, "--store", "store")
    created = run(release, "create", "--store", "store", "--override-checks", "agreed", "--format", "json")
    (policy,) = Store.open("store").revisions(POLICY)
    table = Path("store") / "revisions" / policy.id[7:] / "rules.arrow"
    table.write_bytes(table.read_bytes()[:-1])
    for arguments in (
        ("create", "--override-checks", "agreed"),
        ("activate", orjson.loads(created.stdout)["id"]),
    ):
        done = run(release, *arguments, "--store", "store")
        assert done.exit_code == 2
        assert f"{table}: damaged, " in done.stderr and "import it again, or restore it from a backup" in done.stderr
    assert Store.open("store").active() is None

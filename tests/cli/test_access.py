"""``claim-edits access``: a token is shown once, its digest goes to the table, and the table is checked as a server does."""

from __future__ import annotations

import stat
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner, Result

from claimedits.app.access import Role
from claimedits.app.access_tables import read_access_table
from claimedits.app.remote_server import read_token
from claimedits.cli.access import access


def run(*arguments: object) -> Result:
    return CliRunner().invoke(access, [str(argument) for argument in arguments])


def test_a_token_and_its_lines_are_shown(tmp_path: Path) -> None:
    shown = run("token", "ci", "--role", "administrator", "--role", "evaluate").stdout
    first, blank, title, *lines = shown.splitlines()
    assert (blank, title) == ("", "lines for the access table:")
    table = tmp_path / "access.toml"
    table.write_text("\n".join(lines))
    table.chmod(0o600)
    token = first.removeprefix("token, shown this once: ")
    found = read_access_table(table).by_token(token)
    assert found is not None
    assert (found.name, found.roles) == ("ci", {Role.ADMINISTRATOR, Role.EVALUATE})
    assert token not in "\n".join(lines)


def test_a_table_and_a_token_file_are_written(tmp_path: Path) -> None:
    table, secret = tmp_path / "access.toml", tmp_path / "token"
    done = run("token", "ci", "--role", "read", "--table", table, "--token-file", secret)
    assert done.exit_code == 0
    token = read_token(secret)
    assert token not in done.output
    assert done.stdout.startswith(f'added to {table}:\n[[caller]]\nname = "ci"\nroles = ["read"]\ntoken_sha256 = ["')
    assert [stat.S_IMODE(path.stat().st_mode) for path in (table, secret)] == [0o600, 0o600]
    found = read_access_table(table).by_token(token)
    assert found is not None and found.name == "ci"


def test_what_a_program_reads(tmp_path: Path) -> None:
    table = tmp_path / "access.toml"
    made = orjson.loads(run("token", "ci", "--role", "read", "--table", table, "--format", "json").stdout)
    assert set(made) == {"token", "lines", "table"}
    assert made["table"] == str(table) and made["lines"] == table.read_text()
    assert orjson.loads(run("check", table, "--format", "json").stdout) == [
        {"name": "ci", "roles": ["read"], "tokens": 1, "certificate": []}
    ]


def test_a_caller_that_is_known_already_gets_no_token(tmp_path: Path) -> None:
    table, secret = tmp_path / "access.toml", tmp_path / "token"
    run("token", "ci", "--role", "read", "--table", table)
    before = table.read_bytes()
    done = run("token", "ci", "--role", "administrator", "--table", table, "--token-file", secret)
    assert done.exit_code == 1
    assert f"error: {table}: nothing was added" in done.stderr and "stands in the table twice" in done.stderr
    assert table.read_bytes() == before and not secret.exists()


def test_a_token_file_is_never_written_over(tmp_path: Path) -> None:
    secret, table = tmp_path / "token", tmp_path / "access.toml"
    secret.write_text("older")
    done = run("token", "ci", "--role", "read", "--token-file", secret, "--table", table)
    assert done.exit_code == 2 and "File exists" in done.stderr
    assert secret.read_text() == "older" and not table.exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("a b", "--role", "read"), "use letters, digits and . _ @ / : + -"),
        (("ci",), "Missing option '--role'"),
        (("ci", "--role", "chief"), "'chief' is not one of 'read', 'evaluate', 'administrator'"),
    ],
)
def test_wrong_words_are_told(arguments: tuple[str, ...], told: str) -> None:
    done = run("token", *arguments)
    assert done.exit_code == 2 and told in done.stderr


def test_a_table_is_checked_in_silence_or_with_every_problem(tmp_path: Path) -> None:
    table = tmp_path / "access.toml"
    run("token", "ci", "--role", "read", "--table", table)
    good = run("check", table)
    assert (good.exit_code, good.output) == (0, "")
    with table.open("a") as file:
        file.write('[[caller]]\nname = "x"\ntoken_sha256 = "short"\n')
    bad = run("check", table)
    assert bad.exit_code == 1
    assert bad.stderr.splitlines()[0] == f"error: {table}: 2 problems, the access table was not taken"
    assert [line.split(": ")[0].strip() for line in bad.stderr.splitlines()[1:]] == [f"{table}:5:1", f"{table}:7:16"]

"""The access table as a file: every mistake has its place and its mend, and no message repeats a secret."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from claimedits.app.access import Role, digest_token
from claimedits.app.access_tables import AccessRefusedError, append_caller, read_access_table, table_lines

DIGEST = digest_token("a token").hex()
GOOD = f'[[caller]]\nname = "ci"\nroles = ["administrator"]\ntoken_sha256 = ["{DIGEST}"]\n'


def write(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def problems_of(path: Path) -> list[str]:
    with pytest.raises(AccessRefusedError) as caught:
        read_access_table(path)
    return [str(problem) for problem in caught.value.problems]


def test_a_table_is_read(tmp_path: Path) -> None:
    text = (
        f'{GOOD}\n[[caller]]\nname = "billing"\nroles = "evaluate"\n'
        'certificate = ["billing.example.org", "spiffe://example.org/billing"]\n'
    )
    table = read_access_table(write(tmp_path / "access.toml", text))
    ci, billing = table.callers
    assert (ci.name, ci.roles, ci.token_digests) == ("ci", {Role.ADMINISTRATOR}, (digest_token("a token"),))
    assert (billing.name, billing.roles) == ("billing", {Role.EVALUATE})
    assert billing.certificate_names == ("billing.example.org", "spiffe://example.org/billing")
    assert table.takes_tokens and table.takes_certificates


TOKEN = f"claimedits_{43 * 'k'}"
MISTAKES = {
    "": ["1:1: knows no caller, so that every call would be refused; write a [[caller]] table"],
    "[[caller": ["1:1: is not TOML: expected ']]' at the end of an array declaration; mend the file there; what follows was not read"],
    "[[callers]]\n": ["1:1: an access table has no field callers; did you mean caller?"],
    "[caller]\nname = 'x'\n": ["1:1: caller is not a list of tables; write [[caller]] above the fields of each"],
    f'[[caller]]\nroles = ["read"]\ntoken_sha256 = "{DIGEST}"': ['1:1: [[caller]] has no name; write name = "…"'],
    f'[[caller]]\nname = "a b"\nroles = ["read"]\ntoken_sha256 = "{DIGEST}"': [
        "2:8: is no name of a caller; use letters, digits and . _ @ / : + -, at most 100, beginning with a letter or digit"
    ],
    f'[[caller]]\nname = "x"\ntoken_sha256 = "{DIGEST}"': [
        '1:1: [[caller]] has no roles; write roles = ["read", "evaluate", "administrator"], or fewer'
    ],
    f'[[caller]]\nname = "x"\nroles = []\ntoken_sha256 = "{DIGEST}"': [
        '1:1: [[caller]] has no roles; write roles = ["read", "evaluate", "administrator"], or fewer'
    ],
    f'[[caller]]\nname = "x"\nroles = ["read", "admin"]\ntoken_sha256 = "{DIGEST}"': [
        "3:18: admin is no value of roles; use one of administrator, evaluate, read"
    ],
    '[[caller]]\nname = "x"\nroles = ["read"]\n': [
        "1:1: [[caller]] has neither token_sha256 nor certificate, so that nobody can be this caller; make a token with "
        "'claim-edits access token'"
    ],
    f'[[caller]]\nname = "x"\nroles = ["read"]\ntoken_sha256 = ["{DIGEST}", "{TOKEN}"]': [
        "4:85: is no SHA-256 digest of 64 hexadecimal digits; a token itself never stands here: make the lines with "
        "'claim-edits access token'"
    ],
    '[[caller]]\nname = "x"\nroles = ["read"]\ntoken_sha256 = 314159265\n': [
        "4:16: is no SHA-256 digest of 64 hexadecimal digits; a token itself never stands here: make the lines with "
        "'claim-edits access token'"
    ],
    f'[[caller]]\nname = "x"\nroles = ["read"]\ntoken_sha256 = "{digest_token("").hex()}"': [
        "4:16: is the digest of nothing, or of a word that is guessed first; make a token with 'claim-edits access token'"
    ],
    '[[caller]]\nname = "x"\nroles = ["read"]\ncertificate = ["", "b"]\n': [
        "4:16: is empty; name what stands in the certificate, as in billing.example.org"
    ],
    f'[[caller]]\nname = "x"\nroles = ["read"]\ntoken = "{TOKEN}"\ntoken_sha256 = "{DIGEST}"': [
        "4:1: [[caller]] has no field token; use one of certificate, name, roles, token_sha256"
    ],
    f'{GOOD}[[caller]]\nname = "ci"\nroles = ["read"]\ntoken_sha256 = "{DIGEST}"': [
        "6:8: this name stands in the table twice, first in the [[caller]] of row 1; give each caller its own; "
        "a caller may have several tokens, in one list",
        "8:16: this token_sha256 stands in the table twice, first in the [[caller]] of row 1; give each caller its own; "
        "a caller may have several tokens, in one list",
    ],
    '[[caller]]\nname = "a"\nroles = ["read"]\ncertificate = "x"\n[[caller]]\nname = "b"\nroles = ["read"]\ncertificate = ["y", "x"]': [
        "8:15: this certificate stands in the table twice, first in the [[caller]] of row 1; give each caller its own; "
        "a caller may have several tokens, in one list"
    ],
}  # fmt: skip


@pytest.mark.parametrize("text", MISTAKES, ids=range(len(MISTAKES)))
def test_each_mistake_has_its_place_and_its_mend(text: str, tmp_path: Path) -> None:
    path = write(tmp_path / "access.toml", text)
    told = problems_of(path)
    assert told == [f"{path}:{expected}" for expected in MISTAKES[text]]
    assert TOKEN not in str(told) and "314159265" not in str(told)


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    text = '[[caller]]\nname = "a b"\nroles = ["chief"]\ncolour = "red"\ntoken_sha256 = "x"\n'
    path = write(tmp_path / "access.toml", text, 0o666)
    places = [problem.partition(": ")[0].removeprefix(str(path)) for problem in problems_of(path)]
    assert places == ["", ":4:1", ":2:8", ":3:10", ":5:16"]


@pytest.mark.parametrize(
    ("mode", "told"),
    [
        (0o644, "can be read by everybody (mode 644)"),
        (0o602, "can be written by others than its owner (mode 602)"),
        (0o660, "can be written by others than its owner (mode 660)"),
    ],
)
def test_others_may_neither_read_nor_write_it(mode: int, told: str, tmp_path: Path) -> None:
    path = write(tmp_path / "access.toml", GOOD, mode)
    assert problems_of(path) == [f"{path}: {told}; run 'chmod 600 {path}'"]


@pytest.mark.parametrize("mode", [0o400, 0o600, 0o440, 0o640])
def test_its_owner_and_group_may_read_it(mode: int, tmp_path: Path) -> None:
    assert read_access_table(write(tmp_path / "access.toml", GOOD, mode)).callers


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a file away")
def test_it_belongs_to_the_server_s_user_or_root(tmp_path: Path) -> None:
    path = write(tmp_path / "access.toml", GOOD)
    os.chown(path, 1234, 0)
    assert problems_of(path) == [f"{path}: belongs to user 1234, who could change it; run 'chown 0 {path}'"]


def test_what_is_no_file_is_told(tmp_path: Path) -> None:
    missing = tmp_path / "none.toml"
    mend = "name a file of [[caller]] tables"
    assert problems_of(missing) == [f"{missing}: cannot be read (No such file or directory); {mend}"]
    assert problems_of(tmp_path) == [f"{tmp_path}: cannot be read (Is a directory); {mend}"]


def test_lines_for_a_caller_make_a_table(tmp_path: Path) -> None:
    path = tmp_path / "access.toml"
    append_caller(path, table_lines("ci", [Role.ADMINISTRATOR], ["one"]))
    path.write_text(f"# who may call\n{path.read_text()}# the end", encoding="utf-8")
    append_caller(path, table_lines("billing", [Role.READ, Role.EVALUATE], ["two"]))
    table = read_access_table(path)
    assert [(c.name, sorted(r.value for r in c.roles)) for c in table.callers] == [
        ("ci", ["administrator"]),
        ("billing", ["evaluate", "read"]),
    ]
    assert [c.name for token in ("one", "two") if (c := table.by_token(token))] == ["ci", "billing"]
    assert path.read_text(encoding="utf-8").startswith("# who may call\n") and "# the end\n" in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in tmp_path.iterdir()] == ["access.toml"]


def test_a_caller_that_is_there_already_changes_nothing(tmp_path: Path) -> None:
    path = write(tmp_path / "access.toml", GOOD, 0o640)
    with pytest.raises(AccessRefusedError) as caught:
        append_caller(path, table_lines("ci", [Role.READ], ["another"]))
    assert caught.value.headline == f"{path}: nothing was added"
    assert path.read_text(encoding="utf-8") == GOOD
    append_caller(path, table_lines("other", [Role.READ], ["another"]))
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_broken_table_is_not_written_over(tmp_path: Path) -> None:
    path = write(tmp_path / "access.toml", "[[caller")
    with pytest.raises(AccessRefusedError):
        append_caller(path, table_lines("ci", [Role.READ], ["x"]))
    assert path.read_text(encoding="utf-8") == "[[caller"


def test_a_link_goes_on_pointing_where_it_points(tmp_path: Path) -> None:
    real = write(tmp_path / "real.toml", GOOD)
    link = tmp_path / "access.toml"
    link.symlink_to(real)
    append_caller(link, table_lines("other", [Role.READ], ["another"]))
    assert link.is_symlink() and len(read_access_table(real).callers) == 2


@pytest.mark.parametrize("name", ["", "a b", 'x"', "é", "-x", "x" * 101, "a\nb"])
def test_a_name_that_no_table_takes_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="use letters, digits"):
        table_lines(name, [Role.READ], ["x"])

"""The access table as operators write it: a TOML file, read whole or not at all.

::

    [[caller]]
    name = "release-pipeline"
    roles = ["administrator"]
    token_sha256 = ["3f1c…"]                 # SHA-256 of the token, 64 hexadecimal digits; never the token

    [[caller]]
    name = "billing"
    roles = ["evaluate", "read"]
    certificate = ["billing.example.org"]    # a subject alternative name or the common name
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from claimedits.app.access import AccessTable, Caller, Role, digest_token
from claimedits.app.private_files import check_private, write_private
from claimedits.model.problems import Problem, ProblemsError
from claimedits.rulesets.authored.fields import Fields, RuleFile
from claimedits.rulesets.authored.reading import read_rule_file

FIELDS = ("name", "roles", "token_sha256", "certificate")
MOST_BYTES = 1_000_000
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@/:+-]{0,99}")
_DIGEST = re.compile(r"[0-9a-fA-F]{64}")
_WEAK = {digest_token(word) for word in ("", "\n", "test", "token", "secret", "password", "changeme", "admin")}
"""Digests of what is left when a shell's variable was empty, and of words that everybody tries first."""


class AccessRefusedError(ProblemsError):
    """An access table that was not taken, with every problem of it."""


def read_access_table(path: Path) -> AccessTable:
    """Read the table in ``path``.

    Raises:
        AccessRefusedError: with every problem as ``file:row:column``. No problem repeats a token or a digest.
    """
    problems: list[Problem] = []
    content = _read(path, problems)
    table = _parse(str(path), content, problems) if content is not None else None
    if problems or table is None:
        raise AccessRefusedError(problems, f"{path}: {len(problems)} problems, the access table was not taken")
    return table


def table_lines(name: str, roles: Sequence[Role], tokens: Sequence[str] = ()) -> str:
    """The lines that make a caller known, with the digests of tokens.

    Raises:
        ValueError: ``name`` is none that a table takes; the message says what one is.
    """
    if not NAME.fullmatch(name):
        raise ValueError(_NAME_FORM)
    words = ", ".join(f'"{role.value}"' for role in roles)
    digests = ", ".join(f'"{digest_token(token).hex()}"' for token in tokens)
    return f'[[caller]]\nname = "{name}"\nroles = [{words}]\ntoken_sha256 = [{digests}]\n'


def append_caller(path: Path, lines: str) -> None:
    """Add the lines of a caller to the table in ``path``, in one step; make the table where there is none.

    Raises:
        AccessRefusedError: the table, or what it would become, is wrong; nothing is changed.
        OSError: the directory cannot be written; nothing is changed.
    """
    old = b""
    if path.exists():
        read_access_table(path)
        old = path.read_bytes().rstrip() + b"\n\n"
    new = old + lines.encode()
    problems: list[Problem] = []
    _parse(str(path), new, problems)
    if problems:
        raise AccessRefusedError(problems, f"{path}: nothing was added")
    target = path.resolve()  # a link keeps pointing where it points
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    write_private(beside, new)
    if old:
        beside.chmod(target.stat().st_mode & 0o777)
    beside.replace(target)


def _read(path: Path, problems: list[Problem]) -> bytes | None:
    try:
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            problems.extend(check_private(path, found))
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        problems.append(Problem(str(path), f"cannot be read ({error.strerror})", "name a file of [[caller]] tables"))
        return None
    if len(content) > MOST_BYTES:
        problems.append(Problem(str(path), f"is larger than {MOST_BYTES} bytes", "an access table has some lines"))
        return None
    return content


def _parse(name: str, content: bytes, problems: list[Problem]) -> AccessTable | None:
    file = read_rule_file(name, content, problems)
    if file is None:
        return None
    top = Fields(file, (), file.values, "an access table")
    top.refuse_unknown(("caller",))
    tables = file.values.get("caller", [])
    if not isinstance(tables, list) or not all(isinstance(fields, dict) for fields in tables):
        file.add(("caller",), "caller is not a list of tables", "write [[caller]] above the fields of each")
        return None
    callers = [
        _read_caller(Fields(file, ("caller", i), fields, "[[caller]]"), fields) for i, fields in enumerate(tables)
    ]
    _refuse_repeated(file, callers)
    if not callers and not problems:
        file.add((), "knows no caller, so that every call would be refused", "write a [[caller]] table")
    return AccessTable(tuple(callers))


def _read_caller(fields: Fields, values: Mapping[str, object]) -> Caller:
    fields.refuse_unknown(FIELDS)
    name = fields.text("name", required=True)
    if name and not NAME.fullmatch(name):
        fields.add("name", "is no name of a caller", _NAME_FORM)
    words = fields.texts("roles", [role.value for role in Role])
    if "roles" not in fields or not fields.placed_texts("roles"):
        fields.file.add(fields.path, "[[caller]] has no roles", f"write roles = [{_ROLES}], or fewer", key=True)
    digests = _read_digests(fields, values.get("token_sha256", []))
    certificates = fields.texts("certificate")
    for path, text in fields.placed_texts("certificate"):
        if not text.strip():
            fields.file.add(path, "is empty", "name what stands in the certificate, as in billing.example.org")
    if not any(field in fields for field in ("token_sha256", "certificate")):
        fields.file.add(
            fields.path,
            "[[caller]] has neither token_sha256 nor certificate, so that nobody can be this caller",
            "make a token with 'claim-edits access token'",
            key=True,
        )
    return Caller(name, frozenset(map(Role, words)), digests, certificates)


def _read_digests(fields: Fields, value: object) -> tuple[bytes, ...]:
    """Digests of tokens, one or a list. What is none may be a token: it is not repeated."""
    path = (*fields.path, "token_sha256")
    placed = [((*path, i), text) for i, text in enumerate(value)] if isinstance(value, list) else [(path, value)]
    digests = []
    for path, text in placed:
        if not isinstance(text, str) or not _DIGEST.fullmatch(text):
            fields.file.add(
                path,
                "is no SHA-256 digest of 64 hexadecimal digits",
                "a token itself never stands here: make the lines with 'claim-edits access token'",
            )
        elif bytes.fromhex(text) in _WEAK:
            fields.file.add(
                path,
                "is the digest of nothing, or of a word that is guessed first",
                "make a token with 'claim-edits access token'",
            )
        else:
            digests.append(bytes.fromhex(text))
    return tuple(digests)


def _refuse_repeated(file: RuleFile, callers: Sequence[Caller]) -> None:
    """A name, a token and a certificate belong to one caller."""
    seen: dict[tuple[str, object], int] = {}
    for i, caller in enumerate(callers):
        keys: list[tuple[str, object]] = [("name", caller.name)] if caller.name else []
        keys += [("token_sha256", digest) for digest in caller.token_digests]
        keys += [("certificate", name) for name in caller.certificate_names]
        for key in keys:
            if key in seen:
                row = file.place(("caller", seen[key])).row
                mend = "give each caller its own; a caller may have several tokens, in one list"
                file.add(
                    ("caller", i, key[0]),
                    f"this {key[0]} stands in the table twice, first in the [[caller]] of row {row}",
                    mend,
                )
            seen.setdefault(key, i)


_NAME_FORM = "use letters, digits and . _ @ / : + -, at most 100, beginning with a letter or digit"
_ROLES = ", ".join(f'"{role.value}"' for role in Role)

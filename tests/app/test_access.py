"""Who is who: tokens by their digests, certificates by their names, roles by what they allow."""

from __future__ import annotations

import hashlib
import hmac
import itertools

import pytest

from claimedits.app import access
from claimedits.app.access import LONGEST_TOKEN, TOKEN_PREFIX, AccessTable, Caller, Role, digest_token, make_token


def caller(name: str, *roles: Role, tokens: tuple[str, ...] = (), certificates: tuple[str, ...] = ()) -> Caller:
    return Caller(name, frozenset(roles), tuple(map(digest_token, tokens)), certificates)


TABLE = AccessTable(
    (
        caller("ada", Role.ADMINISTRATOR, tokens=("first", "second")),
        caller("bob", Role.READ, tokens=("third",), certificates=("bob", "bob.example.org")),
        caller("eve", Role.EVALUATE, certificates=("eve", "shared")),
        caller("mal", Role.EVALUATE, certificates=("mal",)),
    )
)


@pytest.mark.parametrize(
    ("granted", "allowed"),
    [
        ((Role.READ,), {Role.READ}),
        ((Role.EVALUATE,), {Role.EVALUATE}),
        ((Role.ADMINISTRATOR,), {Role.ADMINISTRATOR, Role.READ}),
        ((Role.READ, Role.EVALUATE), {Role.READ, Role.EVALUATE}),
        ((), set()),
    ],
)
def test_roles_allow_what_they_say(granted: tuple[Role, ...], allowed: set[Role]) -> None:
    assert {role for role in Role if caller("x", *granted).may(role)} == allowed


def test_a_token_is_known_by_its_digest() -> None:
    found = [TABLE.by_token(token) for token in ("first", "second", "third", "fourth", "", "First", "first ")]
    assert [c.name if c else None for c in found] == ["ada", "ada", "bob", None, None, None, None]
    assert digest_token("first") == hashlib.sha256(b"first").digest()


@pytest.mark.parametrize("token", ["first", "third", "fourth"])
def test_every_digest_is_compared_whatever_is_found(token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return hmac.compare_digest(one, other)

    monkeypatch.setattr(access, "hmac", type("counting", (), {"compare_digest": staticmethod(compare)}))
    TABLE.by_token(token)
    assert compared == [(digest_token(token), digest_token(known)) for known in ("first", "second", "third")]


def test_an_endless_token_is_not_digested() -> None:
    long = "x" * (LONGEST_TOKEN + 1)
    assert AccessTable((caller("x", tokens=(long,)),)).by_token(long) is None
    assert AccessTable((caller("x", tokens=(long[1:],)),)).by_token(long[1:]) is not None


def test_a_token_of_odd_characters_is_nobody_s() -> None:
    for token in ("é", "\udcff", "\0", "漢"):
        assert TABLE.by_token(token) is None


def test_a_certificate_is_known_by_any_of_its_names_and_belongs_to_one() -> None:
    shown = [("bob",), ("other", "bob.example.org"), ("bob", "bob.example.org"), ("Bob",), (), ("eve", "mal")]
    found = [TABLE.by_certificate(names) for names in shown]
    assert [c.name if c else None for c in found] == ["bob", "bob", "bob", None, None, None]


def test_made_tokens_are_long_and_differ() -> None:
    tokens = [make_token() for _ in range(100)]
    assert len(set(tokens)) == 100
    for token in tokens:
        assert token.startswith(TOKEN_PREFIX) and len(token) == len(TOKEN_PREFIX) + 43
        assert set(token) <= set(map(chr, itertools.chain(range(48, 58), range(65, 91), range(97, 123), b"-_")))

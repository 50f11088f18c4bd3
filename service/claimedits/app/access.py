"""Who may call the service, and for what: callers by name, known by a bearer token or by a client certificate.

A token is 256 random bits, so its SHA-256 says nothing of it; only digests are kept.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

TOKEN_BYTES = 32
TOKEN_PREFIX = "claimedits_"
"""Lets scanners for leaked secrets know a token when they see one."""
LONGEST_TOKEN = 4096
"""Characters. Nothing longer is digested."""


class Role(Enum):
    """What a caller may do. The words are those of the access table and of ``ErrorInfo.metadata["role"]``."""

    READ = "read"
    """See rule sets, revisions, releases and edits: the reading calls of RuleSetService."""
    EVALUATE = "evaluate"
    """Have claims evaluated: ClaimEditService."""
    ADMINISTRATOR = "administrator"
    """Activate and roll back releases."""


IMPLIED = {Role.ADMINISTRATOR: frozenset({Role.READ})}
"""Who decides what goes live has to see it. He need not see claims: no role but ``evaluate`` evaluates."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody whom the access table knows."""

    name: str
    """What the log and the history of activations call him."""
    roles: frozenset[Role]
    """As granted; ``may`` adds those that they imply."""
    token_digests: tuple[bytes, ...] = ()
    """SHA-256 of each token that he may show: two while one replaces the other."""
    certificate_names: tuple[str, ...] = ()
    """A subject alternative name or the common name of his certificate, compared exactly."""

    def may(self, role: Role) -> bool:
        """Whether the caller has a role, granted or implied."""
        return role in self.roles or any(role in IMPLIED.get(granted, ()) for granted in self.roles)


@dataclass(frozen=True, slots=True)
class AccessTable:
    """Everybody who may call. Who is not in it may do nothing."""

    callers: tuple[Caller, ...]

    @property
    def takes_tokens(self) -> bool:
        """Whether a caller is known by a token."""
        return any(caller.token_digests for caller in self.callers)

    @property
    def takes_certificates(self) -> bool:
        """Whether a caller is known by a certificate."""
        return any(caller.certificate_names for caller in self.callers)

    def by_token(self, token: str) -> Caller | None:
        """The caller who holds a token.

        The time it takes tells nothing: digests are compared, each in constant time, and all of them whatever is found.
        """
        if len(token) > LONGEST_TOKEN:
            return None
        digest, found = digest_token(token), None
        for caller in self.callers:
            for known in caller.token_digests:
                if hmac.compare_digest(digest, known):
                    found = caller
        return found

    def by_certificate(self, names: Iterable[str]) -> Caller | None:
        """The caller whom the names of a verified certificate belong to; None, too, where they belong to several."""
        shown = frozenset(names)
        found = [caller for caller in self.callers if not shown.isdisjoint(caller.certificate_names)]
        return found[0] if len(found) == 1 else None


def digest_token(token: str) -> bytes:
    """What is kept of a token: its SHA-256."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def make_token() -> str:
    """A new token: 256 random bits in letters that need no quoting anywhere."""
    return TOKEN_PREFIX + secrets.token_urlsafe(TOKEN_BYTES)

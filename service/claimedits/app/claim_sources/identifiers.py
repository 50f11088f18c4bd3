"""Identifiers at the edge: what names a person becomes a digest, and with a key every identifier may.

Digests are BLAKE2b of 16 bytes, 32 hexadecimal digits. Without a key they are the same everywhere and can be guessed by
whoever can list all member numbers; with a key of one's own they cannot. The key is read from a file and never shown.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import pyarrow as pa

from claimedits.app.claim_sources.containers import SourceError
from claimedits.model.claim import Claim, ClaimLine

SHORTEST_KEY = 16
"""Bytes of a key file; fewer can be tried out."""
LONGEST_KEY = 64
"""What BLAKE2b takes; a longer key file is digested first."""

HASHED_COLUMNS: dict[str, str] = {
    "claim_id": "claim",
    "history_claim_id": "claim",
    "patient_id": "patient",
    "billing_provider_id": "provider",
    "rendering_provider_id": "provider",
}
"""Columns of a line table that a key replaces, and the kind of identifier each holds: one kind, one name space, so that
a claim keeps its name where another claim's history mentions it, and a provider may bill and render."""


class IdentifierHash:
    """Replaces identifiers by digests; equal identifiers of one kind stay equal. Empty stays empty: unknown."""

    def __init__(self, key: bytes = b"") -> None:
        self._key = key if len(key) <= LONGEST_KEY else hashlib.blake2b(key).digest()
        self.keyed = bool(key)
        self.digest: Callable[[str, str], str] = lru_cache(maxsize=65_536)(self._digest)

    @classmethod
    def from_file(cls, path: Path) -> IdentifierHash:
        """The key is all bytes of the file but blanks around them.

        Raises:
            SourceError: the file cannot be read, or the key is too short.
        """
        try:
            key = path.read_bytes().strip()
        except OSError as error:
            raise SourceError(f"{path}: cannot be read: {error.strerror}") from None
        if len(key) < SHORTEST_KEY:
            raise SourceError(
                f"{path}: the key has {len(key)} bytes; write at least {SHORTEST_KEY}, as `openssl rand -hex 32` does"
            )
        return cls(key)

    def __repr__(self) -> str:
        return f"IdentifierHash(keyed={self.keyed})"

    def _digest(self, kind: str, identifier: str) -> str:
        if not identifier:
            return ""
        person = kind.encode()[:16]
        return hashlib.blake2b(identifier.encode(), digest_size=16, key=self._key, person=person).hexdigest()

    def claim(self, claim: Claim) -> Claim:
        """A claim with every identifier replaced."""
        return claim._replace(
            claim_id=self.digest("claim", claim.claim_id),
            billing_provider_id=self.digest("provider", claim.billing_provider_id),
            patient=claim.patient._replace(patient_id=self.digest("patient", claim.patient.patient_id)),
            lines=tuple(map(self._line, claim.lines)),
            history_lines=tuple(map(self._line, claim.history_lines)),
        )

    def _line(self, line: ClaimLine) -> ClaimLine:
        return line._replace(
            rendering_provider_id=self.digest("provider", line.rendering_provider_id),
            claim_id=self.digest("claim", line.claim_id),
        )

    def table(self, table: pa.Table) -> pa.Table:
        """A line table with every identifier replaced."""
        for name, kind in HASHED_COLUMNS.items():
            if name in table.column_names:
                encoded = table.column(name).combine_chunks().dictionary_encode()
                digests = [None if v is None else self.digest(kind, v) for v in encoded.dictionary.to_pylist()]
                hashed = pa.array(digests, pa.string()).take(encoded.indices)
                table = table.set_column(table.column_names.index(name), name, hashed)
        return table

"""What makes a citation one that somebody can follow."""

from __future__ import annotations

import re

_NOTHING = frozenset(
    ("tbd", "tba", "na", "none", "unknown", "unclear", "missing", "pending", "later", "citation needed", "source", "see above", "ditto",
     "same", "xxx", "fill in", "placeholder", "somewhere", "internet", "email", "http", "https")
)  # fmt: skip
_MARKERS = re.compile(r"\b(to-?do|fix-?me|tbd|tba|xxx|citation needed)\b", re.IGNORECASE)
_WORDS = re.compile(r"[^a-z0-9 ]+")
_ADDRESS = re.compile(r"https?://[A-Za-z0-9.-]+\.[A-Za-z]{2,}([/?#][^\s]*)?")


def find_fault(citation: str) -> str:
    """Why nobody could follow a citation; empty = it names something."""
    plain = " ".join(_WORDS.sub(" ", citation.lower().replace("/", "")).split())
    if plain in _NOTHING or _MARKERS.search(citation):
        return "names nothing yet"
    if sum(letter.isalnum() for letter in citation) < 3:
        return "is too short to name anything"
    if citation.lower().startswith(("http:", "https:", "www.")):
        return find_address_fault(citation)
    return ""


def find_address_fault(address: str) -> str:
    """Why a web address leads nowhere; empty = it has the form of one."""
    return "" if _ADDRESS.fullmatch(address) else "is no web address"

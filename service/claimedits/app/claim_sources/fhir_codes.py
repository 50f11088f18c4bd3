"""Code meanings of FHIR claims that change with time and publisher: ``fhir_codes.toml``, read once."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from importlib.resources import files
from typing import Any, NamedTuple


class NpiWords(NamedTuple):
    """How identifiers say that they are an NPI."""

    systems: frozenset[str]
    types: frozenset[str]
    """Codes of ``Identifier.type``."""


@lru_cache(maxsize=1)
def fhir_codes() -> dict[str, Any]:
    """The shipped data."""
    return tomllib.loads(files("claimedits.app.claim_sources").joinpath("fhir_codes.toml").read_text("utf-8"))


@lru_cache(maxsize=1)
def npi_words() -> NpiWords:
    """Those of the shipped data."""
    codes = fhir_codes()["providers"]
    return NpiWords(frozenset(codes["npi_systems"]), frozenset(codes["npi_types"]))

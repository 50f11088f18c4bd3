"""Who a FHIR claim speaks of: patients, providers and places, contained in the claim or standing before it in its file.

Names and addresses are not read: of a patient birth date and sex, of a provider one identifier, of both the state.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from claimedits.app.claim_sources.fhir_codes import npi_words

_MOST = 65_536
"""Names of resources that are remembered; the oldest are forgotten first."""
_UUID = 36
"""Characters of a UUID: without a bundle, the id of a resource is what ``urn:uuid:`` names."""
_KINDS = frozenset(["Patient", "Organization", "Practitioner", "Location"])


class Party(NamedTuple):
    """What is kept of a resource; empty = not said."""

    birth: str = ""
    sex: str = ""
    identifier: str = ""
    """Of a provider: the NPI, else the first identifier."""
    state: str = ""


NOBODY = Party()


class Parties:
    """The patients, providers and places of a file so far, by the references that claims use for them."""

    def __init__(self) -> None:
        self._known: dict[str, Party] = {}

    def remember(self, resource: Mapping[str, Any], full_url: str) -> None:
        """Take a resource that is no claim; ``full_url`` is that of its bundle entry, or empty."""
        kind, local = resource.get("resourceType"), text_of(resource.get("id"))
        if kind not in _KINDS:
            return
        party = read_party(resource)
        names = [f"{kind}/{local}", f"urn:uuid:{local}" if len(local) == _UUID else ""] if local else []
        for name in filter(None, (*names, full_url)):
            if name not in self._known and len(self._known) >= _MOST:
                del self._known[next(iter(self._known))]
            self._known[name] = party

    def find(self, reference: str) -> Party:
        """The one a reference names: by its whole text, as ``urn:uuid:…``, or by type and id at its end."""
        known = self._known.get(reference)
        if known is None:
            known = self._known.get(short_reference(reference))
        return known or NOBODY


def read_party(resource: Mapping[str, Any]) -> Party:
    """What is kept of a resource."""
    is_patient = resource.get("resourceType") == "Patient"
    birth = text_of(resource.get("birthDate"))
    sex = {"male": "M", "female": "F"}.get(text_of(resource.get("gender")), "")
    states = [text_of(address.get("state")).upper() for address in objects_of(resource.get("address"))]
    return Party(
        birth if is_patient and len(birth) == 10 else "",
        sex if is_patient else "",
        "" if is_patient else choose_identifier(objects_of(resource.get("identifier"))),
        next((state for state in states if len(state) == 2 and state.isascii() and state.isalpha()), ""),
    )


def choose_identifier(identifiers: Sequence[Mapping[str, Any]]) -> str:
    """The NPI where one is given, else the first identifier that says anything."""
    npi = npi_words()
    said = [item for item in identifiers if text_of(item.get("value"))]
    for item in said:
        if text_of(item.get("system")) in npi.systems or {code for _, code in codings_of(item.get("type"))} & npi.types:
            return text_of(item.get("value"))
    return text_of(said[0].get("value")) if said else ""


def named_by_identifier(reference: str) -> str:
    """The identifier of a conditional reference, ``Organization?identifier=system|value``; empty for other references."""
    _, found, token = reference.partition("?identifier=")
    return token.rpartition("|")[2] if found else ""


@lru_cache(maxsize=4096)
def short_reference(reference: str) -> str:
    """Type and id, whatever server and version a reference names."""
    return "/".join(reference.partition("/_history/")[0].split("/")[-2:])


# ---- the shapes of FHIR ----


def objects_of(value: object) -> list[Mapping[str, Any]]:
    """The objects of a list, or of one object; whatever else stands there is left out."""
    if isinstance(value, Mapping):
        return [value]
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def object_of(value: object) -> Mapping[str, Any]:
    """An object; empty where something else stands."""
    return value if isinstance(value, Mapping) else {}


def text_of(value: object) -> str:
    """A text without outer blanks; empty where something else stands."""
    return value.strip() if isinstance(value, str) else ""


def codings_of(concept: object) -> Iterator[tuple[str, str]]:
    """System and code of each coding of a CodeableConcept."""
    for item in objects_of(object_of(concept).get("coding")):
        yield text_of(item.get("system")), text_of(item.get("code"))

"""Who a claim of an 837 belongs to: billing provider, subscriber and patient, from the loops above it (2000A, B, C).

Names, addresses and member numbers are used where they tell people apart, as a digest, and kept nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from claimedits.app.claim_sources.identifiers import IdentifierHash
from claimedits.app.claim_sources.x12_segments import Segment

_UNKEYED = IdentifierHash()


@dataclass(slots=True)
class BillingProvider:
    """Loop 2000A."""

    hl: str
    named: bool = False
    npi: str = ""
    other_id: str = ""
    """REF*G2 or REF*EI: what names a provider that has no NPI."""
    taxonomy: str = ""
    state: str = ""

    @property
    def provider_id(self) -> str:
        return self.npi or self.other_id


@dataclass(slots=True)
class Person:
    """Loop 2010BA or 2010CA: a subscriber or a patient."""

    birth: str = ""
    """CCYYMMDD as sent."""
    birth_form: str = ""
    """DMG01: D8."""
    sex: str = ""
    digest: str = ""
    name: str = ""
    """Last and first name, for telling dependents of one member apart; never leaves this module but in a digest."""


@dataclass(slots=True)
class Subscriber:
    """Loop 2000B."""

    hl: str
    parent: str
    has_sbr: bool = False
    filing_indicator: str = ""
    relationship: str = ""
    member_id: str = ""
    payer_id: str = ""
    person: Person = field(default_factory=Person)


@dataclass(slots=True)
class Dependent:
    """Loop 2000C: the patient, where it is not the subscriber."""

    hl: str
    parent: str
    person: Person = field(default_factory=Person)


@dataclass(slots=True)
class Loops:
    """The loops in force at a claim. One transaction at a time; nothing of earlier ones is kept."""

    billing: BillingProvider | None = None
    subscriber: Subscriber | None = None
    dependent: Dependent | None = None
    flaw: str = ""
    """Why claims below this point have no known owner."""
    mend: str = ""
    _entity: str = ""

    def clear(self) -> None:
        """A new transaction begins."""
        self.billing = self.subscriber = self.dependent = None
        self.flaw = self.mend = self._entity = ""

    def open_level(self, segment: Segment) -> None:
        """HL: a level of the hierarchy begins."""
        hl, parent, level = segment.get(1), segment.get(2), segment.get(3)
        self._entity = self.flaw = self.mend = ""
        if level == "20":
            self.billing, self.subscriber, self.dependent = BillingProvider(hl), None, None
        elif level == "22":
            self.subscriber, self.dependent = Subscriber(hl, parent), None
            if self.billing is None or parent != self.billing.hl:
                self._refuse("a subscriber level (HL 22) that is not below the billing provider before it")
        elif level == "23":
            self.dependent = Dependent(hl, parent)
            if self.subscriber is None or parent != self.subscriber.hl:
                self._refuse("a patient level (HL 23) that is not below the subscriber before it")
            elif self.billing is None or self.subscriber.parent != self.billing.hl:
                self._refuse("a subscriber level (HL 22) that is not below the billing provider before it")
        else:
            self.billing = self.subscriber = self.dependent = None
            self._refuse("a level (HL) that is no billing provider, subscriber or patient")

    def _refuse(self, what: str) -> None:
        self.flaw, self.mend = what, "HL02 names HL01 of the level above"

    def take(self, segment: Segment) -> None:
        """Any other segment before the first claim of a level."""
        if segment.tag == "NM1":
            self._entity = segment.get(1)
            self._take_name(segment)
        elif segment.tag == "SBR" and self.subscriber is not None and self.dependent is None:
            self.subscriber.has_sbr = True
            self.subscriber.relationship = segment.get(2)
            self.subscriber.filing_indicator = segment.get(9)
        elif segment.tag == "PRV" and segment.get(1) == "BI" and self.billing is not None and self.subscriber is None:
            self.billing.taxonomy = segment.get(3)
        elif segment.tag == "N4" and self._entity == "85" and self.billing is not None:
            self.billing.state = segment.get(2)
        elif segment.tag == "REF" and self._entity == "85" and self.billing is not None:
            if segment.get(1) == "G2" or (segment.get(1) == "EI" and not self.billing.other_id):
                self.billing.other_id = segment.get(2)
        elif segment.tag == "DMG":
            self._take_demographics(segment)

    def _take_name(self, segment: Segment) -> None:
        if self._entity == "85" and self.billing is not None and self.subscriber is None:
            self.billing.named = True
            self.billing.npi = segment.get(9) if segment.get(8) == "XX" else ""
        elif self._entity == "IL" and self.subscriber is not None and self.dependent is None:
            self.subscriber.member_id = segment.get(9)
            self.subscriber.person.name = f"{segment.get(3)}|{segment.get(4)}"
        elif self._entity == "PR" and self.subscriber is not None and self.dependent is None:
            self.subscriber.payer_id = segment.get(9)
        elif self._entity == "QC" and self.dependent is not None:
            self.dependent.person.name = f"{segment.get(3)}|{segment.get(4)}"

    def _take_demographics(self, segment: Segment) -> None:
        person: Person | None = None
        if self._entity == "QC" and self.dependent is not None:
            person = self.dependent.person
        elif self._entity == "IL" and self.subscriber is not None and self.dependent is None:
            person = self.subscriber.person
        if person is not None:
            person.birth_form, person.birth, person.sex = segment.get(1), segment.get(2), segment.get(3)

    def patient(self) -> Person:
        """Of the claim at hand: the dependent, else the subscriber, with a digest that says who it is."""
        if self.subscriber is None:
            return Person()
        person = self.dependent.person if self.dependent is not None else self.subscriber.person
        member = self.subscriber.member_id.upper()
        if member and not person.digest:
            whose = f"|{person.name.upper()}|{person.birth}|{person.sex}" if self.dependent is not None else ""
            person.digest = _UNKEYED.digest("patient", member + whose)
        return person

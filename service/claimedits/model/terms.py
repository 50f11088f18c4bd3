"""Closed word lists of the contract: programs, settings, families, statuses (api.md §1, §2; semantics.md §0.2).

The numbers are those of the enums in ``proto/claimedits/v1``; the names are the short words of files and command line.
"""

from __future__ import annotations

from enum import IntEnum


class Program(IntEnum):
    """Who pays. Medicaid has NCCI tables of its own (semantics.md §G.4)."""

    MEDICARE = 1
    MEDICAID = 2


class Setting(IntEnum):
    """Which claim form and payment system the lines belong to (api.md §2)."""

    PRACTITIONER = 1
    ASC = 2
    OUTPATIENT_HOSPITAL = 3
    DME_SUPPLIER = 4


class Family(IntEnum):
    """A family of edits, numbered in the order of evaluation (semantics.md §0.4).

    POLICY rules may react to every other family, so they come last.
    """

    CODE_VALIDITY = 1
    DUPLICATE = 2
    MODIFIER = 3
    PTP = 4
    MUE = 5
    COVERAGE = 6
    ADD_ON_CODE = 7
    POLICY = 8


class Status(IntEnum):
    """What one rule says of one line, numbered from best to worst (semantics.md §0.2).

    The status of a line is the worst of its findings: the greatest number.
    """

    NOT_APPLICABLE = 1
    PASS = 2
    BYPASSED = 3
    NOT_EVALUATED = 4
    REVIEW = 5
    FAIL = 6


class Overridable(IntEnum):
    """What can still clear a finding (semantics.md §0.3)."""

    NOT_APPLICABLE = 1
    MODIFIER = 2
    NEVER = 3
    DOCUMENTATION = 4
    CORRECTION = 5


class DetailLevel(IntEnum):
    """How much of the answer is reported (api.md, EvaluateClaimRequest)."""

    FINDINGS = 1
    ALL = 2
    TRACE = 3


FAMILIES_BY_NAME: tuple[Family, ...] = tuple(sorted(Family, key=lambda family: family.name))
"""Every family in alphabetical order: the order of findings within a line (api.md §2)."""

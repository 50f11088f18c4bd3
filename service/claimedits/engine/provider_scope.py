"""Whether two lines are of the "same provider" (semantics.md §A.1): same, not decided, or different."""

from __future__ import annotations

from enum import Enum

from claimedits.model.claim import ClaimLine
from claimedits.model.terms import Setting
from claimedits.rulesets.conventions import Conventions


class Scope(Enum):
    """The three-valued answer."""

    SAME = "same"
    UNDECIDED = "undecided"
    DIFFERENT = "different"


_ONE_PROVIDER = (Setting.OUTPATIENT_HOSPITAL, Setting.DME_SUPPLIER)


def compare_providers(a: ClaimLine, b: ClaimLine, setting: Setting, conventions: Conventions) -> Scope:
    """The table of §A.1 for two lines of one billing provider, under the switch ``ptp.same_provider``."""
    if a.rendering_provider_id == b.rendering_provider_id:
        return Scope.SAME
    rule = conventions.switch("ptp.same_provider", a.service_date)
    if setting in _ONE_PROVIDER or rule == "billing_provider":
        return Scope.SAME
    if not a.rendering_provider_id or not b.rendering_provider_id:
        return Scope.SAME
    if rule == "rendering_only":
        return Scope.DIFFERENT
    if a.rendering_specialty and a.rendering_specialty == b.rendering_specialty:
        return Scope.SAME
    return Scope.UNDECIDED

"""Look-ups: every edit that touches a code, a pair or a diagnosis, and what a rule id means (api.md, LookUpEdits; api.md §4)."""

from __future__ import annotations

from claimedits.app.lookup.edits import Edit, EditList, LookUp
from claimedits.app.lookup.explaining import Explanation, explain_rule
from claimedits.app.lookup.reading import read_codes
from claimedits.app.lookup.searching import look_up

__all__ = ["Edit", "EditList", "Explanation", "LookUp", "explain_rule", "look_up", "read_codes"]

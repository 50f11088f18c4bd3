"""claim-edits: medical-claim edits as versioned rules, with the row cited behind every answer.

>>> from claimedits import Engine
>>> decision = Engine.open("store").evaluate(claim)          # doctest: +SKIP
"""

from __future__ import annotations

from claimedits.engine.columnar.table import TableEvaluator, TableFindings, evaluate_batches, evaluate_table
from claimedits.engine.engine import Engine
from claimedits.engine.version import ENGINE_VERSION
from claimedits.model.claim import Claim, ClaimLine
from claimedits.model.claim_reading import read_claim
from claimedits.model.finding import Decision, Finding
from claimedits.model.line_table import FINDING_SCHEMA, LINE_SCHEMA, TableInvalidError
from claimedits.model.problems import ClaimEditsError, ClaimInvalidError, NotFoundError, StoreError
from claimedits.model.terms import DetailLevel, Family, Program, Setting, Status
from claimedits.rulesets.store import Store

__version__ = ENGINE_VERSION
__all__ = [
    "FINDING_SCHEMA",
    "LINE_SCHEMA",
    "Claim",
    "ClaimEditsError",
    "ClaimInvalidError",
    "ClaimLine",
    "Decision",
    "DetailLevel",
    "Engine",
    "Family",
    "Finding",
    "NotFoundError",
    "Program",
    "Setting",
    "Status",
    "Store",
    "StoreError",
    "TableEvaluator",
    "TableFindings",
    "TableInvalidError",
    "evaluate_batches",
    "evaluate_table",
    "read_claim",
]

"""Every kind of rule set there is, registered with its index. A new family adds one line here."""

from __future__ import annotations

from claimedits.rulesets import code_sets
from claimedits.rulesets.add_on_index import ADD_ON_INDEX
from claimedits.rulesets.authored.authored_index import AUTHORED_INDEX
from claimedits.rulesets.code_edits import CODE_EDITS_INDEX
from claimedits.rulesets.conventions import CONVENTIONS_INDEX, DUPLICATES_INDEX
from claimedits.rulesets.coverage.index import COVERAGE_INDEX
from claimedits.rulesets.coverage.value_sets import VALUE_SET_INDEX
from claimedits.rulesets.fee_schedule import FEE_SCHEDULE_INDEX
from claimedits.rulesets.indexes import IndexKind, register_index
from claimedits.rulesets.mue_index import MUE_INDEX
from claimedits.rulesets.ptp_index import PTP_INDEX

ALL: tuple[IndexKind, ...] = (
    PTP_INDEX,
    MUE_INDEX,
    ADD_ON_INDEX,
    CONVENTIONS_INDEX,
    DUPLICATES_INDEX,
    *code_sets.ALL,
    FEE_SCHEDULE_INDEX,
    CODE_EDITS_INDEX,
    AUTHORED_INDEX,
    COVERAGE_INDEX,
    VALUE_SET_INDEX,
)

for _kind in ALL:
    register_index(_kind)

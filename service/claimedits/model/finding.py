"""The answer: findings about lines, and the decision on a claim (api.md §2, EvaluateClaimResponse; semantics.md §0.3).

Field names are those of the JSON form and of the proto messages; ``app.rendering`` writes both from these classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from claimedits.model.dates import Day
from claimedits.model.terms import Family, Overridable, Status


class Citation(NamedTuple):
    """The rule behind a finding: rule set, revision, and the publisher's row. Empty text and 0 = does not apply."""

    rule_set: str
    revision: str = ""
    """``sha256:`` and the hexadecimal digest of the revision."""
    label: str = ""
    source_file: str = ""
    source_sha256: str = ""
    source_row: int = 0
    """1-based record number in the source file."""
    effective_from: str = ""
    effective_to: str = ""
    """Last day of the row, inclusive; empty = open."""
    authority: str = ""
    url: str = ""


class Adjustment(NamedTuple):
    """Claim adjustment codes: group, CARC, RARCs. Numbers only; the X12 texts are not ours to ship."""

    group: str
    carc: str
    rarc: tuple[str, ...] = ()


class Remedy(NamedTuple):
    """One thing that would clear the finding, and when it may be done."""

    action: str
    """ADD_MODIFIER, REMOVE_MODIFIER, REMOVE_LINE, SPLIT_LINE, CORRECT_UNITS, CORRECT_CODE, CORRECT_DATE,
    ADD_PRIMARY, ADD_DIAGNOSIS, POINT_DIAGNOSIS, CORRECT_DIAGNOSIS, DOCUMENT, APPEAL, NONE."""
    line_numbers: tuple[int, ...] = ()
    any_of: tuple[str, ...] = ()
    """Codes to choose from (modifiers, procedure or diagnosis codes), the most telling first."""
    condition: str = ""


class Note(NamedTuple):
    """An advisory beside a finding: a stable code and a sentence."""

    code: str
    text: str


class VersionConflict(NamedTuple):
    """The value in force on the service date differs from the newest known one (semantics.md §G.3, step 4)."""

    field: str
    in_force: str
    in_force_label: str
    newest: str
    newest_label: str


class ModifierConsidered(NamedTuple):
    """One modifier weighed for a PTP bypass."""

    line_number: int
    column: int
    modifier: str
    honoured: bool
    why: str
    authority: str = ""


class HistoryLine(NamedTuple):
    """A line of another claim that took part."""

    claim_id: str
    line_number: int


class PtpDetail(NamedTuple):
    column_1: str
    column_2: str
    modifier_indicator: str
    effective_from: str = ""
    effective_to: str = ""
    modifiers_considered: tuple[ModifierConsidered, ...] = ()
    accepted_by: str = ""
    """The policy row that accepted the bypassing modifier."""
    history_checked: bool = False
    common_days: tuple[str, ...] = ()
    """First and last common day of overlapping spans."""


class MueDetail(NamedTuple):
    value: int | None
    """None where the row is confidential or absent."""
    mai: str
    units_billed: str
    """As billed on this line."""
    units_evaluated: str
    """What was compared with the value: per line, or summed over the day."""
    line_numbers_summed: tuple[int, ...] = ()
    special: str = ""
    """``asc_bilateral``, ``date_span``, ``claim_line_before_2013``, ``confidential`` or empty; several joined by a comma."""
    day: str = ""
    """The day whose sum was compared, for day edits."""


class AddOnDetail(NamedTuple):
    edit_type: str
    primaries_listed: tuple[str, ...] = ()
    primaries_total: int = 0
    """How many primaries the table lists; ``primaries_listed`` shows at most 50."""
    primary_found: str = ""
    primary_line_number: int = 0


class DuplicateDetail(NamedTuple):
    key: tuple[str, ...]
    """Names of the fields compared."""
    history_checked: bool = False


class CoverageDetail(NamedTuple):
    document_id: str = ""
    document_version: str = ""
    document_type: str = ""
    group_hit: str = ""
    missing: str = ""
    diagnoses_considered: tuple[str, ...] = ()
    paragraph: str = ""
    paragraph_sha256: str = ""
    jurisdiction: str = ""


class ModifierDetail(NamedTuple):
    """``modifiers`` are the offending or missing ones; an offending one bypasses nothing (semantics.md §0.4)."""

    rule: str = ""
    modifiers: tuple[str, ...] = ()


class CodeDetail(NamedTuple):
    code: str
    kind: str
    """``PROCEDURE``, ``MODIFIER`` or ``DIAGNOSIS``."""
    effective_from: str = ""
    effective_to: str = ""
    suggestions: tuple[str, ...] = ()


class PolicyDetail(NamedTuple):
    rule: str
    values: tuple[tuple[str, str], ...] = ()
    """The facts that made the rule fire, by attribute name."""


class Detail(NamedTuple):
    """Typed particulars of one finding; absent parts are None and left out of the answer."""

    beneficiary_liable: bool = False
    abn_can_shift_liability: bool = False
    conditional: bool = False
    """The finding presumes that another line, itself denied, would be paid."""
    reconstructed: bool = False
    """Read from a later cumulative revision, for want of one that governs the date."""
    stale_ruleset: bool = False
    """Read from a revision whose governed days had ended."""
    note: str = ""
    advisories: tuple[Note, ...] = ()
    version_conflict: tuple[VersionConflict, ...] = ()
    history: tuple[HistoryLine, ...] = ()
    ptp: PtpDetail | None = None
    mue: MueDetail | None = None
    aoc: AddOnDetail | None = None
    duplicate: DuplicateDetail | None = None
    coverage: CoverageDetail | None = None
    modifier: ModifierDetail | None = None
    code: CodeDetail | None = None
    policy: PolicyDetail | None = None


@dataclass(slots=True)
class Finding:
    """One rule's answer about one line. Only ``depends_on`` and ``detail`` may change, until the decision is closed."""

    rule_id: str
    family: Family
    status: Status
    line_number: int
    code: str
    message: str
    related_line_numbers: tuple[int, ...] = ()
    citation: Citation | None = None
    adjustment: Adjustment | None = None
    overridable: Overridable = Overridable.NOT_APPLICABLE
    remedies: tuple[Remedy, ...] = ()
    depends_on: tuple[str, ...] = ()
    """``finding_id`` of the findings that this one presumes."""
    detail: Detail | None = None

    @property
    def finding_id(self) -> str:
        """Names this finding within its decision: ``line/rule_id`` and the related lines where there are any."""
        related = ",".join(map(str, self.related_line_numbers))
        return f"{self.line_number}/{self.rule_id}" + (f"@{related}" if related else "")


class LineResult(NamedTuple):
    line_number: int
    procedure_code: str
    """As the caller sent it."""
    outcome: Status
    families: tuple[tuple[Family, Status], ...]
    """Every requested family, in alphabetical order."""


class TraceStep(NamedTuple):
    """One look-up, captured while it was made: what was sought, where, and what was found or missed."""

    line_number: int
    family: Family
    rule_set: str
    revision: str
    looked_up: str
    result: str


class Decision(NamedTuple):
    """The whole answer about one claim under one release, as known on ``as_of``."""

    claim_id: str
    decision_id: str
    release: str
    as_of: Day
    engine_version: str
    outcome: Status
    lines: tuple[LineResult, ...]
    findings: tuple[Finding, ...]
    trace: tuple[TraceStep, ...] = ()

"""Parts of a finding as nested dicts and lists, named as in api.md: what JSON files, responses and tables hold alike.

What does not apply in ``detail`` is left out.
"""

from __future__ import annotations

from typing import Any

from claimedits.model.finding import (
    AddOnDetail,
    Adjustment,
    Citation,
    CodeDetail,
    CoverageDetail,
    Detail,
    DuplicateDetail,
    ModifierDetail,
    MueDetail,
    PolicyDetail,
    PtpDetail,
    Remedy,
)

Fields = dict[str, Any]


def citation_fields(citation: Citation) -> Fields:
    """A citation as a dict."""
    return {
        "rule_set": citation.rule_set,
        "revision": citation.revision,
        "label": citation.label,
        "source_file": citation.source_file,
        "source_sha256": citation.source_sha256,
        "source_row": citation.source_row,
        "effective_from": citation.effective_from,
        "effective_to": citation.effective_to,
        "authority": citation.authority,
        "url": citation.url,
    }


def adjustment_fields(adjustment: Adjustment) -> Fields:
    """Adjustment codes as a dict."""
    return {"group": adjustment.group, "carc": adjustment.carc, "rarc": list(adjustment.rarc)}


def remedy_fields(remedy: Remedy) -> Fields:
    """A remedy as a dict."""
    return {
        "action": remedy.action,
        "line_numbers": list(remedy.line_numbers),
        "any_of": list(remedy.any_of),
        "condition": remedy.condition,
    }


def detail_fields(detail: Detail) -> Fields:
    """The detail of a finding as nested dicts; what does not apply is left out."""
    fields: Fields = {}
    for name in (
        "beneficiary_liable",
        "abn_can_shift_liability",
        "conditional",
        "reconstructed",
        "stale_ruleset",
        "note",
    ):
        if value := getattr(detail, name):
            fields[name] = value
    if detail.advisories:
        fields["advisories"] = [{"code": note.code, "text": note.text} for note in detail.advisories]
    if detail.version_conflict:
        fields["version_conflict"] = [
            {
                "field": conflict.field,
                "in_force": conflict.in_force,
                "in_force_label": conflict.in_force_label,
                "newest": conflict.newest,
                "newest_label": conflict.newest_label,
            }
            for conflict in detail.version_conflict
        ]
    if detail.history:
        fields["history"] = [{"claim_id": line.claim_id, "line_number": line.line_number} for line in detail.history]
    for name, part in _PARTS:
        if (value := getattr(detail, name)) is not None:
            fields[name] = part(value)
    return fields


def _ptp(ptp: PtpDetail) -> Fields:
    return {
        "column_1": ptp.column_1,
        "column_2": ptp.column_2,
        "modifier_indicator": ptp.modifier_indicator,
        "effective_from": ptp.effective_from,
        "effective_to": ptp.effective_to,
        "modifiers_considered": [
            {
                "line_number": considered.line_number,
                "column": considered.column,
                "modifier": considered.modifier,
                "honoured": considered.honoured,
                "why": considered.why,
                "authority": considered.authority,
            }
            for considered in ptp.modifiers_considered
        ],
        "accepted_by": ptp.accepted_by,
        "history_checked": ptp.history_checked,
        "common_days": list(ptp.common_days),
    }


def _mue(mue: MueDetail) -> Fields:
    fields: Fields = {} if mue.value is None else {"value": mue.value}
    return fields | {
        "mai": mue.mai,
        "units_billed": mue.units_billed,
        "units_evaluated": mue.units_evaluated,
        "line_numbers_summed": list(mue.line_numbers_summed),
        "special": mue.special,
        "day": mue.day,
    }


def _aoc(aoc: AddOnDetail) -> Fields:
    return {
        "edit_type": aoc.edit_type,
        "primaries_listed": list(aoc.primaries_listed),
        "primaries_total": aoc.primaries_total,
        "primary_found": aoc.primary_found,
        "primary_line_number": aoc.primary_line_number,
    }


def _duplicate(duplicate: DuplicateDetail) -> Fields:
    return {"key": list(duplicate.key), "history_checked": duplicate.history_checked}


def _coverage(coverage: CoverageDetail) -> Fields:
    return {
        "document_id": coverage.document_id,
        "document_version": coverage.document_version,
        "document_type": coverage.document_type,
        "group_hit": coverage.group_hit,
        "missing": coverage.missing,
        "diagnoses_considered": list(coverage.diagnoses_considered),
        "paragraph": coverage.paragraph,
        "paragraph_sha256": coverage.paragraph_sha256,
        "jurisdiction": coverage.jurisdiction,
    }


def _modifier(modifier: ModifierDetail) -> Fields:
    return {"rule": modifier.rule, "modifiers": list(modifier.modifiers)}


def _code(code: CodeDetail) -> Fields:
    return {
        "code": code.code,
        "kind": code.kind,
        "effective_from": code.effective_from,
        "effective_to": code.effective_to,
        "suggestions": list(code.suggestions),
    }


def _policy(policy: PolicyDetail) -> Fields:
    return {"rule": policy.rule, "values": dict(sorted(policy.values))}


_PARTS = (
    ("ptp", _ptp),
    ("mue", _mue),
    ("aoc", _aoc),
    ("duplicate", _duplicate),
    ("coverage", _coverage),
    ("modifier", _modifier),
    ("code", _code),
    ("policy", _policy),
)

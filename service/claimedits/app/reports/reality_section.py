"""The section of a replay's report on what really happened: the payer's answers beside those of the edits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from claimedits.app.reports.page import Bar, Bars, Column, Note, Part, Section, Table
from claimedits.app.reports.replay_words import FAMILY_WORDS, OUTCOME_WORDS, counted, money, percent

Document = Mapping[str, Any]


def reality_section(document: Document) -> Section:
    """Agreement, confusion, preventable denials, other reasons and disagreements, from ``report.json``."""
    real = document["expected"]
    compared = real["compared_lines"]
    agreed = real["agreed_denied_lines"] + real["agreed_clean_lines"]
    parts: list[Part] = [
        Note(
            f"The payer's answers are known of {counted(real['answered_claims'], 'claim')} "
            f"({counted(compared, 'line')}); of {real['unanswered_claims']:,} they are not. "
            f"{counted(real['read']['not_in_input'], 'claim')} with an answer did not come with the claims."
        ),
        Note(
            f"Payer and edits agree on {percent(agreed, compared)} of these lines. A denial counts as one by an edit where "
            "its reason code (CARC) is one that edits deny with; denials for other reasons stand in a table of their own."
        ),
        Bars(
            "Lines by agreement",
            [
                Bar("Both pass", real["agreed_clean_lines"], f"{real['agreed_clean_lines']:,}", "good"),
                Bar("Both deny, same reason", real["agreed_denied_lines"], f"{real['agreed_denied_lines']:,}", "good"),
                Bar("Both deny, other reason", real["other_reason_lines"], f"{real['other_reason_lines']:,}", "warn"),
                Bar("Only the payer denies", real["payer_only_lines"], f"{real['payer_only_lines']:,}", "bad"),
                Bar("Only the edits deny", real["engine_only_lines"], f"{real['engine_only_lines']:,}", "bad"),
            ],
        ),
        _confusion_table(real),
        *_preventable_parts(real),
        _table_of(
            "other-denials",
            "Money taken off for other reasons",
            [
                ("group", "Group", "text"),
                ("carc", "CARC", "text"),
                ("lines", "Lines", "number"),
                ("amount_cents", "Amount", "money"),
            ],
            real["other_denials"],
        ),
        _disagreement_table(real),
    ]
    return Section("reality", "What really happened", parts)


def _confusion_table(real: Document) -> Table:
    rows = [
        [
            FAMILY_WORDS[row["family"]],
            row["real"] if row["real"] == "not denied" else f"denied, CARC {row['real']}",
            OUTCOME_WORDS.get(row["found"], f"Denied, CARC {row['found']}"),
            row["lines"],
            row["amount_cents"] or None,
        ]
        for row in real["confusion"]
        if not (row["real"] == "not denied" and row["found"] in ("PASS", "NOT_APPLICABLE"))
    ]
    columns = [
        Column("Family"),
        Column("The payer"),
        Column("The edits"),
        Column("Lines", "number"),
        Column("Amount taken off", "money"),
    ]
    return Table("confusion", "Payer against edits, but for lines that both pass", columns, rows)


def _preventable_parts(real: Document) -> Iterator[Part]:
    yield Note(
        f"Preventable: the payer took {money(real['preventable_amount_cents'])} off of "
        f"{counted(real['preventable_lines'], 'line')} for the very reason that an edit finds before the claim is sent.",
        "warn" if real["preventable_lines"] else "plain",
    )
    yield _table_of(
        "preventable",
        "Preventable denials by rule",
        [
            ("rule_id", "Rule", "text"),
            ("carc", "CARC", "text"),
            ("lines", "Lines", "number"),
            ("claims", "Claims", "number"),
            ("amount_cents", "Amount", "money"),
        ],
        real["preventable"],
        real["preventable_rules"],
    )


def _table_of(
    name: str, caption: str, columns: Sequence[tuple[str, str, Any]], rows: Sequence[Document], total: int = 0
) -> Table:
    cells = [[row[field] for field, _, _ in columns] for row in rows]
    return Table(name, caption, [Column(title, kind) for _, title, kind in columns], cells, total)


_KIND_WORDS = {
    "PAYER_ONLY": "Only the payer denies",
    "ENGINE_ONLY": "Only the edits deny",
    "OTHER_REASON": "Other reasons",
}


def _disagreement_table(real: Document) -> Table:
    rows = [
        [
            row["claim_id"],
            row["line_number"],
            row["procedure_code"],
            _KIND_WORDS[row["kind"]],
            ", ".join(row["real_carcs"]),
            ", ".join(row["found_carcs"]),
            ", ".join(row["found_rules"]),
            row["amount_cents"],
        ]
        for row in real["disagreements"]
    ]
    columns = [
        Column("Claim"),
        Column("Line", "number"),
        Column("Code"),
        Column("Disagreement"),
        Column("Payer's CARC"),
        Column("CARC found"),
        Column("Rules found"),
        Column("Amount", "money"),
    ]
    total = real["payer_only_lines"] + real["engine_only_lines"] + real["other_reason_lines"]
    return Table("disagreements", "Lines on which they disagree", columns, rows, total)

"""Small revisions to keep: three made-up HCPCS values, or pairs of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from claimedits.model.dates import parse_day
from claimedits.model.problems import Problem
from claimedits.rulesets.revision import RevisionDraft, RevisionHeader, Source
from claimedits.rulesets.store import Store

REJECT = Problem("mue.csv:5:value", "not a number", "give a whole number", "E_NUMBER")
WARNING = Problem("mue.csv", "fewer rows than last quarter")


def mue_header(label: str = "2024Q3", published_on: str = "2024-06-01") -> RevisionHeader:
    return RevisionHeader(
        rule_set="medicare-mue-practitioner",
        kind="mue",
        label=label,
        effective_from=parse_day("2024-07-01"),
        effective_to=parse_day("2024-09-30"),
        published_on=parse_day(published_on),
        sources=(Source("mue.csv", "5e" * 32, 120, 5, "utf-8", archive="mue.zip"),),
        attributes={"authority": "NCCI Policy Manual, ch. I"},
    )


def mue_table(first_value: int = 1, rationale: str = "Nature of Equipment") -> pa.Table:
    return pa.table(
        {
            "procedure_code": pa.array(["A0001", "E0100", "L3000"]),
            "value": pa.array([first_value, 2, 3], pa.int32()),
            "mai": pa.array([1, 2, 3], pa.uint8()),
            "rationale": pa.array([rationale, "Clinical: Data", ""]),
            "confidential": pa.array([False, True, False]),
            "source": pa.array([0, 0, 0], pa.uint16()),
            "source_row": pa.array([2, 3, 4], pa.uint32()),
        }
    )


def mue_draft(first_value: int = 1, label: str = "2024Q3", published_on: str = "2024-06-01") -> RevisionDraft:
    return RevisionDraft(mue_header(label, published_on), {"values": mue_table(first_value)}, 4, 3, [REJECT], [WARNING])


def ptp_table(pairs: Sequence[tuple[str, str]], effective_to: str = "") -> pa.Table:
    """Pairs effective since 2024-01-01, code columns dictionary-encoded as an importer makes them."""
    n = len(pairs)
    words = pa.dictionary(pa.int32(), pa.string())
    end = parse_day(effective_to) if effective_to else None
    return pa.table(
        {
            "column_1": pa.array([a for a, _ in pairs]).cast(words),
            "column_2": pa.array([b for _, b in pairs]).cast(words),
            "effective_from": pa.array([parse_day("2024-01-01")] * n, pa.int32()).cast(pa.date32()),
            "effective_to": pa.array([end] * n, pa.int32()).cast(pa.date32()),
            "modifier_indicator": pa.array([1] * n, pa.uint8()),
            "in_existence_prior_to_1996": pa.array([False] * n, pa.bool_()),
            "rationale": pa.array(["Standards"] * n).cast(words),
            "source": pa.array([0] * n, pa.uint16()),
            "source_row": pa.array(range(2, n + 2), pa.uint32()),
        }
    )


def store_with_releases(path: Path) -> tuple[Store, list[str], list[str]]:
    """A store with two revisions, a release of each, the first release active, and an index of both revisions.

    Returns the store, the revision ids, the release ids.
    """
    from claimedits.rulesets.mue_index import MUE_INDEX

    store = Store.open(path, create=True)
    drafts = [mue_draft(1), mue_draft(2, label="2024Q4", published_on="2024-09-01")]
    revisions = [store.add_revision(draft)[0].id for draft in drafts]
    releases = [store.create_release([revision]).id for revision in revisions]
    store.activate(releases[0], "ada", "first")
    store.index_directory(MUE_INDEX, revisions)
    return store, revisions, releases

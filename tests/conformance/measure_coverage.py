# ruff: noqa: T201
"""Measures agreement and the share of REVIEW: ``python measure_coverage.py CASES [EXPORT]`` (no test; prints every difference)."""

from __future__ import annotations

import json
import sys
import tempfile
from collections import Counter
from pathlib import Path

from claimedits.app.testing.case_documents import coverage_tables_from_cases
from claimedits.engine.engine import Engine
from claimedits.model.dates import FOREVER, parse_day
from claimedits.rulesets.imports.coverage import import_coverage
from claimedits.rulesets.imports.options import ImportOptions
from claimedits.rulesets.loaded import LoadedRelease
from claimedits.rulesets.revision import RevisionDraft, RevisionHeader, Source
from claimedits.rulesets.sources.files import expand_paths
from claimedits.rulesets.store import Store
from claimedits.rulesets.table_rules import compile_table_rules

RULES = Path(__file__).parents[2] / "rules"


def main(cases_path: Path, export: Path | None) -> None:
    cases = [json.loads(line) for line in cases_path.read_text(encoding="utf-8").splitlines() if line.strip()]
    cases = [case for case in cases if case["options"]["families"] == ["COVERAGE"]]
    with tempfile.TemporaryDirectory() as directory:
        store = Store.open(Path(directory) / "store", create=True)
        conventions = store.add_revision(compile_table_rules(RULES / "ncci-conventions"))[0].id
        shared = None
        if export is not None:
            drafts = import_coverage(expand_paths([export]), ImportOptions())
            ids = [store.add_revision(draft)[0].id for draft in drafts]
            shared = Engine(LoadedRelease.open(store, store.create_release([conventions, *ids]).id))
        counts: Counter[str] = Counter()
        for case in cases:
            engine = shared or _engine_of(store, conventions, case)
            decision = engine.evaluate(case["claim"], case["options"].get("as_of", ""), ["COVERAGE"])
            statuses = {line.line_number: line.families[0][1].name for line in decision.lines}
            for expected in case["expect"]:
                got = statuses[expected["line_number"]]
                findings = [
                    f for f in decision.findings if f.line_number == expected["line_number"] and f.status.name == got
                ]
                also = [
                    a["status"]
                    for a in case.get("also_acceptable") or ()
                    if a["line_number"] == expected["line_number"]
                ]
                verdict = "agrees" if got == expected["status"] else "acceptable" if got in also else "WRONG"
                if verdict == "agrees" and expected.get("code") not in (None, *[f.code for f in findings]):
                    verdict = "WRONG"
                counts[verdict] += 1
                counts[f"got {got}"] += 1
                if verdict != "agrees":
                    print(
                        f"{verdict}: {case['id']}: expected {expected['status']}, got {got}: {[f.message for f in findings]}"
                    )
        print(dict(counts))


def _engine_of(store: Store, conventions: str, case: dict) -> Engine:  # type: ignore[type-arg]
    groups: dict[str, list] = {}  # type: ignore[type-arg]
    for row in case["rules"]:
        groups.setdefault(json.dumps(row.get("revision"), sort_keys=True), []).append(row)
    ids = [conventions]
    for revision, rows in groups.items():
        rows = [row for row in rows if not row.get("loaded")]
        stated = json.loads(revision) or {
            "label": "case",
            "effective_from": "1900-01-01",
            "effective_to": "",
            "published_on": "1900-01-01",
        }
        last = parse_day(stated["effective_to"]) if stated["effective_to"] else FOREVER
        header = RevisionHeader(
            "medicare-coverage", "coverage", f"{case['id']} {stated['label']}", parse_day(stated["effective_from"]), last,
            parse_day(stated["published_on"]), (Source("case", case["id"].ljust(64, "0"), len(rows), len(rows), "utf-8"),),
        )  # fmt: skip
        draft = RevisionDraft(header, coverage_tables_from_cases(rows), read=len(rows), kept=len(rows))
        ids.append(store.add_revision(draft)[0].id)
    return Engine(LoadedRelease.open(store, store.create_release(ids).id))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)

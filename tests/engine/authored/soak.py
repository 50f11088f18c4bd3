"""A soak of the durable_rules evaluator: many claims in one process, memory flat, no crash, no difference.

``python tests/engine/authored/soak.py --claims 1000000`` (``MALLOC_PERTURB_=165`` in the environment makes freed memory loud).
Prints the resident memory after a tenth and at the end, in KiB, and fails when it has grown by more than ``--most-kib``.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parent))

from random_rules import RULE_SET, random_claim, random_content, release_of, suppose_findings

from claimedits.engine.authored import evaluators
from claimedits.engine.authored.family import evaluate_family
from claimedits.engine.evaluation import Evaluation
from claimedits.model.terms import Family
from claimedits.rulesets.conventions import Conventions
from claimedits.rulesets.table_rules import compile_table_rules

RULES = Path(__file__).parents[3] / "rules"
CLAIMS_KEPT = 500
"""Claims made beforehand and sent again and again: the soak measures the evaluator, not the generator."""


def resident_kib() -> int:
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--claims", type=int, default=10_000)
    parser.add_argument("--most-kib", type=int, default=4_096)
    options = parser.parse_args()
    draft = compile_table_rules(RULES / "ncci-conventions")
    conventions = Conventions({name: table.to_pylist() for name, table in draft.tables.items()})
    random = Random(3)
    release = release_of(random_content(random, 60), conventions, fees=True)
    claims = [random_claim(random, random.randint(1, 10)) for _ in range(CLAIMS_KEPT)]
    early = findings = 0
    with evaluators.using("durable"):
        for number in range(options.claims):
            evaluation = Evaluation(claims[number % CLAIMS_KEPT], release, 20_000, frozenset(Family))
            suppose_findings(Random(number % CLAIMS_KEPT), evaluation)
            evaluate_family(evaluation, Family.POLICY, RULE_SET)
            findings += len(evaluation.findings)
            if number == options.claims // 10:
                early = resident_kib()
    late = resident_kib()
    print(f"claims {options.claims}, findings {findings}, resident KiB {early} then {late}")  # noqa: T201
    return 0 if findings and late - early <= options.most_kib else 1


if __name__ == "__main__":
    sys.exit(main())

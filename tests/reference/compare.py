# ruff: noqa: T201
"""Compare the product with the reference on made claims.

    CLAIMEDITS_DATA=… python tests/reference/compare.py --claims 20000
    CLAIMEDITS_DATA=… python tests/reference/compare.py --store STORE --claims 20000

Without ``--store`` a store is built of the rows of about 700 codes and of invented revisions. With it, the active release
of a store that the product imported from the same files is asked; ``--without RULE_SET`` names what it does not hold.
Prints disagreements grouped by cause; 0 when there are none, 1 otherwise.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[2] / "service"))

import publisher_files
from claims import Maker
from comparison import Disagreement, compare
from product_store import build_store
from sample_codes import choose_codes, invent_revisions

from claimedits.engine.engine import Engine


def main() -> int:
    options = read_options()
    data = Path(os.environ["CLAIMEDITS_DATA"])
    revisions = publisher_files.read_everything(data, choose_codes(data))
    revisions = [revision for revision in revisions if revision.rule_set not in options.without]
    if not options.store:
        revisions += invent_revisions(revisions)
    maker = Maker(revisions, options.seed)
    with tempfile.TemporaryDirectory() as directory:
        engine = Engine.open(options.store or build_store(Path(directory) / "store", revisions))
        groups: dict[tuple[str, ...], list[Disagreement]] = defaultdict(list)
        for found in compare(engine, revisions, maker.make(options.claims, options.first)):
            groups[found.cause].append(found)
    for cause, members in sorted(groups.items(), key=lambda item: -len(item[1])):
        print(f"{len(members)} × {' | '.join(cause)}")
        for found in members[: options.show]:
            item = maker.make_one(found.number)
            print(
                f"  claim {found.number} line {found.line}: {sorted(found.expected.related)} / {sorted(found.got.related)}"
            )
            print(f"  as of {item.as_of} {describe(item.claim)}")
    print(f"{sum(map(len, groups.values()))} disagreements in {options.claims} claims of seed {options.seed!r}")
    return 1 if groups else 0


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", type=Path, help="a store with the imported tables and an active release")
    parser.add_argument("--without", action="append", default=[], help="a rule set that the store does not hold")
    parser.add_argument("--claims", type=int, default=2000)
    parser.add_argument("--first", type=int, default=0, help="number of the first claim")
    parser.add_argument("--seed", default="claims")
    parser.add_argument("--show", type=int, default=1, help="examples a cause")
    return parser.parse_args()


def describe(claim: dict[str, object]) -> str:
    def show(line: dict[str, object]) -> str:
        names = ("line_number", "procedure_code", "modifiers", "units", "service_date", "service_date_end")
        names += ("rendering_provider_id", "rendering_specialty", "place_of_service", "paid")
        return " ".join(str(line[name]) for name in names if name in line and line[name] not in ("", []))

    text = f"{claim['program']} {claim['setting']}"
    for part in ("lines", "history_lines"):
        for line in json.loads(json.dumps(claim[part])):
            text += f"\n    {part[:4]} {show(line)}"
    return text


if __name__ == "__main__":
    sys.exit(main())

"""Work stops within a family, not only between families, once nobody waits for the answer."""

from __future__ import annotations

from pathlib import Path

import pytest
from releases import claim, line, mue_row, open_engine

from claimedits.engine.evaluation import EvaluationAbandonedError


def test_a_large_claim_is_given_up_within_its_family(tmp_path: Path) -> None:
    engine = open_engine(tmp_path, [mue_row("J1100", 1, "3")])
    asked = 0

    def left_after_three_questions() -> bool:
        nonlocal asked
        asked += 1
        return asked > 3

    fields = claim(*(line(number, "J1100") for number in range(1, 301)))
    with pytest.raises(EvaluationAbandonedError):
        engine.evaluate(fields, families=["MUE"], abandoned=left_after_three_questions)
    assert asked == 4

"""All rows of a code in a PTP table, whichever column it stands in: the same as reading the whole table."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from lookup_release import Q2, Q3, asked
from releases import open_engine, ptp_row

from claimedits.app.lookup import look_up

CODES = ("G0101", "G0102", "G0103", "G0104", "G0105")
PAIRS = st.tuples(st.sampled_from(CODES), st.sampled_from(CODES)).filter(lambda pair: pair[0] != pair[1])
ROWS = st.lists(
    st.tuples(PAIRS, st.sampled_from(("2010-01-01", "2015-01-01")), st.booleans()), min_size=1, max_size=12, unique=True
)


@settings(max_examples=8, deadline=None)
@given(ROWS)
def test_every_row_of_a_code_is_found_in_order(rows: list[tuple[tuple[str, str], str, bool]]) -> None:
    table = [ptp_row(*pair, effective_from=first, revision=Q2 if early else Q3) for pair, first, early in rows]
    with tempfile.TemporaryDirectory() as folder:
        release = open_engine(Path(folder), table).release
        for as_of, known in (("2024-05-01", (True,)), ("2024-09-01", (True, False))):
            for code in CODES:
                expected = sorted({(*pair, first) for pair, first, early in rows if code in pair and early in known})
                edits = [dict(e.fields) for e in look_up(release, asked(code, as_of=as_of)) if e.family.name == "PTP"]
                assert [(e["column_1"], e["column_2"], e["effective_from"]) for e in edits] == expected

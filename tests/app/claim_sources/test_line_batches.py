"""Claims become line tables and fields, and the same claims again."""

from __future__ import annotations

from hypothesis import given
from made_claims import UNHURRIED, claims, many_claims

from claimedits.app.claim_sources.line_batches import LineBatchBuilder, claims_of, fields_of, table_of
from claimedits.model.claim import Claim
from claimedits.model.claim_reading import read_claim
from claimedits.model.line_table import LINE_SCHEMA


@given(many_claims())
@UNHURRIED
def test_claims_survive_a_line_table(made: list[Claim]) -> None:
    table = table_of(made)
    assert table.schema == LINE_SCHEMA
    assert list(claims_of(table)) == made


@given(many_claims(3))
@UNHURRIED
def test_dictionaries_and_missing_columns_do_not_matter(made: list[Claim]) -> None:
    table = table_of(made)
    encoded = table.set_column(0, "claim_id", table.column("claim_id").dictionary_encode())
    assert list(claims_of(encoded)) == made
    bare = [claim._replace(payer_id="", clia_certificate="") for claim in made]
    assert list(claims_of(table.drop_columns(["payer_id", "clia_certificate"]))) == bare


@given(claims())
@UNHURRIED
def test_fields_of_a_claim_are_those_of_the_contract(made: Claim) -> None:
    assert read_claim(fields_of(made)) == made


@given(claims())
@UNHURRIED
def test_payment_is_said_of_own_lines_only_where_it_is_known(made: Claim) -> None:
    builder = LineBatchBuilder()
    builder.add(made, [True])
    paid = builder.take().column("paid").to_pylist()
    assert paid == [True] + [None] * (len(made.lines) - 1) + [line.paid for line in made.history_lines]
    assert len(builder) == 0

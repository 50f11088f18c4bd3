"""Paragraphs as text: HTML, sentences, codes."""

from __future__ import annotations

from claimedits.rulesets.coverage.paragraphs import find_diagnoses, find_procedure_codes, plain_text, split_sentences


def test_html_is_unescaped_twice_and_dropped() -> None:
    assert (
        plain_text("&amp;lt;p&amp;gt;CPT&nbsp;codes <b>11720</b>&sol;11721&amp;lt;/p&amp;gt;")
        == "CPT codes 11720 /11721"
    )


def test_blocks_and_notes_are_sentences() -> None:
    text = "<p>One. Two *Note: Three</p><p>Four, e.g. five</p>"
    assert split_sentences(text) == ["One.", "Two", "*Note: Three", "Four, e.g. five"]


def test_a_list_joins_the_sentence_that_announces_it() -> None:
    assert split_sentences("<p>For CPT codes:</p><p>11720, 11721</p><p>Other text</p>") == [
        "For CPT codes: 11720, 11721",
        "Other text",
    ]


def test_ranges_hold_the_governed_codes_between_their_ends() -> None:
    governed = frozenset(("11300", "11313", "11400", "G0127"))
    assert find_procedure_codes("CPT codes: 11300-11313 and G0127", governed) == {"11300", "11313", "G0127"}


def test_numbers_that_are_no_codes() -> None:
    governed = frozenset(("34413", "10212"))
    assert find_procedure_codes("see LCD L34413 and Pub. 100-04 §10212.5", governed) == frozenset()


def test_diagnoses_and_their_ranges() -> None:
    listed = ["L600", "L601", "L603", "L605", "L608"]
    assert find_diagnoses("B35.1 or L60.1-L60.5", listed) == {"B351", "L601", "L603", "L605"}
    assert find_diagnoses("ICD-10-CM code C61 is for 81539") == {"C61"}

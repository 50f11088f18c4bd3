"""The report on a replay in a real browser: a newcomer finds the rates, rules, providers and denials, on a phone too."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "replay"))

from browser import open_page
from made_remittances import payment, remittance, service
from made_replays import AS_OF, MadeStore, make_claims, write_ndjson

from claimedits.app.replay.expectations import ExpectationOptions
from claimedits.app.replay.running import ReplayOptions, replay
from claimedits.app.reports.page import draw_page
from claimedits.app.reports.replay_report import replay_report
from claimedits.app.reports.replay_words import counted, percent, share, short_money

SECTIONS = [
    "How to read this",
    "Outcomes",
    "Denial rate by month",
    "Top rules",
    "Bypass modifiers: the compliance view",
    "Drift across quarters",
]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A run with everything, and one of claims without charges that nothing denies."""
    folder = tmp_path_factory.mktemp("runs")
    store = MadeStore(folder)
    claims = make_claims(300, seed=4)
    answers = [
        payment(
            claim["claim_id"],
            *(
                service(line["procedure_code"], "90", "0", "CO*236*90", line=str(line["line_number"]))
                for line in claim["lines"]
            ),
        )
        for claim in claims[:100]
    ]
    (folder / "real.835").write_bytes(remittance(*answers))
    written = write_ndjson(folder / "claims.ndjson", [*claims, claims[0], b"broken <script>\n"])
    whole = ReplayOptions(
        store.path,
        [str(written)],
        folder / "whole",
        store.old,
        store.new,
        as_of=AS_OF,
        expected=ExpectationOptions([str(folder / "real.835")], 3),
    )
    replay(whole)
    plain = make_claims(1)[0]
    plain["lines"] = [plain["lines"][0] | {"procedure_code": "99213", "units": "1", "modifiers": []}]
    del plain["lines"][0]["charge_cents"]
    few = write_ndjson(folder / "few.ndjson", [plain])
    clean = replay(ReplayOptions(store.path, [str(few)], folder / "clean", store.new, as_of=AS_OF))
    return {
        "whole": folder / "whole" / "report.html",
        "clean": folder / "clean" / "report.html",
        "document": clean.report,
    }


def test_sections_come_in_the_order_of_interest(runs: dict[str, Any]) -> None:
    with open_page(runs["whole"]) as page:
        assert page.locator("h1").inner_text() == "What the edits would have done"
        assert page.locator("h2").all_inner_texts() == [
            *SECTIONS,
            "What changed between the releases",
            "What really happened",
            "Records",
        ]
        labels = page.locator(".card .label").all_inner_texts()
        assert labels == [
            "Lines denied",
            "Charges denied",
            "Claims with a denial",
            "Lines to be reviewed",
            "Code pairs passed by a modifier",
            "Denials that could have been prevented",
        ]


def test_the_figures_of_the_chart_are_those_of_the_months(runs: dict[str, Any]) -> None:
    with open_page(runs["whole"]) as page:
        figure = page.locator("#months figure")
        figure.get_by_text("The figures of this chart").click()
        rows = figure.locator("tbody tr").all_inner_texts()
        assert [row.split()[0] for row in rows] == [f"2024-0{month}" for month in range(4, 10)]
        months = page.locator("[data-table=by-month] tbody tr td:first-child").all_inner_texts()
        assert months == [row.split()[0] for row in rows]


def test_tables_are_searched_and_sorted(runs: dict[str, Any]) -> None:
    with open_page(runs["whole"]) as page:
        table = page.locator("[data-table=bypass-providers]")
        table.get_by_role("button", name="Share passed").click()
        shares = [float(text.split()[0]) for text in table.locator("tbody td:nth-child(5)").all_inner_texts()]
        assert shares == sorted(shares, reverse=True)
        page.get_by_label("Search in “Lines on which they disagree”").fill("only the payer")
        kinds = page.locator("[data-table=disagreements] tbody td:nth-child(4)").all_inner_texts()
        assert kinds
        assert set(kinds) == {"Only the payer denies"}


def test_what_could_not_be_read_is_told_as_text(runs: dict[str, Any]) -> None:
    with open_page(runs["whole"]) as page:
        records = page.locator("#records")
        assert "has the claim id of a claim that was read before" in records.inner_text()
        assert "of them with a claim id that came before" in records.inner_text()
        assert page.locator("#records script:not([type='application/json'])").count() == 0


def test_a_report_without_denials_says_so_in_words(runs: dict[str, Any]) -> None:
    with open_page(runs["clean"]) as page:
        text = page.locator("main").inner_text()
        for words in ("No line was denied.", "No rule denied a line.", "No code pair was passed by a modifier."):
            assert words in text
        assert page.locator("h2").all_inner_texts() == [*SECTIONS, "Records"]
        assert "Charges denied" not in page.locator(".cards").inner_text()


def test_every_reason_that_leaves_a_line_open_is_told(runs: dict[str, Any]) -> None:
    with open_page(runs["clean"]) as page:
        table = page.locator("[data-table=why-not-evaluated]")
        assert "the release holds no rules of this kind for the day of service" in table.inner_text()


@pytest.mark.parametrize("width", [320, 390])
def test_it_fits_a_phone(runs: dict[str, Any], width: int) -> None:
    with open_page(runs["whole"], width, 800, device_scale_factor=2, is_mobile=True, has_touch=True) as page:
        assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("run", ["whole", "clean"])
def test_it_reads_aloud_and_has_contrast(runs: dict[str, Any], scheme: str, run: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    with open_page(runs[run], color_scheme=scheme) as page:
        result = axe.Axe().run(page)
        assert [violation["id"] for violation in result.response["violations"]] == []


def test_it_works_by_keyboard_alone(runs: dict[str, Any]) -> None:
    with open_page(runs["whole"]) as page:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
        for _ in SECTIONS[:3]:
            page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        assert page.evaluate("location.hash") == "#months"
        page.locator("[data-table=rules-table]").get_by_role("button", name="Lines denied").focus()
        page.keyboard.press("Enter")
        lines = page.locator("[data-table=rules-table] tbody td:nth-child(4)").all_inner_texts()
        assert [int(n.replace(",", "")) for n in lines] == sorted(
            (int(n.replace(",", "")) for n in lines), reverse=True
        )


def test_the_same_document_is_the_same_page(runs: dict[str, Any]) -> None:
    page = draw_page(replay_report(runs["document"]))
    assert page == draw_page(replay_report(runs["document"])) == runs["clean"].read_text()


@pytest.mark.parametrize(
    ("cents", "text"),
    [(0, "$0.00"), (99_999_999, "$999,999.99"), (4_746_149_743, "$47.46 million"), (123_456_789_012, "$1.23 billion")],
)
def test_a_large_amount_is_read_at_a_glance(cents: int, text: str) -> None:
    assert short_money(cents) == text


def test_shares_of_nothing_are_nothing() -> None:
    assert (percent(0, 0), share(0, 0), counted(1, "line"), counted(1200, "line")) == (
        "0 %",
        None,
        "1 line",
        "1,200 lines",
    )

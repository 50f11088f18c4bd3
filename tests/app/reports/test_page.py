"""The page of a report in a real browser: it sorts, searches, turns pages, fits a phone and reads aloud."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from browser import open_page

from claimedits.app.reports.page import (
    Bar,
    Bars,
    Card,
    Column,
    Line,
    Lines,
    Note,
    Report,
    Section,
    Table,
    draw_page,
    format_cell,
)

SCRIPT = "</script><script>document.title='taken'</script>"
ROWS: list[list[Any]] = [[f"C-{i}", i % 7, None if i % 5 == 0 else i * 100, i / 500] for i in range(230)]
REPORT = Report(
    title="What the update changes",
    subtitle="2024Q2 → 2024Q3",
    facts=[("Old release", "sha256:" + "a" * 64)],
    cards=[Card("Newly failing", "12", "0.5 % of claims", "bad"), Card("Newly passing", "3", tone="good")],
    sections=[
        Section(
            "impact",
            "Claims",
            [
                Note("Charges are of <changed> lines & no others."),
                Bars("Changed lines", [Bar("Newly failing", 12, "12", "bad"), Bar("Newly passing", 3, "3", "good")]),
                Lines(
                    "Denial rate by month",
                    ["2024-01", "2024-02", "2024-03", "2024-04"],
                    [Line("PTP", [0.1, 0.2, 0.15, 0.1]), Line("MUE", [0.05, None, 0.1, 0.2])],
                    "share",
                ),
                Table(
                    "claims",
                    "Changed claims",
                    [Column("Claim"), Column("Lines", "number"), Column("Charges", "money"), Column("Share", "share")],
                    [*ROWS, [SCRIPT, 1, 2, 0.3]],
                ),
                Table("few", "A short list", [Column("Code")], [["11055"]], total=40),
            ],
        )
    ],
)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    written = tmp_path_factory.mktemp("page") / "report.html"
    written.write_text(draw_page(REPORT), encoding="utf-8")
    return written


def cells(page: Any, column: int, table: str = "claims") -> list[str]:
    return page.locator(f"[data-table={table}] tbody tr td:nth-child({column})").all_inner_texts()  # type: ignore[no-any-return]


def test_the_same_report_is_the_same_page() -> None:
    assert draw_page(REPORT) == draw_page(REPORT)


def test_text_of_claims_stays_text(path: Path) -> None:
    with open_page(path) as page:
        assert page.title() == "What the update changes"
        page.get_by_label("Search in “Changed claims”").fill("taken")
        assert cells(page, 1) == [SCRIPT]


def test_a_table_is_searched_by_words(path: Path) -> None:
    with open_page(path) as page:
        search = page.get_by_label("Search in “Changed claims”")
        search.fill("c-12 $12")
        assert cells(page, 1) == ["C-12", "C-121", "C-122", "C-123", "C-124", "C-126", "C-127", "C-128", "C-129"]
        search.fill("nothing has this")
        assert cells(page, 1) == []
        assert page.locator("[data-table=claims] .state").inner_text() == "No row has these words"


def test_a_table_is_sorted_by_the_kind_of_a_column_with_absent_values_last(path: Path) -> None:
    with open_page(path) as page:
        charges = page.get_by_role("button", name="Charges")
        charges.click()
        assert cells(page, 3)[:2] == ["$229.00", "$228.00"]
        assert page.locator("th[aria-sort=descending]").inner_text() == "Charges"
        charges.click()
        assert cells(page, 3)[:3] == ["$0.02", "$1.00", "$2.00"]
        later = page.get_by_role("button", name="Later rows").first
        while later.is_enabled():
            later.click()
        assert cells(page, 3)[-1] == ""
        page.get_by_role("button", name="Claim", exact=True).click()
        assert cells(page, 1)[1:4] == ["C-0", "C-1", "C-2"]


def test_pages_are_turned(path: Path) -> None:
    with open_page(path) as page:
        state = page.locator("[data-table=claims] .state")
        assert state.inner_text() == "Rows 1 to 50 of 231"
        page.get_by_role("button", name="Later rows").first.click()
        assert (state.inner_text(), cells(page, 1)[0]) == ("Rows 51 to 100 of 231", "C-50")
        page.get_by_role("button", name="Earlier rows").first.click()
        assert cells(page, 1)[0] == "C-0"


def test_a_table_that_is_cut_says_so(path: Path) -> None:
    with open_page(path) as page:
        assert page.locator("[data-table=few] caption").inner_text() == (
            "A short list 40 rows, the first 1 of them here; the machine-readable output has all"
        )


def test_it_works_by_keyboard_alone(path: Path) -> None:
    with open_page(path) as page:
        page.get_by_role("button", name="Lines").focus()
        page.keyboard.press("Enter")
        assert cells(page, 2)[0] == "6"


@pytest.mark.parametrize("width", [320, 390])
def test_it_fits_a_phone(path: Path, width: int) -> None:
    with open_page(path, width, 800, device_scale_factor=2, is_mobile=True, has_touch=True) as page:
        assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_reads_aloud_and_has_contrast(path: Path, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    with open_page(path, color_scheme=scheme) as page:
        result = axe.Axe().run(page)
        assert [violation["id"] for violation in result.response["violations"]] == []
        assert page.get_by_role("table", name="Changed claims").count() == 1
        page.get_by_text("The figures of this chart").click()
        assert page.get_by_role("table", name="Denial rate by month").inner_text().splitlines()[-1].split() == [
            "2024-04",
            "10.00",
            "%",
            "20.00",
            "%",
        ]


def test_without_scripts_the_first_rows_can_be_read(path: Path) -> None:
    with open_page(path, java_script_enabled=False) as page:
        assert len(cells(page, 1)) == 50
        assert "The first 50 rows are shown; with scripts allowed" in page.locator("body").inner_text()


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (None, "money", ""),
        (123456, "number", "123,456"),
        (-50, "money", "$-0.50"),
        (0.12345, "share", "12.35 %"),
        ("x", "text", "x"),
    ],
)
def test_a_cell_is_written_for_people(value: Any, kind: Any, text: str) -> None:
    assert format_cell(value, kind) == text

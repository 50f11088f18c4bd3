"""A real headless Chromium for tests of pages; without one the tests skip and say so, unless one is promised."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

NO_NETWORK = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def find_browser() -> str:
    """Path of Chromium: the one that ``CLAIMEDITS_BROWSER`` names, or the one on the path."""
    found = os.environ.get("CLAIMEDITS_BROWSER") or shutil.which("chromium") or shutil.which("chromium-browser")
    if not found:
        pytest.skip("no Chromium is installed; CLAIMEDITS_BROWSER may name one")
    return found


@contextmanager
def open_page(path: Path, width: int = 1280, height: int = 900, **options: Any) -> Iterator[Any]:
    """The page in a window of this size. What it asks of the network, or complains of, fails the test."""
    sync_api = pytest.importorskip("playwright.sync_api")
    browser = find_browser()
    faults: list[str] = []
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=list(NO_NETWORK))
        try:
            context = chromium.new_context(viewport={"width": width, "height": height}, **options)
            page = context.new_page()
            page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
            page.on("pageerror", lambda error: faults.append(str(error)))
            page.on("request", lambda request: faults.append(request.url) if request.url != path.as_uri() else None)
            page.goto(path.as_uri())
            yield page
        finally:
            chromium.close()
    assert not faults

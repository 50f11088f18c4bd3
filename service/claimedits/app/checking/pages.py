"""The page about a lint: what to avoid, what to prefer, why, and how to let a finding stand."""

from __future__ import annotations

from claimedits.app.shipped import find_lint_pages
from claimedits.model.problems import NotFoundError
from claimedits.rulesets.lints.lint import Lint


def read_page(lint: Lint) -> str:
    """The page as Markdown.

    Raises:
        NotFoundError: the installation lacks it.
    """
    path = find_lint_pages() / lint.page
    if not path.exists():
        raise NotFoundError(f"{path}: missing; install the package again")
    return path.read_text(encoding="utf-8")

"""Where the rules and the sample tables that the package ships are found, in a checkout and in an installed wheel."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parents[1]


def find_rules() -> Path:
    """The rule sets that people wrote: ``rules/`` of the checkout, or their copy in the installed package."""
    checkout = _PACKAGE.parents[1] / "rules"
    return checkout if (checkout / "ncci-conventions" / "rule-set.toml").exists() else _PACKAGE / "_rules"


def find_samples() -> Path:
    """Small made-up tables in the publishers' layouts, for the demo and first tries."""
    return _PACKAGE / "samples"


def find_lint_pages() -> Path:
    """The pages about lints: ``docs/lints`` of the checkout, or their copy in the installed package."""
    checkout = _PACKAGE.parents[1] / "docs" / "lints"
    return checkout if checkout.exists() else _PACKAGE / "_lints"

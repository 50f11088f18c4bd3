"""Compiles the rule sets of a directory into revisions, and sees to it that a release has its conventions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from claimedits.app.shipped import find_rules
from claimedits.model.problems import ImportRefusedError, Problem
from claimedits.rulesets.authored.compiler import KIND
from claimedits.rulesets.authored.compiler import compile_rules as compile_authored_rules
from claimedits.rulesets.authored.stray_files import find_unread_rules
from claimedits.rulesets.coverage.roles import KIND as COVERAGE_KIND
from claimedits.rulesets.coverage.roles import compile_roles
from claimedits.rulesets.loaded import CONVENTIONS
from claimedits.rulesets.revision import RevisionDraft, RevisionInfo
from claimedits.rulesets.store import Store
from claimedits.rulesets.table_rules import TABLES, compile_table_rules, read_rule_set_head

COMPILERS: dict[str, Callable[[Path], RevisionDraft]] = {
    **dict.fromkeys(TABLES, compile_table_rules),
    COVERAGE_KIND: compile_roles,
    KIND: lambda directory: compile_authored_rules(directory)[0],
}
"""How a rule set of each kind is compiled."""


def find_rule_sets(directory: Path) -> list[Path]:
    """The rule sets in a directory, or the directory itself where it is one.

    Raises:
        ImportRefusedError: there is none.
    """
    if (directory / "rule-set.toml").exists():
        return [directory]
    found = sorted(path.parent for path in directory.glob("*/rule-set.toml"))
    if not found:
        raise ImportRefusedError(
            [
                Problem(
                    str(directory),
                    "holds no rule set",
                    "name a directory with rule-set.toml, or one of such directories",
                )
            ]
        )
    return found


def compile_rules(directory: Path) -> list[RevisionDraft]:
    """Every rule set of a directory, compiled.

    Raises:
        ImportRefusedError: with the problems of all rule sets; nothing is compiled.
    """
    paths = find_rule_sets(directory)
    drafts, problems = [], list(find_unread_rules(directory)) if paths != [directory] else []
    for path in paths:
        head_problems: list[Problem] = []
        kind = str(read_rule_set_head(path, head_problems).get("kind", ""))
        try:
            drafts.append(COMPILERS.get(kind, compile_table_rules)(path))
        except ImportRefusedError as error:
            problems += [Problem(f"{path.name}/{p.where}", p.what, p.mend, p.code) for p in error.problems]
    if problems:
        raise ImportRefusedError(problems, f"{len(problems)} problems, nothing was built")
    return drafts


def build_rules(directory: Path, store: Store) -> list[tuple[RevisionInfo, bool]]:
    """Compile and keep; with each revision, whether it is new."""
    return [store.add_revision(draft) for draft in compile_rules(directory)]


def choose_revisions(store: Store, revisions: Sequence[str], without: Sequence[str] = ()) -> list[str]:
    """The revisions of a new release: those named, else every one, but those ``without``; conventions and duplicates are
    added where missing.

    The rule sets that the package ships are built into the store first if it holds none of them.
    """
    chosen = [store.revision(name) for name in revisions] if revisions else store.revisions()
    left_out = {store.revision(name).id for name in without}
    chosen = [info for info in chosen if info.id not in left_out]
    held = {info.header.rule_set for info in chosen}
    for rule_set in (CONVENTIONS, "duplicates"):
        if rule_set not in held:
            kept = store.revisions(rule_set) or [store.add_revision(compile_table_rules(find_rules() / rule_set))[0]]
            chosen.append(max(kept, key=lambda info: info.header.published_on))
    return [info.id for info in chosen]

"""Looks at imported revisions: each in itself, and against the one that it follows."""

from __future__ import annotations

from collections.abc import Sequence

from claimedits.app.shipped import find_rules
from claimedits.model.dates import today
from claimedits.model.problems import AmbiguousIdError, NotFoundError
from claimedits.rulesets.comparison.releases import line_of
from claimedits.rulesets.lints.code_books import read_books, read_forms
from claimedits.rulesets.lints.lint import LintFinding, order_findings
from claimedits.rulesets.lints.revisions import check_revision
from claimedits.rulesets.lints.settings import LintSettings
from claimedits.rulesets.lints.thresholds import read_thresholds
from claimedits.rulesets.revision import RevisionInfo
from claimedits.rulesets.store import Store


def check_revisions(
    store: Store, revision_ids: Sequence[str] = (), against: str | None = None, settings: LintSettings | None = None
) -> list[LintFinding]:
    """Everything that is odd in imported revisions; empty when all is well.

    Args:
        revision_ids: ids or unique beginnings of revisions, or of releases, which stand for their revisions; empty = the
            newest revision of each rule set.
        against: a revision, or a release, that takes the place of the revisions that these follow. A release is looked
            up for each rule set; a rule set that it lacks is checked in itself.
        settings: as ``lints.toml`` says; None = every lint at its own severity.

    Raises:
        NotFoundError: the store holds no such revision or release.
        StoreError: a table is damaged.
    """
    settings = settings or LintSettings()
    rules = find_rules()
    shipped = read_thresholds(rules / "lints" / "thresholds.toml")
    books = read_books(store, read_forms(rules / "lints" / "code-forms.toml"))
    before = _resolve(store, [against]) if against else None
    found: list[LintFinding] = []
    for info in _resolve(store, revision_ids) if revision_ids else _newest(store):
        old = find_predecessor(store, info) if before is None else _same_set(before, info)
        header = info.header
        found += check_revision(
            (info, store.tables(info.id)),
            (old, store.tables(old.id)) if old else None,
            store.rejects(info.id),
            shipped.of(header.kind, header.effective_from, settings.thresholds),
            books,
        )
    return order_findings(settings.apply(found, today(), looked=("revisions",)))


def find_predecessor(store: Store, info: RevisionInfo) -> RevisionInfo | None:
    """The revision of the same line of a rule set that a revision follows: the latest that takes effect before it, or on the same day
    and was published before it. One of the same day that no release holds was never let in: it is no measure for what replaces it."""

    def order(other: RevisionInfo) -> tuple[int, int, str]:
        return other.header.effective_from, other.header.published_on, other.id

    line = [other for other in store.revisions(info.header.rule_set) if line_of(other) == line_of(info)]
    earlier = [other for other in line if order(other) < order(info)]
    if any(other.header.effective_from == info.header.effective_from for other in earlier):
        held = {revision for release in store.releases() for revision in release.revisions}
        day = info.header.effective_from
        earlier = [other for other in earlier if other.header.effective_from < day or other.id in held]
    return max(earlier, key=order) if earlier else None


def _resolve(store: Store, names: Sequence[str]) -> list[RevisionInfo]:
    """The revisions named, and those of the releases named, each once."""
    found: dict[str, RevisionInfo] = {}
    for name in names:
        try:
            ids: Sequence[str] = [store.revision(name).id]
        except NotFoundError:
            ids = _release(store, name)
        found.update((revision, store.revision(revision)) for revision in ids)
    return list(found.values())


def _release(store: Store, name: str) -> Sequence[str]:
    try:
        return store.release(name).revisions
    except AmbiguousIdError:
        raise
    except NotFoundError:
        raise NotFoundError(
            f"the store holds no revision and no release {name}; 'claim-edits release list' names them"
        ) from None


def _newest(store: Store) -> list[RevisionInfo]:
    newest: dict[object, RevisionInfo] = {}
    for info in store.revisions():  # by rule set, governed period, publication
        newest[info.header.rule_set, line_of(info)] = info
    return list(newest.values())


def _same_set(before: Sequence[RevisionInfo], info: RevisionInfo) -> RevisionInfo | None:
    """The last revision of the same rule set among those named. One named alone is taken as it is."""
    line = (info.header.rule_set, line_of(info))
    same = [other for other in before if (other.header.rule_set, line_of(other)) == line and other.id != info.id]
    return max(same, key=lambda other: (other.header.effective_from, other.header.published_on)) if same else None

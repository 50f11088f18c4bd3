"""Moves the pointer to the active release: only to a release that has opened, and only with a name and a reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from claimedits.engine.engine import Engine
from claimedits.engine.evaluation import EvaluationAbandonedError
from claimedits.model.problems import ClaimEditsError, NotFoundError, StoreError
from claimedits.rulesets.activation import Activation, ActiveReleaseChangedError, check_current
from claimedits.rulesets.durable_files import ReadOnlyStoreError, UnconfirmedWriteError
from claimedits.rulesets.store import Store
from claimedits.rulesets.store_directory import MalformedIdError

NO_RELEASE = "none"
"""How a caller says that it expects no release to be active."""


class ReleaseRefusedError(ClaimEditsError):
    """A release that did not become active; nothing was changed, and the message says why."""


class Activated(NamedTuple):
    """A release that is active now."""

    entry: Activation
    """Its entry in the history; an older one where it was active already."""
    engine: Engine
    """The release, opened before the pointer moved to it."""


def activate_release(
    store: Store,
    release: str,
    who: str,
    why: str,
    expected_current: str = "",
    abandoned: Callable[[], bool] = lambda: False,
) -> Activated:
    """Open a release, with tables verified and indexes built, then make it the active one in one step.

    Args:
        release: its id, or a unique beginning of it.
        expected_current: as ``expected_release`` reads it.
        abandoned: asked once the release is open; True leaves everything as it is.

    Raises:
        NotFoundError: the store holds no such release.
        AmbiguousIdError: several ids begin so.
        ReleaseRefusedError: it cannot be opened, or the store not be written; nothing was changed.
        ActiveReleaseChangedError: another release is active than expected; nothing was changed.
        UnconfirmedWriteError: it is active, and a power failure may undo that.
        EvaluationAbandonedError: ``abandoned`` said that nobody waits any more; nothing was changed.
    """
    expected = expected_release(store, expected_current)
    chosen = store.release_id(release)
    engine = _open(store, chosen, abandoned)
    try:
        return Activated(store.activate(chosen, who, why, expected), engine)
    except (ActiveReleaseChangedError, UnconfirmedWriteError):
        raise
    except StoreError as error:
        raise _refused(chosen, error) from error


def roll_back_release(
    store: Store, who: str, why: str, expected_current: str = "", abandoned: Callable[[], bool] = lambda: False
) -> Activated:
    """Make the release active that was active before the current one. Raises what ``activate_release`` raises."""
    expected = expected_release(store, expected_current)
    try:
        history = store.activations()
    except StoreError as error:
        raise ReleaseRefusedError(str(error)) from error
    if not history or not history[-1].previous:
        raise ReleaseRefusedError("no release was active before; activate one with 'claim-edits release activate'")
    check_current(history, expected)
    current, target = history[-1].release, history[-1].previous
    engine = _open(store, target, abandoned)
    try:
        # What is opened is what was active before ``current``: if that has changed meanwhile, the caller decides anew.
        return Activated(store.rollback(who, why, current), engine)
    except (ActiveReleaseChangedError, UnconfirmedWriteError):
        raise
    except StoreError as error:
        raise _refused(target, error) from error


def expected_release(store: Store, text: str) -> str | None:
    """What ``Store.activate`` compares with: None for an empty text (whatever is active), empty for ``none``.

    A release that the store does not hold, named by a well-formed id, is none that can be active: it comes back as it is.

    Raises:
        MalformedIdError: the text is no id.
        AmbiguousIdError: several ids begin so.
    """
    if not text:
        return None
    if text == NO_RELEASE:
        return ""
    try:
        return store.release_id(text)
    except MalformedIdError:
        raise
    except NotFoundError:
        return text


def _open(store: Store, release: str, abandoned: Callable[[], bool]) -> Engine:
    try:
        engine = Engine.open(store, release)
    except Exception as error:  # whatever keeps it from opening here keeps it from serving
        raise _refused(release, error) from error
    if abandoned():
        raise EvaluationAbandonedError
    return engine


def _refused(release: str, error: Exception) -> ReleaseRefusedError:
    if isinstance(error, ReadOnlyStoreError):
        error = ClaimEditsError(
            "the store cannot be written from here; run 'claim-edits release' where it can, or let this process write to it"
        )
    plain = isinstance(error, ClaimEditsError | OSError)
    told = str(error) if plain else f"{type(error).__name__}: {error}"
    return ReleaseRefusedError(f"release {release[:19]} was not activated, what is served did not change: {told}")

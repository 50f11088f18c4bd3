"""Holds the access table that is in force, and takes up a changed one; a broken one changes nothing."""

from __future__ import annotations

import threading
from pathlib import Path

from claimedits.app.access import AccessTable
from claimedits.app.access_tables import AccessRefusedError, read_access_table
from claimedits.app.remote_server import is_this_machine
from claimedits.model.problems import ClaimEditsError, Problem
from claimedits.server.call_log import write_log
from claimedits.server.settings import ServerSettings


class AccessWatch:
    """The access table of one worker."""

    def __init__(self, settings: ServerSettings) -> None:
        """
        Raises:
            AccessRefusedError: the table is wrong, or does not fit the transport; with every problem.
        """
        self._settings = settings
        self._seen: object = None
        self._table: AccessTable | None = None
        if settings.access is not None:
            self._seen = _stamp(settings.access)
            self._table = read_fitting_table(settings, settings.access)
        self._stopped = threading.Event()

    def table(self) -> AccessTable | None:
        """The table in force; None = the server has none."""
        return self._table

    def refresh(self) -> None:
        """Take up a changed file. What cannot be read leaves the last good table in force, and is logged once."""
        path = self._settings.access
        if path is None:
            return
        stamp = _stamp(path)
        if stamp == self._seen:
            return
        self._seen = stamp
        try:
            self._table = read_fitting_table(self._settings, path)
        except Exception as error:  # a watch that died of a surprise would leave revoked callers in, unseen
            told = str(error) if isinstance(error, ClaimEditsError) else type(error).__name__
            write_log(event="access_refused", problem=f"{told}\nthe table read before stays in force")
        else:
            write_log(event="access_changed", callers=len(self._table.callers))

    def watch(self, every: float) -> None:
        """Refresh until ``stop``, every so many seconds, in a daemon thread."""

        def run() -> None:
            while not self._stopped.wait(every):
                self.refresh()

        if self._settings.access is not None:
            threading.Thread(target=run, name="access-watch", daemon=True).start()

    def stop(self) -> None:
        """End the watching."""
        self._stopped.set()


def read_fitting_table(settings: ServerSettings, path: Path) -> AccessTable:
    """The access table, if the server's transport can serve its callers safely.

    Raises:
        AccessRefusedError: with every problem.
    """
    table = read_access_table(path)
    problems = []
    if table.takes_tokens and settings.tls_certificate is None:
        if not settings.allow_plaintext_tokens and not is_this_machine(settings.address):
            problems.append(
                Problem(
                    str(path),
                    f"callers would send their tokens to {settings.address} unencrypted, for anybody on the way to read",
                    "turn on TLS with --tls-cert and --tls-key, or listen on 127.0.0.1; "
                    "where something in front of the server encrypts, say --allow-plaintext-tokens",
                )
            )
    if table.takes_certificates and settings.tls_client_ca is None:
        problems.append(
            Problem(
                str(path),
                "knows callers by their certificates, which the server does not ask for",
                "name their authority with --tls-client-ca",
            )
        )
    if problems:
        raise AccessRefusedError(problems, f"{path}: the access table does not fit how the server listens")
    return table


def _stamp(path: Path) -> object:
    """Something that differs once the file may have changed: also when a link to it is moved, or its mode."""
    try:
        found = path.stat()
    except OSError as error:
        return error.errno
    return found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_size

"""Opens a Spark session, and says what is missing where Spark cannot run."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from claimedits.model.problems import ClaimEditsError

_QUIET = {"spark.ui.showConsoleProgress": "false", "spark.log.level": "ERROR"}
"""Spark's own bar and warnings would be written across those of the command."""


def check_installed() -> None:
    """
    Raises:
        ClaimEditsError: Spark's Python package or Java is missing.
    """
    missing = [name for name in ("pyspark", "pandas") if find_spec(name) is None]
    if missing:
        raise ClaimEditsError(
            f"the engine spark needs the package {' and '.join(missing)}; run \"pip install 'claim-edits[spark]'\""
        )
    home = os.environ.get("JAVA_HOME")
    if shutil.which("java") is None and not (home and (Path(home) / "bin" / "java").exists()):
        raise ClaimEditsError("the engine spark needs Java, version 17 or later; install it, or set JAVA_HOME")


@contextmanager
def open_session(master: str, settings: Mapping[str, str]) -> Iterator[Any]:
    """A ``SparkSession`` of its own, stopped afterwards.

    Args:
        master: as ``spark-submit --master``; empty = what ``spark-submit`` or Spark's own files say, else all cores here.
        settings: Spark properties, ``spark.executor.memory`` and the like.

    Raises:
        ClaimEditsError: Spark is not installed, or cannot be started.
    """
    check_installed()
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

    # The executors' Python has to be of the driver's version; where it stands elsewhere, the environment says so.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.appName("claim-edits replay")
    if master:
        builder = builder.master(master)
    for name, value in {**_QUIET, **settings}.items():
        builder = builder.config(name, value)
    try:
        session = builder.getOrCreate()
    except PySparkException as error:
        raise ClaimEditsError(f"Spark cannot be started: {first_line(error)}") from error
    try:
        yield session
    finally:
        session.stop()


def first_line(error: BaseException) -> str:
    """What Spark says of an error, without the stack of its own calls."""
    told = getattr(error, "desc", None) or getattr(error, "_desc", None) or str(error)
    return str(told).strip().splitlines()[0]

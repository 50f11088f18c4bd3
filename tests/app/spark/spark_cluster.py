"""A real Spark of several processes on this machine: a master, and executors that run in processes of their own."""

from __future__ import annotations

import os
import select
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

SERVICE = Path(__file__).parents[3] / "service"
PATIENCE = 240
"""Seconds after which something that should happen counts as never happening."""
_JAVA = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Djava.net.preferIPv4Stack=true"


def need_spark() -> None:
    """Skip a test where Spark cannot run; or fail it, where CLAIMEDITS_SPARK=required says that it must run."""
    missing = [f"the package {name}" for name in ("pyspark", "pandas") if find_spec(name) is None]
    missing += [] if shutil.which("java") else ["java"]
    if missing:
        told = f"Spark cannot run here: {' and '.join(missing)} missing"
        if os.environ.get("CLAIMEDITS_SPARK") == "required":
            pytest.fail(told)
        pytest.skip(f"{told}; install the extra 'spark' and a JRE of version 17 or later")


@contextmanager
def spark_cluster(folder: Path, executors: int = 3) -> Iterator[Any]:
    """A session on ``local-cluster[executors,1,1024]``. Nothing is written outside ``folder``."""
    import pyspark
    from pyspark import SparkContext
    from pyspark.sql import SparkSession

    home = folder / "home"
    home.mkdir(parents=True)
    for path in Path(pyspark.__file__).parent.iterdir():
        if path.name != "work":  # where executors work: it shall be in ``folder``
            (home / path.name).symlink_to(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPARK_HOME", str(home))
        patch.setenv("SPARK_LOCAL_DIRS", str(folder / "local"))
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        patch.setenv("JDK_JAVA_OPTIONS", _JAVA)
        builder = SparkSession.builder.master(f"local-cluster[{executors},1,1024]").appName("claim-edits test")
        for name, value in {
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.driver.memory": "512m",
            "spark.executor.memory": "512m",
            "spark.executorEnv.PYTHONPATH": str(SERVICE),
            "spark.executorEnv.JDK_JAVA_OPTIONS": _JAVA,
            "spark.sql.shuffle.partitions": "4",
            "spark.ui.enabled": "false",
            "spark.ui.showConsoleProgress": "false",
            "spark.sql.warehouse.dir": str(folder / "warehouse"),
        }.items():
            builder = builder.config(name, value)
        session = builder.getOrCreate()
        gateway = SparkContext._gateway
        try:
            session.sparkContext.setLogLevel("OFF")
            yield session
        finally:
            session.stop()
            gateway.shutdown()
            gateway.proc.stdin.close()  # the JVM ends with it
            gateway.proc.wait(PATIENCE)
            SparkContext._gateway = SparkContext._jvm = None


class Trap:
    """Holds a task of an executor in the middle of its work until that executor is killed."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self.path = str(path)
        self._file = os.open(path, os.O_RDWR)

    def kill_executor(self, session: Any) -> int:
        """Wait until a task is held, and kill its executor: a process that this cluster started."""
        ready, _, _ = select.select([self._file], [], [], PATIENCE)
        assert ready, "no task came into the trap"
        daemon = int(os.read(self._file, 32))
        assert daemon, "the job ended before a task came into the trap"
        executor = _parent_of(daemon)
        assert _parent_of(executor) == session.sparkContext._gateway.proc.pid
        os.kill(executor, 9)
        return executor

    def give_up(self) -> None:
        """No task will come any more."""
        os.write(self._file, b"0")

    def close(self) -> None:
        os.close(self._file)


def _parent_of(process: int) -> int:
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])


def make_trapped(work: Any, trap: str, partition: int) -> Any:
    """``work``, a function of a task's batches, that stops for ever before its first batch on the first try of a partition.

    What is returned is pickled by value: an executor cannot import this module.
    """

    def trapped(batches: Any) -> Any:
        import os
        import threading
        from pathlib import Path

        from pyspark import TaskContext

        sprung = Path(trap + ".sprung")
        if TaskContext.get().partitionId() == partition and not sprung.exists():
            sprung.touch()
            file = os.open(trap, os.O_WRONLY)
            os.write(file, str(os.getppid()).encode())
            threading.Event().wait()
        yield from work(batches)

    return trapped

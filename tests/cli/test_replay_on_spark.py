"""``claim-edits replay --engine spark``: what is said before anything is read. The engine itself: tests/app/spark."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from claimedits.app.spark import sessions
from claimedits.cli.main import cli


def said_by(tmp_path: Path, *options: str) -> tuple[int, str]:
    arguments = ["replay", "claims.ndjson", "--store", str(tmp_path), "--out", str(tmp_path / "out"), *options]
    result = CliRunner().invoke(cli, arguments)
    assert not (tmp_path / "out").exists()
    return result.exit_code, result.output


@pytest.mark.parametrize("option", [["--master", "local[2]"], ["--spark-conf", "a=b"], ["--shared-store"]])
def test_options_of_spark_need_spark(tmp_path: Path, option: list[str]) -> None:
    code, said = said_by(tmp_path, *option)
    assert code == 2
    assert "--master, --spark-conf and --shared-store go with --engine spark; add it" in said


def test_a_setting_without_a_value(tmp_path: Path) -> None:
    code, said = said_by(tmp_path, "--engine", "spark", "--spark-conf", "spark.executor.memory")
    assert code == 2
    assert "'spark.executor.memory' is no NAME=VALUE; write it like spark.executor.memory=4g" in " ".join(said.split())


def test_spark_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "find_spec", lambda name: None)
    code, said = said_by(tmp_path, "--engine", "spark")
    assert code == 2
    assert said == (
        "error: the engine spark needs the package pyspark and pandas; run \"pip install 'claim-edits[spark]'\"\n"
    )


def test_java_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "find_spec", lambda name: name)
    monkeypatch.setattr(sessions.shutil, "which", lambda name: None)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    code, said = said_by(tmp_path, "--engine", "spark")
    assert code == 2
    assert said == "error: the engine spark needs Java, version 17 or later; install it, or set JAVA_HOME\n"

"""``claim-edits replay`` on the command line: outputs, exit codes, resuming, and messages without tracebacks."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner, Result

sys.path.insert(0, str(Path(__file__).parents[1] / "app" / "replay"))

from made_replays import AS_OF, SERVICE, MadeStore, make_claims, write_ndjson

from claimedits.cli.main import cli

CLAIMS = make_claims(20)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> MadeStore:
    return MadeStore(tmp_path_factory.mktemp("store"))


@pytest.fixture
def claims(tmp_path: Path) -> Path:
    written: Path = write_ndjson(tmp_path / "claims.ndjson", CLAIMS)
    return written


def run(store: MadeStore, claims: Path | str, out: Path, *more: str) -> Result:
    words = [
        "replay",
        str(claims),
        "--store",
        str(store.path),
        "--against",
        store.new,
        "--out",
        str(out),
        "--as-of",
        AS_OF,
    ]
    return CliRunner().invoke(cli, [*words, "--jobs", "1", *more])


def test_a_run_says_what_it_found_and_where_the_report_is(store: MadeStore, claims: Path, tmp_path: Path) -> None:
    result = run(store, claims, tmp_path / "out")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    count = sum(len(claim["lines"]) for claim in CLAIMS)
    assert lines[:3] == [
        "records               20",
        f"claims                20  evaluated, with {count} lines",
        "rejected               0",
    ]
    assert lines[-1] == f"report: {tmp_path / 'out' / 'report.html'}"
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "findings",
        "lines",
        "manifest.json",
        "rejected.ndjson",
        "report.html",
        "report.json",
        "sums",
    }


def test_the_same_command_again_repeats_nothing(store: MadeStore, claims: Path, tmp_path: Path) -> None:
    first = run(store, claims, tmp_path / "out")
    again = run(store, claims, tmp_path / "out", "--resume")
    assert (again.exit_code, again.stdout) == (0, first.stdout)
    assert again.stderr == f"{tmp_path / 'out'} holds this replay already, finished; nothing was repeated\n"


def test_programs_read_the_report(store: MadeStore, claims: Path, tmp_path: Path) -> None:
    result = run(store, claims, tmp_path / "out", "--format", "json", "--baseline", store.old, "--family", "PTP")
    report = orjson.loads(result.stdout)
    assert report == orjson.loads((tmp_path / "out" / "report.json").read_bytes())
    assert (report["families"], report["changes"]["claims"]) == (["PTP"], 20)


def test_rejected_records_are_told_by_the_exit_code(store: MadeStore, tmp_path: Path) -> None:
    written = write_ndjson(tmp_path / "c.ndjson", [*CLAIMS, CLAIMS[0], b"broken\n"])
    result = run(store, written, tmp_path / "out")
    assert result.exit_code == 1
    assert "rejected               2  of them 1 with an id that came before" in result.stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--against", "fffffff"], "error: .*fffffff"),
        (["--baseline", "medicare-mue-practitioner@nowhere"], "error: .*nowhere"),
        (["--mapping", "nowhere.toml", "--from", "csv"], "nowhere.toml"),
        (["--as-of", "2999-01-01"], "error: as_of: lies in the future; nothing later than today is known"),
        (["--expect", "nowhere.835"], "error: nowhere.835: cannot be opened: No such file or directory"),
        (["--resume"], "holds no run to take up; leave --resume out to begin one"),
        (["--history-window", "-1"], "--history-window"),
        (["--from", "parquet"], "error: "),
    ],
)
def test_what_cannot_be_done_is_said_with_exit_code_two(
    words: list[str], message: str, store: MadeStore, claims: Path, tmp_path: Path
) -> None:
    result = run(store, claims, tmp_path / "out", *words)
    assert result.exit_code == 2, result.output
    assert re.search(message, result.stderr), result.stderr
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert not (tmp_path / "out" / "manifest.json").exists()


def test_another_plan_is_refused(store: MadeStore, claims: Path, tmp_path: Path) -> None:
    run(store, claims, tmp_path / "out")
    result = run(store, claims, tmp_path / "out", "--history-window", "3")
    assert result.exit_code == 2
    assert result.stderr.startswith(
        f"error: {tmp_path / 'out'}: holds a replay that was asked for something else; name another directory\n  history: "
    )


def test_expectations_are_summed_up(store: MadeStore, claims: Path, tmp_path: Path) -> None:
    (tmp_path / "real.csv").write_text("claim_id,line_number,carc,amount_cents\nC-0,1,18,9000\n")
    result = run(store, claims, tmp_path / "out", "--expect", str(tmp_path / "real.csv"))
    assert result.exit_code == 0
    count = len(CLAIMS[0]["lines"])
    assert re.search(rf"against the payer: {count} lines compared, \d+ agree", result.stdout)


def test_help_has_an_example() -> None:
    shown = CliRunner().invoke(cli, ["replay", "--help"]).stdout
    assert "claim-edits replay claims/ --store store --against active --out replay-2024" in shown
    assert "Exit codes: 0" in shown


def start(store: MadeStore, claims: Path, out: Path, **more: object) -> subprocess.Popen[bytes]:
    words = [
        "replay",
        claims,
        "--store",
        store.path,
        "--against",
        store.new,
        "--out",
        out,
        "--as-of",
        AS_OF,
        "--jobs",
        2,
    ]
    command = [sys.executable, "-m", "claimedits.cli.main", *map(str, words)]
    environment = {"PYTHONPATH": str(SERVICE), "PATH": "/usr/bin:/bin", "TERM": "xterm", "COLUMNS": "100"}
    return subprocess.Popen(command, env=environment, **more)  # type: ignore[call-overload, no-any-return]


def test_progress_tells_rate_and_time_left_on_a_terminal(store: MadeStore, claims: Path, tmp_path: Path) -> None:
    here, there = pty.openpty()
    process = start(store, claims, tmp_path / "out", stderr=there, stdout=subprocess.DEVNULL)
    os.close(there)
    shown = b""
    while True:
        try:
            piece = os.read(here, 65_536)
        except OSError:  # the other end is closed
            break
        if not piece:
            break
        shown += piece
    os.close(here)
    assert process.wait(60) == 0
    assert b"evaluating lines" in shown
    assert b"lines/s" in shown
    assert b"left" in shown


def test_an_interrupt_ends_without_a_traceback_and_leaves_no_process(store: MadeStore, tmp_path: Path) -> None:
    written = write_ndjson(tmp_path / "c.ndjson", make_claims(20_000))
    process = start(
        store, written, tmp_path / "out", stderr=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    )
    plan = tmp_path / "out" / "work" / "plan.json"
    while not plan.exists():
        assert process.poll() is None
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all processes of the command
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert (
        said.decode() == f"interrupted; the same command takes it up: what is finished is kept in {tmp_path / 'out'}\n"
    )
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)

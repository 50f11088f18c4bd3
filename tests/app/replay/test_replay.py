"""A replay: the answers of the single-claim engine, counts that add up, the same bytes however it runs, and faults."""

from __future__ import annotations

import shutil
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from made_replays import AS_OF, MadeStore, bytes_of, make_claims, run_child, write_ndjson

from claimedits.app.claim_sources.column_mapping import MappingError
from claimedits.app.claim_sources.identifiers import IdentifierHash
from claimedits.app.claim_sources.reading import ReadOptions
from claimedits.app.rendering import as_fields
from claimedits.app.replay import inputs
from claimedits.app.replay.inputs import InputChangedError
from claimedits.app.replay.plan import PlanDiffersError
from claimedits.app.replay.running import ReplayOptions, ReplayOutcome, replay
from claimedits.engine.engine import Engine
from claimedits.model.problems import ClaimEditsError, NotFoundError

CLAIMS = make_claims(120)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> MadeStore:
    return MadeStore(tmp_path_factory.mktemp("store"))


@pytest.fixture(autouse=True)
def many_partitions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "LINES_A_PARTITION", 25)


@pytest.fixture(scope="module")
def claims(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_ndjson(tmp_path_factory.mktemp("claims") / "claims.ndjson", CLAIMS)


def options_for(store: MadeStore, claims: Path, out: Path, **changes: Any) -> ReplayOptions:
    return replace(ReplayOptions(store.path, [str(claims)], out, store.new, as_of=AS_OF), **changes)


@pytest.fixture(scope="module")
def undisturbed(store: MadeStore, claims: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("undisturbed")
    done = run_child(folder, store, claims, folder / "out")
    assert done.returncode == 0, done.stderr
    return folder / "out"


def rows_of(out: Path, kind: str) -> list[dict[str, Any]]:
    return [row for path in sorted((out / kind).glob("*.parquet")) for row in pq.read_table(path).to_pylist()]


def test_findings_and_lines_are_those_of_the_single_claim_engine(store: MadeStore, undisturbed: Path) -> None:
    engine = Engine.open(store.path, store.new)
    lines, findings = {}, {}
    for claim in CLAIMS:
        answer = as_fields(engine.evaluate(claim, AS_OF))
        for line in answer["lines"]:
            lines[claim["claim_id"], line["line_number"]] = (line["outcome"], line["families"])
        for found in answer["findings"]:
            key = (claim["claim_id"], found["line_number"], found["rule_id"], tuple(found["related_line_numbers"]))
            findings[key] = (found["status"], found["code"], found["message"], found["detail"])
    for row in rows_of(undisturbed, "lines"):
        outcome, families = lines.pop((row["claim_id"], row["line_number"]))
        assert row["outcome"] == outcome
        assert {family: row[family.lower()] for family in families} == families
    for row in rows_of(undisturbed, "findings"):
        key = (row["claim_id"], row["line_number"], row["rule_id"], tuple(row["related_line_numbers"]))
        detail = orjson.loads(row["detail"]) if row["detail"] else {}
        assert (row["status"], row["code"], row["message"], detail) == findings.pop(key)
    assert (lines, findings) == ({}, {})


def test_a_line_row_tells_what_reports_ask_for(undisturbed: Path) -> None:
    row = next(row for row in rows_of(undisturbed, "lines") if row["claim_id"] == "C-0" and row["line_number"] == 1)
    claim = CLAIMS[0]
    assert (row["program"], row["setting"], row["billing_provider_id"]) == (
        "MEDICARE",
        "PRACTITIONER",
        claim["billing_provider_id"],
    )
    assert (row["procedure_code"], row["charge_cents"], str(row["service_date"])) == (
        claim["lines"][0]["procedure_code"],
        claim["lines"][0]["charge_cents"],
        claim["lines"][0]["service_date"],
    )


def test_sums_are_those_of_the_rows(undisturbed: Path) -> None:
    report = orjson.loads((undisturbed / "report.json").read_bytes())
    lines = rows_of(undisturbed, "lines")
    for outcome in report["outcomes"]:
        own = [row for row in lines if row["outcome"] == outcome["outcome"]]
        assert (outcome["lines"], outcome["charge_cents"]) == (len(own), sum(row["charge_cents"] for row in own))
    assert sum(outcome["lines"] for outcome in report["outcomes"]) == len(lines) == report["lines"]["evaluated"]
    for entry in report["families_by_month"]:
        own = [
            row
            for row in lines
            if str(row["service_date"]).startswith(entry["month"]) and row[entry["family"].lower()] == entry["status"]
        ]
        assert (entry["lines"], entry["claims"]) == (len(own), len({row["claim_id"] for row in own}))
    findings = rows_of(undisturbed, "findings")
    for rule in report["rules"]:
        denied = {
            (f["claim_id"], f["line_number"])
            for f in findings
            if f["rule_id"] == rule["rule_id"] and f["status"] == "FAIL"
        }
        assert rule["lines"] == len(denied)
    assert report["claims"]["denied"] == len({row["claim_id"] for row in lines if row["outcome"] == "FAIL"})


def test_bypasses_are_counted_by_modifier_and_provider(store: MadeStore, tmp_path: Path) -> None:
    def one(claim_id: str, modifier: list[str], provider: str) -> dict[str, Any]:
        claim = make_claims(1)[0] | {"claim_id": claim_id, "billing_provider_id": provider}
        lines = [
            {
                "line_number": n,
                "procedure_code": code,
                "units": "1",
                "service_date": "2024-07-15",
                "charge_cents": 100,
                "modifiers": m,
            }
            for n, code, m in ((1, "11055", []), (2, "11720", modifier))
        ]
        return claim | {"lines": lines}

    written = write_ndjson(
        tmp_path / "c.ndjson",
        [
            one("A", ["59"], "1234567893"),
            one("B", ["XS"], "1234567893"),
            one("C", [], "1234567893"),
            one("D", ["59"], ""),
        ],
    )
    report = replay(options_for(store, written, tmp_path / "out", against=store.old)).report["bypasses"]
    assert [(row["modifier"], row["lines"], row["charge_cents"]) for row in report["by_modifier"]] == [
        ("59", 2, 200),
        ("XS", 1, 100),
    ]
    assert [
        (r["billing_provider_id"], r["modifier"], r["lines"], r["conflict_lines"]) for r in report["by_provider"]
    ] == [
        ("", "59", 1, 1),
        ("1234567893", "59", 1, 3),
        ("1234567893", "XS", 1, 3),
    ]
    assert (report["conflict_lines"], report["bypassed_lines"]) == (4, 3)


@pytest.mark.parametrize("jobs", [2, 3])
def test_the_number_of_processes_changes_no_byte(
    jobs: int, store: MadeStore, claims: Path, undisturbed: Path, tmp_path: Path
) -> None:
    done = run_child(tmp_path, store, claims, tmp_path / "out", jobs=jobs)
    assert done.returncode == 0, done.stderr
    assert bytes_of(tmp_path / "out") == bytes_of(undisturbed)


@pytest.mark.parametrize(("jobs", "calls"), [(1, 1), (1, 3), (1, 6), (1, 11), (2, 4), (2, 9)])
def test_a_run_killed_at_any_moment_is_taken_up_with_the_same_bytes(
    jobs: int, calls: int, store: MadeStore, claims: Path, undisturbed: Path, tmp_path: Path
) -> None:
    killed = run_child(tmp_path, store, claims, tmp_path / "out", jobs=jobs, calls=calls)
    assert killed.returncode == -signal.SIGKILL
    assert not (tmp_path / "out" / "manifest.json").exists()
    taken_up = run_child(tmp_path, store, claims, tmp_path / "out", jobs=jobs)
    assert taken_up.returncode == 0, taken_up.stderr
    assert bytes_of(tmp_path / "out") == bytes_of(undisturbed)


def test_finished_partitions_are_not_repeated(store: MadeStore, claims: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run_child(tmp_path, store, claims, out, calls=8).returncode == -signal.SIGKILL
    done = {path: path.stat().st_mtime_ns for path in (out / "work" / "done").iterdir()}
    assert done
    replay(options_for(store, claims, out, keep_work=True))
    assert {path: path.stat().st_mtime_ns for path in done} == done
    assert len(list((out / "work" / "done").iterdir())) > len(done)


def test_an_interrupted_run_leaves_nothing_half_written(store: MadeStore, claims: Path, tmp_path: Path) -> None:
    done = run_child(tmp_path, store, claims, tmp_path / "out", jobs=2, calls=6, signal_name="SIGINT")
    assert "KeyboardInterrupt" in done.stderr
    for kind in ("lines", "findings"):
        for path in (tmp_path / "out" / kind).glob("*.parquet"):
            pq.read_table(path)
    replay(options_for(store, claims, tmp_path / "out"))
    assert not [name for name in bytes_of(tmp_path / "out") if "unfinished" in name]


@pytest.mark.parametrize("limit", [3_000, 9_000, 14_000, 22_000])
def test_a_full_disk_is_said_and_the_run_can_be_taken_up(
    limit: int, store: MadeStore, claims: Path, undisturbed: Path, tmp_path: Path
) -> None:
    done = run_child(tmp_path, store, claims, tmp_path / "out", limit=limit)
    assert done.returncode == 1
    assert done.stderr.strip().endswith(
        "the disk is full; make room and give the same command again: what is finished is kept"
    )
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr
    assert run_child(tmp_path, store, claims, tmp_path / "out").returncode == 0
    assert bytes_of(tmp_path / "out") == bytes_of(undisturbed)


def test_a_finished_run_is_not_repeated(store: MadeStore, claims: Path, tmp_path: Path) -> None:
    first = replay(options_for(store, claims, tmp_path / "out"))
    before = bytes_of(tmp_path / "out")
    again = replay(options_for(store, claims, tmp_path / "out"))
    assert (first.repeated, again.repeated, again.report) == (False, True, first.report)
    assert bytes_of(tmp_path / "out") == before
    assert "work" not in {path.name for path in (tmp_path / "out").iterdir()}


def test_a_run_without_a_day_keeps_the_day_it_began(store: MadeStore, claims: Path, tmp_path: Path) -> None:
    replay(options_for(store, claims, tmp_path / "out", as_of="2026-11-02"))
    assert replay(options_for(store, claims, tmp_path / "out", as_of="")).repeated


def test_another_plan_is_refused_with_what_differs(store: MadeStore, claims: Path, tmp_path: Path) -> None:
    replay(options_for(store, claims, tmp_path / "out"))
    with pytest.raises(PlanDiffersError) as refused:
        replay(options_for(store, claims, tmp_path / "out", against=store.old, history_window=3))
    assert str(refused.value) == (
        f"{tmp_path / 'out'}: holds a replay that was asked for something else; name another directory\n"
        f"  against: {store.new} there, {store.old} asked for\n"
        '  history: {} there, {"window_days":3,"order":"each-other"} asked for'
    )


def test_a_directory_of_something_else_is_left_alone(store: MadeStore, claims: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("mine")
    with pytest.raises(PlanDiffersError, match="is not empty, and holds no replay; name an empty or a new directory"):
        replay(options_for(store, claims, tmp_path / "out"))
    assert bytes_of(tmp_path / "out").keys() == {"thesis.txt"}


def test_a_manifest_tells_all_that_is_needed_to_repeat_the_run(
    store: MadeStore, claims: Path, undisturbed: Path
) -> None:
    manifest = orjson.loads((undisturbed / "manifest.json").read_bytes())
    digests = bytes_of(undisturbed)
    assert {entry["file"]: entry["sha256"] for entry in manifest["outputs"]} == {
        name: digest for name, digest in digests.items() if name != "manifest.json"
    }
    assert manifest["claims"] == [
        {"file": str(claims), "bytes": claims.stat().st_size, "sha256": inputs.hash_file(str(claims)).sha256}
    ]
    assert (manifest["against"], manifest["as_of"]) == (store.new, AS_OF)
    assert manifest["counts"]["input"]["claims"] == len(CLAIMS) == manifest["counts"]["results"]["claims"]


def test_one_run_writes_at_a_time(store: MadeStore, claims: Path, tmp_path: Path) -> None:
    refused: list[str] = []

    def second() -> None:
        with pytest.raises(ClaimEditsError) as error:
            replay(options_for(store, claims, tmp_path / "out"))
        refused.append(str(error.value))

    disturb(options_for(store, claims, tmp_path / "out"), second)
    assert refused == [f"{tmp_path / 'out'}: another process is writing this replay; wait until it ends"]


@pytest.mark.parametrize("keep", [(), ("lock",), ("lock", "plan.json")])
def test_a_run_killed_at_its_very_beginning_is_begun_again(
    keep: tuple[str, ...], store: MadeStore, claims: Path, undisturbed: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert run_child(tmp_path, store, claims, out, calls=1).returncode == -signal.SIGKILL
    for path in (out / "work").iterdir():
        if path.is_file() and path.name not in keep:
            path.unlink()
        elif path.is_dir():
            shutil.rmtree(path)
    replay(options_for(store, claims, out))
    assert bytes_of(out) == bytes_of(undisturbed)


def test_a_file_that_somebody_took_away_is_named(store: MadeStore, claims: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run_child(tmp_path, store, claims, out, calls=8).returncode == -signal.SIGKILL
    done = sorted((out / "work" / "done").iterdir())[0].stem
    (out / "lines" / f"{done}.parquet").unlink()
    with pytest.raises(ClaimEditsError) as error:
        replay(options_for(store, claims, out))
    assert str(error.value) == (
        f"{out}/lines/{done}.parquet: is not the file that this run wrote; put it back, or remove {out} and begin again"
    )


def test_work_is_for_its_owner_alone(store: MadeStore, claims: Path, tmp_path: Path) -> None:
    replay(options_for(store, claims, tmp_path / "out", keep_work=True))
    assert (tmp_path / "out" / "work").stat().st_mode & 0o777 == 0o700


# ---- Input ----


def test_every_record_is_accounted_for(store: MadeStore, tmp_path: Path) -> None:
    bad_date = make_claims(1, ids="D")[0]
    bad_date["lines"][0]["service_date"] = "2024-02-30"
    far = make_claims(1, ids="E")[0]
    far["lines"][0]["service_date"] = "0001-01-01"
    written = write_ndjson(tmp_path / "c.ndjson", [*CLAIMS[:5], CLAIMS[2], b"{no json\n", bad_date, far])
    outcome = replay(options_for(store, written, tmp_path / "out"))
    counts = outcome.report["input"]
    assert counts["records"] == counts["claims"] + counts["rejected"] == 9
    assert counts["duplicate_claim_ids"] == 1
    assert outcome.rejected == counts["rejected"] >= 3
    rejected = [orjson.loads(line) for line in (tmp_path / "out" / "rejected.ndjson").read_bytes().splitlines()]
    assert len(rejected) == counts["rejected"]
    assert (rejected[0]["file"], rejected[0]["position"]["line"], rejected[0]["reason"]) in [
        (str(written), 6, "claim_id has the claim id of a claim that was read before"),
        (str(written), 7, rejected[0]["reason"]),
    ]
    assert outcome.report["claims"]["evaluated"] == counts["claims"]


def test_files_of_directories_are_read_in_the_order_of_their_names(store: MadeStore, tmp_path: Path) -> None:
    folder = tmp_path / "claims"
    (folder / "2023").mkdir(parents=True)
    write_ndjson(folder / "b.ndjson", CLAIMS[:3])
    write_ndjson(folder / "2023" / "a.ndjson", CLAIMS[3:5])
    write_ndjson(folder / "_SUCCESS", [])
    write_ndjson(folder / ".hidden", [])
    report = replay(options_for(store, folder, tmp_path / "out")).report
    assert (report["input"]["files"], report["input"]["claims"]) == (2, 5)
    manifest = orjson.loads((tmp_path / "out" / "manifest.json").read_bytes())
    assert [Path(one["file"]).name for one in manifest["claims"]] == ["a.ndjson", "b.ndjson"]


def test_input_without_a_claim_gives_an_empty_report(store: MadeStore, tmp_path: Path) -> None:
    outcome = replay(options_for(store, write_ndjson(tmp_path / "c.ndjson", [b"nothing\n"]), tmp_path / "out"))
    assert (outcome.report["claims"]["evaluated"], outcome.rejected) == (0, 1)
    assert (tmp_path / "out" / "report.html").read_text().startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: [str(path / "gone")], "{path}/gone: cannot be opened: No such file or directory"),
        (lambda path: ["/dev/null"], "/dev/null: is no file that can be read twice; write it to a file first"),
        (
            lambda path: [str(path / "c.ndjson"), str(path / "." / "c.ndjson")],
            "{path}/c.ndjson: is given twice; every claim in it would be read twice. Name it once",
        ),
        (
            lambda path: [str(path / "empty")],
            "{path}/empty: holds no file; name the files or the directory that holds them",
        ),
    ],
)
def test_input_that_cannot_be_read_is_named(make: Any, message: str, store: MadeStore, tmp_path: Path) -> None:
    write_ndjson(tmp_path / "c.ndjson", CLAIMS[:1])
    (tmp_path / "empty").mkdir()
    options = replace(options_for(store, tmp_path, tmp_path / "out"), claims=make(tmp_path))
    with pytest.raises(ClaimEditsError) as refused:
        replay(options)
    assert str(refused.value) == message.format(path=tmp_path)
    assert not (tmp_path / "out").exists()


def test_a_table_of_other_types_is_refused_whole(store: MadeStore, tmp_path: Path) -> None:
    table = pa.table(
        {"claim_id": [1.5], "line_number": ["one"], "procedure_code": [[1]], "service_date": [True], "units": [b"x"]}
    )
    pq.write_table(table, tmp_path / "c.parquet")
    with pytest.raises((ClaimEditsError, MappingError)):
        replay(options_for(store, tmp_path / "c.parquet", tmp_path / "out"))
    assert not (tmp_path / "out" / "work" / "reading").exists()


def test_a_mapping_to_a_missing_column_is_refused_whole(store: MadeStore, tmp_path: Path) -> None:
    mapping = tmp_path / "m.toml"
    shipped = Path(inputs.__file__).parents[1] / "claim_sources" / "mappings" / "generic.toml"
    mapping.write_text(shipped.read_text())
    (tmp_path / "c.csv").write_text("claim,code\n1,11055\n")
    options = options_for(store, tmp_path / "c.csv", tmp_path / "out", reading=ReadOptions(mapping=str(mapping)))
    with pytest.raises(MappingError):
        replay(options)
    assert not (tmp_path / "out" / "work" / "reading").exists()


def disturb(options: ReplayOptions, change: Any) -> ReplayOutcome:
    """Run, and change something when the first claims were read."""
    done = False

    def progress(stage: str, read: int, total: int) -> None:
        nonlocal done
        if not done:
            done = True
            change()

    return replay(options, progress)


def test_a_file_that_shrinks_while_it_is_read_keeps_nothing(store: MadeStore, tmp_path: Path) -> None:
    written = write_ndjson(tmp_path / "c.ndjson", CLAIMS)
    with pytest.raises(InputChangedError) as refused:
        disturb(options_for(store, written, tmp_path / "out"), lambda: written.write_bytes(written.read_bytes()[:1000]))
    assert str(refused.value) == (
        f"{written}: changed while it was read; nothing of it was kept. "
        "Run the replay again when nobody writes to the file any more"
    )
    assert {path.name for path in (tmp_path / "out" / "work").iterdir()} == {"done", "lock", "matched", "plan.json"}


def test_a_file_of_the_same_size_that_changed_since_is_noticed(store: MadeStore, tmp_path: Path) -> None:
    written = write_ndjson(tmp_path / "c.ndjson", CLAIMS)
    killed = run_child(tmp_path, store, written, tmp_path / "out", calls=8)
    assert killed.returncode == -signal.SIGKILL
    written.write_bytes(written.read_bytes().replace(b"12050", b"12051"))
    with pytest.raises(PlanDiffersError, match="is not the file that the replay read; name another directory"):
        replay(options_for(store, written, tmp_path / "out"))


def test_a_release_that_is_not_there_is_named(store: MadeStore, claims: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        replay(options_for(store, claims, tmp_path / "out", against="ffffff"))
    assert not (tmp_path / "out").exists()


# ---- History and identifiers ----


def test_history_makes_a_duplicate_of_another_claim(store: MadeStore, tmp_path: Path) -> None:
    one = make_claims(1)[0]
    written = write_ndjson(tmp_path / "c.ndjson", [one, one | {"claim_id": "again"}])
    apart = replay(options_for(store, written, tmp_path / "apart")).report
    joined = replay(options_for(store, written, tmp_path / "joined", history_window=0)).report
    earlier = replay(options_for(store, written, tmp_path / "earlier", history_window=0, earlier_only=True)).report

    def duplicates(report: Any) -> int:
        return sum(rule["lines"] for rule in report["rules"] if rule["rule_id"] == "duplicates/exact")

    lines = len(one["lines"])
    assert (duplicates(apart), duplicates(earlier), duplicates(joined)) == (0, lines, 2 * lines)


def test_identifiers_are_replaced_before_anything_is_written(store: MadeStore, claims: Path, tmp_path: Path) -> None:
    keyed = ReadOptions(identifiers=IdentifierHash(b"k" * 32))
    replay(options_for(store, claims, tmp_path / "out", reading=keyed, keep_work=True))
    plan = (tmp_path / "out" / "work" / "plan.json").read_bytes()
    other = ReadOptions(identifiers=IdentifierHash(b"l" * 32))
    with pytest.raises(PlanDiffersError, match="reading"):
        replay(options_for(store, claims, tmp_path / "out", reading=other))
    for row in rows_of(tmp_path / "out", "lines"):
        assert not row["claim_id"].startswith("C-")
        assert len(row["billing_provider_id"]) == 32
    for path in (tmp_path / "out").rglob("*"):
        if path.is_file() and path.suffix in (".arrow", ".json", ".ndjson", ".html"):
            assert b"1234567893" not in path.read_bytes(), path
    assert b"k" * 32 not in plan

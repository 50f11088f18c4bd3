"""docs/quarterly-update.md, docs/gate.md and the pipeline files: their commands run as printed."""

from __future__ import annotations

import gzip
import http.server
import re
import shutil
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
import yaml

sys.path.insert(0, str(Path(__file__).parent))

from updates import ROOT, prepare, run, script, serve, try_run

from claimedits.app.gating.policy import default_policy, parse_policy
from claimedits.rulesets.store import Store

DOCS = ROOT / "docs"
TOKEN = "release-pipeline.token"


def blocks(page: str, kind: str = "") -> list[str]:
    text = (DOCS / page).read_text(encoding="utf-8")
    return [block for found, block in re.findall(r"```(\w*)\n(.*?)```", text, re.DOTALL) if found == kind]


def pipeline(name: str) -> dict[Any, Any]:
    loaded: dict[Any, Any] = yaml.safe_load((DOCS / "pipelines" / name).read_text(encoding="utf-8"))
    return loaded


def test_from_published_to_active_and_back(tmp_path: Path) -> None:
    folder = prepare(tmp_path)
    store = Store.open(folder / "store")
    shown = blocks("quarterly-update.md")
    (activation,) = (n for n, block in enumerate(shown) if "release activate" in block)
    run("".join(shown[:activation]) + "declare -p old new > variables\n", folder)
    (first,) = store.activations()  # nothing before the last step changes what is served
    assert (folder / "update.html").exists()
    assert (folder / "gate.md").read_text(encoding="utf-8").startswith("## ✅")
    with serve(folder, folder / "store") as address:
        said = run("source variables\n" + "".join(shown[activation:]).replace("localhost:50051", address), folder)
    assert "SERVING" in said
    _, second, third = store.activations()
    assert (second.previous, second.action, second.who, second.why) == (
        first.release,
        "activate",
        "release-pipeline",
        "2024Q3, reviewed in change 1234",
    )
    assert (third.release, third.action, third.why) == (first.release, "rollback", "denials rose, see incident 77")


def test_policies_of_the_page_can_be_read() -> None:
    every, approval = blocks("gate.md", "toml")
    policy = parse_policy("gate.md", every.encode())
    assert len(parse_policy("gate.md", approval.encode()).approvals) == 1
    assert policy.coverage_minimum == 90.0
    assert set(default_policy().limits) < set(policy.limits)


def expand(text: str, values: Mapping[str, str]) -> str:
    """The expressions of a step filled in; one that is not known fails."""
    return re.sub(r"\$\{\{ (.*?) \}\}", lambda found: values[found[1]], text)


class Github:
    """What a hosted runner does with the ``run`` steps of a job: expressions, and variables handed on."""

    def __init__(self, folder: Path, values: Mapping[str, str]) -> None:
        self.folder, self.values, self.handed_on = folder, values, folder / "github.env"
        self.handed_on.touch()

    def run_job(self, job: dict[str, Any]) -> list[str]:
        """Run every step; gives the hosted actions, which are not run."""
        hosted = []
        for step in job["steps"]:
            if "run" not in step:
                hosted.append(step["uses"].split("@")[0])
                continue
            stated = {**job.get("env", {}), **step.get("env", {})}
            handed = dict(line.split("=", 1) for line in self.handed_on.read_text(encoding="utf-8").splitlines())
            stated = {name: expand(value, self.values) for name, value in stated.items()}
            run(expand(step["run"], self.values), self.folder, {"GITHUB_ENV": str(self.handed_on), **handed, **stated})
        return hosted


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepare(tmp_path_factory.mktemp("prepared"), published=True)


@pytest.fixture
def checkout(prepared: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "checkout"
    shutil.copytree(prepared, folder)
    with gzip.open(folder / "claims.ndjson.gz", "wb") as packed:
        packed.write((folder / "claims.ndjson").read_bytes())
    script(folder, "pip", 'echo "$@" >> pip.log')
    script(folder, "gh", 'echo "$@" >> gh.log; case "$*" in *--edit-last*) exit 1;; esac')  # there is none yet
    return folder


def test_every_command_of_the_github_gate_runs(checkout: Path) -> None:
    job = pipeline("github-actions.yml")["jobs"]["gate"]
    hosted = Github(checkout, {"github.event.number": "7", "github.token": "t"}).run_job(job)
    assert hosted == [
        "actions/checkout",
        "actions/setup-python",
        "actions/cache/restore",
        "github/codeql-action/upload-sarif",
        "actions/upload-artifact",
    ]
    assert (checkout / "gh.log").read_text(encoding="utf-8").splitlines() == [
        "pr comment 7 --edit-last --body-file gate.md",
        "pr comment 7 --body-file gate.md",
    ]
    uploads = [step["with"] for step in job["steps"] if "upload" in step.get("uses", "")]
    named = [name for one in uploads for name in one.get("path", one.get("sarif_file", "")).split()]
    assert len(named) == 6
    assert [name for name in named if not (checkout / name).exists()] == []
    assert len(Store.open(checkout / "store").activations()) == 1


def test_every_command_of_the_github_activation_runs(checkout: Path) -> None:
    job = pipeline("github-actions.yml")["jobs"]["activate"]
    (checkout / "store").rename(checkout / "served")
    with serve(checkout, checkout / "served") as address:
        values = {
            "vars.CLAIMEDITS_STORE": str(checkout / "served"),
            "vars.CLAIMEDITS_SERVER": address,
            "secrets.CLAIMEDITS_TOKEN": (checkout / TOKEN).read_text(encoding="utf-8").strip(),
            "github.sha": "4c1f20",
            "github.actor": "jdoe",
        }
        hosted = Github(checkout, values).run_job(job)
    assert hosted == ["actions/checkout", "actions/setup-python", "actions/cache/save"]
    history = Store.open(checkout / "store").activations()
    assert [(one.who, one.why) for one in history[1:]] == [("release-pipeline", "4c1f20, run by jdoe")]


def test_a_stopped_update_fails_the_github_gate_and_is_commented(checkout: Path) -> None:
    steps = pipeline("github-actions.yml")["jobs"]["gate"]["steps"]
    (checkout / "gate.toml").write_text("[test]\nrequired = true\ncoverage_minimum = 100.0\n", encoding="utf-8")
    new = run("claim-edits release list --store store | awk '$1 == \"*\" {print $2}'", checkout).strip()
    (gate,) = (step["run"] for step in steps if step.get("name", "").startswith("gate"))
    done = try_run(gate, checkout, {"NEW": new})
    assert done.returncode == 1, done.stdout + done.stderr
    assert (checkout / "gate.md").read_text(encoding="utf-8").startswith("## ⛔ Claim edits: the update is stopped\n")
    (comment,) = (step for step in steps if step.get("name", "").startswith("comment"))
    assert comment["if"] == "always()"
    run(comment["run"], checkout, {"PULL_REQUEST": "7"})
    assert "--body-file gate.md" in (checkout / "gh.log").read_text(encoding="utf-8")


class Notes(http.server.BaseHTTPRequestHandler):
    """The part of GitLab that takes comments."""

    taken: list[tuple[str, str | None, str]]

    def do_POST(self) -> None:
        body = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())["body"][0]
        self.taken.append((self.path, self.headers["PRIVATE-TOKEN"], body))
        self.send_response(201)
        self.end_headers()

    def log_message(self, *words: object) -> None:
        """Say nothing."""


def test_every_command_of_the_gitlab_gate_runs(checkout: Path) -> None:
    loaded = pipeline("gitlab-ci.yml")
    job = loaded["gate"]
    variables = {"CI_MERGE_REQUEST_IID": "7", "CI_PROJECT_ID": "12"}
    run("\n".join([*loaded["default"]["before_script"], *job["script"]]), checkout, variables)
    artifacts = job["artifacts"]
    named = [*artifacts["paths"], *artifacts["reports"].values()]
    assert [name for name in named if not (checkout / name).exists()] == []
    run("\n".join(job["after_script"]), checkout, variables)  # without the token nothing is asked of anybody
    taken: list[tuple[str, str | None, str]] = []
    handler = type("Handler", (Notes,), {"taken": taken})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        variables |= {
            "CLAIMEDITS_COMMENT_TOKEN": "secret",
            "CI_API_V4_URL": f"http://127.0.0.1:{server.server_port}/api/v4",
            "no_proxy": "127.0.0.1",
        }
        run("\n".join(job["after_script"]), checkout, variables)
        server.shutdown()
    summary = (checkout / "gate.md").read_text(encoding="utf-8")
    assert taken == [("/api/v4/projects/12/merge_requests/7/notes", "secret", summary)]


def test_every_command_of_the_gitlab_activation_runs(checkout: Path) -> None:
    (checkout / "store").rename(checkout / "served")
    with serve(checkout, checkout / "served") as address:
        variables = {
            "CI_COMMIT_SHORT_SHA": "4c1f20",
            "CI_COMMIT_TITLE": "Take 2024Q3",
            "CLAIMEDITS_STORE": str(checkout / "served"),
            "CLAIMEDITS_SERVER": address,
            "CLAIMEDITS_TOKEN": (checkout / TOKEN).read_text(encoding="utf-8").strip(),
        }
        run("\n".join(pipeline("gitlab-ci.yml")["activate"]["script"]), checkout, variables)
    history = Store.open(checkout / "store").activations()
    assert [(one.who, one.why) for one in history[1:]] == [("release-pipeline", "Take 2024Q3")]


def test_what_the_pipelines_install_is_this_project() -> None:
    project = re.search(r'^name = "(.*)"$', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    assert project
    jobs = pipeline("github-actions.yml")["jobs"]
    installs = [step["run"] for job in jobs.values() for step in job["steps"] if step.get("name") == "install"]
    installs += pipeline("gitlab-ci.yml")["default"]["before_script"]
    assert installs == [f"pip install {project[1]}"] * 3


def test_the_hooks_before_a_commit_run(checkout: Path) -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert [hook["id"] for hook in hooks] == ["claim-edits-check", "claim-edits-test"]
    for hook in hooks:
        run(" ".join([hook["entry"], *hook["args"]]), checkout)
    (shown,) = blocks("gate.md", "yaml")
    used = [hook["id"] for hook in yaml.safe_load(shown)["repos"][0]["hooks"]]
    assert used == [hook["id"] for hook in hooks]
    broken = checkout / "rules" / "ncci-conventions" / "rule-set.toml"
    broken.write_text(broken.read_text(encoding="utf-8").replace("effective_from", "effective_form"), encoding="utf-8")
    assert try_run(" ".join([hooks[0]["entry"], *hooks[0]["args"]]), checkout).returncode != 0


def test_the_command_of_the_gate_page_runs(checkout: Path) -> None:
    (shown,) = blocks("gate.md")
    run("claim-edits import mue published/mue/*.zip --store store", checkout)
    new = run("claim-edits release create --store store", checkout).split()[0]
    run(shown.replace("4c1f20", new.removeprefix("sha256:")[:8]), checkout)
    assert (checkout / "update.html").exists() and (checkout / "gate.md").exists()

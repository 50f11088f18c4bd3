"""docs/quarterly-update.md, docs/gate.md and the pipeline files: their commands run as printed."""

from __future__ import annotations

import gzip
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

sys.path.insert(0, str(Path(__file__).parent))

from updates import ROOT, prepare, run, script

from claimedits.app.gating.policy import parse_policy
from claimedits.rulesets.store import Store

DOCS = ROOT / "docs"


def blocks(page: str, kind: str = "") -> list[str]:
    text = (DOCS / page).read_text(encoding="utf-8")
    return [block for found, block in re.findall(r"```(\w*)\n(.*?)```", text, re.DOTALL) if found == kind]


def test_from_published_to_active_and_back(tmp_path: Path) -> None:
    folder = prepare(tmp_path)
    store = Store.open(folder / "store")
    old = store.active()
    assert old is not None
    variables = {"OLD": old.id}
    for block in blocks("quarterly-update.md"):
        if "release activate" in block:
            assert store.active() == old, "nothing before the last step changes what is served"
        said = run(block, folder, variables)
        if "release create" in block:
            variables["NEW"] = said.split()[0]
    history = [(entry.action, entry.why) for entry in store.activations()]
    assert history[-2:] == [("activate", "2024Q3, reviewed"), ("rollback", "denials of 11720 not understood")]
    assert (folder / "update.html").exists()
    assert (folder / "gate.md").read_text(encoding="utf-8").startswith("## ✅")


def test_policies_of_the_page_can_be_read() -> None:
    policies = blocks("gate.md", "toml")
    assert [len(parse_policy("gate.md", text.encode()).approvals) for text in policies] == [0, 1]
    assert parse_policy("gate.md", policies[0].encode()).coverage_minimum == 90.0


class Github:
    """What a hosted runner does with the ``run`` steps of a job: expressions, and variables handed on."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.handed_on = folder, folder / "github.env"
        self.handed_on.touch()

    def run(self, step: dict[str, Any]) -> None:
        stated = {name: value.replace("${{ github.event.number }}", "7") for name, value in step.get("env", {}).items()}
        handed = dict(line.split("=", 1) for line in self.handed_on.read_text(encoding="utf-8").splitlines())
        run(step["run"], self.folder, {"GITHUB_ENV": str(self.handed_on), **handed, **stated})


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = prepare(tmp_path, "published")
    with gzip.open(folder / "claims.ndjson.gz", "wb") as packed:
        packed.write((folder / "claims.ndjson").read_bytes())
    for name in ("pip", "gh"):
        script(folder, name, f'echo "$@" >> {name}.log')
    return folder


def test_every_command_of_the_github_pipeline_runs(checkout: Path) -> None:
    pipeline = yaml.safe_load((DOCS / "pipelines" / "github-actions.yml").read_text(encoding="utf-8"))
    steps = [step for step in pipeline["jobs"]["gate"]["steps"] if "run" in step]
    runner = Github(checkout)
    for step in steps:
        runner.run(step)
    assert (checkout / "gh.log").read_text(encoding="utf-8") == "pr comment 7 --body-file gate.md\n"
    uploaded = pipeline["jobs"]["gate"]["steps"][-1]["with"]["path"].split()
    assert [name for name in uploaded if not (checkout / name).exists()] == []


def test_every_command_of_the_gitlab_pipeline_runs(checkout: Path) -> None:
    pipeline = yaml.safe_load((DOCS / "pipelines" / "gitlab-ci.yml").read_text(encoding="utf-8"))
    setup = "\n".join(pipeline["default"]["before_script"])
    run(f"{setup}\n" + "\n".join(pipeline["gate"]["script"]), checkout, {"CI_MERGE_REQUEST_IID": "7"})
    artifacts = pipeline["gate"]["artifacts"]
    named = [*artifacts["paths"], *artifacts["reports"].values()]
    assert [name for name in named if not (checkout / name).exists()] == []
    activate = [line for line in pipeline["activate"]["script"] if "--server" not in line]
    run("\n".join(activate), checkout, {"CI_COMMIT_SHORT_SHA": "4c1f20"})
    (asked,) = (line for line in pipeline["activate"]["script"] if "--server" in line)
    assert asked == 'claim-edits release activate "$NEW" --server "$CLAIMEDITS_SERVER" --why "$CI_COMMIT_TITLE"'


def test_the_hooks_before_a_commit_run(checkout: Path) -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert [hook["id"] for hook in hooks] == ["claim-edits-check", "claim-edits-test"]
    for hook in hooks:
        run(" ".join([hook["entry"], *hook["args"]]), checkout)
    (shown,) = blocks("gate.md", "yaml")
    used = [hook["id"] for hook in yaml.safe_load(shown)["repos"][0]["hooks"]]
    assert used == [hook["id"] for hook in hooks]

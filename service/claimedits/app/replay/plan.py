"""What a run was asked to do: everything that its results depend on, and nothing else. A run is taken up only by the same plan."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import orjson

from claimedits.app.claim_sources.column_mapping import shipped_mappings
from claimedits.app.claim_sources.reading import ReadOptions
from claimedits.app.replay.inputs import InputFile
from claimedits.engine.version import ENGINE_VERSION
from claimedits.model.problems import ClaimEditsError

FORMAT = 1
"""Of the directory of a run."""
MANIFEST = "manifest.json"
PLAN = Path("work") / "plan.json"


class PlanDiffersError(ClaimEditsError):
    """The directory holds a run of another plan."""


@dataclass(frozen=True)
class Plan:
    """What determines the results of a run."""

    claims: tuple[str, ...]
    """Files, as they were named."""
    bytes: tuple[int, ...]
    partitions: int
    against: str
    """Id of the release."""
    as_of: str
    families: tuple[str, ...] = ()
    baseline: str = ""
    reading: Mapping[str, Any] = field(default_factory=dict)
    history: Mapping[str, Any] = field(default_factory=dict)
    expected: Mapping[str, Any] = field(default_factory=dict)
    every_claim: bool = False
    engine_version: str = ENGINE_VERSION

    def as_fields(self) -> dict[str, Any]:
        """For ``plan.json``."""
        return {"format": FORMAT, **orjson.loads(orjson.dumps(asdict(self)))}

    def manifest(self, inputs: Sequence[InputFile], expected: Sequence[InputFile]) -> dict[str, Any]:
        """The head of a manifest: all that is needed to repeat the run."""
        fields = self.as_fields()
        del fields["bytes"]
        fields["claims"] = [asdict(one) for one in inputs]
        fields["expected"] = {**self.expected, "files": [asdict(one) for one in expected]} if self.expected else {}
        return fields


def reading_fields(options: ReadOptions) -> dict[str, Any]:
    """How claims are read, with the digest of a mapping file, and a digest that tells one key from another."""
    fields: dict[str, Any] = {
        "from": options.format,
        "mapping": options.mapping,
        "program": options.program,
        "setting": options.setting,
        "identifiers": "",
    }
    if options.mapping and options.mapping not in shipped_mappings():
        try:
            fields["mapping_sha256"] = hashlib.sha256(Path(options.mapping).read_bytes()).hexdigest()
        except OSError:
            fields["mapping_sha256"] = ""  # the reader says what is wrong with it
    if options.identifiers is not None:
        fields["identifiers"] = "keyed " + options.identifiers.digest("plan", "which key")[:16]
    return fields


def find_run(out: Path) -> dict[str, Any] | None:
    """The plan of the run that a directory holds; None where there is none.

    Raises:
        PlanDiffersError: the directory holds something else than a run.
    """
    if not out.exists():
        return None
    if not out.is_dir():
        raise PlanDiffersError(f"{out}: is a file; name a directory for the results")
    for path in (out / MANIFEST, out / PLAN):
        if path.is_file():
            try:
                document: dict[str, Any] = orjson.loads(path.read_bytes())
                return document["plan"] if path.name == MANIFEST else document
            except (orjson.JSONDecodeError, KeyError, TypeError):
                raise PlanDiffersError(
                    f"{path}: cannot be read; remove {out} and begin again, or name another directory"
                ) from None
    left = [path for path in out.iterdir() if path.name != "work" or any(path.iterdir())]
    if left and not _is_beginning(out):
        raise PlanDiffersError(f"{out}: is not empty, and holds no replay; name an empty or a new directory")
    return None


def _is_beginning(out: Path) -> bool:
    """Whether a run ended before it had written its plan."""
    work = out / "work"
    return [path.name for path in out.iterdir()] == ["work"] and all(
        path.name == "lock" or path.name.endswith(".unfinished") for path in work.iterdir()
    )


def check_same(plan: Plan, found: Mapping[str, Any], out: Path) -> None:
    """
    Raises:
        PlanDiffersError: the run in the directory was asked for something else; everything that differs is named.
    """
    wanted = plan.as_fields()
    differing = [name for name in sorted({*wanted, *found}) if wanted.get(name) != found.get(name)]
    if differing:
        lines = [
            f"  {name}: {_short(found.get(name))} there, {_short(wanted.get(name))} asked for" for name in differing
        ]
        raise PlanDiffersError(
            "\n".join([f"{out}: holds a replay that was asked for something else; name another directory", *lines])
        )


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return text if len(text) <= 120 else text[:117] + "…"

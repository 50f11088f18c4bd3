"""``claim-edits demo``: made-up tables, a real server, claims, and their findings as a person would read them."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from claimedits.app.building import build_rules, choose_revisions
from claimedits.app.claim_files import NumberedClaim, read_claims
from claimedits.app.importing import import_into_store
from claimedits.app.remote_evaluation import evaluate_remotely
from claimedits.app.remote_server import RemoteServer
from claimedits.app.shipped import find_rules, find_samples
from claimedits.cli.server_process import run_server
from claimedits.cli.terminal import command_errors
from claimedits.model.terms import DetailLevel, Family
from claimedits.rulesets.store import Store

FAMILIES = frozenset(Family) - {Family.CODE_VALIDITY}
"""All but the one whose code sets the repository does not ship."""
TABLES = (
    ("ptp", "ccipra-*.TXT"),
    ("mue", "MCR_MUE_*.csv"),
    ("aoc", "AOC_*.txt"),
    ("pfs", "PPRRVU*.csv"),
    ("coverage", "coverage/*.csv"),
)
"""FAMILY words of ``claim-edits import``, and the samples of each."""
RULE_SETS = ("medicare-modifier-requirements", "example-payer-policy")
PUBLISHED_ON, AS_OF = "2024-06-01", "2025-03-01"
"""The day on which the samples became known, and the day for which the claims are answered: rules on timely filing ask for it."""
COLOURS = {
    "PASS": "green",
    "FAIL": "bold red",
    "BYPASSED": "yellow",
    "REVIEW": "magenta",
    "NOT_EVALUATED": "cyan",
    "NOT_APPLICABLE": "dim",
}


@click.command()
@command_errors
def demo() -> None:
    """Imports made-up sample tables, builds shipped rules, starts a server, sends claims over gRPC, prints the findings.

    \b
    Example:
      claim-edits demo
    """
    console = Console(highlight=False)
    samples = find_samples()
    with tempfile.TemporaryDirectory(prefix="claim-edits-demo-") as folder:
        path = Path(folder) / "store"
        console.print("[bold]1. Import[/] the sample tables (made up, in the publisher's layout)")
        for family, pattern in TABLES:
            for result in import_into_store(path, family, sorted(samples.glob(pattern)), published_on=PUBLISHED_ON):
                header = result.info.header
                console.print(f"   {header.rule_set} {header.label}: read {result.info.read}, kept {result.kept}")
        store = Store.open(path)
        console.print("[bold]2. Build[/] rules that people wrote (rules/)")
        for name in RULE_SETS:
            for info, _ in build_rules(find_rules() / name, store):
                console.print(f"   {info.header.rule_set} {info.header.label}: {info.rows['rules']} rules")
        release = store.create_release(choose_revisions(store, ()))
        store.activate(release.id, "demo")
        console.print(f"[bold]3. Release[/] {release.id[:19]}… of {len(release.revisions)} revisions is active")
        with run_server(path) as address:
            console.print(f"[bold]4. Serve[/] on {address}, and send claims over gRPC, as known on {AS_OF}\n")
            with (samples / "claims.ndjson").open("rb") as file:
                claims = list(read_claims(file))
            answers = evaluate_remotely(RemoteServer(address), claims, "", AS_OF, FAMILIES, DetailLevel.FINDINGS)
            for claim, answer in zip(claims, answers, strict=True):
                if answer.response is not None:
                    _show(console, claim, answer.response)
    console.print("Next: README.md, “With CMS's own files”.")


def _show(console: Console, claim: NumberedClaim, response: dict[str, Any]) -> None:
    assert claim.fields is not None
    lines = ", ".join(_describe(line, claim.fields["diagnoses"]) for line in claim.fields["lines"])
    outcome = response["outcome"]
    console.print(
        Text.assemble((outcome, COLOURS[outcome]), f"  {response['claim_id']}  ", (lines, "dim")), soft_wrap=True
    )
    for finding in response["findings"]:
        status = finding["status"]
        if status == "NOT_APPLICABLE":  # such as: no document governs the code
            continue
        head = (f"   line {finding['line_number']} {finding['family']} ", "")
        console.print(Text.assemble(head, (f"{status} {finding['code']}", COLOURS[status])))
        console.print(Text(f"      {finding['message']}"), soft_wrap=True)
        citation = finding.get("citation") or {}
        if citation.get("source_row"):
            place = f"{citation['source_file']} row {citation['source_row']}"
            cited = f"{citation['rule_set']} {citation['label']}, {place}; {citation['authority']}"
            console.print(Text(f"      cited: {cited}", "dim"), soft_wrap=True)
        for remedy in finding["remedies"]:
            choice = f" {', '.join(remedy['any_of'][:8])}" + ("…" if len(remedy["any_of"]) > 8 else "")
            where = f" on line {', '.join(map(str, remedy['line_numbers']))}" if remedy["line_numbers"] else ""
            action = remedy["action"].replace("_", " ").lower() if remedy["action"] != "NONE" else ""
            said = f"{action}{choice.rstrip()}{where}".strip() or "none"
            console.print(Text(f"      remedy: {said}, {remedy['condition']}", "dim"), soft_wrap=True)
    console.print()


def _describe(line: dict[str, Any], diagnoses: list[str]) -> str:
    modifiers = "".join(f"-{modifier}" for modifier in line["modifiers"])
    pointed = [diagnoses[pointer - 1] for pointer in line.get("diagnosis_pointers", ())]
    why = f" for {', '.join(pointed)}" if pointed else ""
    return f"{line['procedure_code']}{modifiers} ×{line['units']} on {line['service_date']}{why}"

"""``claim-edits demo``: made-up tables, a real server, claims, and their findings as a person would read them."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from claimedits.app.building import choose_revisions
from claimedits.app.claim_files import NumberedClaim, read_claims
from claimedits.app.importing import import_into_store
from claimedits.app.remote_evaluation import evaluate_remotely
from claimedits.app.remote_server import RemoteServer
from claimedits.app.shipped import find_samples
from claimedits.cli.server_process import run_server
from claimedits.cli.terminal import command_errors
from claimedits.model.terms import DetailLevel, Family
from claimedits.rulesets.store import Store

FAMILIES = frozenset((Family.DUPLICATE, Family.PTP, Family.MUE, Family.ADD_ON_CODE))
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
    """Imports the made-up sample tables, starts a server, sends claims over gRPC and prints the findings.

    \b
    Example:
      claim-edits demo
    """
    console = Console(highlight=False)
    samples = find_samples()
    with tempfile.TemporaryDirectory(prefix="claim-edits-demo-") as folder:
        path = Path(folder) / "store"
        console.print("[bold]1. Import[/] the sample tables (made up, in the publisher's layout)")
        for family, pattern in (("ptp", "ccipra-*.TXT"), ("mue", "MCR_MUE_*.csv"), ("aoc", "AOC_*.txt")):
            for result in import_into_store(path, family, sorted(samples.glob(pattern)), published_on="2024-06-01"):
                header = result.info.header
                console.print(f"   {header.rule_set} {header.label}: read {result.info.read}, kept {result.kept}")
        store = Store.open(path)
        release = store.create_release(choose_revisions(store, ()))
        store.activate(release.id, "demo")
        console.print(f"[bold]2. Release[/] {release.id[:19]}… of {len(release.revisions)} revisions is active")
        with run_server(path) as address:
            console.print(f"[bold]3. Serve[/] on {address}, and send claims over gRPC\n")
            with (samples / "claims.ndjson").open("rb") as file:
                claims = list(read_claims(file))
            answers = evaluate_remotely(RemoteServer(address), claims, "", "", FAMILIES, DetailLevel.FINDINGS)
            for claim, answer in zip(claims, answers, strict=True):
                if answer.response is not None:
                    _show(console, claim, answer.response)
    console.print("Next: README.md, “With CMS's own files”.")


def _show(console: Console, claim: NumberedClaim, response: dict[str, Any]) -> None:
    assert claim.fields is not None
    lines = ", ".join(_describe(line) for line in claim.fields["lines"])
    console.print(
        Text.assemble(
            (response["outcome"], COLOURS[response["outcome"]]), f"  {response['claim_id']}  ", (lines, "dim")
        )
    )
    for finding in response["findings"]:
        status = finding["status"]
        head = (f"   line {finding['line_number']} {finding['family']} ", "")
        console.print(Text.assemble(head, (f"{status} {finding['code']}", COLOURS[status])))
        console.print(Text(f"      {finding['message']}"), soft_wrap=True)
        citation = finding.get("citation") or {}
        if citation.get("source_row"):
            cited = (
                f"{citation['rule_set']} {citation['label']}, {citation['source_file']} row {citation['source_row']}"
            )
            console.print(Text(f"      cited: {cited}", "dim"), soft_wrap=True)
        for remedy in finding["remedies"]:
            choice = f" {', '.join(remedy['any_of'][:8])}" + ("…" if len(remedy["any_of"]) > 8 else "")
            where = f" on line {', '.join(map(str, remedy['line_numbers']))}" if remedy["line_numbers"] else ""
            action = remedy["action"].replace("_", " ").lower()
            console.print(
                Text(f"      remedy: {action}{choice.rstrip()}{where}, {remedy['condition']}", "dim"), soft_wrap=True
            )
    console.print()


def _describe(line: dict[str, Any]) -> str:
    modifiers = "".join(f"-{modifier}" for modifier in line["modifiers"])
    return f"{line['procedure_code']}{modifiers} ×{line['units']} on {line['service_date']}"

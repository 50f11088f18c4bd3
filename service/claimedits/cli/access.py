"""``claim-edits access``: who may call a server."""

from __future__ import annotations

from pathlib import Path

import click

from claimedits.app.access import Role, make_token
from claimedits.app.access_tables import append_caller, read_access_table, table_lines
from claimedits.app.private_files import write_private
from claimedits.cli.terminal import command_errors, format_option, print_json


@click.group()
def access() -> None:
    """Makes tokens and checks the table of who may call a server (serve --access)."""


@access.command()
@click.argument("name")
@click.option(
    "--role",
    "roles",
    multiple=True,
    required=True,
    type=click.Choice([role.value for role in Role]),
    help="What the caller may do; may be given several times. The administrator may read, too.",
)
@click.option("--table", type=click.Path(dir_okay=False, path_type=Path), help="Add the lines to this access table.")
@click.option(
    "--token-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the token to this new file, for its owner alone, instead of showing it.",
)
@format_option
@command_errors
def token(name: str, roles: tuple[str, ...], table: Path | None, token_file: Path | None, output_format: str) -> None:
    """Makes a bearer token for a caller, and the lines of the access table that make it known.

    The token is shown once and kept nowhere; the table holds its SHA-256. To replace a caller's token, add the new digest
    to the list of his line token_sha256, and take the old one out when the new one is in use.

    \b
    Example:
      claim-edits access token release-pipeline --role administrator --table access.toml
    """
    made = make_token()
    try:
        lines = table_lines(name, [Role(role) for role in dict.fromkeys(roles)], [made])
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="NAME") from None
    if token_file is not None:
        write_private(token_file, f"{made}\n".encode())
    if table is not None:
        try:
            append_caller(table, lines)
        except BaseException:
            if token_file is not None:
                token_file.unlink()  # nobody is known by it
            raise
    _show(made if token_file is None else "", lines, table, output_format)


def _show(made: str, lines: str, table: Path | None, output_format: str) -> None:
    if output_format == "json":
        print_json({"token": made, "lines": lines, "table": str(table or "")})
        return
    if made:
        click.echo(f"token, shown this once: {made}\n")
    click.echo(f"added to {table}:" if table else "lines for the access table:")
    click.echo(lines, nl=False)


@access.command()
@click.argument("table", type=click.Path(path_type=Path))
@format_option
@command_errors
def check(table: Path, output_format: str) -> None:
    """Reads an access table as a server would, and says everything that is wrong. Silent when all is well.

    \b
    Example:
      claim-edits access check access.toml
    """
    read = read_access_table(table)
    if output_format == "json":
        print_json(
            [
                {
                    "name": caller.name,
                    "roles": sorted(role.value for role in caller.roles),
                    "tokens": len(caller.token_digests),
                    "certificate": list(caller.certificate_names),
                }
                for caller in read.callers
            ]
        )

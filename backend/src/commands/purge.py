from __future__ import annotations

import click
from flask.cli import with_appcontext

from src.commands.common import command_context
from src.tasks.purge import purge_old


@click.command()
@click.option("--dry-run", is_flag=True, help="Count what would be deleted, and delete nothing.")
@with_appcontext
def purge(dry_run: bool) -> None:  # noqa: FBT001 - click gives options by position
    """Delete what is old: mails, and past slots that nobody booked."""
    from rich.progress import Progress  # noqa: PLC0415 - servers import this module too, and do not need rich

    found: dict[str, int] = {}
    with Progress(transient=True) as progress:
        task = progress.add_task("Purging", total=None)
        for what, count in purge_old(command_context(), only_count=dry_run):
            found[what] = found.get(what, 0) + count
            progress.update(task, advance=1, description=f"{found[what]} {what}")
    counts = ", ".join(f"{count} {what}" for what, count in found.items())
    click.echo(f"{'Would delete' if dry_run else 'Deleted'}: {counts}.")

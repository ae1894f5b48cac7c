from __future__ import annotations

import click
from flask.cli import with_appcontext

from src.commands.common import command_context
from src.tasks.purge import purge_old


@click.command()
@with_appcontext
def purge() -> None:
    """Delete what nobody needs any longer: old mails that went out, past slots that nobody booked."""
    from rich.progress import Progress  # noqa: PLC0415 - servers import this module too, and do not need rich

    deleted: dict[str, int] = {}
    with Progress(transient=True) as progress:
        task = progress.add_task("Purging", total=None)
        for what, count in purge_old(command_context()):
            deleted[what] = deleted.get(what, 0) + count
            progress.update(task, advance=1, description=f"{deleted[what]} {what} deleted")
    click.echo(f"Deleted: {', '.join(f'{count} {what}' for what, count in deleted.items())}.")

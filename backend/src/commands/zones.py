from __future__ import annotations

import click
from flask.cli import with_appcontext

from src.commands.common import command_context
from src.context import SlowContext
from src.settings.time_zones import zone_data_version
from src.tasks import zones as task


@click.command()
@with_appcontext
def zones() -> None:
    """Keep what was agreed on at its wall clock after the rules of a time zone changed."""
    keep_wall_clocks(command_context())


def keep_wall_clocks(ctx: SlowContext[None]) -> None:
    """Fill empty wall clocks, move instants to their wall clocks, and list what cannot be moved."""
    from rich.progress import Progress  # noqa: PLC0415 - servers import this module too, and do not need rich

    with Progress(transient=True) as progress:
        bar, filled = progress.add_task("Wall clocks", total=None), 0
        for count in task.fill(ctx.transaction):
            filled += count
            progress.update(bar, advance=count, description=f"{filled} wall clocks filled")
    version = zone_data_version()
    done = task.recompute(ctx.transaction, ctx.now, version)
    if done is None:
        click.echo(f"Nothing was moved: the database has used newer zone data than {version}; update tzdata.")
        return
    click.echo(f"Zone data {version}: {filled} wall clocks filled, {done.moved} slots moved to their wall clock.")
    for line in done.staying:
        click.echo(line)
    if done.staying:
        click.echo("Agree with these people on another time, then cancel the appointment or withdraw the slot.")

from __future__ import annotations

import click
from flask.cli import with_appcontext

from src.commands.common import command_context
from src.tasks.openings import extend


@click.command()
@click.option(
    "--all", "anew", is_flag=True, help="For all doctors, as after new zone data or another CLINIC_TIME_ZONE."
)
@with_appcontext
def openings(anew: bool) -> None:  # noqa: FBT001 - click gives options by position
    """Compute when visits can be booked, for doctors who lack the last days."""
    from rich.progress import Progress  # noqa: PLC0415 - servers import this module too, and do not need rich

    ctx, doctors = command_context(), 0
    with Progress(transient=True) as progress:
        bar = progress.add_task("Openings", total=None)
        for count in extend(ctx.transaction, ctx.now, ctx.settings, anew=anew):
            doctors += count
            progress.update(bar, advance=count, description=f"Openings of {doctors} doctors")
    click.echo(f"The openings of {doctors} doctors were laid.")

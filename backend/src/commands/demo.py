from __future__ import annotations

import sys

import click
from flask.cli import with_appcontext

from src.commands.common import command_context
from src.context import SlowContext
from src.settings.databases import shown
from src.tasks import demo as demo_data


@click.command()
@click.option("--yes", is_flag=True, help="Do not ask whether people of its own are in the database.")
@with_appcontext
def demo(yes: bool) -> None:  # noqa: FBT001 - click gives options by position
    """Add demo people, who all log in with a published password; the doctors have hours and visit types."""
    ctx = command_context()
    if ctx.settings.is_production:
        sys.exit(demo_data.REFUSED_IN_PRODUCTION)
    if not yes and demo_data.reason_against(ctx) is not None:
        where = shown(ctx.settings.database)
        click.confirm(f"Anybody could then log in to {where} as a doctor. Add demo people?", abort=True)
    top_up_demo_data(ctx)


def top_up_demo_data(ctx: SlowContext[None]) -> None:
    """Add the demo data and show the progress."""
    from rich.progress import Progress  # noqa: PLC0415 - servers import this module too, and do not need rich

    with Progress(transient=True) as progress:
        task = progress.add_task("Demo data", total=len(demo_data.DOCTORS) + len(demo_data.PATIENTS))
        for line in demo_data.top_up(ctx):
            progress.update(task, advance=1, description=line)
    click.echo("Demo data is complete.")

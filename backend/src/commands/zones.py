from __future__ import annotations

import click
from flask.cli import with_appcontext

from src.commands.common import command_context
from src.context import SlowContext
from src.settings.time_zones import zone_data_version
from src.tasks import zones as task
from src.tasks.wall_clocks import fill
from src.tasks.zone_report import Recomputed, in_words


@click.command()
@click.option("--dry-run", "is_dry", is_flag=True, help="Write nothing; say what would move and what would stay.")
@with_appcontext
def zones(is_dry: bool) -> None:  # noqa: FBT001 - click gives options by position
    """Keep what was agreed on at its wall clock after the rules of a time zone changed."""
    keep_wall_clocks(command_context(), is_dry=is_dry)


def keep_wall_clocks(ctx: SlowContext[None], *, is_dry: bool = False) -> None:
    """Fill empty wall clocks, move instants to their wall clocks, lay openings, and list what needs a person."""
    version = zone_data_version()
    if is_dry:
        click.echo("Dry run: nothing is written. Without --dry-run, this would happen:")
    else:
        click.echo(f"Zone data {version}: {_fill(ctx)} wall clocks filled.")
    run = task.Run(ctx.transaction, ctx.now, version, ctx.settings.clinic_time_zone, is_dry=is_dry)
    done = task.recompute(run)
    if done is None:
        click.echo(f"Nothing is moved: the database has used newer zone data than {version}; update tzdata.")
        return
    _tell(done)


def _fill(ctx: SlowContext[None]) -> int:
    from rich.progress import Progress  # noqa: PLC0415 - servers import this module too, and do not need rich

    with Progress(transient=True) as progress:
        bar, filled = progress.add_task("Wall clocks", total=None), 0
        for count in fill(ctx.transaction):
            filled += count
            progress.update(bar, advance=count, description=f"{filled} wall clocks filled")
    return filled


def _tell(done: Recomputed) -> None:
    for doctor in done.changed:
        click.echo(in_words(doctor))
    if not done.changed:
        click.echo("All instants are those of their wall clock, except these:" if done.staying else "Nothing to move.")
    for line in done.staying:
        click.echo(line)
    if done.staying:
        click.echo("Agree with these people on another time, then move or cancel the appointment or withdraw the slot.")
    for line in done.outside:
        click.echo(line)
    if done.outside:
        click.echo("Ask these doctors whether they keep the appointment, or cancel it.")

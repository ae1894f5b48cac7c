"""`flask prepare`, which `./run` calls before it serves."""

from __future__ import annotations

import click
from flask import current_app
from flask.cli import with_appcontext
from flask_migrate import upgrade

from config import Settings
from src.commands.common import command_context
from src.commands.demo import top_up_demo_data
from src.commands.zones import keep_wall_clocks
from src.server.port import refuse_unusable_port
from src.tasks import demo


@click.command()
@with_appcontext
def prepare() -> None:
    """Check the port, migrate the database, keep wall clocks, and top up demo data where it harms nobody."""
    settings: Settings = current_app.extensions["settings"]
    refuse_unusable_port(settings.port)
    upgrade()
    ctx = command_context()
    keep_wall_clocks(ctx)
    reason = demo.reason_against(ctx)
    if reason is None:
        top_up_demo_data(ctx)
    else:
        click.echo(reason)

"""`flask prepare`, which `./run` calls before it serves."""

from __future__ import annotations

import sys

import click
from flask import current_app
from flask.cli import with_appcontext
from flask_migrate import upgrade
from sqlalchemy.exc import OperationalError

from config import Settings
from src.commands.common import command_context
from src.commands.demo import top_up_demo_data
from src.extensions import db
from src.server.port import refuse_busy_port
from src.tasks import demo


@click.command()
@with_appcontext
def prepare() -> None:
    """Check the port, migrate the database, and top up demo data where it harms nobody."""
    settings: Settings = current_app.extensions["settings"]
    refuse_busy_port(settings.port)
    _refuse_unreachable_database(settings)
    upgrade()
    ctx = command_context()
    reason = demo.reason_against(ctx)
    if reason is None:
        top_up_demo_data(ctx)
    else:
        click.echo(reason)


def _refuse_unreachable_database(settings: Settings) -> None:
    try:
        with db.engine.connect():
            pass
    except OperationalError as error:
        reason = str(error.orig).strip().splitlines()[0]
        where = settings.database.render_as_string(hide_password=True)
        sys.exit(f"The database at {where} cannot be opened ({reason}); start it or correct DATABASE_URL.")

"""Commands beside Flask-Migrate's: `flask prepare`, which `./run` calls."""

from __future__ import annotations

import socket
import sys

import click
from flask import Flask, current_app
from flask_migrate import upgrade
from rich.console import Console
from rich.progress import Progress
from sqlalchemy.exc import OperationalError

from config import Settings
from src.context import Unhurried
from src.controllers import demo_controller as demo
from src.extensions import db
from src.utils.transaction import transaction


def register_commands(app: Flask) -> None:
    """Add our commands to `flask`."""
    app.cli.add_command(prepare)


@click.command()
def prepare() -> None:
    """Check the port, migrate the database, and top the demo data up."""
    settings: Settings = current_app.extensions["settings"]
    refuse_busy_port(settings.port)
    _refuse_unreachable_database(settings)
    upgrade()
    ctx = Unhurried(transaction, current_app.extensions["clock"](), None, settings)
    console = Console()
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("Demo data", total=len(demo.DOCTORS) + len(demo.PATIENTS))
        for line in demo.top_up(ctx):
            progress.update(task, advance=1, description=line)
    console.print("Demo data is topped up to two weeks ahead.")


def refuse_busy_port(port: int) -> None:
    """End the program with a sentence where another one listens already."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            sys.exit(
                f"Port {port} is in use; stop the other program or choose another port, like: PORT={port + 1} ./run"
            )


def _refuse_unreachable_database(settings: Settings) -> None:
    try:
        with db.engine.connect():
            pass
    except OperationalError as error:
        reason = str(error.orig).strip().splitlines()[0]
        where = settings.database.render_as_string(hide_password=True)
        sys.exit(f"The database at {where} cannot be opened ({reason}); start it or correct DATABASE_URL.")

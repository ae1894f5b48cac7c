"""Commands beside Flask-Migrate's: `flask prepare` (which `./run` calls), `demo`, `purge`, `user …` and `outbox …`."""

from __future__ import annotations

import socket
import sys

import click
from flask import Flask, current_app
from flask.cli import AppGroup, with_appcontext
from flask_migrate import upgrade
from sqlalchemy.exc import OperationalError

from config import Settings
from src.context import Unhurried
from src.controllers import demo_controller as demo
from src.controllers import retention_controller as retention
from src.controllers.presenters import mail_to_look_at
from src.extensions import db
from src.repositories import outbox_repository as outbox
from src.repositories import user_repository as users
from src.schemas.fields import email_key
from src.utils.transaction import transaction


def register_commands(app: Flask) -> None:
    """Add our commands to `flask`."""
    for command in (prepare, demo_data, purge, user_commands, outbox_commands):
        app.cli.add_command(command)


@click.command()
@with_appcontext
def prepare() -> None:
    """Check the port, migrate the database, and top up demo data where it harms nobody."""
    settings: Settings = current_app.extensions["settings"]
    refuse_busy_port(settings.port)
    _refuse_unreachable_database(settings)
    upgrade()
    ctx = _command_context()
    reason = demo.reason_against(ctx)
    if reason is None:
        _top_up_demo_data(ctx)
    else:
        click.echo(reason)


@click.command("demo")
@click.option("--yes", is_flag=True, help="Do not ask whether people of its own are in the database.")
@with_appcontext
def demo_data(yes: bool) -> None:  # noqa: FBT001 - click gives options by position
    """Add demo people, who all log in with a published password, and slots for two weeks."""
    ctx = _command_context()
    if ctx.settings.is_production:
        sys.exit(demo.REFUSED_IN_PRODUCTION)
    if not yes and demo.reason_against(ctx) is not None:
        where = ctx.settings.database.render_as_string(hide_password=True)
        click.confirm(f"Anybody could then log in to {where} as a doctor. Add demo people?", abort=True)
    _top_up_demo_data(ctx)


def _command_context() -> Unhurried[None]:
    return Unhurried(transaction, current_app.extensions["clock"](), "", None, current_app.extensions["settings"])


def _top_up_demo_data(ctx: Unhurried[None]) -> None:
    from rich.progress import Progress  # noqa: PLC0415 - servers, which import this module too, need none of it

    with Progress(transient=True) as progress:
        task = progress.add_task("Demo data", total=len(demo.DOCTORS) + len(demo.PATIENTS))
        for line in demo.top_up(ctx):
            progress.update(task, advance=1, description=line)
    click.echo("Demo data is topped up to two weeks ahead.")


@click.command()
@with_appcontext
def purge() -> None:
    """Delete what nobody needs any longer: old mails that went out, past slots that nobody booked."""
    from rich.progress import Progress  # noqa: PLC0415 - servers need none of it

    deleted: dict[str, int] = {}
    with Progress(transient=True) as progress:
        task = progress.add_task("Purging", total=None)
        for what, count in retention.purge(_command_context()):
            deleted[what] = deleted.get(what, 0) + count
            progress.update(task, advance=1, description=f"{deleted[what]} {what} deleted")
    click.echo(f"Deleted: {', '.join(f'{count} {what}' for what, count in deleted.items())}.")


user_commands = AppGroup("user", help="Shut accounts out and let them in again.")


@user_commands.command()
@click.argument("email")
def disable(email: str) -> None:
    """End every session of the account and refuse its log-ins."""
    with transaction(writes=True) as session:
        found = users.disable(session, email_key(email), current_app.extensions["clock"]())
    _say_or_fail(found, f"{email} is disabled.", f"There is no account of {email}.")


@user_commands.command()
@click.argument("email")
def enable(email: str) -> None:
    """Let the account log in again; its old tokens stay dead."""
    with transaction(writes=True) as session:
        found = users.enable(session, email_key(email))
    _say_or_fail(found, f"{email} is enabled.", f"There is no account of {email}.")


outbox_commands = AppGroup("outbox", help="Look at the mails that did not go out, and try them again.")


@outbox_commands.command("list")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 10_000))
def list_mails(limit: int) -> None:
    """List mails that wait or were set aside, oldest first."""
    with transaction(writes=False) as session:
        for row in outbox.list_unsent(session, limit):
            subject = mail_to_look_at(row).subject
            click.echo(f"{row.id}\t{row.status}\t{row.attempts} attempts\tto {row.recipient}\t{subject}")


@outbox_commands.command()
@click.argument("mail_id", type=click.IntRange(1, 2**63 - 1))
def show(mail_id: int) -> None:
    """Show one mail and what became of it."""
    with transaction(writes=False) as session:
        row = outbox.find(session, mail_id)
    if row is None:
        sys.exit(f"There is no mail {mail_id}.")
    mail = mail_to_look_at(row)
    click.echo(f"Status:  {row.status}, {row.attempts} attempts, due {row.due_at.isoformat()}")
    click.echo(f"Error:   {row.last_error or 'none'}")
    click.echo(f"To:      {row.recipient or '(erased)'}")
    click.echo(f"Subject: {mail.subject}\n\n{mail.text}")


@outbox_commands.command()
@click.argument("mail_id", type=click.IntRange(1, 2**63 - 1), required=False)
@click.option("--all", "every", is_flag=True, help="Every mail that was set aside.")
def retry(mail_id: int | None, every: bool) -> None:  # noqa: FBT001 - click gives options by position
    """Make a mail that was set aside due again, under the key that it always had."""
    if (mail_id is None) != every:
        sys.exit("Name one mail, or say --all.")
    with transaction(writes=True) as session:
        count = outbox.retry(session, mail_id, current_app.extensions["clock"]())
    _say_or_fail(count > 0, f"{count} due again.", "Nothing was set aside there.")


def _say_or_fail(done: bool, good: str, bad: str) -> None:  # noqa: FBT001 - a private choice of two sentences
    if not done:
        sys.exit(bad)
    click.echo(good)


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

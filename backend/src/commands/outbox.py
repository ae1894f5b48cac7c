from __future__ import annotations

import sys

import click
from flask import current_app
from flask.cli import AppGroup

from config import Settings
from src.commands.common import say_or_fail
from src.database.transaction import transaction
from src.repositories import outbox_repository as outbox
from src.services.rendering import readable_mail

outbox_commands = AppGroup("outbox", help="Look at the mails that did not go out, and try them again.")

ERASED = "(erased)"


@outbox_commands.command("list")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 10_000))
def list_mails(limit: int) -> None:
    """List mails that wait or were set aside, oldest first."""
    settings: Settings = current_app.extensions["settings"]
    with transaction(writes=False) as session:
        for row in outbox.list_unsent(session, limit):
            subject = readable_mail(row, settings).subject
            click.echo(f"{row.id}\t{row.status}\t{row.attempts} attempts\tto {row.recipient or ERASED}\t{subject}")


@outbox_commands.command()
@click.argument("mail_id", type=click.IntRange(1, 2**63 - 1))
def show(mail_id: int) -> None:
    """Show one mail and what became of it."""
    settings: Settings = current_app.extensions["settings"]
    with transaction(writes=False) as session:
        row = outbox.find(session, mail_id)
    if row is None:
        sys.exit(f"There is no mail {mail_id}.")
    mail = readable_mail(row, settings)
    click.echo(f"Status:  {row.status}, {row.attempts} attempts, due {row.due_at.isoformat()}")
    click.echo(f"Error:   {row.last_error or 'none'}")
    click.echo(f"To:      {row.recipient or ERASED}")
    if mail.reply_to is not None:
        click.echo(f"Replies: {mail.reply_to}")
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
    say_or_fail(count > 0, f"{count} due again.", "Nothing was set aside there.")

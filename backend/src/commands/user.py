from __future__ import annotations

import click
from flask import current_app
from flask.cli import AppGroup

from src.commands.common import say_or_fail
from src.database.transaction import transaction
from src.repositories import user_repository as users
from src.schemas.fields import email_key

user_commands = AppGroup("user", help="Disable accounts and enable them again.")


@user_commands.command()
@click.argument("email")
def disable(email: str) -> None:
    """End every session of the account and refuse its log-ins."""
    with transaction(writes=True) as session:
        found = users.disable(session, email_key(email), current_app.extensions["clock"]())
    say_or_fail(found, f"{email} is disabled.", f"There is no account of {email}.")


@user_commands.command()
@click.argument("email")
def enable(email: str) -> None:
    """Let the account log in again; its old tokens stay refused."""
    with transaction(writes=True) as session:
        found = users.enable(session, email_key(email))
    say_or_fail(found, f"{email} is enabled.", f"There is no account of {email}.")

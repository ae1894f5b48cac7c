from __future__ import annotations

import click
from flask import current_app
from flask.cli import AppGroup

from src.commands.common import say_or_fail
from src.database.transaction import transaction
from src.repositories import user_repository as users
from src.schemas.fields import email_key
from src.web.logs import configure_logs
from src.web.security_log import log_command

user_commands = AppGroup("user", help="Disable accounts and enable them again.")


@user_commands.command()
@click.argument("email")
def disable(email: str) -> None:
    """End every session of the account and refuse its log-ins."""
    with transaction(writes=True) as session:
        account = users.disable(session, email_key(email), current_app.extensions["clock"]())
    _report("account_disabled", account)
    say_or_fail(account is not None, f"{email} is disabled.", f"There is no account of {email}.")


@user_commands.command()
@click.argument("email")
def enable(email: str) -> None:
    """Let the account log in again; its old tokens stay refused."""
    with transaction(writes=True) as session:
        account = users.enable(session, email_key(email))
    _report("account_enabled", account)
    say_or_fail(account is not None, f"{email} is enabled.", f"There is no account of {email}.")


def _report(event: str, account: int | None) -> None:
    if account is not None:
        configure_logs(force=False)
        log_command(event, account)

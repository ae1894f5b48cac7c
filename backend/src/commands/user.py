from __future__ import annotations

import click
from flask import current_app
from flask.cli import AppGroup

from config import Settings
from src.commands.common import say_or_fail
from src.database.transaction import transaction
from src.repositories import account_mails as mails
from src.repositories import password_reset_repository as resets
from src.repositories import second_factor_repository as factors
from src.repositories import user_repository as users
from src.schemas.fields import email_key
from src.web.logs import configure_logs
from src.web.security_log import log_command

user_commands = AppGroup("user", help="Disable accounts, enable them again, and let people choose new passwords.")


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


@user_commands.command()
@click.argument("email")
def reset(email: str) -> None:
    """Send the account a mail with which its owner chooses a new password; the old one works until then."""
    settings: Settings = current_app.extensions["settings"]
    with transaction(writes=True) as session:
        account = resets.ask(session, email_key(email), current_app.extensions["clock"](), settings)
    _report("password_reset_asked", account)
    sent = f"A mail to {email} waits to be sent; it works for {settings.password_reset_minutes} minutes from now."
    say_or_fail(account is not None, sent, f"There is no account of {email} that can log in.")


@user_commands.group("second-factor", help="Let somebody log in who has lost app and recovery codes.")
def second_factor() -> None: ...


@second_factor.command()
@click.argument("email")
def off(email: str) -> None:
    """Turn the account's second factor off: its owner logs in with the password alone."""
    with transaction(writes=True) as session:
        account = factors.turn_off_by_email_key(session, email_key(email))
        if account is not None:
            now, settings = current_app.extensions["clock"](), current_app.extensions["settings"]
            mails.add_second_factor_changed(session, account, "off", now, settings.clinic_time_zone)
    _report("second_factor_off", account)
    say_or_fail(account is not None, f"{email} has no second factor now.", f"There is no account of {email}.")


def _report(event: str, account: int | None) -> None:
    if account is not None:
        configure_logs(force=False)
        log_command(event, account)

"""Guests: a mail carries a token, and whoever has it books without a password."""

from __future__ import annotations

import secrets

from config import Settings
from src.context import Event, SlowContext
from src.controllers import session_tokens
from src.controllers.session_tokens import Account
from src.errors import Throttled
from src.errors_of_accounts import ConfirmationRefused, GuestsRefused
from src.repositories import guest_repository as guests
from src.repositories import throttle_repository as throttle
from src.repositories.throttle_limits import guest_limits, mail_token_limits
from src.schemas.account import EmailToken
from src.schemas.auth import AccessToken
from src.schemas.base import Message
from src.schemas.fields import email_key
from src.schemas.guest import Guest
from src.utils.decorators import raises
from src.utils.security import hash_password


@raises(GuestsRefused, Throttled)
def ask(ctx: SlowContext[None], body: Guest) -> Message:
    """Send a mail with a token that begins a session without a password.

    If the address has an account with a password, its owner is told to log in instead. The answer is the same.
    """
    send_link(ctx, body, "")
    return Message(message="We have sent a mail. Please go on with the link or the code in it.")


def send_link(ctx: SlowContext[None], guest: Guest, path: str) -> None:
    """Send the mail; its link goes on to the path of a page, if there is one."""
    check_guests_may_book(ctx.settings)
    key = email_key(guest.email)
    throttle.count_or_refuse(ctx, guest_limits(ctx.settings, key, ctx.address))
    password_of_nobody = hash_password(secrets.token_urlsafe(), ctx.settings)
    with ctx.transaction(writes=True) as db:
        guests.add(db, guest, password_of_nobody, ctx.now)
        account_id = guests.ask(db, key, path, ctx.now, ctx.settings)
    ctx.events.append(Event("guest_link_asked", account_id, key))


def check_guests_may_book(settings: Settings) -> None:
    if settings.guests_may_book == "no":
        raise GuestsRefused


@raises(GuestsRefused, ConfirmationRefused, Throttled)
def confirm(ctx: SlowContext[None], body: EmailToken) -> AccessToken:
    """Begin the session of a guest with the token of a mail, once. The address is confirmed then."""
    check_guests_may_book(ctx.settings)
    limits = mail_token_limits(ctx.settings, ctx.address)
    with ctx.transaction(writes=False) as db:
        throttle.check(db, ctx, limits)
    with ctx.transaction(writes=True) as db:
        guest = guests.confirm(db, body.token, ctx.now)
    if guest is None:
        throttle.count_failure(ctx, limits)
        raise ConfirmationRefused
    ctx.events.append(Event("guest_confirmed", guest.user_id, guest.email_key))
    account = Account(guest.user_id, guest.role, guest.epoch)
    return AccessToken(**session_tokens.begin(ctx, account, refresh=False))

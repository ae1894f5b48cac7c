"""Forgotten passwords: a mail carries a token, and whoever has it sets a new password."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from src.context import Event, SlowContext
from src.errors import Throttled
from src.errors_of_accounts import ResetTokenRefused
from src.repositories import account_mails as mails
from src.repositories import password_reset_repository as resets
from src.repositories import throttle_repository as throttle
from src.repositories import user_repository as users
from src.repositories.throttle_limits import mail_token_limits, reset_limits
from src.schemas.auth import ForgottenPassword, NewPasswordByToken
from src.schemas.base import Message
from src.schemas.fields import email_key
from src.schemas.new_password import check_new_password
from src.utils.decorators import raises
from src.utils.security import hash_password


def forgot(ctx: SlowContext[None], body: ForgottenPassword) -> Message:
    """Send a mail with a token for a new password. The answer is the same whether or not there is such an account."""
    key = email_key(body.email)
    limits = reset_limits(ctx.settings, key, ctx.address)
    with ctx.transaction(writes=True) as db:
        allowed = throttle.count_asked(db, limits, ctx.now)
        account_id = resets.ask(db, key, ctx.now, ctx.settings, allowed=allowed)
    ctx.events.append(Event("password_reset_asked" if allowed else "throttled", account_id, key))
    return Message(message="If there is an account for this address, we have sent a mail.")


@raises(ResetTokenRefused, Throttled)
def reset(ctx: SlowContext[None], body: NewPasswordByToken) -> Message:
    """Set a new password with the token of a mail. Every session of the account ends, and every other such token."""
    limits = mail_token_limits(ctx.settings, ctx.address)
    with ctx.transaction(writes=False) as db:
        throttle.check(db, ctx, limits)
        permission = resets.find(db, body.token, ctx.now)
    if permission is not None:
        check_new_password(body.password, ctx.settings, name=permission.name, email=permission.email)
    if permission is None or not _set_password(ctx, permission, body.password):
        throttle.count_failure(ctx, limits)
        raise ResetTokenRefused
    return Message(message="Your password is changed. Please log in.")


def _set_password(ctx: SlowContext[None], permission: Row[Any], password: str) -> bool:
    """Use the permission; return False if it has ended while the password was hashed."""
    new_hash = hash_password(password, ctx.settings)
    with ctx.transaction(writes=True) as db:
        key = users.reset_password(db, permission.user_id, epoch=permission.epoch, new_hash=new_hash, now=ctx.now)
        if key is None:
            return False
        resets.mark_used(db, permission.id, ctx.now)
        mails.add_password_changed(db, permission.user_id, permission.epoch + 1, ctx.now, ctx.settings.clinic_time_zone)
        # Who has just failed to log in must not wait now.
        throttle.forget_log_in_failures(db, ctx.settings, key, ctx.address)
    ctx.events.append(Event("password_reset", permission.user_id, key))
    return True

"""Calls that end sessions: log-out, log-out everywhere, and a change of password."""

from __future__ import annotations

from src.context import Caller, Context, SlowContext
from src.controllers import session_tokens
from src.controllers.current_password import check_current_password
from src.controllers.session_tokens import Account
from src.errors import Throttled, Unauthenticated
from src.errors_of_accounts import WrongCurrentPassword
from src.repositories import account_mails as mails
from src.repositories import refresh_token_repository as refresh_tokens
from src.repositories import session_repository as sessions
from src.repositories import throttle_repository as throttle
from src.repositories import user_repository as users
from src.repositories.throttle_limits import password_change_limits
from src.schemas.auth import NewPasswordIn, PasswordChanged
from src.schemas.base import Message
from src.schemas.new_password import check_new_password
from src.utils.decorators import raises
from src.utils.security import hash_password


def log_out(ctx: Context[Caller]) -> Message:
    """End the session of this token, with its refresh tokens."""
    token = ctx.actor.token
    refreshable_until = refresh_tokens.find_end(ctx.db, ctx.actor.user_id, token.session)
    sessions.end(ctx.db, token.session, refreshable_until or token.expires_at)
    return Message(message="You are logged out.")


def log_out_everywhere(ctx: Context[Caller]) -> Message:
    """End every session of the account, this one too."""
    users.end_sessions(ctx.db, ctx.actor.user_id)
    return Message(message="You are logged out everywhere.")


@raises(WrongCurrentPassword, Throttled)
def change_password(ctx: SlowContext[Caller], body: NewPasswordIn) -> PasswordChanged:
    """Set a new password. Every earlier token of the account is dead; the answer carries a new one."""
    actor = ctx.actor
    check_new_password(body.new_password, ctx.settings, name=actor.name, email=actor.email, field="new_password")
    check_current_password(ctx, body.current_password)
    new_hash = hash_password(body.new_password, ctx.settings)
    with ctx.transaction(writes=True) as db:
        epoch = users.change_password(db, actor.user_id, epoch=actor.token.epoch, new_hash=new_hash)
        if epoch is not None:
            throttle.count_success(db, password_change_limits(ctx.settings, actor.user_id), ctx.now)
            mails.add_password_changed(db, actor.user_id, epoch, ctx.now, ctx.settings.clinic_time_zone)
    if epoch is None:
        raise Unauthenticated
    return PasswordChanged(
        message="Your password is changed. Every other session has ended.",
        **session_tokens.begin(ctx, Account(actor.user_id, actor.role, epoch), refresh=body.refresh),
    )

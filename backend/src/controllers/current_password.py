"""The proof that whoever changes how an account is reached is its owner, and not somebody at an open screen."""

from __future__ import annotations

from src.context import Caller, SlowContext
from src.errors_of_accounts import WrongCurrentPassword
from src.repositories import throttle_repository as throttle
from src.repositories import user_repository as users
from src.repositories.throttle_limits import password_limits
from src.utils.security import password_matches


def check_current_password(ctx: SlowContext[Caller], password: str) -> None:
    """Raise WrongCurrentPassword or Throttled unless it is the right password."""
    limits = password_limits(ctx.settings, ctx.actor.token.session)
    with ctx.transaction(writes=False) as db:
        throttle.check(db, ctx, limits)
        password_hash = users.find_password_hash(db, ctx.actor.user_id)
    if not password_matches(password, password_hash, ctx.settings):
        throttle.count_failure(ctx, limits)
        raise WrongCurrentPassword

"""The second step of a log-in, and what else takes a code of the second factor."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row

from src.context import Event, SlowContext
from src.errors_of_accounts import SecondFactorRequired, SecondFactorWrong
from src.repositories import second_factor_repository as factors
from src.repositories import throttle_repository as throttle
from src.repositories.throttle_limits import Limit, log_in_limits, second_factor_limits
from src.utils.second_factor import is_of_app, secret_of, step_of


def take_second_step(ctx: SlowContext[Any], account: Row[Any], otp: str | None) -> None:
    """Take the code of an account that has given the right password.

    Raises SecondFactorRequired without a code, SecondFactorWrong, or Throttled.
    """
    if not otp:
        raise SecondFactorRequired(account.id)
    limits = log_in_limits(ctx.settings, account.email_key, ctx.address) + code_limits(ctx, account.id, otp)
    with ctx.transaction(writes=False) as db:
        throttle.check(db, ctx, limits)
    with ctx.transaction(writes=True) as db:
        taken = take_code(ctx, db, account, otp)
    if not taken:
        throttle.count_failure(ctx, limits)
        raise SecondFactorWrong(account.id)


def code_limits(ctx: SlowContext[Any], account_id: int, otp: str) -> list[Limit]:
    """Return the limits on guesses of such a code: nobody can guess a recovery code, so those work on."""
    return second_factor_limits(ctx.settings, account_id) if is_of_app(otp) else []


def take_code(ctx: SlowContext[Any], db: Connection, account: Row[Any], otp: str) -> bool:
    """Use a code up and return whether it was good; `account` has what the second factor is."""
    if is_of_app(otp):
        step = step_of(otp, secret_of(account.id, account.second_factor_id, ctx.settings), ctx.now)
        return step is not None and factors.take_step(db, account.id, account.second_factor_id, step)
    if not factors.take_recovery_code(db, account.id, otp):
        return False
    ctx.events.append(Event("recovery_code_used", account.id, account.email_key))
    return True

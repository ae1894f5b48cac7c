"""The caller's second factor: an app that shows codes, and recovery codes for the day when it is lost."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection

from src.context import Caller, Context, SlowContext
from src.controllers.current_password import check_current_password
from src.controllers.second_step import code_limits, take_code
from src.errors import Throttled, Unauthenticated
from src.errors_of_accounts import (
    SecondFactorNotBegun,
    SecondFactorOff,
    SecondFactorOn,
    WrongCurrentPassword,
    WrongSecondFactorCode,
)
from src.repositories import account_mails as mails
from src.repositories import account_repository as accounts
from src.repositories import second_factor_repository as factors
from src.repositories import throttle_repository as throttle
from src.repositories.throttle_limits import password_limits, second_factor_change_limits
from src.schemas.base import Message
from src.schemas.second_factor import (
    CurrentPassword,
    OneTimeCode,
    PasswordAndCode,
    RecoveryCodes,
    SecondFactorBegun,
    SecondFactorOut,
)
from src.utils.decorators import raises
from src.utils.second_factor import address_for_app, new_enrolment, new_recovery_codes, secret_of, step_of

Change = Callable[[Connection], None]


def show(ctx: Context[Caller]) -> SecondFactorOut:
    """Tell whether the second factor is on, and how many recovery codes are left."""
    row = factors.find(ctx.db, ctx.actor.user_id)
    since = row.second_factor_at and row.second_factor_at.isoformat()
    return SecondFactorOut(is_on=since is not None, since=since, recovery_codes_left=row.recovery_codes_left)


@raises(WrongCurrentPassword, SecondFactorOn, Throttled)
def begin(ctx: SlowContext[Caller], body: CurrentPassword) -> SecondFactorBegun:
    """Begin to set up a second factor, or begin anew.

    It is on once `/auth/second-factor/confirm` has got a code.
    """
    check_current_password(ctx, body.current_password)
    enrolment = new_enrolment()
    with ctx.transaction(writes=True) as db:
        _lock(ctx, db)
        if not factors.begin(db, ctx.actor.user_id, enrolment):
            raise SecondFactorOn
    secret = secret_of(ctx.actor.user_id, enrolment, ctx.settings)
    return SecondFactorBegun(
        secret=secret,
        otpauth_uri=address_for_app(secret, ctx.actor.email, ctx.settings),
        message="Add this to your app, and confirm it with the code that the app shows.",
    )


@raises(SecondFactorNotBegun, SecondFactorOn, WrongSecondFactorCode, Throttled)
def confirm(ctx: SlowContext[Caller], body: OneTimeCode) -> RecoveryCodes:
    """Turn the second factor on, with the first code that the app shows. The answer has ten recovery codes."""
    me, limits = ctx.actor.user_id, password_limits(ctx.settings, ctx.actor.token.session)
    codes = new_recovery_codes()
    with ctx.transaction(writes=True) as db:
        throttle.check(db, ctx, limits)
        _lock(ctx, db)
        row = factors.find(db, me)
        if row.second_factor_at is not None:
            raise SecondFactorOn
        if row.second_factor_id is None:
            raise SecondFactorNotBegun
        step = step_of(body.otp, secret_of(me, row.second_factor_id, ctx.settings), ctx.now)
        confirmed = step is not None and factors.turn_on(db, me, row.second_factor_id, step, ctx.now)
        if confirmed:
            factors.replace_recovery_codes(db, me, codes)
            _tell(ctx, db, "on")
    if not confirmed:
        throttle.count_failure(ctx, limits)
        raise WrongSecondFactorCode
    return RecoveryCodes(
        message="Your second factor is on. Keep these recovery codes: nobody can show them to you again.",
        recovery_codes=codes,
    )


@raises(WrongCurrentPassword, SecondFactorOff, WrongSecondFactorCode, Throttled)
def turn_off(ctx: SlowContext[Caller], body: PasswordAndCode) -> Message:
    """Turn the second factor off, with the password and a code, which may be a recovery code."""
    _change(ctx, body, "off", lambda db: factors.turn_off(db, ctx.actor.user_id))
    return Message(message="Your second factor is off. You log in with your password alone.")


@raises(WrongCurrentPassword, SecondFactorOff, WrongSecondFactorCode, Throttled)
def renew_recovery_codes(ctx: SlowContext[Caller], body: PasswordAndCode) -> RecoveryCodes:
    """Replace all recovery codes by ten new ones."""
    codes = new_recovery_codes()
    _change(ctx, body, "recovery codes", lambda db: factors.replace_recovery_codes(db, ctx.actor.user_id, codes))
    return RecoveryCodes(
        message="These recovery codes replace all earlier ones. Keep them: nobody can show them to you again.",
        recovery_codes=codes,
    )


def _change(ctx: SlowContext[Caller], proof: PasswordAndCode, what: mails.SecondFactorChange, change: Change) -> None:
    """Make the change in the transaction that uses the code up."""
    check_current_password(ctx, proof.current_password)
    me = ctx.actor.user_id
    limits = password_limits(ctx.settings, ctx.actor.token.session) + code_limits(ctx, me, proof.otp)
    with ctx.transaction(writes=True) as db:
        throttle.check(db, ctx, limits)
        # First the account and then its codes: transactions that lock in one order cannot deadlock.
        _lock(ctx, db)
        row = factors.find(db, me)
        if row.second_factor_at is None:
            raise SecondFactorOff
        taken = take_code(ctx, db, row, proof.otp)
        if taken:
            change(db)
            _tell(ctx, db, what)
    if not taken:
        throttle.count_failure(ctx, limits)
        raise WrongSecondFactorCode


def _lock(ctx: SlowContext[Caller], db: Connection) -> None:
    """Lock the account; raise Unauthenticated if its sessions have ended since the call began."""
    if not accounts.change(db, ctx.actor.user_id, ctx.actor.token.epoch, {}):
        raise Unauthenticated


def _tell(ctx: SlowContext[Caller], db: Connection, what: mails.SecondFactorChange) -> None:
    """Write the mail in the transaction of the change; raise Throttled after too many changes within an hour."""
    me = ctx.actor.user_id
    throttle.count_success(db, second_factor_change_limits(ctx.settings, me), ctx.now)
    mails.add_second_factor_changed(db, me, what, ctx.now, ctx.settings.clinic_time_zone)

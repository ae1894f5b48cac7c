"""Registration and log-in."""

from __future__ import annotations

import hmac
from typing import Any

from sqlalchemy import Connection, Row

from src.context import SlowContext
from src.controllers import session_tokens
from src.controllers.second_step import take_second_step
from src.controllers.session_tokens import Account
from src.errors import Throttled
from src.errors_of_accounts import (
    AccountDisabled,
    EmailTaken,
    InvitationCodeMissing,
    SecondFactorRequired,
    SecondFactorWrong,
    WrongCredentials,
    WrongInvitationCode,
)
from src.models.doctor import NEW_DESIGNATION, NEW_SPECIALIZATION
from src.repositories import doctor_repository as doctors
from src.repositories import email_confirmation_repository as confirmations
from src.repositories import throttle_repository as throttle
from src.repositories import user_repository as users
from src.repositories.throttle_limits import confirmation_limits, invitation_limits, log_in_limits, registration_limits
from src.schemas.auth import AccessToken, Credentials, Registered, Registration
from src.schemas.fields import email_key
from src.schemas.new_password import check_new_password
from src.utils.decorators import raises
from src.utils.security import hash_password, needs_new_hash, password_matches

REGISTERED = "Registration complete. You can log in now."
REGISTERED_AND_ASKED = f"{REGISTERED} Please confirm your e-mail address with the mail that we have sent to it."


@raises(InvitationCodeMissing, WrongInvitationCode, EmailTaken, Throttled)
def register(ctx: SlowContext[None], body: Registration) -> Registered:
    """Create an account. Doctors need the clinic's invitation code.

    With `refresh`, it is logged in at once.
    """
    check_new_password(body.password, ctx.settings, name=body.name, email=body.email)
    if body.role == "doctor":
        _check_invitation(ctx, body.invitation_code)
    password_hash = hash_password(body.password, ctx.settings)
    with ctx.transaction(writes=True) as db:
        user_id = users.add(
            db,
            name=body.name,
            email=body.email,
            email_key=email_key(body.email),
            password_hash=password_hash,
            role=body.role,
            now=ctx.now,
        )
        if user_id is None:
            raise EmailTaken
        throttle.count_success(db, registration_limits(ctx.settings, email_key(body.email), ctx.address), ctx.now)
        if body.role == "doctor":
            doctors.add(db, user_id, NEW_DESIGNATION, NEW_SPECIALIZATION, ctx.now)
        asked = ctx.settings.require_confirmed_email == "yes" and _ask_to_confirm(db, ctx, user_id, body.email)
        account = Account(user_id, body.role, epoch=0)
        tokens = session_tokens.begin_refreshable(ctx, db, account) if body.refresh else {}
    return Registered(message=REGISTERED_AND_ASKED if asked else REGISTERED, id=user_id, **tokens)


def _ask_to_confirm(db: Connection, ctx: SlowContext[None], user_id: int, email: str) -> bool:
    """Send a mail with a token, unless too many were; return whether it goes. Another can be asked for."""
    allowed = throttle.count_asked(db, confirmation_limits(ctx.settings, email_key(email), ctx.address), ctx.now)
    if allowed:
        confirmations.ask(db, user_id, 0, email, ctx.now, ctx.settings)
    return allowed


@raises(WrongCredentials, AccountDisabled, SecondFactorRequired, SecondFactorWrong, Throttled)
def log_in(ctx: SlowContext[None], body: Credentials) -> AccessToken:
    """Log in and get an access token.

    An account with a second factor needs an `otp`, too.
    """
    account = check_password(ctx, body)
    if account.second_factor_at is not None:
        take_second_step(ctx, account, body.otp)
    return access_token_of(ctx, account, refresh=body.refresh)


def check_password(ctx: SlowContext[None], body: Credentials) -> Row[Any]:
    """Return the account, as `users.find_by_email_key` does, if the password is right."""
    limits = log_in_limits(ctx.settings, email_key(body.email), ctx.address)
    with ctx.transaction(writes=False) as db:
        throttle.check(db, ctx, limits)
        account = users.find_by_email_key(db, email_key(body.email))
    password_hash = account.password_hash if account else None
    if not password_matches(body.password, password_hash, ctx.settings) or account is None:
        throttle.count_failure(ctx, limits)
        raise WrongCredentials(account.id if account else None)
    if account.disabled_at is not None:
        raise AccountDisabled(account.id)
    if needs_new_hash(account.password_hash, ctx.settings):
        new_hash = hash_password(body.password, ctx.settings)
        with ctx.transaction(writes=True) as db:
            users.rehash(db, account.id, old_hash=account.password_hash, new_hash=new_hash)
    return account


def access_token_of(ctx: SlowContext[None], account: Row[Any], *, refresh: bool = False) -> AccessToken:
    session = Account(account.id, account.role, account.token_epoch)
    return AccessToken(**session_tokens.begin(ctx, session, refresh=refresh))


def _check_invitation(ctx: SlowContext[None], code: str | None) -> None:
    if not code:
        raise InvitationCodeMissing
    limits = invitation_limits(ctx.settings, ctx.address)
    with ctx.transaction(writes=False) as db:
        throttle.check(db, ctx, limits)
    if not hmac.compare_digest(code.encode(), ctx.settings.doctor_invitation_code.strip().encode()):
        throttle.count_failure(ctx, limits)
        raise WrongInvitationCode

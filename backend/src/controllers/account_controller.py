"""The caller's own account."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from src.context import Caller, Context, Doctor, Event, Patient, SlowContext
from src.controllers.current_password import check_current_password
from src.errors import Throttled, Unauthenticated
from src.errors_of_accounts import CurrentPasswordMissing, WrongCurrentPassword, ZoneOfHours
from src.repositories import account_repository as accounts
from src.repositories import email_confirmation_repository as confirmations
from src.repositories import throttle_repository as throttle
from src.repositories.throttle_limits import new_address_limits
from src.schemas.account import AT_ONCE, AccountChanged, AccountChanges, Me
from src.schemas.fields import email_key
from src.utils.decorators import raises

CHANGED = "Account updated."
MAIL_SENT = "We have sent a mail to the new address. Your address changes when you confirm it with that mail."
NOTHING_CHANGED = f"Nothing was changed. You can change: {', '.join((*AT_ONCE, 'email'))}."


def me(ctx: Context[Caller]) -> Me:
    """Return the caller's own account."""
    return Me.model_validate(facts_of(ctx.actor))


def whole(db: Connection, actor: Caller, now: datetime) -> dict[str, Any]:
    """Return the members of WholeAccount."""
    new_email = confirmations.find_new_address(db, actor.user_id, actor.token.epoch, actor.email, now)
    return {**facts_of(actor), "new_email": new_email}


@raises(ZoneOfHours, CurrentPasswordMissing, WrongCurrentPassword, Throttled)
def change(ctx: SlowContext[Caller], body: AccountChanges) -> AccountChanged:
    """Change name, telephone number, language, e-mail address or, for patients, the time zone.

    A new address needs the current password, and holds when it is confirmed: a mail with a token goes to it. A doctor's
    time zone is changed in the profile.
    """
    actor, changes, new_email = ctx.actor, body.at_once, body.new_email(ctx.actor.email)
    if "time_zone" in changes and isinstance(actor, Doctor):
        raise ZoneOfHours
    if new_email is not None:
        _allow_new_address(ctx, body, new_email)
    with ctx.transaction(writes=True) as db:
        if not accounts.change(db, actor.user_id, actor.token.epoch, changes):
            raise Unauthenticated
        if new_email is not None:
            who = (actor.user_id, actor.token.epoch)
            confirmations.ask_for_change(db, *who, actor.email, new_email, ctx.now, ctx.settings)
        elif "email" in body.model_fields_set:
            confirmations.withdraw_change(db, actor.user_id, actor.email)
        facts = whole(db, replace(actor, **changes), ctx.now)
    return AccountChanged(message=MAIL_SENT if new_email else CHANGED if changes else NOTHING_CHANGED, **facts)


def _allow_new_address(ctx: SlowContext[Caller], body: AccountChanges, new_email: str) -> None:
    """Raise what speaks against a mail to a new address."""
    if body.current_password is None:
        raise CurrentPasswordMissing
    check_current_password(ctx, body.current_password)
    key = email_key(new_email)
    throttle.count_or_refuse(ctx, new_address_limits(ctx.settings, key, ctx.address))
    ctx.events.append(Event("email_change_asked", ctx.actor.user_id, key))


def facts_of(actor: Caller) -> dict[str, Any]:
    """Return the members of Me."""
    return {
        "id": actor.user_id,
        "name": actor.name,
        "email": actor.email,
        "role": actor.role,
        "phone": actor.phone,
        "language": actor.language,
        "time_zone": actor.time_zone if isinstance(actor, Patient | Doctor) else None,
        "email_confirmed": actor.email_confirmed,
    }

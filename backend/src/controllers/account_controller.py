"""The caller's own account."""

from __future__ import annotations

from dataclasses import replace

from src.context import Caller, Context, Doctor, Patient, SlowContext
from src.errors import Unauthenticated
from src.errors_of_accounts import ZoneOfHours
from src.repositories import user_repository as users
from src.schemas.account import AT_ONCE, AccountChanged, AccountChanges, Me
from src.utils.decorators import raises

NOTHING_CHANGED = f"Nothing was changed. You can change: {', '.join((*AT_ONCE, 'email'))}."


def me(ctx: Context[Caller]) -> Me:
    """Return the caller's own account."""
    return Me.model_validate(facts_of(ctx.actor))


@raises(ZoneOfHours)
def change(ctx: SlowContext[Caller], body: AccountChanges) -> AccountChanged:
    """Change name, telephone number, language or, for patients, the time zone.

    A doctor's time zone is changed in the profile.
    """
    changes = body.at_once
    if "time_zone" in changes and isinstance(ctx.actor, Doctor):
        raise ZoneOfHours
    with ctx.transaction(writes=True) as db:
        if changes and not users.change(db, ctx.actor.user_id, ctx.actor.token.epoch, changes):
            raise Unauthenticated
        facts = facts_of(replace(ctx.actor, **changes))
    return AccountChanged.model_validate(facts | {"message": "Account updated." if changes else NOTHING_CHANGED})


def facts_of(actor: Caller) -> dict[str, object]:
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
        "new_email": None,
    }

"""Confirming an e-mail address: a mail carries a token, and whoever has it reads the mails to that address."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from src.context import Caller, Context, Event, Patient, SlowContext
from src.errors import Throttled, Unauthenticated
from src.errors_of_accounts import ConfirmationRefused, EmailNotConfirmed, EmailTaken
from src.repositories import account_repository as accounts
from src.repositories import email_confirmation_repository as confirmations
from src.repositories import throttle_repository as throttle
from src.repositories.throttle_limits import confirmation_limits, mail_token_limits
from src.schemas.account import EmailConfirmed, EmailToken
from src.schemas.base import Message
from src.schemas.fields import email_key
from src.utils.decorators import raises


@raises(ConfirmationRefused, EmailTaken, Throttled)
def confirm(ctx: SlowContext[None], body: EmailToken) -> EmailConfirmed:
    """Confirm an e-mail address with the token of a mail. A new one replaces the old one, and ends every session."""
    limits = mail_token_limits(ctx.settings, ctx.address)
    with ctx.transaction(writes=False) as db:
        throttle.check(db, ctx, limits)
        waiting = confirmations.find(db, body.token, ctx.now)
    if waiting is None or not _confirm(ctx, waiting):
        throttle.count_failure(ctx, limits)
        raise ConfirmationRefused
    is_new = waiting.email != waiting.present_email
    event = "email_changed" if is_new else "email_confirmed"
    ctx.events.append(Event(event, waiting.user_id, email_key(waiting.email)))
    if is_new:
        return EmailConfirmed(message="Your new e-mail address holds now. Please log in with it.", is_new=True)
    return EmailConfirmed(message="Your e-mail address is confirmed.", is_new=False)


def _confirm(ctx: SlowContext[None], waiting: Row[Any]) -> bool:
    """Use the token; return False if somebody else has used it meanwhile, or it has ended."""
    with ctx.transaction(writes=True) as db:
        if waiting.email == waiting.present_email:
            confirmed = accounts.confirm_email(db, waiting.user_id, waiting.epoch, ctx.now)
        else:
            confirmed = accounts.change_email(
                db, waiting.user_id, waiting.epoch, waiting.email, email_key(waiting.email), ctx.now
            )
        return confirmed and confirmations.mark_used(db, waiting.id, ctx.now)


@raises(Throttled)
def resend(ctx: SlowContext[Caller]) -> Message:
    """Send another mail with a token to the address of the caller's account, unless it is confirmed."""
    actor = ctx.actor
    if actor.email_confirmed:
        return Message(message="Your e-mail address is confirmed already.")
    key = email_key(actor.email)
    throttle.count_or_refuse(ctx, confirmation_limits(ctx.settings, key, ctx.address))
    with ctx.transaction(writes=True) as db:
        if not accounts.change(db, actor.user_id, actor.token.epoch, {}):
            raise Unauthenticated
        confirmations.ask(db, actor.user_id, actor.token.epoch, actor.email, ctx.now, ctx.settings)
    ctx.events.append(Event("email_confirmation_asked", actor.user_id, key))
    return Message(message="We have sent a mail. Please confirm your address with the link or the code in it.")


def refuse_unconfirmed(ctx: Context[Patient]) -> None:
    """Raise EmailNotConfirmed if the clinic wants confirmed addresses and the patient's is not."""
    if ctx.settings.require_confirmed_email == "yes" and not ctx.actor.email_confirmed:
        raise EmailNotConfirmed

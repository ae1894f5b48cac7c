"""A person's own account: name, telephone number, language, time zone and e-mail address."""

from __future__ import annotations

from dataclasses import dataclass

from src.context import Caller, Context, SlowContext
from src.controllers import account_controller as accounts
from src.controllers import email_controller as emails
from src.pages.zones import Zones, zones_to_choose
from src.repositories import email_confirmation_repository as confirmations
from src.schemas.account import AccountChanged, AccountChanges, EmailToken, WholeAccount
from src.schemas.base import In, Out
from src.schemas.contact import LanguageCode, Phone
from src.schemas.fields import Email, Name, Password, TimeZone


@dataclass(frozen=True)
class AccountShown:
    """The account; `zones` are for patients."""

    me: WholeAccount
    zones: Zones


def show(ctx: Context[Caller]) -> AccountShown:
    me = WholeAccount.model_validate(accounts.whole(ctx.db, ctx.actor, ctx.now))
    return AccountShown(me, zones_to_choose(me.time_zone))


class AccountForm(In):
    """An empty field clears; whoever has no field of the time zone keeps it."""

    name: Name
    phone: Phone | None = None
    language: LanguageCode | None = None
    time_zone: TimeZone | None = None


class Saved(Out):
    """The next page is in the language that was chosen, also where the browser had been told another."""

    message: str
    language: str


def save(ctx: SlowContext[Caller], body: AccountForm) -> Saved:
    changes = body.model_dump()
    if ctx.actor.role == "doctor":
        del changes["time_zone"]
    changed = accounts.change(ctx, AccountChanges.model_validate(changes))
    return Saved(message=changed.message, language=changed.language or "")


class NewAddress(In):
    email: Email
    current_password: Password


def ask_for_new_address(ctx: SlowContext[Caller], body: NewAddress) -> AccountChanged:
    return accounts.change(ctx, AccountChanges.model_validate(body.model_dump()))


class Link(In):
    """The query of the mail's link. Whoever has only the token opens the page without it, and types it."""

    token: str = ""


@dataclass(frozen=True)
class ConfirmAddress:
    """The page with the button; `email` is what the token confirms, None if it works no longer or never did."""

    token: str
    email: str | None


def choose(ctx: Context[Caller | None], query: Link) -> ConfirmAddress:
    found = confirmations.find(ctx.db, query.token, ctx.now) if query.token else None
    return ConfirmAddress(query.token, None if found is None else found.email)


class Confirmed(Out):
    message: str
    next: str


def confirm(ctx: SlowContext[None], body: EmailToken) -> Confirmed:
    done = emails.confirm(ctx, body)
    return Confirmed(message=done.message, next="/log-in" if done.is_new else "/home")

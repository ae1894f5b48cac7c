"""Booking without an account: a mail with a link, and the session that the link begins."""

from __future__ import annotations

from dataclasses import dataclass

from src.context import Caller, Context, SlowContext
from src.controllers import guest_controller as guests
from src.pages.log_in import ComesBack, Entrance, LoggedIn, come_back, entrance
from src.pages.passwords import Asked
from src.pages.views import Goto
from src.repositories import email_confirmation_repository as confirmations
from src.schemas.account import EmailToken
from src.schemas.guest import Guest


def show(ctx: Context[Caller | None], query: ComesBack) -> Entrance | Goto:
    guests.check_guests_may_book(ctx.settings)
    return entrance(ctx, query)


class GuestForm(Guest, ComesBack):
    """What the page of a guest sends."""


def ask(ctx: SlowContext[None], body: GuestForm) -> Asked:
    guests.send_link(ctx, body, body.path)
    return Asked()


class Link(ComesBack):
    """The query of the mail's link. Whoever has only the token opens the page without it, and types it."""

    token: str = ""


@dataclass(frozen=True)
class GoOn:
    """The page with the button; `is_dead` says that this token works no longer, or never did."""

    token: str
    next: str
    is_dead: bool


def choose(ctx: Context[Caller | None], query: Link) -> GoOn:
    is_dead = bool(query.token) and confirmations.find(ctx.db, query.token, ctx.now) is None
    return GoOn(query.token, query.path, is_dead)


class GoOnForm(EmailToken, ComesBack):
    """What that page sends."""


def confirm(ctx: SlowContext[None], body: GoOnForm) -> LoggedIn:
    return come_back(ctx, guests.confirm(ctx, body), body)

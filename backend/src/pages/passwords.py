"""Forgotten passwords: asking for the mail, and choosing a new password with the token of its link."""

from __future__ import annotations

from dataclasses import dataclass

from src.context import Caller, Context, SlowContext
from src.controllers import password_controller as passwords
from src.repositories import password_reset_repository as resets
from src.schemas.auth import ForgottenPassword
from src.schemas.base import In, Out


class Asked(Out):
    """The next page says what happened, also after the browser has loaded it again."""


def ask(ctx: SlowContext[None], body: ForgottenPassword) -> Asked:
    passwords.forgot(ctx, body)
    return Asked()


class Link(In):
    """The query of the mail's link. Whoever has only the token opens the page without it, and types it."""

    token: str = ""


@dataclass(frozen=True)
class ChoosePassword:
    """The page of the new password; `is_dead` says that this token works no longer, or never did."""

    token: str
    is_dead: bool


def choose(ctx: Context[Caller | None], query: Link) -> ChoosePassword:
    is_dead = bool(query.token) and resets.find(ctx.db, query.token, ctx.now) is None
    return ChoosePassword(query.token, is_dead)

"""The second page of a log-in, which asks for the code of the second factor."""

from __future__ import annotations

from dataclasses import dataclass

from src.context import Caller, Context, SlowContext
from src.controllers import auth_controller as auth
from src.controllers.second_step import take_second_step
from src.errors_of_accounts import PasswordTypedTooLongAgo
from src.pages.log_in import ComesBack, LoggedIn, come_back
from src.pages.views import Goto
from src.repositories import user_repository as users
from src.schemas.fields import Flag
from src.schemas.second_factor import OneTimeCode
from src.utils.password_proof import proven_account


class Code(OneTimeCode, ComesBack):
    """What the page sends."""


class CodeWanted(ComesBack):
    """Which code the page asks for: phones show digits alone for the app's."""

    recovery: Flag = False


@dataclass(frozen=True)
class SecondStep:
    """The page of the code; `is_over` says that the password must be typed again."""

    next: str
    by_recovery_code: bool
    is_over: bool


def ask(ctx: Context[Caller | None], query: CodeWanted, proof: str) -> SecondStep | Goto:
    if ctx.actor is not None:
        return Goto(query.path)
    return SecondStep(query.path, query.recovery, proven_account(proof, ctx.now, ctx.settings) is None)


def log_in(ctx: SlowContext[None], body: Code, proof: str) -> LoggedIn:
    """Log in with the code; raise PasswordTypedTooLongAgo without a proof that the password was right."""
    proven = proven_account(proof, ctx.now, ctx.settings)
    if proven is None:
        raise PasswordTypedTooLongAgo
    with ctx.transaction(writes=False) as db:
        account = users.find_at_epoch(db, *proven)
    if account is None:
        raise PasswordTypedTooLongAgo
    if account.second_factor_at is not None:
        take_second_step(ctx, account, body.otp)
    return come_back(ctx, auth.access_token_of(ctx, account), body)

"""Log-in and registration, and the end of a patient's account.

A log-in comes back to the page that asked for it, with the chosen time held.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import orjson
from sqlalchemy import Row

from config import Settings
from src.context import Caller, Context, Patient, SlowContext
from src.controllers import auth_controller as auth
from src.controllers import export_controller as exports
from src.controllers import hold_controller as holds
from src.controllers import patient_controller as patients
from src.domain.second_factor import lacks_second_factor
from src.errors import ClinicError
from src.pages.languages import Language
from src.pages.views import Download, Goto
from src.repositories import user_repository as users
from src.schemas.auth import AccessToken, Credentials, Registration
from src.schemas.base import In, Out
from src.schemas.fields import Email, Name, NewPassword, OneLine
from src.schemas.hold import NewHold
from src.utils.password_proof import prove_password
from src.utils.security import read_token

HOME = "/home"
SECOND_STEP = "/log-in/code"
MINUTES_HELD = 10
_PATH = re.compile(r"/(?![/\\])[!-\[\]-~]*")
_CHOSEN_TIME = re.compile(r"/book/[0-9]{1,19}/([0-9]{1,19})")


class ComesBack(In):
    """Where to go afterwards: a path of ours, or else the first page of the role."""

    next: str = HOME

    @property
    def path(self) -> str:
        return self.next if _PATH.fullmatch(self.next) else HOME


class LogIn(Credentials, ComesBack):
    """What the page of the log-in sends."""


class NewAccount(ComesBack):
    """What the page of the registration sends; an invitation code is what makes a doctor."""

    name: Name
    email: Email
    password: NewPassword
    invitation_code: OneLine | None = None

    def registration(self) -> Registration:
        role = "doctor" if self.invitation_code else "patient"
        return Registration(role=role, **self.model_dump(exclude={"next"}))


class LoggedIn(Out):
    """A session begins, and the browser goes on to `next`.

    Without a token, `proof` says that the password was right, and `next` asks for the code of the second factor.
    """

    access_token: str | None
    next: str
    proof: str = ""


@dataclass(frozen=True)
class Entrance:
    """The page of a log-in or registration; `next` is where the reader comes back to.

    `is_booking` says that a chosen time waits there.
    """

    next: str
    is_booking: bool


def entrance(ctx: Context[Caller | None], query: ComesBack) -> Entrance | Goto:
    if ctx.actor is not None:
        return Goto(query.path)
    return Entrance(query.path, _CHOSEN_TIME.fullmatch(query.path) is not None)


def log_in(ctx: SlowContext[None], body: LogIn) -> LoggedIn:
    account = auth.check_password(ctx, body)
    if account.second_factor_at is None:
        return come_back(ctx, auth.access_token_of(ctx, account), body)
    proof = prove_password(account.id, account.token_epoch, ctx.now, ctx.settings)
    return LoggedIn(access_token=None, next=f"{SECOND_STEP}?{urlencode({'next': body.path})}", proof=proof)


def register(ctx: SlowContext[None], body: NewAccount) -> LoggedIn:
    auth.register(ctx, body.registration())
    credentials = Credentials.model_validate({"email": body.email, "password": body.password})
    return come_back(ctx, auth.log_in(ctx, credentials), body)


def come_back(ctx: SlowContext[None], token: AccessToken, wanted: ComesBack) -> LoggedIn:
    """Go on to the page that asked for the log-in, with the chosen time held."""
    chosen = _CHOSEN_TIME.fullmatch(wanted.path)
    if chosen is not None:
        _hold(ctx, token.access_token, int(chosen[1]))
    return LoggedIn(access_token=token.access_token, next=wanted.path)


def _hold(ctx: SlowContext[None], token: str, slot_id: int) -> None:
    """Hold the chosen time while its patient reads the page that confirms it, which says so if it has gone."""
    claims = read_token(token, ctx.settings)
    try:
        with ctx.transaction(writes=True) as db:
            account = users.find_caller(db, claims.user_id, claims.epoch, claims.session)
            if account is not None and account.role == "patient" and not _lacks_second_factor(account, ctx.settings):
                patient = users.patient_of(claims, account)
                time = NewHold(slot_id=slot_id, minutes=MINUTES_HELD)
                holds.hold(Context(db, ctx.now, patient, ctx.settings), time)
    except ClinicError:
        return


def _lacks_second_factor(account: Row[Any], settings: Settings) -> bool:
    required = settings.second_factor_required
    return lacks_second_factor(account.role, required, has_factor=account.has_second_factor)


def home(ctx: Context[Caller]) -> Goto:
    return Goto("/desk" if ctx.actor.role == "doctor" else "/my")


@dataclass(frozen=True)
class Nothing:
    """A page whose template needs nothing else."""


def nothing(ctx: Context[Caller | None]) -> Nothing:  # noqa: ARG001 - every page is given the context
    return Nothing()


@dataclass(frozen=True)
class Leaving:
    """How many appointments ahead would be cancelled."""

    booked: int


def leave(ctx: Context[Patient]) -> Leaving:
    return Leaving(patients.dashboard(ctx).appointments_ahead)


def export(ctx: Context[Caller]) -> Download:
    document = orjson.dumps(exports.export(ctx).members(), default=vars, option=orjson.OPT_INDENT_2)

    def write(_: Language) -> bytes:
        return document

    return Download("my-data.json", "application/json", write)

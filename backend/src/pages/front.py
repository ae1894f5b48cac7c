"""The front page, where demo data lets anybody become a patient or a doctor, and the outbox of a development server."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from config import Settings
from src.context import Caller, Context, SlowContext
from src.controllers import service_controller as service
from src.controllers import session_tokens
from src.controllers.session_tokens import Account
from src.errors_of_accounts import NoDemo
from src.pages.log_in import HOME, LoggedIn
from src.repositories import user_repository as users
from src.schemas.base import In
from src.schemas.fields import Email, email_key
from src.schemas.service import DevelopmentOutbox
from src.settings.urls import is_loopback
from src.tasks import demo


@dataclass(frozen=True)
class DemoPerson:
    """Somebody of the demo data; `about` is a doctor's specialization."""

    name: str
    email: str
    about: str = ""


@dataclass(frozen=True)
class Welcome:
    """Whom one can become by one click: nobody, unless there is demo data."""

    patients: list[DemoPerson]
    doctors: list[DemoPerson]


PATIENTS = [DemoPerson(name, email) for name, email in demo.PATIENTS]
DOCTORS = [DemoPerson(f"{each.designation} {each.name}", each.email, each.specialization) for each in demo.DOCTORS]
EMAILS = {person.email for person in PATIENTS + DOCTORS}


def welcome(ctx: Context[Caller | None]) -> Welcome:
    return Welcome(PATIENTS, DOCTORS) if _has_demo(ctx.db, ctx.settings) else Welcome([], [])


class DemoLogIn(In):
    """Whom to become."""

    email: Email


def become(ctx: SlowContext[None], body: DemoLogIn) -> LoggedIn:
    """Log in as somebody of the demo data, without the password, which everybody knows; raise NoDemo."""
    with ctx.transaction(writes=False) as db:
        if not (_has_demo(db, ctx.settings) and is_loopback(ctx.address) and body.email in EMAILS):
            raise NoDemo
        account = users.find_by_email_key(db, email_key(body.email))
    if account is None or account.disabled_at is not None:
        raise NoDemo
    session = Account(account.id, account.role, account.token_epoch)
    return LoggedIn(**session_tokens.begin(ctx, session, refresh=False), next=HOME)


def _has_demo(db: Connection, settings: Settings) -> bool:
    """Return whether demo data filled the embedded database of a development server."""
    return settings.database_is_sqlite and not settings.is_production and demo.is_marked(db)


def outbox(ctx: Context[Caller | None]) -> DevelopmentOutbox:
    return service.development_outbox(Context(ctx.db, ctx.now, None, ctx.settings))

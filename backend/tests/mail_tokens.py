"""Tokens of mails: of people who have forgotten their passwords, and of addresses that wait to be confirmed."""

from __future__ import annotations

from apiflask import APIFlask
from sqlalchemy import select

from config import Settings
from src.database.transaction import transaction
from src.models import OutboxMail
from src.models.outbox_mail import SECRET_KINDS
from src.repositories import email_confirmation_repository as confirmations
from src.repositories import guest_repository as guests
from src.repositories import password_reset_repository as resets
from src.schemas.fields import email_key
from src.schemas.guest import Guest
from src.utils.security import mail_token
from tests.people import Person


def reset_token_of(app: APIFlask, person: Person) -> str:
    """Ask for a mail, whatever the limits on such mails are, and return its token."""
    settings: Settings = app.extensions["settings"]
    with app.app_context(), transaction(writes=True) as db:
        assert resets.ask(db, email_key(person.email), app.extensions["clock"](), settings) == person.id
    return newest_token(app)


def confirmation_token_of(app: APIFlask, person: Person, new: str | None = None, epoch: int = 0) -> str:
    """Ask for a mail that confirms the address of a person, or a new one, and return its token."""
    who = (person.id, epoch)
    what = (app.extensions["clock"](), app.extensions["settings"])
    with app.app_context(), transaction(writes=True) as db:
        if new is None:
            confirmations.ask(db, *who, person.email, *what)
        else:
            confirmations.ask_for_change(db, *who, person.email, new, *what)
    return newest_token(app)


def guest_token_of(app: APIFlask, email: str) -> str:
    """Ask for the mail of a guest, whatever the limits on such mails are, and return its token."""
    now, settings = app.extensions["clock"](), app.extensions["settings"]
    guest = Guest(name="Ada Sample", email=email)
    with app.app_context(), transaction(writes=True) as db:
        guests.add(db, guest, "no hash", now)
        guests.ask(db, email_key(email), "", now, settings)
    return newest_token(app)


def newest_token(app: APIFlask) -> str:
    """Return the token of the newest mail in the outbox that has one, as the worker derives it."""
    with_token = select(OutboxMail.about).where(OutboxMail.template.in_(SECRET_KINDS))
    with app.app_context(), transaction(writes=False) as db:
        about = db.scalars(with_token.order_by(OutboxMail.id.desc()).limit(1)).one()
    return mail_token(about, app.extensions["settings"])

"""Tokens of people who have forgotten their passwords."""

from __future__ import annotations

from apiflask import APIFlask
from sqlalchemy import select

from config import Settings
from src.database.transaction import transaction
from src.models import OutboxMail
from src.repositories import password_reset_repository as resets
from src.schemas.fields import email_key
from src.utils.security import mail_token
from tests.people import Person


def reset_token_of(app: APIFlask, person: Person) -> str:
    """Ask for a mail, whatever the limits on such mails are, and return its token."""
    settings: Settings = app.extensions["settings"]
    with app.app_context(), transaction(writes=True) as db:
        assert resets.ask(db, email_key(person.email), app.extensions["clock"](), settings) == person.id
    return newest_token(app)


def newest_token(app: APIFlask) -> str:
    """Return the token of the newest mail in the outbox, as the worker derives it."""
    with app.app_context(), transaction(writes=False) as db:
        about = db.scalars(select(OutboxMail.about).order_by(OutboxMail.id.desc()).limit(1)).one()
    return mail_token(about, app.extensions["settings"])

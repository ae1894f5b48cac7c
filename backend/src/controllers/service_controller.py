"""The front page, health checks, and the development outbox."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from config import Settings
from src import __version__
from src.context import Context, SlowContext
from src.database.revisions import newest_revision
from src.draining import is_draining
from src.errors_of_service import DatabaseBehind, DatabaseNotMigrated, DatabaseReadOnly, GoingDown
from src.repositories import health_repository
from src.repositories import outbox_repository as outbox
from src.schemas.service import DevelopmentMail, DevelopmentOutbox, Health, Home, Readiness
from src.services.rendering import readable_mail
from src.utils.decorators import raises

NEWEST_MAILS = 200


def home(ctx: SlowContext[None]) -> Home:
    """Say where to go from the front door."""
    return Home(
        name="Appointment Booking System",
        version=__version__,
        documentation=f"{ctx.prefix}/docs",
        openapi=f"{ctx.prefix}/openapi.json",
        health=f"{ctx.prefix}/health",
    )


@raises(DatabaseNotMigrated)
def health(ctx: Context[None]) -> Health:
    """Check that the database answers and has its tables."""
    revision = health_repository.schema_revision(ctx.db)
    if revision is None:
        raise DatabaseNotMigrated
    return Health(status="ok", checks={"database": "ok", "migrations": revision})


def live(ctx: SlowContext[None]) -> Health:  # noqa: ARG001 - every controller is given the context
    """Say that the process answers, whatever the database does."""
    return Health(status="ok", checks={"process": "ok"})


@raises(DatabaseNotMigrated, DatabaseBehind, DatabaseReadOnly, GoingDown)
def ready(ctx: Context[None]) -> Readiness:
    """Check that requests can be served: the database answers, is migrated and accepts changes; tell mails' waiting."""
    if is_draining():
        raise GoingDown
    revision = health_repository.schema_revision(ctx.db)
    if revision is None:
        raise DatabaseNotMigrated
    # A newer revision is fine: in an update, the next version's migrations run before this version stops.
    if revision < newest_revision():
        raise DatabaseBehind
    if not health_repository.accepts_changes(ctx.db):
        raise DatabaseReadOnly
    due_since = outbox.longest_due(ctx.db, ctx.now)
    return Readiness(
        status="ok",
        checks={"database": "ok", "migrations": revision},
        oldest_unsent_mail_seconds=(ctx.now - due_since).total_seconds() if due_since else None,
    )


def development_outbox(ctx: Context[None]) -> DevelopmentOutbox:
    """Show the newest mails as they were, or would have been, sent. Not there in production."""
    return DevelopmentOutbox(data=[_shown(row, ctx.settings) for row in outbox.newest(ctx.db, NEWEST_MAILS)])


def _shown(row: Row[Any], settings: Settings) -> DevelopmentMail:
    mail = readable_mail(row, settings, with_secrets=True)
    return DevelopmentMail(
        id=row.id,
        to=row.recipient,
        reply_to=mail.reply_to,
        subject=mail.subject,
        text=mail.text,
        html=mail.html,
        created_at=row.created_at.isoformat(),
        sent_at=row.sent_at.isoformat() if row.sent_at else None,
    )

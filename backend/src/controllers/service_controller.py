"""The service about itself: front door, health, and the development outbox."""

from __future__ import annotations

from src import __version__
from src.context import Context, Unhurried
from src.errors import DatabaseNotMigrated, raises
from src.repositories import health_repository
from src.repositories import outbox_repository as outbox
from src.schemas.service import DevelopmentMail, DevelopmentOutbox, Health, Home

NEWEST_MAILS = 200


def home(ctx: Unhurried[None]) -> Home:  # noqa: ARG001 - every controller is given the context
    """Say where to go from the front door."""
    return Home(
        name="Appointment Booking System",
        version=__version__,
        documentation="/docs",
        openapi="/openapi.json",
        health="/health",
    )


@raises(DatabaseNotMigrated)
def health(ctx: Context[None]) -> Health:
    """Check that the database answers and has its tables."""
    revision = health_repository.schema_revision(ctx.db)
    if revision is None:
        raise DatabaseNotMigrated
    return Health(status="ok", checks={"database": "ok", "migrations": revision})


def development_outbox(ctx: Context[None]) -> DevelopmentOutbox:
    """Show the newest mails as they were, or would have been, sent. Not there in production."""
    return DevelopmentOutbox(
        data=[
            DevelopmentMail(
                id=mail.id,
                to=mail.recipient,
                subject=mail.subject,
                text=mail.text,
                html=mail.html,
                created_at=mail.created_at.isoformat(),
                sent_at=mail.sent_at.isoformat() if mail.sent_at else None,
            )
            for mail in outbox.newest(ctx.db, NEWEST_MAILS)
        ]
    )

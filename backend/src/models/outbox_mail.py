"""Mails that must go out exactly once."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, FetchedValue, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from src.models.base import Base, Id, word

WAITING = word("waiting")


class OutboxMail(Base):
    """One mail of a kind to one recipient about one thing, such as an event of an appointment.

    It is written as `template`, its kind, and `facts`, what was true when it was written, and rendered by the worker
    that first claims it; from then on it stays as rendered, because a provider refuses the same key with another text.

    `waiting` ones are sent from `due_at` on; claiming one moves `due_at` past the lease, so that a worker killed in
    between delays the mail and loses nothing. `sent`, `dropped` (too late to be of use) and `set_aside` (an operator
    must look) are final; `flask outbox retry` makes a mail that was set aside due again.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        CheckConstraint("status IN ('waiting', 'sent', 'dropped', 'set_aside')", name="status"),
        CheckConstraint("text IS NOT NULL OR (template IS NOT NULL AND facts IS NOT NULL)", name="has_content"),
        UniqueConstraint("key"),
        Index(
            "uq_outbox_about",
            "about",
            "recipient_id",
            "template",
            unique=True,
            # Mails that were finished before migration 0008 have an empty text here.
            postgresql_where=text("about <> ''"),
            sqlite_where=text("about <> ''"),
        ),
        Index(
            "ix_outbox_waiting",
            "due_at",
            "id",
            postgresql_where=text("status = 'waiting'"),
            sqlite_where=text("status = 'waiting'"),
        ),
        # For the search of a claim for earlier mails to the same person about the same appointment.
        Index(
            "ix_outbox_waiting_in_order",
            "appointment_id",
            "recipient_id",
            "id",
            postgresql_where=text("status = 'waiting'"),
            sqlite_where=text("status = 'waiting'"),
        ),
        Index("ix_outbox_recipient", "recipient_id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    # The idempotency key that every attempt gives to the provider.
    key: Mapped[str] = mapped_column(String(36))
    # What the mail is about, as its writer words it: the same text whenever the writer would write the same mail again.
    # The default is random, for the version before 0008, which does not know the column and writes one mail of an event
    # anyway.
    about: Mapped[str] = mapped_column(Text, FetchedValue())
    # NULL where the mail is about something else. Mails about one appointment to one person go in their order.
    event_id: Mapped[int | None] = mapped_column(ForeignKey("appointment_events.id"))
    appointment_id: Mapped[int | None] = mapped_column(ForeignKey("appointments.id"))
    recipient_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    # NULL once the recipient's account is deleted and the mail is finished.
    recipient: Mapped[str | None] = mapped_column(String(320))
    # The kind of the mail, a word of src/services/rendering.py, and what it says. A new kind is a new word: a worker of
    # the version before leaves mails of unknown kinds to a newer one. NULL in mails from before migration 0004.
    template: Mapped[str | None] = mapped_column(String(32))
    facts: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    # NULL until it is rendered.
    subject: Mapped[str | None] = mapped_column(Text)
    text: Mapped[str | None] = mapped_column(Text)
    html: Mapped[str | None] = mapped_column(Text)
    status: Mapped[str] = mapped_column(String(16), server_default="waiting")
    due_at: Mapped[datetime]
    # After this instant the mail is of no use any more; NULL means it always is.
    useless_after: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(server_default="0")
    last_error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]

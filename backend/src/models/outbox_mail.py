"""Mails that must go out exactly once."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from src.models.base import Base, Id, word

WAITING = word("waiting")


class OutboxMail(Base):
    """One mail to one recipient for one event.

    It is written as `template` and `facts`, what was true at the event, and rendered by the worker that first claims
    it; from then on it stays as rendered, because a provider refuses the same key with another text.

    `waiting` ones are sent from `due_at` on; claiming one moves `due_at` past the lease, so that a worker killed in
    between delays the mail and loses nothing. `sent`, `dropped` (too late to be of use) and `set_aside` (an operator
    must look) are final until somebody says otherwise.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        CheckConstraint("status IN ('waiting', 'sent', 'dropped', 'set_aside')", name="status"),
        CheckConstraint("text IS NOT NULL OR (template IS NOT NULL AND facts IS NOT NULL)", name="has_content"),
        UniqueConstraint("event_id", "recipient_id"),
        UniqueConstraint("key"),
        Index(
            "ix_outbox_waiting",
            "due_at",
            "id",
            postgresql_where=text("status = 'waiting'"),
            sqlite_where=text("status = 'waiting'"),
        ),
        # "Is an earlier mail to this person on this appointment still waiting?"
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
    # Goes to the provider as idempotency key with every attempt, for ever the same.
    key: Mapped[str] = mapped_column(String(36))
    event_id: Mapped[int] = mapped_column(ForeignKey("appointment_events.id"))
    appointment_id: Mapped[int] = mapped_column(ForeignKey("appointments.id"))
    recipient_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    # NULL once it is scrubbed, after the recipient's account has gone.
    recipient: Mapped[str | None] = mapped_column(String(320))
    # Which mail it is, and what it says, as src/services/appointment_mails.py knows them.
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

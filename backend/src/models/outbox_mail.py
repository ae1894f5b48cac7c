"""The outbox: transactions write mails into it, and the worker sends them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, FetchedValue, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from src.models.base import Base, Id, state_literal

WAITING = state_literal("waiting")

PASSWORD_RESET = "password_reset"  # noqa: S105 - a kind of mail
PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a kind of mail
SECOND_FACTOR_CHANGED = "second_factor_changed"
EMAIL_CONFIRMATION = "email_confirmation"
EMAIL_CHANGE_NOTICE = "email_change_notice"
GUEST_LINK = "guest_link"
# The text of these kinds contains a secret: it is erased as soon as the mail no longer waits, and no command shows it.
SECRET_KINDS = frozenset({PASSWORD_RESET, EMAIL_CONFIRMATION, GUEST_LINK})


class OutboxMail(Base):
    """One mail of one kind to one recipient about one thing, such as an event of an appointment.

    A transaction writes `template`, the kind, and `facts`, what was true at that time. The worker that first claims the
    mail renders it and stores the text. Later attempts send the stored text, because a provider refuses another text
    under the same key.

    A `waiting` mail is sent from `due_at` on. A claim sets `due_at` to the end of the lease: if the worker is killed,
    another one claims the mail after that. `sent`, `dropped` (too late to be of use) and `set_aside` are final, but
    `flask outbox retry` makes a mail that was set aside wait again.
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
            # On PostgreSQL, `about` is empty in mails that were finished before migration 0008.
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
        # For the claim, which asks: is an earlier mail to this person about this appointment still waiting?
        Index(
            "ix_outbox_waiting_in_order",
            "appointment_id",
            "recipient_id",
            "id",
            postgresql_where=text("status = 'waiting'"),
            sqlite_where=text("status = 'waiting'"),
        ),
        Index(
            "ix_outbox_batch",
            "batch_key",
            "id",
            postgresql_where=text("batch_key IS NOT NULL"),
            sqlite_where=text("batch_key IS NOT NULL"),
        ),
        Index("ix_outbox_recipient", "recipient_id"),
        # For the foreign key: without it, the deletion of a hold reads all mails.
        Index("ix_outbox_appointment", "appointment_id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    # The idempotency key of every attempt that sends this mail alone; it never changes.
    key: Mapped[str] = mapped_column(String(36))
    # The batch that the mail was sent in, and its place there. Both are written before the first attempt and are NULL
    # again once the provider has answered. A mail that has a text and no batch goes alone.
    batch_key: Mapped[str | None] = mapped_column(String(36))
    batch_position: Mapped[int | None]
    # A text that names the thing, such as an event. Whoever writes the same mail again builds the same text, and the
    # unique index refuses it. The database's default is a random text, for servers from before migration 0008: they do
    # not set this column, and write only one mail to each recipient of an event anyway.
    about: Mapped[str] = mapped_column(Text, FetchedValue())
    # Both are NULL in a mail that is not about an appointment. Mails to one person about one appointment are sent in
    # the order of their ids.
    event_id: Mapped[int | None] = mapped_column(ForeignKey("appointment_events.id"))
    appointment_id: Mapped[int | None] = mapped_column(ForeignKey("appointments.id"))
    recipient_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    # The e-mail address; NULL once the recipient's account is deleted and the mail is finished.
    recipient: Mapped[str | None] = mapped_column(String(320))
    # The kind, a key of RENDERERS in src/services/rendering.py, and the facts to render. Give a new kind a new name: a
    # worker of an older version leaves mails of kinds that it does not know to a newer worker. Both are NULL in mails
    # from before migration 0004.
    template: Mapped[str | None] = mapped_column(String(32))
    facts: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    # NULL until it is rendered. In mails of SECRET_KINDS, text and HTML are NULL again once the mail no longer waits.
    subject: Mapped[str | None] = mapped_column(Text)
    text: Mapped[str | None] = mapped_column(Text)
    html: Mapped[str | None] = mapped_column(Text)
    # Where replies go; stored with the text, because a provider compares it too.
    reply_to: Mapped[str | None] = mapped_column(String(320))
    status: Mapped[str] = mapped_column(String(16), server_default="waiting")
    due_at: Mapped[datetime]
    # `due_at` before the first claim; NULL until then. For the age of mails that do not go out.
    first_due_at: Mapped[datetime | None]
    # From this instant on the worker drops the mail instead of sending it; NULL means never.
    useless_after: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(server_default="0")
    last_error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]

"""Accounts of doctors and patients."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from src.models.base import Base, Id

# The name of every patient who has left.
FORMER_PATIENT = "A former patient"


class User(Base):
    """An account. Deleting it keeps the row, because other people's history refers to it.

    A doctor who leaves keeps the name there; a patient gets another one, FORMER_PATIENT.
    """

    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint("role IN ('doctor', 'patient')", name="role"),
        CheckConstraint(
            "(deleted_at IS NULL) = (email IS NOT NULL)"
            " AND (deleted_at IS NULL) = (email_key IS NOT NULL)"
            " AND (deleted_at IS NULL) = (password_hash IS NOT NULL)",
            name="erased_when_deleted",
        ),
        Index(
            "ix_users_unconfirmed_guests",
            "guest_since",
            postgresql_where=text("guest_since IS NOT NULL AND email_confirmed_at IS NULL"),
            sqlite_where=text("guest_since IS NOT NULL AND email_confirmed_at IS NULL"),
        ),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    email: Mapped[str | None] = mapped_column(String(320))
    # The address in one letter case. Not an index on lower(), because SQLite's lower() changes ASCII letters only.
    email_key: Mapped[str | None] = mapped_column(String(640), unique=True)
    # When somebody has proven to read the mails to this address; NULL if nobody ever was asked to.
    email_confirmed_at: Mapped[datetime | None]
    # In the form of E.164, such as "+493023125123".
    phone: Mapped[str | None] = mapped_column(String(20))
    # The code of one of the languages of the pages.
    language: Mapped[str | None] = mapped_column(String(16))
    # A patient's own zone, an IANA name. A doctor's zone is in the profile, because the hours are on its clocks.
    own_time_zone: Mapped[str | None] = mapped_column(String(64))
    # Of a guest, it is the hash of a password that nobody knows.
    password_hash: Mapped[str | None] = mapped_column(String(512))
    # When this guest last asked for a mail before one was used; NULL in all others, and once a password is chosen.
    guest_since: Mapped[datetime | None]
    role: Mapped[str] = mapped_column(String(16))
    # Each token contains the epoch in which it was issued; raising the epoch ends every session of the account.
    token_epoch: Mapped[int] = mapped_column(server_default="0")
    created_at: Mapped[datetime]
    # Since when a log-in needs a second factor.
    second_factor_at: Mapped[datetime | None]
    # The id of its set-up, from which its secret follows. Without `second_factor_at` the set-up is not confirmed yet.
    second_factor_id: Mapped[str | None] = mapped_column(String(64))
    # The time step of the last code that was taken: each code works once.
    second_factor_step: Mapped[int | None] = mapped_column(BigInteger)
    disabled_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]

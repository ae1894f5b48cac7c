"""Sessions that were ended before their tokens expire."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from src.database.statements import delete_unlocked, insert_unless_conflict
from src.models import RevokedToken


def end(db: Connection, session: str, expires_at: datetime) -> None:
    """End a session whose last token expires then; a second call changes nothing."""
    insert_unless_conflict(db, RevokedToken, jti=session, expires_at=expires_at)


def purge_expired_before(db: Connection, instant: datetime) -> None:
    """Delete revoked tokens that expired before the instant. Tokens that expired long enough ago are refused anyway."""
    db.execute(delete_unlocked(RevokedToken, RevokedToken.expires_at < instant))

"""Tokens that were logged out."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete

from src.database.statements import insert_unless_conflict
from src.models import RevokedToken


def revoke(db: Connection, jti: str, expires_at: datetime) -> None:
    """End one token; twice does no harm."""
    insert_unless_conflict(db, RevokedToken, jti=jti, expires_at=expires_at)


def purge_expired(db: Connection, now: datetime) -> None:
    """Delete the log-outs of tokens that have expired by themselves."""
    db.execute(delete(RevokedToken).where(RevokedToken.expires_at < now))

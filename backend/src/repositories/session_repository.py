"""Tokens that were logged out."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.orm import Session

from src.models import RevokedToken
from src.repositories.base import insert_or_ignore


def revoke(db: Session, jti: str, expires_at: datetime) -> None:
    """End one token; twice does no harm."""
    insert_or_ignore(db, RevokedToken, jti=jti, expires_at=expires_at)


def forget_expired(db: Session, now: datetime) -> None:
    """Drop what no longer needs remembering, because the tokens have expired by themselves."""
    db.execute(delete(RevokedToken).where(RevokedToken.expires_at < now))

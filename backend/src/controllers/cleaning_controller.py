"""The worker's second task: forget what need not be remembered any longer."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta

from sqlalchemy import Connection

from config import Settings
from src.repositories import attempt_repository as attempts
from src.repositories import idempotency_repository as answers
from src.repositories import session_repository as sessions

IDEMPOTENT_ANSWERS_KEPT = timedelta(hours=24)


def clean(transaction: Callable[..., AbstractContextManager[Connection]], now: datetime, settings: Settings) -> None:
    """Drop answers kept for 24 hours, windows of failed attempts that have ended, and log-outs of expired tokens."""
    with transaction(writes=True) as db:
        answers.forget_before(db, now - IDEMPOTENT_ANSWERS_KEPT)
        attempts.forget_before(db, now - timedelta(minutes=settings.throttle_window_minutes))
        sessions.forget_expired(db, now)

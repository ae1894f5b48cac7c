"""Failed attempts, counted in the database so that N workers do not allow N times as many."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import Connection, case, delete, select

from src.models import FailedAttempts
from src.repositories.base import insert_of


def failures_of(
    db: Connection, subjects: Collection[str], now: datetime, window: timedelta
) -> dict[str, tuple[int, datetime]]:
    """Return (failures, when the window began) by subject, for windows that still run."""
    query = select(FailedAttempts.subject, FailedAttempts.failures, FailedAttempts.window_began).where(
        FailedAttempts.subject.in_(subjects), FailedAttempts.window_began > now - window
    )
    return {row.subject: (row.failures, row.window_began) for row in db.execute(query)}


def count_failure(db: Connection, subject: str, now: datetime, window: timedelta) -> tuple[int, datetime]:
    """Count one more failure and return (failures, when the window began), in one atomic statement."""
    runs = FailedAttempts.window_began > now - window
    statement = (
        insert_of(db)(FailedAttempts)
        .values(subject=subject, window_began=now, failures=1)
        .on_conflict_do_update(
            index_elements=[FailedAttempts.subject],
            set_={
                "failures": case((runs, FailedAttempts.failures + 1), else_=1),
                "window_began": case((runs, FailedAttempts.window_began), else_=now),
            },
        )
        .returning(FailedAttempts.failures, FailedAttempts.window_began)
    )
    row = db.execute(statement).one()
    return row.failures, row.window_began


def forget_before(db: Connection, instant: datetime) -> None:
    """Drop windows that began before the instant."""
    db.execute(delete(FailedAttempts).where(FailedAttempts.window_began < instant))

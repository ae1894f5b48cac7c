"""Counts of failures and of what was asked for, and the refusal of what passes a limit.

The counts are in the database, so that all workers share them.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, case, delete, select

from config import Settings
from src.context import SlowContext
from src.database.statements import delete_unlocked, insert_of
from src.errors import Throttled
from src.models import FailedAttempts
from src.repositories.throttle_limits import Limit, log_in_limits

# In which REGISTRATIONS_PER_HOUR, PASSWORD_RESETS_PER_HOUR and CONFIRMATIONS_PER_HOUR count.
HOUR = timedelta(hours=1)


def check(db: Connection, ctx: SlowContext[Any], limits: Iterable[Limit]) -> None:
    """Raise Throttled where a limit is reached, until the last of these windows ends."""
    limit_of = {limit.subject: limit for limit in limits}
    reached: list[int] = []
    for subject, (failures, began) in _failures_of(db, limit_of).items():
        window = limit_of[subject].window or _window(ctx.settings)
        if failures >= limit_of[subject].failures and began > ctx.now - window:
            reached.append(_seconds_left(began, ctx.now, window))
    if reached:
        raise Throttled(max(reached))


def count_failure(ctx: SlowContext[Any], limits: Iterable[Limit]) -> None:
    """Count a failure against every limit; raise Throttled where concurrent failures have passed one.

    Beyond the limit the caller must not raise its own error, which would confirm that the guess was wrong.
    """
    _count_and_commit(ctx, limits, _window(ctx.settings))


def count_or_refuse(ctx: SlowContext[Any], limits: Iterable[Limit]) -> None:
    """Count something that was asked for against every limit within an hour; raise Throttled where one is passed."""
    _count_and_commit(ctx, limits, HOUR)


def count_asked(db: Connection, limits: Iterable[Limit], now: datetime) -> bool:
    """Count something that was asked for against every limit within an hour, and say whether all are kept."""
    return _count(db, limits, now, HOUR) is None


def count_success(db: Connection, limits: Iterable[Limit], now: datetime) -> None:
    """Count what the transaction does against every limit within an hour; raise Throttled where one is passed."""
    seconds_left = _count(db, limits, now, HOUR)
    if seconds_left is not None:
        raise Throttled(seconds_left)


def _count_and_commit(ctx: SlowContext[Any], limits: Iterable[Limit], window: timedelta) -> None:
    """Count in a transaction of its own, so that the refusal does not undo the count."""
    with ctx.transaction(writes=True) as db:
        seconds_left = _count(db, limits, ctx.now, window)
    if seconds_left is not None:
        raise Throttled(seconds_left)


def _count(db: Connection, limits: Iterable[Limit], now: datetime, window: timedelta) -> int | None:
    """Count against every limit; where some are passed, return in how many seconds the last of their windows ends."""
    passed: list[int] = []
    for limit in limits:
        lasts = limit.window or window
        count, began = _count_one(db, limit.subject, now, lasts)
        if count > limit.failures:
            passed.append(_seconds_left(began, now, lasts))
    return max(passed, default=None)


def forget_log_in_failures(db: Connection, settings: Settings, email_key: str, address: str) -> None:
    """Forget the failures of an account, from this network and from all together.

    One by one, in the order in which they are counted: transactions that lock in one order cannot deadlock.
    """
    for limit in log_in_limits(settings, email_key, address)[:-1]:
        db.execute(delete(FailedAttempts).where(FailedAttempts.subject == limit.subject))


def purge_before(db: Connection, instant: datetime) -> None:
    """Delete windows that began before the instant."""
    db.execute(delete_unlocked(FailedAttempts, FailedAttempts.window_began < instant))


def _window(settings: Settings) -> timedelta:
    return timedelta(minutes=settings.throttle_window_minutes)


def _seconds_left(began: datetime, now: datetime, window: timedelta) -> int:
    return max(1, math.ceil((began + window - now).total_seconds()))


def _failures_of(db: Connection, subjects: Collection[str]) -> dict[str, tuple[int, datetime]]:
    """Return (failures, when the window began) by subject, also for windows that have ended."""
    query = select(FailedAttempts.subject, FailedAttempts.failures, FailedAttempts.window_began).where(
        FailedAttempts.subject.in_(subjects)
    )
    return {row.subject: (row.failures, row.window_began) for row in db.execute(query)}


def _count_one(db: Connection, subject: str, now: datetime, window: timedelta) -> tuple[int, datetime]:
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

"""Instants as whole minutes since 2020-01-01T00:00Z, which are quick to compare and to store."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

EPOCH = datetime(2020, 1, 1, tzinfo=timezone.utc)
ONE_MINUTE = timedelta(minutes=1)
MINUTES_OF_DAY = 1440


def minute_of(instant: datetime) -> int:
    """Return the minute that the instant lies in; use it for begins."""
    return (instant - EPOCH) // ONE_MINUTE


def minute_after(instant: datetime) -> int:
    """Return the first minute that does not begin before the instant; use it for ends."""
    return -((EPOCH - instant) // ONE_MINUTE)


def instant_of_minute(minute: int) -> datetime:
    """Return the UTC instant at which the minute begins."""
    return EPOCH + minute * ONE_MINUTE


def time_of_day(minutes: int) -> str:
    """Return minutes since midnight as HH:MM, up to 24:00."""
    return f"{minutes // 60:02}:{minutes % 60:02}"


def minutes_of_day(text: str) -> int:
    """Return the minutes since midnight of HH:MM, up to 24:00."""
    return 60 * int(text[:2]) + int(text[3:])

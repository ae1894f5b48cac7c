"""Convert between a doctor's wall-clock time and the UTC instants in the database.

Time zone data comes from the `tzdata` package, never from the system, so that all machines use the same offsets.
"""

from __future__ import annotations

import zoneinfo
from datetime import date, datetime, time, timezone
from functools import cache
from zoneinfo import ZoneInfo

from src.errors_of_appointments import BadSlot

zoneinfo.reset_tzpath(to=())

UTC = timezone.utc


@cache
def time_zone_names() -> frozenset[str]:
    """Return the IANA names that a doctor may choose."""
    return frozenset(zoneinfo.available_timezones())


def instant_of(day: date, at: time, zone: str) -> datetime:
    """Return the UTC instant at which the clocks of `zone` show `at` on `day`.

    Raises BadSlot for a time that the clocks skip or show twice on that day (a gap or a fold in PEP 495): a guess
    could move the appointment by an hour.
    """
    wall = datetime.combine(day, at, ZoneInfo(zone))
    try:
        instant = wall.astimezone(UTC)
    except OverflowError:
        raise BadSlot(f"{day} is outside of the calendar.") from None
    if instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None) != wall.replace(tzinfo=None):
        raise BadSlot(f"{at:%H:%M} does not exist on {day} in {zone}: the clocks go forward past it that day.")
    if wall.replace(fold=1).utcoffset() != wall.utcoffset():
        raise BadSlot(
            f"{at:%H:%M} comes twice on {day} in {zone}: the clocks go back that day, so the time is ambiguous."
        )
    return instant


def local(instant: datetime, zone: str) -> datetime:
    """Return the instant in the time zone `zone`, with its offset."""
    return instant.astimezone(ZoneInfo(zone))


def day_bounds(now: datetime, zone: str) -> tuple[datetime, datetime]:
    """Return the UTC instants at which the day of `now` in `zone` begins and ends."""
    today = local(now, zone).date()
    midnight = datetime.combine(today, time(), ZoneInfo(zone))
    tomorrow = datetime.combine(date.fromordinal(today.toordinal() + 1), time(), ZoneInfo(zone))
    return midnight.astimezone(UTC), tomorrow.astimezone(UTC)

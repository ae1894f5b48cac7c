"""Convert between a doctor's wall-clock time and the UTC instants in the database."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone
from functools import lru_cache

from src.domain.minutes import ONE_MINUTE
from src.errors_of_appointments import BadSlot
from src.settings.time_zones import time_zone

UTC = timezone.utc
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
WALL_EPOCH = EPOCH.replace(tzinfo=None)
ONE_DAY = timedelta(days=1)
LONGEST_OVER_MIDNIGHT = timedelta(hours=12)
# Python's calendar ends some days beyond these, so that they exist in every zone and days can be added to them.
EARLIEST_DAY = date(2, 1, 1)
LATEST_DAY = date(9998, 12, 30)


def wall_span(day: date, start: time, end: timedelta) -> tuple[datetime, datetime]:
    """Return when a slot starts and ends on the wall clock, from the times that the doctor gave; raise BadSlot.

    `end` counts from the midnight before the slot, so 24 hours are the end of the day. Zero means the same. Another end
    before the start means the next day, if the clock then shows at most 12 hours more than at the start: a longer slot
    is more likely a mistake. The hours on the clock count, because these are what the doctor gave; in the night of a
    clock change the slot is an hour longer or shorter.
    """
    midnight = datetime.combine(day, time())
    wall_start = datetime.combine(day, start)
    try:
        wall_end = midnight + end
        if wall_end < wall_start:
            wall_end += ONE_DAY
    except OverflowError:
        raise _outside_of_calendar(day) from None
    if wall_end == wall_start:
        raise BadSlot("The end time must be after the start time.")
    if wall_end - midnight > ONE_DAY and wall_end - wall_start > LONGEST_OVER_MIDNIGHT:
        raise BadSlot("The end time must be after the start time, or at most 12 hours later on the next day.")
    return wall_start, wall_end


def instant_of(wall: datetime, zone: str) -> datetime:
    """Return the UTC instant at which the clocks of `zone` show `wall`.

    Raises BadSlot for a time that the clocks skip or show twice on that day (a gap or a fold in PEP 495): a guess
    could move the appointment by an hour.
    """
    instant = first_showing(wall, zone)
    aware = wall.replace(tzinfo=time_zone(zone))
    if aware.replace(fold=1).utcoffset() != aware.utcoffset():
        raise BadSlot(
            "{time} comes twice on {date} in {time_zone}: the clocks go back that day, so the time is ambiguous.",
            **_shown(wall, zone),
        )
    return instant


def first_showing(wall: datetime, zone: str) -> datetime:
    """Return the first UTC instant at which the clocks of `zone` show `wall`; raise BadSlot if they skip it."""
    try:
        instant = wall.replace(tzinfo=time_zone(zone)).astimezone(UTC)
    except OverflowError:
        raise _outside_of_calendar(wall.date()) from None
    if wall_clock(instant, zone) != wall:
        raise BadSlot(
            "{time} does not exist on {date} in {time_zone}: the clocks go forward past it that day.",
            **_shown(wall, zone),
        )
    return instant


def _shown(wall: datetime, zone: str) -> dict[str, str]:
    return {"time": f"{wall:%H:%M}", "date": str(wall.date()), "time_zone": zone}


def _outside_of_calendar(day: date) -> BadSlot:
    return BadSlot("{date} is outside of the calendar.", date=str(day))


def local(instant: datetime, zone: str) -> datetime:
    """Return the instant in the time zone `zone`, with its offset."""
    return instant.astimezone(time_zone(zone))


def wall_clock(instant: datetime, zone: str) -> datetime:
    """Return what the clocks of `zone` show at the instant, as a naive datetime."""
    return local(instant, zone).replace(tzinfo=None)


def wall_end(instant: datetime, zone: str) -> datetime:
    """Return the wall clock of an end: one minute after what the clocks of `zone` show in the last minute before it.

    It is not what they show at the instant if they change just then: hours until 03:00 end when 03:00 becomes 02:00.
    """
    return wall_clock(instant - ONE_MINUTE, zone) + ONE_MINUTE


def wall_stretch(starts_at: datetime, ends_at: datetime, zone: str) -> tuple[datetime, datetime]:
    """Return what the clocks of `zone` show at the start, and the wall clock after the latest minute that they show.

    That is the last minute, unless they go back meanwhile.
    """
    last = ends_at - ONE_MINUTE
    latest = wall_clock(last, zone)
    if local(last, zone).utcoffset() != local(starts_at, zone).utcoffset():
        length = (ends_at - starts_at) // ONE_MINUTE
        latest = max(wall_clock(starts_at + minute * ONE_MINUTE, zone) for minute in range(length))
    return wall_clock(starts_at, zone), latest + ONE_MINUTE


def with_offset(wall: datetime, instant: datetime) -> str:
    """Return the wall clock as RFC 3339, with the offset that makes it the instant, whatever a zone's rules say now."""
    # Two differences are faster than `instant.replace(tzinfo=None)`.
    return wall.isoformat() + _offset((wall - WALL_EPOCH) - (instant - EPOCH))


@lru_cache(maxsize=256)
def _offset(offset: timedelta) -> str:
    return EPOCH.replace(tzinfo=timezone(offset)).isoformat().removeprefix("1970-01-01T00:00:00")


def day_bounds(now: datetime, zone: str) -> tuple[datetime, datetime]:
    """Return the UTC instants at which the day of `now` in `zone` begins and ends."""
    today = local(now, zone).date()
    return first_instant(today, zone), first_instant(date.fromordinal(today.toordinal() + 1), zone)


def bounds_of_days(first: date, last: date, zone: str) -> tuple[datetime, datetime]:
    """Return the UTC instants at which the first day begins and the last one ends in `zone`.

    Days before EARLIEST_DAY count as that one, and days after LATEST_DAY as that one.
    """
    begin, end = (min(max(day, EARLIEST_DAY), LATEST_DAY) for day in (first, last))
    return first_instant(begin, zone), first_instant(end + ONE_DAY, zone)


def first_instant(day: date, zone: str) -> datetime:
    """Return the UTC instant at which the day begins in `zone`, also if the clocks skip midnight."""
    return datetime.combine(day, time(), time_zone(zone)).astimezone(UTC)

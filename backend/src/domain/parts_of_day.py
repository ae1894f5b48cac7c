"""Parts of the day, as people mean them: the hours of the wall clock, and when they are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time
from functools import lru_cache
from typing import Literal

from src.domain.minutes import minute_of
from src.domain.wall_clock import UTC
from src.settings.time_zones import time_zone

PartOfDay = Literal["morning", "afternoon", "evening"]
# The first and the last hour.
HOURS: dict[PartOfDay, tuple[int, int]] = {"morning": (0, 11), "afternoon": (12, 16), "evening": (17, 23)}
# Digits of a minute since 2020; all nines is later than every opening of a day.
DIGITS = 8


@lru_cache(maxsize=256)
def ends(zone: str, part: PartOfDay, first_day: date, last_day: date) -> str:
    """Return the minutes at which the part begins and ends on each of the days, eight digits each, one after another.

    A part at an end of the day has no limit there: what asks for it is of that day.
    """
    return "".join(_ends(zone, part, first_day, last_day))


def _ends(zone: str, part: PartOfDay, first_day: date, last_day: date) -> Iterator[str]:
    first, last = HOURS[part]
    for ordinal in range(first_day.toordinal(), last_day.toordinal() + 1):
        day = date.fromordinal(ordinal)
        yield "0" * DIGITS if first == 0 else _minute(day, first, zone)
        yield "9" * DIGITS if last == 23 else _minute(day, last + 1, zone)  # noqa: PLR2004 - the last hour of a day


def _minute(day: date, hour: int, zone: str) -> str:
    return f"{minute_of(datetime.combine(day, time(hour), time_zone(zone)).astimezone(UTC)):0{DIGITS}}"

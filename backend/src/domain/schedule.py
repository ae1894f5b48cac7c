"""A doctor's hours, exceptions and visit types together: the openings that follow, and what lies outside of them."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from src.domain.minutes import MINUTES_OF_DAY, minute_after, minute_of
from src.domain.openings import HoursException, Opening, WeeklyHours, openings
from src.domain.wall_clock import local, wall_stretch
from src.errors_of_hours import TooManyOpenings

# A change that makes or replaces so many takes about half a second of computing.
MOST_OPENINGS = 10_000


def last_day(today: date, horizon: int | None) -> date:
    """Return the last day for which there are openings, if visits can be booked this many days ahead at the most."""
    return today + timedelta(days=(horizon or 0) + 1)


@dataclass(frozen=True)
class Schedule:
    """What a doctor's openings follow from; `horizons` has the days of each visit type that is not retired."""

    zone: str
    now: datetime
    weekly: Sequence[WeeklyHours]
    exceptions: Sequence[HoursException]
    horizons: Mapping[int, int]

    @property
    def today(self) -> date:
        return local(self.now, self.zone).date()

    @property
    def last_day(self) -> date:
        """The last day for which there are openings."""
        return last_day(self.today, max(self.horizons.values(), default=None))

    def openings(self) -> list[Opening]:
        if not self.horizons:
            return []
        return openings(self.weekly, self.exceptions, self.horizons, self.zone, self.today, self.last_day)

    def check_size(self) -> None:
        """Raise TooManyOpenings if there may be so many that a change would take long."""
        weeks = (self.last_day - self.today).days // 7 + 1
        shown = len(self.weekly) * weeks + sum(self._days_of(exception) for exception in self.exceptions)
        # If some hours are for some visit types only, each type has openings of its own.
        is_for_some = any(row.visit_types is not None for row in (*self.weekly, *self.exceptions))
        if shown * (len(self.horizons) if is_for_some else 1) > MOST_OPENINGS:
            raise TooManyOpenings

    def _days_of(self, exception: HoursException) -> int:
        """Return on how many days the exception may make one more opening."""
        if exception.is_closed and (exception.from_time == 0 or exception.until_time == MINUTES_OF_DAY):
            return 0
        first, last = max(exception.first_day, self.today), min(exception.last_day, self.last_day)
        return max((last - first).days + 1, 0)

    def affected(self, booked: Sequence[Any]) -> list[Any]:
        """Return the appointments ahead that lie outside of the openings, or for a published slot, in a closure.

        Each has `starts_at`, `ends_at` and `visit_type_id`, which is None for a published slot.
        """
        inside = self._inside([row for row in booked if row.visit_type_id is not None])
        closed = [exception for exception in self.exceptions if exception.is_closed]
        return [
            row
            for row in booked
            if (self._is_closed(closed, row) if row.visit_type_id is None else not inside.has(row))
        ]

    def is_open_between(self, starts_at: datetime, ends_at: datetime) -> bool:
        """Return whether any of these minutes is in the hours, also if visits cannot be booked so far ahead yet."""
        first, last = sorted(local(at, self.zone).date() for at in (starts_at, ends_at))
        start, end = minute_of(starts_at), minute_after(ends_at)
        found = openings(self.weekly, self.exceptions, self.horizons, self.zone, first, last)
        return any(opening.from_minute < end and start < opening.until_minute for opening in found)

    def _inside(self, booked: Sequence[Any]) -> _Inside:
        """Return the openings up to the last appointment, also of visit types that are retired."""
        if not booked:
            return _Inside([])
        kinds = {row.visit_type_id for row in booked}
        until = local(max(row.starts_at for row in booked), self.zone).date()
        return _Inside(openings(self.weekly, self.exceptions, kinds, self.zone, self.today, until))

    def _is_closed(self, closed: Iterable[HoursException], row: Any) -> bool:
        start, end = wall_stretch(row.starts_at, row.ends_at, self.zone)
        return any(_overlaps(exception, start, end) for exception in closed)


class _Inside:
    """Finds the opening in which an appointment lies."""

    def __init__(self, found: Iterable[Opening]) -> None:
        self._of_type: dict[int | None, list[Opening]] = defaultdict(list)
        for opening in found:
            self._of_type[opening.visit_type_id].append(opening)
        self._begins = {kind: [opening.from_minute for opening in of] for kind, of in self._of_type.items()}

    def has(self, row: Any) -> bool:
        start, end = minute_of(row.starts_at), minute_after(row.ends_at)
        return any(self._lies_in(kind, start, end) for kind in (None, row.visit_type_id) if kind in self._begins)

    def _lies_in(self, kind: int | None, start: int, end: int) -> bool:
        at = bisect_right(self._begins[kind], start) - 1
        if at < 0:
            return False
        opening = self._of_type[kind][at]
        return start < opening.until_minute and end <= opening.runs_until


def _overlaps(exception: HoursException, start: datetime, end: datetime) -> bool:
    """Return whether the exception's hours on one of its days overlap this stretch of the wall clock."""
    for ordinal in range(start.toordinal(), end.toordinal() + 1):
        midnight = datetime.combine(date.fromordinal(ordinal), time())
        begins = midnight + timedelta(minutes=exception.from_time)
        ends = midnight + timedelta(minutes=exception.until_time)
        if exception.apply_on(midnight.date()) and begins < end and start < ends:
            return True
    return False

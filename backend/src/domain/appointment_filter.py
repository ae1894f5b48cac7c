"""Which appointments a list by start shows: those that start on given days, and those of one status."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from typing import NamedTuple

from src.domain.appointment_rules import LONGEST_SLOT, ShownStatus, shown_status

EARLIEST = datetime.min.replace(tzinfo=timezone.utc)
LATEST = datetime.max.replace(tzinfo=timezone.utc)
INSTANT = timedelta(microseconds=1)


class Place(NamedTuple):
    """A place in a list by start: after the appointment with this start and id."""

    starts_at: datetime
    id: int


@dataclass(frozen=True)
class AppointmentFilter:
    """The days `first` to `last`, on the wall clock of each appointment's own zone, and the status that is shown."""

    first: date | None = None
    last: date | None = None
    status: ShownStatus | None = None

    @property
    def stored_status(self) -> str | None:
        """The status that all matching rows have in the database; None if it may be any."""
        return self.status if self.status in {None, "cancelled"} else "booked"

    def starts(self, now: datetime) -> tuple[datetime, datetime]:
        """Return instants: all appointments that match start from the first on, and before the second.

        An index can find these. They are up to a day too early and too late, because the day depends on the zone;
        `matches` decides for each appointment.
        """
        begin, end = EARLIEST, LATEST
        # No zone is a day or more ahead of UTC, or behind it.
        if self.first is not None:
            begin = _midnight(max(self.first.toordinal() - 1, date.min.toordinal()))
        if self.last is not None:
            end = _midnight(min(self.last.toordinal() + 2, date.max.toordinal()))
        if self.status == "booked":
            begin = max(begin, now + INSTANT)
        elif self.status == "in_progress":
            begin, end = max(begin, now - LONGEST_SLOT), min(end, now + INSTANT)
        elif self.status == "completed":
            end = min(end, now)
        return begin, end

    def matches(self, status: str, starts_at: datetime, ends_at: datetime, wall_start: datetime, now: datetime) -> bool:
        if self.status is not None and shown_status(status, starts_at, ends_at, now) != self.status:
            return False
        day = wall_start.date()
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)


def _midnight(ordinal: int) -> datetime:
    return datetime.combine(date.fromordinal(ordinal), time(), timezone.utc)

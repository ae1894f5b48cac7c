"""Requests and answers about a doctor's schedule: all that is on some days."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from pydantic import Field, ValidationInfo, field_validator

from src.domain.minutes import instant_of_minute, minute_after, minute_of
from src.domain.wall_clock import local, wall_clock, with_offset
from src.schemas.appointment import DoctorsAppointment
from src.schemas.availability import span_of_minutes
from src.schemas.base import In, Out, WallClockSpan, wall_clock_span
from src.schemas.fields import WallDate, last_day
from src.schemas.findings import Wrong
from src.schemas.hours_exception import ExceptionOut
from src.schemas.published_slots import DoctorsSlot

MOST_DAYS = 62
USUAL_DAYS = 7


class DaysWanted(In):
    """Which days to show, in the doctor's time zone: without `from` and `until`, today and the six days after it."""

    from_: WallDate | None = Field(None, alias="from", description="the first day; null is today")
    until: WallDate | None = Field(
        None,
        description=f"the last day, included, at most {MOST_DAYS - 1} days after `from`, without which it cannot be"
        " given; null is the sixth day after the first",
    )

    @field_validator("until")
    @classmethod
    def _is_soon_after_from(cls, until: date | None, info: ValidationInfo) -> date | None:
        first = info.data.get("from_")
        last_day(until, first)
        if until is not None and first is None and "from_" in info.data:
            raise Wrong("without_from", "must not be given without from.")
        if until is not None and first is not None and (until - first).days >= MOST_DAYS:
            raise Wrong("too_long_after", "must be at most {days} days after from.", days=MOST_DAYS - 1)
        return until

    def days(self, now: datetime, zone: str) -> tuple[date, date]:
        """Return the first and the last day."""
        first = self.from_ or local(now, zone).date()
        usual = date.fromordinal(min(first.toordinal() + USUAL_DAYS - 1, date.max.toordinal()))
        return first, self.until or usual


class OpeningOut(WallClockSpan):
    """A stretch of time in which visits can begin."""

    visit_type_id: int | None = Field(description="the only visit type that it is for; null is all")
    place: str | None

    @staticmethod
    def of_row(row: Any, zone: str) -> dict[str, Any]:
        span = span_of_minutes(row.from_minute, row.until_minute - row.from_minute, zone)
        return {**span, "visit_type_id": row.visit_type_id, "place": row.place}


BUSY = Field(description="RFC 3339 with offset; what it takes of the doctor's time, buffers included")


class ScheduledAppointment(DoctorsAppointment):
    """A booked appointment, and what it takes of the doctor's time."""

    slot_id: int
    visit_type_id: int | None = Field(description="null for a published slot")
    busy_starts_at: str = BUSY
    busy_ends_at: str = BUSY

    @staticmethod
    def of_row(row: Any, now: datetime, notice: int = 0) -> dict[str, Any]:
        return {
            **DoctorsAppointment.of_row(row, now, notice),
            "slot_id": row.slot_id,
            "visit_type_id": row.visit_type_id,
            **_busy(row),
        }


class ScheduledHold(WallClockSpan):
    """A time that somebody holds until `held_until`, and what it takes of the doctor's time."""

    slot_id: int
    visit_type_id: int | None = Field(description="null for a published slot")
    held_until: str = Field(description="RFC 3339, UTC")
    busy_starts_at: str = BUSY
    busy_ends_at: str = BUSY

    @staticmethod
    def of_row(row: Any) -> dict[str, Any]:
        return {
            "slot_id": row.slot_id,
            "visit_type_id": row.visit_type_id,
            "held_until": row.held_until.isoformat(),
            **wall_clock_span(row.starts_at, row.ends_at, row.wall_start, row.wall_end, row.time_zone),
            **_busy(row),
        }


def _busy(row: Any) -> dict[str, str]:
    begin = minute_of(row.starts_at) if row.busy_from is None else row.busy_from
    end = minute_after(row.ends_at) if row.busy_until is None else row.busy_until
    begins, ends = instant_of_minute(begin), instant_of_minute(end)
    return {
        "busy_starts_at": with_offset(wall_clock(begins, row.time_zone), begins),
        "busy_ends_at": with_offset(wall_clock(ends, row.time_zone), ends),
    }


class DoctorsSchedule(Out):
    """All that overlaps the days from `from` to `until` in the doctor's time zone, each list by time."""

    time_zone: str
    from_: str = Field(alias="from", description="YYYY-MM-DD")
    until: str = Field(description="YYYY-MM-DD, included")
    openings: list[OpeningOut] = Field(
        description="the hours, less what is closed, as far ahead as visits can be booked; past ones are kept two days"
    )
    published_slots: list[DoctorsSlot] = Field(description="free and booked ones")
    appointments: list[ScheduledAppointment] = Field(description="booked ones, past ones too")
    holds: list[ScheduledHold] = Field(description="those that have not expired")
    closures: list[ExceptionOut] = Field(description="of the doctor and of the whole clinic, by the first day")

    @classmethod
    def of(cls, time_zone: str, days: tuple[date, date], **lists: Any) -> DoctorsSchedule:
        """Build the answer from lists of fields, without validation as `of_rows` does."""
        first, last = (day.isoformat() for day in days)
        return cls.model_construct(time_zone=time_zone, from_=first, until=last, **lists)

    def members(self) -> dict[str, Any]:
        values = dict(vars(self))
        return {"time_zone": values.pop("time_zone"), "from": values.pop("from_"), **values}

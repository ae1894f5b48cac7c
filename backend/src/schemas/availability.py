"""Requests and answers about slots."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Any, NamedTuple

from pydantic import BeforeValidator, Field, ValidationInfo, WithJsonSchema, field_validator
from sqlalchemy import Row

from src.domain.minutes import instant_of_minute, minute_of
from src.domain.wall_clock import first_instant
from src.schemas.base import In, Out, WallClockSpan, wall_clock_span
from src.schemas.fields import QueryId, QueryNumber, WallDate, WallEndTime, WallTime, last_day
from src.schemas.findings import Wrong

MOST_TIMES = 2000
# The day after it exists in every zone.
LAST_DAY = date(9998, 12, 30)


class NewSlot(In):
    """A slot to publish, on the wall clock of the doctor's time zone."""

    date: WallDate
    start_time: WallTime
    end_time: WallEndTime


class SlotPublished(Out):
    """The slot can be booked now."""

    message: str
    slot_id: int


class TimeCursor(NamedTuple):
    """Where a list of free times goes on: after the one with this start, a minute since 2020, and this id."""

    minute: int
    slot_id: int

    def __str__(self) -> str:
        return f"{self.minute}-{self.slot_id}"


_CURSOR = re.compile(r"([0-9]{1,8})-([0-9]{1,16})", re.ASCII)


def _cursor(value: object) -> TimeCursor:
    found = _CURSOR.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise Wrong("not_a_cursor", "must be the next_cursor of the page before.")
    return TimeCursor(int(found[1]), int(found[2]))


FreeCursor = Annotated[
    TimeCursor,
    BeforeValidator(_cursor),
    WithJsonSchema({"type": "string", "pattern": "^[0-9]{1,8}-[0-9]{1,16}$"}),
]


class FreeWanted(In):
    """Which free times to list.

    Without `visit_type`: the published slots, and the times of the doctor's default visit type. Of the latter, those of
    28 days, unless `until` says otherwise.
    """

    visit_type: QueryId | None = Field(None, description="only the times of the visit type with this id")
    from_: WallDate | None = Field(None, alias="from", description="the first day, in the doctor's time zone")
    until: WallDate | None = Field(None, description="the last day, included, in the doctor's time zone")
    limit: QueryNumber = Field(MOST_TIMES, ge=1, le=MOST_TIMES)
    cursor: FreeCursor | None = Field(
        None, description="`next_cursor` of the page before, with the same parameters; leave it out to begin"
    )

    @field_validator("until")
    @classmethod
    def _does_not_end_before_it_begins(cls, until: date | None, info: ValidationInfo) -> date | None:
        return last_day(until, info.data.get("from_"))

    def window(self, now: datetime, zone: str) -> tuple[int, int | None]:
        """Return the first minute, and the first that is too late, or None if `until` does not say."""
        begin = minute_of(now)
        if self.from_ is not None and self.from_ >= now.date():
            begin = max(begin, minute_of(first_instant(self.from_, zone)))
        if self.until is None:
            return begin, None
        return begin, minute_of(first_instant(min(self.until, LAST_DAY) + timedelta(days=1), zone))


class FreeSlot(WallClockSpan):
    """A published slot, or a time that follows from the doctor's hours, which can be booked."""

    slot_id: int
    visit_type_id: int | None = Field(description="null for a published slot")
    seats_left: int | None = Field(
        description="how many seats are free; the limit of the day may allow fewer. null if it is for one patient"
    )
    place: str | None

    @staticmethod
    def of_found(row: Row[Any]) -> dict[str, Any]:
        """Return the fields, from a row of the search of many doctors."""
        if row.visit_type_id is None:
            times = row.starts_at, row.ends_at, row.wall_start, row.wall_end, row.time_zone
            return {"slot_id": row.slot_id, **_published(*times)}
        return {
            "slot_id": row.slot_id,
            **span_of_minutes(row.minute, row.minutes, row.time_zone),
            "visit_type_id": row.visit_type_id,
            "seats_left": row.seats_left,
            "place": row.place,
        }

    @staticmethod
    def of_published(row: Sequence[Any]) -> dict[str, Any]:
        """Return the fields, from a row of the published slots, whose columns it takes by position: names are slow."""
        slot_id, starts_at, ends_at, wall_start, wall_end, zone, _ = row
        return {"slot_id": slot_id, **_published(starts_at, ends_at, wall_start, wall_end, zone)}

    @staticmethod
    def of_computed(row: Sequence[Any], clinic_zone: str) -> dict[str, Any]:
        """Return the fields, from a row of the computed times; `clinic_zone` is that of doctors who chose none."""
        minute, slot_id, minutes, visit_type_id, seats_left, place, zone = row
        span = span_of_minutes(minute, minutes, zone or clinic_zone)
        return {
            "slot_id": slot_id,
            **span,
            "visit_type_id": visit_type_id,
            "seats_left": seats_left,
            "place": place,
        }


@lru_cache(maxsize=8192)
def _published(*times: Any) -> Mapping[str, str | None]:
    return {**wall_clock_span(*times), "visit_type_id": None, "seats_left": None, "place": None}


@lru_cache(maxsize=8192)
def span_of_minutes(minute: int, minutes: int, zone: str) -> Mapping[str, str]:
    """Return the fields of a WallClockSpan that begins at a minute since 2020; callers must copy the mapping."""
    return wall_clock_span(instant_of_minute(minute), instant_of_minute(minute + minutes), None, None, zone)


class FreeSlots(Out):
    """What can be booked, by time."""

    data: list[FreeSlot]
    next_cursor: str | None

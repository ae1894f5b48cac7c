"""Requests and answers about weekly hours."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from itertools import combinations
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, ValidationInfo, field_validator

from src.domain.minutes import time_of_day
from src.domain.openings import WeeklyHours
from src.schemas.appointment import DoctorsAppointment
from src.schemas.base import In, Out
from src.schemas.fields import EndTimeOfDay, Id, Name, QueryFlag, TimeOfDay, TimeZone, WallDate, last_day
from src.schemas.findings import Wrong

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)
VisitTypeIds = Annotated[list[Id], Field(min_length=1, max_length=100)]
ALL_TYPES = "the visit types that the hours are for; null is all"


class DryRun(In):
    """Whether to answer what a change would do, without doing it."""

    dry_run: QueryFlag = Field(False, description="answer as the change would, with its status, and change nothing")


class WeeklyRow(In):
    """Hours of one weekday, on the wall clock of the doctor's time zone."""

    weekday: Weekday
    from_: TimeOfDay = Field(alias="from")
    until: EndTimeOfDay
    visit_types: VisitTypeIds | None = Field(None, description=ALL_TYPES)
    place: Name | None = None
    valid_from: WallDate | None = Field(None, description="the first day on which the hours apply")
    valid_until: WallDate | None = Field(None, description="the last day on which the hours apply, included")

    @field_validator("until")
    @classmethod
    def _ends_after_it_begins(cls, until: int, info: ValidationInfo) -> int:
        return not_before(until, info.data.get("from_"))

    @field_validator("valid_until")
    @classmethod
    def _does_not_end_before_it_begins(cls, valid_until: date | None, info: ValidationInfo) -> date | None:
        return last_day(valid_until, info.data.get("valid_from"), "before_valid_from")

    @property
    def times(self) -> str:
        return f"{time_of_day(self.from_)}-{time_of_day(self.until)}"

    def hours(self) -> WeeklyHours:
        return WeeklyHours(
            WEEKDAYS.index(self.weekday),
            self.from_,
            self.until,
            self.valid_from,
            self.valid_until,
            None if self.visit_types is None else frozenset(self.visit_types),
            self.place,
        )


WeeklyRows = Annotated[list[WeeklyRow], Field(max_length=200)]


class NewWeeklyHours(In):
    """All weekly hours, in place of those before."""

    time_zone: TimeZone = Field(description="that of the profile: hours for another zone are a mistake")
    weekly: WeeklyRows

    @field_validator("weekly")
    @classmethod
    def _do_not_overlap(cls, weekly: list[WeeklyRow]) -> list[WeeklyRow]:
        for (number, one), (other_number, other) in combinations(enumerate(weekly), 2):
            if _overlap(one, other):
                raise Wrong(
                    "overlapping",
                    "has rows that overlap, both on {weekday}: {row} ({times}) and {other} ({other_times}).",
                    weekday=one.weekday,
                    row=number,
                    times=one.times,
                    other=other_number,
                    other_times=other.times,
                )
        return weekly

    def hours(self) -> list[WeeklyHours]:
        return [row.hours() for row in self.weekly]


def not_before(until: int, begin: int | None) -> int:
    """Return the end of hours; raise Wrong unless they begin before."""
    if begin is not None and until <= begin:
        raise Wrong(
            "not_after_from",
            "must be after from; hours over midnight need two entries: until 24:00, and from 00:00 of the next day.",
        )
    return until


def _overlap(one: WeeklyRow, other: WeeklyRow) -> bool:
    return (
        one.weekday == other.weekday
        and one.from_ < other.until
        and other.from_ < one.until
        and (one.valid_from or date.min) <= (other.valid_until or date.max)
        and (other.valid_from or date.min) <= (one.valid_until or date.max)
    )


class WeeklyRowOut(Out):
    """Hours of one weekday, on the wall clock of `time_zone`."""

    weekday: Weekday
    from_: str = Field(alias="from", description="HH:MM", examples=["09:00"])
    until: str = Field(description="HH:MM; the end of the day is 24:00", examples=["17:30"])
    visit_types: list[int] | None = Field(description=ALL_TYPES)
    place: str | None
    valid_from: str | None = Field(description="YYYY-MM-DD")
    valid_until: str | None = Field(description="YYYY-MM-DD, included")


class WeeklyHoursOut(Out):
    """The doctor's weekly hours, by weekday and time."""

    time_zone: str
    weekly: list[WeeklyRowOut]
    revision: int

    @classmethod
    def of(cls, time_zone: str, rows: Iterable[Any], revision: int) -> WeeklyHoursOut:
        """Build the answer from rows of the repository, without validation as `of_rows` does."""
        return cls.model_construct(time_zone=time_zone, weekly=[_row_out(row) for row in rows], revision=revision)


def _row_out(row: Any) -> dict[str, Any]:
    return {
        "weekday": WEEKDAYS[row.weekday],
        "from": time_of_day(row.from_time),
        "until": time_of_day(row.until_time),
        "visit_types": row.visit_types,
        "place": row.place,
        "valid_from": row.valid_from and row.valid_from.isoformat(),
        "valid_until": row.valid_until and row.valid_until.isoformat(),
    }


class WithAffected(Out):
    """What a change did."""

    message: str
    affected: list[DoctorsAppointment] = Field(
        description="booked appointments ahead that lie outside of the hours now; they stay booked"
    )


class WeeklyHoursReplaced(WithAffected):
    """The hours are as sent; with `dry_run` they would be, and `revision` is that of now."""

    revision: int

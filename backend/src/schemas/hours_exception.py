"""Requests and answers about exceptions to weekly hours."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BeforeValidator, Field, ValidationInfo, WithJsonSchema, field_validator

from src.domain.minutes import MINUTES_OF_DAY, time_of_day
from src.domain.openings import HoursException
from src.schemas.base import In, Out
from src.schemas.fields import LARGEST_ID, EndTimeOfDay, Name, QueryNumber, TimeOfDay, WallDate, last_day
from src.schemas.findings import Wrong
from src.schemas.hours import ALL_TYPES, VisitTypeIds, WithAffected, not_before

Kind = Literal["closed", "extra"]
MOST_DAYS_LATER = 366
WHOLE_DAY = "null is the whole day"


class NewException(In):
    """Days, or the same hours of each of these days, that are closed or open additionally.

    What follows from the hours is not offered in a closure; published slots are.

    On the wall clock of the doctor's time zone.
    """

    kind: Kind
    first_day: WallDate
    last_day: WallDate | None = Field(None, description="included; null is `first_day`")
    from_: TimeOfDay | None = Field(
        None, alias="from", validate_default=True, description=f"{WHOLE_DAY}, which extra hours cannot be"
    )
    until: EndTimeOfDay | None = Field(None, validate_default=True, description="as with `from`")
    visit_types: VisitTypeIds | None = Field(None, description=f"of extra hours: {ALL_TYPES}")
    place: Name | None = Field(None, description="of extra hours")
    reason: Name | None = Field(None, description="patients never see it")

    @field_validator("last_day")
    @classmethod
    def _is_soon_after_the_first(cls, last: date | None, info: ValidationInfo) -> date | None:
        first = info.data.get("first_day")
        if last is not None and first is not None and (last - first).days > MOST_DAYS_LATER:
            raise Wrong("too_long_after", "must be at most {days} days after first_day.", days=MOST_DAYS_LATER)
        return last_day(last, first, "before_first_day")

    @field_validator("from_")
    @classmethod
    def _begins_if_extra(cls, from_: int | None, info: ValidationInfo) -> int | None:
        return _not_missing(from_, is_needed=info.data.get("kind") == "extra")

    @field_validator("until")
    @classmethod
    def _ends_if_it_begins(cls, until: int | None, info: ValidationInfo) -> int | None:
        begin = info.data.get("from_")
        _not_missing(until, is_needed=info.data.get("kind") == "extra" or begin is not None)
        if until is not None and begin is None and "from_" in info.data:
            raise Wrong("without_from", "must not be given without from.")
        return until and not_before(until, begin)

    @field_validator("visit_types", "place")
    @classmethod
    def _is_of_extra_hours(cls, value: Any, info: ValidationInfo) -> Any:
        if value is not None and info.data.get("kind") == "closed":
            raise Wrong("of_extra_hours_only", "must be left out of a closure.")
        return value

    def exception(self) -> HoursException:
        return HoursException(
            self.kind == "closed",
            self.first_day,
            self.last_day or self.first_day,
            self.from_ or 0,
            self.until or MINUTES_OF_DAY,
            None if self.visit_types is None else frozenset(self.visit_types),
            self.place,
        )


def _not_missing(value: int | None, *, is_needed: bool) -> int | None:
    if value is None and is_needed:
        raise Wrong("missing", "is missing.")
    return value


class ExceptionAdded(WithAffected):
    """The exception applies now; with `dry_run` it would, and has no id."""

    id: int | None
    still_offered: int = Field(
        description="how many free published slots lie in a closure; they are still offered until they are withdrawn"
    )


class ExceptionPlace(NamedTuple):
    """Where a list goes on: after the exception with this first day and id."""

    first_day: date
    id: int

    def __str__(self) -> str:
        return f"{self.first_day}-{self.id}"


BEGIN = ExceptionPlace(date.min, 0)
_CURSOR = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})-([0-9]{1,19})", re.ASCII)


def _cursor(value: object) -> ExceptionPlace:
    found = _CURSOR.fullmatch(value) if isinstance(value, str) else None
    try:
        place = found and ExceptionPlace(date.fromisoformat(found[1]), int(found[2]))
    except ValueError:
        place = None
    if place is None or place.id > LARGEST_ID:
        raise Wrong("not_a_cursor", "must be the next_cursor of the page before.")
    return place


ExceptionCursor = Annotated[
    ExceptionPlace,
    BeforeValidator(_cursor),
    WithJsonSchema({"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}-[0-9]{1,19}$"}),
]


class ExceptionsWanted(In):
    """How many exceptions to list, and after which one to go on."""

    limit: QueryNumber = Field(200, ge=1, le=1000)
    cursor: ExceptionCursor | None = Field(None, description="`next_cursor` of the page before; leave it out to begin")


class ExceptionOut(Out):
    """Closed or extra hours on the days from `first_day` to `last_day`, on the wall clock of the doctor's zone."""

    id: int
    kind: Kind
    first_day: str = Field(description="YYYY-MM-DD")
    last_day: str = Field(description="YYYY-MM-DD, included")
    from_: str | None = Field(alias="from", description=f"HH:MM; {WHOLE_DAY}")
    until: str | None = Field(description=f"HH:MM; the end of the day is 24:00; {WHOLE_DAY}")
    visit_types: list[int] | None = Field(description=f"of extra hours: {ALL_TYPES}")
    place: str | None
    reason: str | None
    of_clinic: bool = Field(description="whether it closes the whole clinic; doctors cannot delete it")

    @staticmethod
    def of_row(row: Any) -> dict[str, Any]:
        is_whole = row.kind == "closed" and (row.from_time, row.until_time) == (0, MINUTES_OF_DAY)
        return {
            "id": row.id,
            "kind": row.kind,
            "first_day": row.first_day.isoformat(),
            "last_day": row.last_day.isoformat(),
            "from": None if is_whole else time_of_day(row.from_time),
            "until": None if is_whole else time_of_day(row.until_time),
            "visit_types": row.visit_types,
            "place": row.place,
            "reason": row.reason,
            "of_clinic": row.doctor_id is None,
        }


class ExceptionsOut(Out):
    """Exceptions that have not ended before yesterday, by their first day."""

    data: list[ExceptionOut]
    next_cursor: str | None

"""Which appointments to list, and the lists."""

from __future__ import annotations

import re
import zlib
from datetime import date, datetime, timedelta, timezone
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BeforeValidator, Field, ValidationInfo, WithJsonSchema, field_validator

from src.domain.appointment_filter import AppointmentFilter, Place
from src.domain.appointment_rules import ShownStatus
from src.schemas.appointment import DoctorsAppointment, PatientsAppointment
from src.schemas.base import In, Out
from src.schemas.fields import LARGEST_ID, QueryNumber, WallDate, ascii_digits, last_day
from src.schemas.findings import Wrong


class StartCursor(NamedTuple):
    """Where a list by start goes on. `filters` are a checksum of its filters, so that no other list takes it."""

    after: Place
    filters: str

    def __str__(self) -> str:
        return f"{(self.after.starts_at - _EPOCH) // timedelta(microseconds=1)}-{self.after.id}-{self.filters}"


_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_START_CURSOR = re.compile(r"([0-9]{1,17})-([0-9]{1,18})-([0-9a-f]{8})", re.ASCII)


def _cursor(value: object) -> int | StartCursor:
    number = ascii_digits(value)
    if type(number) is int and 1 <= number <= LARGEST_ID:
        return number
    found = _START_CURSOR.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise Wrong("not_a_cursor", "must be the next_cursor of the page before.")
    return StartCursor(Place(_EPOCH + timedelta(microseconds=int(found[1])), int(found[2])), found[3])


Cursor = Annotated[
    Any,
    BeforeValidator(_cursor),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1, "maximum": LARGEST_ID},
                {"type": "string", "pattern": "^[0-9]{1,17}-[0-9]{1,18}-[0-9a-f]{8}$"},
            ]
        }
    ),
]


class AppointmentsWanted(In):
    """Which appointments to list, how many, and after which one to go on.

    Without `from`, `until`, `status` and `order` the newest booking comes first; with any of them, the earliest start.
    """

    limit: QueryNumber = Field(200, ge=1, le=1000)
    from_: WallDate | None = Field(
        None, alias="from", description="the first day, on the wall clock of each appointment's `time_zone`"
    )
    until: WallDate | None = Field(
        None, description="the last day, included, on the wall clock of each appointment's `time_zone`"
    )
    status: ShownStatus | None = Field(None, description="only appointments with this `status`")
    order: Literal["starts_at"] | None = Field(
        None,
        description="`starts_at`: the earliest start first, as with `from`, `until` or `status`; "
        "without any of these, the newest booking first",
    )
    cursor: Cursor | None = Field(
        None, description="`next_cursor` of the page before, with the same filters and order; leave it out to begin"
    )

    @field_validator("until")
    @classmethod
    def _does_not_end_before_it_begins(cls, until: date | None, info: ValidationInfo) -> date | None:
        return last_day(until, info.data.get("from_"))

    @field_validator("cursor")
    @classmethod
    def _is_of_this_list(cls, cursor: int | StartCursor | None, info: ValidationInfo) -> int | StartCursor | None:
        given = info.data
        by_start = any(given.get(name) is not None for name in ("from_", "until", "status", "order"))
        filters = _checksum(given.get("from_"), given.get("until"), given.get("status"))
        mine = cursor.filters == filters if isinstance(cursor, StartCursor) else not by_start
        if cursor is not None and (isinstance(cursor, StartCursor) != by_start or not mine):
            raise Wrong("of_another_list", "is of a list with other filters or another order; leave it out to begin.")
        return cursor

    @property
    def by_start(self) -> bool:
        return not (self.from_ is self.until is self.status is self.order is None)

    @property
    def filter(self) -> AppointmentFilter:
        return AppointmentFilter(self.from_, self.until, self.status)

    @property
    def place(self) -> Place | None:
        return self.cursor.after if isinstance(self.cursor, StartCursor) else None

    def cursor_after(self, row: Any) -> int | str:
        """Return the cursor of the page that follows this row of the appointment repository."""
        if not self.by_start:
            return row.id
        return str(StartCursor(Place(row.starts_at, row.id), _checksum(self.from_, self.until, self.status)))


def _checksum(first: date | None, last: date | None, status: str | None) -> str:
    return f"{zlib.crc32(f'{first} {last} {status}'.encode()):08x}"


class PatientsAppointments(Out):
    """A patient's appointments, newest booking first unless they are asked for by start."""

    data: list[PatientsAppointment]
    next_cursor: int | str | None


class DoctorsAppointments(Out):
    """A doctor's appointments, newest booking first unless they are asked for by start."""

    data: list[DoctorsAppointment]
    next_cursor: int | str | None

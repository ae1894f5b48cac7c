"""Requests and answers about appointments."""

from __future__ import annotations

import re
import zlib
from datetime import date, datetime, timedelta, timezone
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BeforeValidator, Field, ValidationInfo, WithJsonSchema, field_validator

from src.domain.appointment_filter import AppointmentFilter, Place
from src.domain.appointment_rules import ShownStatus, shown_status
from src.schemas.base import In, Out, WallClockSpan, wall_clock_span
from src.schemas.fields import (
    LARGEST_ID,
    Description,
    Id,
    OneLine,
    QueryNumber,
    WallDate,
    WholeNumber,
    ascii_digits,
    last_day,
)
from src.schemas.findings import Wrong


class BookAppointment(In):
    """Which slot or time to book."""

    slot_id: Id
    reason: OneLine | None = Field(
        None, description="why the patient comes, for the doctor; ignored unless the clinic has APPOINTMENT_REASONS on"
    )


class AppointmentBooked(Out):
    """The slot is the patient's."""

    message: str
    appointment_id: int


class Reschedule(In):
    """To which slot or computed time to move an appointment."""

    slot_id: Id


class Note(In):
    """What staff note about an appointment; empty deletes it."""

    note: Description


class NewHold(In):
    """Which time to hold, and for how many minutes."""

    slot_id: Id
    minutes: WholeNumber = Field(ge=1, le=15, examples=[10])


class HeldTime(Out):
    """The time is held for the patient."""

    message: str
    hold_id: int
    held_until: str = Field(description="RFC 3339, UTC")


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


class ListedAppointment(WallClockSpan):
    """An appointment; `booked` is ahead and can be cancelled."""

    appointment_id: int
    status: ShownStatus
    visit_type: str | None = Field(description="the name of the visit type; null for a published slot")
    place: str | None

    @staticmethod
    def of_row(row: Any, now: datetime) -> dict[str, Any]:
        """Return the fields of every listed appointment, from a row of the appointment repository.

        It takes the first columns, which every such row has, by position: names are slow in a long list.
        """
        number, starts_at, ends_at, wall_start, wall_end, zone, status, _, place, _, visit_type = row[:11]
        return {
            "appointment_id": number,
            "status": shown_status(status, starts_at, ends_at, now),
            "visit_type": visit_type,
            "place": place,
            **wall_clock_span(starts_at, ends_at, wall_start, wall_end, zone),
        }


class PatientsAppointment(ListedAppointment):
    """An appointment as its patient sees it."""

    doctor_name: str

    @staticmethod
    def of_row(row: Any, now: datetime) -> dict[str, Any]:
        """Return the fields, from a row that has the doctor's name as `other_name`."""
        return {"doctor_name": row.other_name, **ListedAppointment.of_row(row, now)}


class DoctorsAppointment(ListedAppointment):
    """An appointment as its doctor sees it."""

    patient_name: str
    reason: str | None = Field(description="why the patient comes")

    @staticmethod
    def of_row(row: Any, now: datetime) -> dict[str, Any]:
        """Return the fields, from a row that has the patient's name as `other_name`."""
        return {"patient_name": row.other_name, "reason": row.reason, **ListedAppointment.of_row(row, now)}


class PatientsAppointments(Out):
    """A patient's appointments, newest booking first unless they are asked for by start."""

    data: list[PatientsAppointment]
    next_cursor: int | str | None


class DoctorsAppointments(Out):
    """A doctor's appointments, newest booking first unless they are asked for by start."""

    data: list[DoctorsAppointment]
    next_cursor: int | str | None


class FormerTime(WallClockSpan):
    """A time and a doctor that an appointment does not have any more."""

    doctor_name: str


class EventOut(Out):
    """Something that happened to an appointment."""

    event: Literal["booked", "rescheduled", "cancelled"]
    at: str = Field(description="RFC 3339, UTC")
    by: str = Field(description="the name of who did it")
    was: FormerTime | None = Field(None, description="where the appointment was before it was rescheduled")

    @classmethod
    def of_row(cls, row: Any) -> EventOut:
        was = None
        if row.was_starts_at is not None:
            span = wall_clock_span(
                row.was_starts_at, row.was_ends_at, row.was_wall_start, row.was_wall_end, row.was_time_zone
            )
            was = FormerTime(doctor_name=row.was_doctor_name, **span)
        return cls(event=row.event, at=row.at.isoformat(), by=row.actor_name, was=was)


class AppointmentDetails(ListedAppointment):
    """One appointment with all that happened to it, oldest first; every change raises `revision`."""

    doctor_name: str
    patient_name: str
    history: list[EventOut]
    revision: int
    reason: str | None = Field(description="why the patient comes")
    note: str | None = Field(description="by staff; always null for the patient")


class PatientDashboard(Out):
    """What a patient wants to see first."""

    message: str
    next_appointment: PatientsAppointment | None
    appointments_ahead: int
    appointments_total: int

"""One appointment with its history."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from src.schemas.appointment import ListedAppointment
from src.schemas.base import Out, WallClockSpan, wall_clock_span


class FormerTime(WallClockSpan):
    """A time and a doctor that an appointment does not have any more."""

    doctor_name: str

    @classmethod
    def of_row(cls, row: Any) -> FormerTime | None:
        """Return where an appointment was, from a row of its history; None if the event is no move."""
        if row.was_starts_at is None:
            return None
        span = wall_clock_span(
            row.was_starts_at, row.was_ends_at, row.was_wall_start, row.was_wall_end, row.was_time_zone
        )
        return cls(doctor_name=row.was_doctor_name, **span)


class EventOut(Out):
    """Something that happened to an appointment."""

    event: Literal["booked", "rescheduled", "cancelled"]
    at: str = Field(description="RFC 3339, UTC")
    by: str = Field(description="the name of who did it")
    reason: str | None = Field(None, description="why it was cancelled")
    was: FormerTime | None = Field(None, description="where the appointment was before it was rescheduled")

    @classmethod
    def of_row(cls, row: Any) -> EventOut:
        at, was = row.at.isoformat(), FormerTime.of_row(row)
        return cls(event=row.event, at=at, by=row.actor_name, reason=row.reason, was=was)


class AppointmentDetails(ListedAppointment):
    """One appointment with all that happened to it, oldest first. Each of these raises `revision`; a note does not."""

    doctor_name: str
    patient_name: str
    history: list[EventOut]
    revision: int
    reason: str | None = Field(description="why the patient comes")
    note: str | None = Field(description="by staff; always null for the patient")
    patient_email: str | None = Field(description="for the doctor; always null for the patient")
    patient_phone: str | None = Field(description="for the doctor, if it is known; always null for the patient")

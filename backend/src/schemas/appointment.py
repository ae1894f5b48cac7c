"""Requests and answers about appointments."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from src.domain.appointment_rules import ShownStatus, shown_status
from src.schemas.base import In, Out, WallClockSpan, wall_clock_span
from src.schemas.fields import Cursor, Id, QueryNumber


class BookAppointment(In):
    """Which slot to book."""

    slot_id: Id


class AppointmentBooked(Out):
    """The slot is the patient's."""

    message: str
    appointment_id: int


class AppointmentsWanted(In):
    """How many appointments to list, and after which one to go on."""

    limit: QueryNumber = Field(200, ge=1, le=1000)
    cursor: Cursor | None = Field(None, description="`next_cursor` of the page before; leave it out for the newest")


class ListedAppointment(WallClockSpan):
    """An appointment; `booked` is ahead and can be cancelled."""

    appointment_id: int
    status: ShownStatus

    @staticmethod
    def of_row(row: Any, now: datetime) -> dict[str, Any]:
        """Return the fields of every listed appointment, from a row of the appointment repository."""
        return {
            "appointment_id": row.id,
            "status": shown_status(row.status, row.starts_at, row.ends_at, now),
            **wall_clock_span(row.starts_at, row.ends_at, row.time_zone),
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

    @staticmethod
    def of_row(row: Any, now: datetime) -> dict[str, Any]:
        """Return the fields, from a row that has the patient's name as `other_name`."""
        return {"patient_name": row.other_name, **ListedAppointment.of_row(row, now)}


class PatientsAppointments(Out):
    """A patient's appointments, newest booking first."""

    data: list[PatientsAppointment]
    next_cursor: int | None


class DoctorsAppointments(Out):
    """A doctor's appointments, newest booking first."""

    data: list[DoctorsAppointment]
    next_cursor: int | None


class EventOut(Out):
    """Something that happened to an appointment."""

    event: Literal["booked", "cancelled"]
    at: str = Field(description="RFC 3339, UTC")
    by: str = Field(description="the name of who did it")


class AppointmentDetails(ListedAppointment):
    """One appointment with all that happened to it, oldest first."""

    doctor_name: str
    patient_name: str
    history: list[EventOut]


class PatientDashboard(Out):
    """What a patient wants to see first."""

    message: str
    next_appointment: PatientsAppointment | None
    appointments_ahead: int
    appointments_total: int

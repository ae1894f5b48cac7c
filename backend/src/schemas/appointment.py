"""Appointments on the wire."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from src.domain.appointment_rules import ShownStatus
from src.schemas.base import In, Out, WallClockSpan
from src.schemas.fields import LARGEST_ID, Id, QueryNumber


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
    cursor: QueryNumber | None = Field(
        None, ge=1, le=LARGEST_ID, description="`next_cursor` of the page before; leave it out for the newest"
    )


class ListedAppointment(WallClockSpan):
    """An appointment; `booked` is ahead and can be cancelled."""

    appointment_id: int
    status: ShownStatus


class PatientsAppointment(ListedAppointment):
    """An appointment as its patient sees it."""

    doctor_name: str


class DoctorsAppointment(ListedAppointment):
    """An appointment as its doctor sees it."""

    patient_name: str


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

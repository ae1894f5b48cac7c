"""Requests and answers about one appointment, and how its patient and its doctor see it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from src.domain.appointment_rules import ShownStatus, shown_status
from src.domain.policies import in_time
from src.schemas.base import In, Out, WallClockSpan, wall_clock_span
from src.schemas.fields import Id, OneLine


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


class ListedAppointment(WallClockSpan):
    """An appointment; `booked` is ahead and can be cancelled."""

    appointment_id: int
    status: ShownStatus
    visit_type: str | None = Field(description="the name of the visit type; null for a published slot")
    place: str | None
    can_cancel: bool = Field(description="whether the caller can cancel it now")
    can_move: bool = Field(description="whether the caller can move it now")

    @staticmethod
    def of_row(row: Any, now: datetime, notice: int = 0) -> dict[str, Any]:
        """Return the fields of every listed appointment, from a row of the appointment repository.

        The caller can change it until `notice` minutes before its start. It takes the first columns, which every such
        row has, by position: names are slow in a long list.
        """
        number, starts_at, ends_at, wall_start, wall_end, zone, status, _, place, _, visit_type = row[:11]
        shown = shown_status(status, starts_at, ends_at, now)
        can_change = shown == "booked" and (notice == 0 or in_time(starts_at, now, notice))
        return {
            "appointment_id": number,
            "status": shown,
            "visit_type": visit_type,
            "place": place,
            "can_cancel": can_change,
            "can_move": can_change,
            **wall_clock_span(starts_at, ends_at, wall_start, wall_end, zone),
        }


class PatientsAppointment(ListedAppointment):
    """An appointment as its patient sees it."""

    doctor_name: str

    @staticmethod
    def of_row(row: Any, now: datetime, notice: int = 0) -> dict[str, Any]:
        """Return the fields, from a row that has the doctor's name as `other_name`; `notice` is the clinic's."""
        return {"doctor_name": row.other_name, **ListedAppointment.of_row(row, now, notice_of(row, notice))}


def notice_of(row: Any, clinics: int) -> int:
    """Return how many minutes before its start the patient can change the appointment at the latest."""
    return clinics if row.cancellation_notice is None else row.cancellation_notice


class DoctorsAppointment(ListedAppointment):
    """An appointment as its doctor sees it."""

    patient_name: str
    reason: str | None = Field(description="why the patient comes")

    @staticmethod
    def of_row(row: Any, now: datetime, notice: int = 0) -> dict[str, Any]:
        """Return the fields, from a row that has the patient's name as `other_name`."""
        return {"patient_name": row.other_name, "reason": row.reason, **ListedAppointment.of_row(row, now, notice)}

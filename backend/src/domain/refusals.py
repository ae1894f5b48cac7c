"""Why an appointment cannot be booked or cancelled: the words that statements return, and the error of each word.

The rules are written twice: here as functions, for repositories/booking_steps.py, and in repositories/
booking_statement.py as SQL. tests/races/test_parity.py compares both on random data.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NamedTuple

from src.errors import ClinicError, Unauthenticated
from src.errors_of_appointments import (
    AlreadyBegun,
    AlreadyCancelled,
    AppointmentNotFound,
    NotYourAppointment,
    PatientBusy,
    SlotNotFound,
    SlotPast,
    SlotTaken,
)

Refusal = Literal[
    "account_gone",
    "slot_unknown",
    "slot_past",
    "slot_taken",
    "patient_busy",
    "appointment_unknown",
    "not_yours",
    "already_cancelled",
    "already_begun",
]
ERROR_OF_REFUSAL: dict[Refusal, type[ClinicError]] = {
    "account_gone": Unauthenticated,
    "slot_unknown": SlotNotFound,
    "slot_past": SlotPast,
    "slot_taken": SlotTaken,
    "patient_busy": PatientBusy,
    "appointment_unknown": AppointmentNotFound,
    "not_yours": NotYourAppointment,
    "already_cancelled": AlreadyCancelled,
    "already_begun": AlreadyBegun,
}


class Outcome(NamedTuple):
    """The result of a booking or a cancellation: the appointment's id, or why it was refused."""

    appointment_id: int | None
    refusal: Refusal | None


def accepted(outcome: Outcome) -> int:
    """Return the appointment's id, or raise the error of the refusal."""
    if outcome.refusal is not None or outcome.appointment_id is None:
        raise ERROR_OF_REFUSAL[outcome.refusal or "appointment_unknown"]
    return outcome.appointment_id


def why_not_bookable(slot_status: str, starts_at: datetime, now: datetime) -> Refusal | None:
    """Return why nobody can book this slot, or None if it can be booked."""
    if slot_status == "withdrawn":
        return "slot_unknown"
    if starts_at <= now:
        return "slot_past"
    return "slot_taken" if slot_status == "booked" else None


def why_not_cancellable(status: str, starts_at: datetime, now: datetime) -> Refusal | None:
    """Return why nobody can cancel this appointment, or None if its patient and doctor can."""
    if status == "cancelled":
        return "already_cancelled"
    return "already_begun" if starts_at <= now else None

"""Why something is refused: the words that rules and statements return, and the error of each word.

The rules of booking and cancelling are written twice: here as functions, for repositories/booking_steps.py, and as SQL
in repositories/booking_statement.py. tests/races/test_parity.py compares both on random data.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from src.errors import ClinicError, Unauthenticated
from src.errors_of_appointments import (
    AlreadyBegun,
    AlreadyCancelled,
    AppointmentNotFound,
    AppointmentOutdated,
    ChangedMeanwhile,
    DayFull,
    NoticeTooShort,
    NotYourAppointment,
    NotYourTime,
    PatientBusy,
    SameTime,
    SlotNotFound,
    SlotNotOffered,
    SlotPast,
    SlotTaken,
    TooFarAhead,
    TooManyHolds,
)

Refusal = Literal[
    "account_gone",
    "slot_unknown",
    "slot_past",
    "slot_taken",
    "not_offered",
    "notice_too_short",
    "too_far_ahead",
    "day_full",
    "patient_busy",
    "appointment_unknown",
    "not_yours",
    "already_cancelled",
    "already_begun",
    "outdated",
    "not_your_time",
    "same_time",
    "too_many_holds",
    "changed_meanwhile",
    # Something that the statement could not see was quicker: whoever tries again finds another reason, or succeeds.
    "again",
]
ERROR_OF_REFUSAL: dict[Refusal, type[ClinicError]] = {
    "account_gone": Unauthenticated,
    "slot_unknown": SlotNotFound,
    "slot_past": SlotPast,
    "slot_taken": SlotTaken,
    "not_offered": SlotNotOffered,
    "notice_too_short": NoticeTooShort,
    "too_far_ahead": TooFarAhead,
    "day_full": DayFull,
    "patient_busy": PatientBusy,
    "appointment_unknown": AppointmentNotFound,
    "not_yours": NotYourAppointment,
    "already_cancelled": AlreadyCancelled,
    "already_begun": AlreadyBegun,
    "outdated": AppointmentOutdated,
    "not_your_time": NotYourTime,
    "same_time": SameTime,
    "too_many_holds": TooManyHolds,
    "changed_meanwhile": ChangedMeanwhile,
    "again": ChangedMeanwhile,
}


def accepted(result: int | Refusal) -> int:
    """Return the id that a statement returned, or raise the error of the refusal that it returned instead."""
    if isinstance(result, str):
        raise ERROR_OF_REFUSAL[result]
    return result


def raise_if_refused(refusal: Refusal | None) -> None:
    """Raise the error of the refusal, if a rule returned one."""
    if refusal is not None:
        raise ERROR_OF_REFUSAL[refusal]


def why_not_bookable(slot_status: str, starts_at: datetime, now: datetime) -> Refusal | None:
    """Return why nobody can book this slot, nor its doctor withdraw it; None if they can."""
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

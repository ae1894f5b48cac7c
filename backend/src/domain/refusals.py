"""Why something is refused: the words that rules and statements return, and the error of each word.

The rules of booking and cancelling are written twice: here as functions, for repositories/booking_steps.py, and as SQL
in repositories/booking_statement.py. tests/races/test_parity.py compares both on random data.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from src.domain.policies import in_time
from src.domain.wall_clock import wall_clock
from src.errors import ClinicError, Unauthenticated
from src.errors_of_appointments import (
    AlreadyBegun,
    AlreadyCancelled,
    AppointmentNotFound,
    AppointmentOutdated,
    ChangedMeanwhile,
    DayFull,
    HeldLongest,
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
    TooLate,
    TooManyAhead,
    TooManyChanges,
    TooManyHolds,
    TooManyWithDoctor,
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
    "held_longest",
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
    "held_longest": HeldLongest,
    "changed_meanwhile": ChangedMeanwhile,
    "again": ChangedMeanwhile,
}


class Limited(NamedTuple):
    """A refusal by a limit, and its number; `retry_after` is the wait in seconds, for too many changes."""

    refusal: Literal["too_many_ahead", "too_many_with_doctor", "too_many_changes"]
    limit: int
    retry_after: int = 0

    def error(self) -> ClinicError:
        if self.refusal == "too_many_changes":
            return TooManyChanges(self.limit, self.retry_after)
        return TooManyAhead(self.limit) if self.refusal == "too_many_ahead" else TooManyWithDoctor(self.limit)


class Late(NamedTuple):
    """The refusal of a patient's cancellation or move, because less than `notice` minutes are left until the start."""

    notice: int
    starts_at: datetime
    time_zone: str

    def error(self) -> ClinicError:
        until = wall_clock(self.starts_at - timedelta(minutes=self.notice), self.time_zone)
        return TooLate(
            "Patients can cancel or move this appointment until {notice} before its start, which was on {date} at"
            " {time} ({time_zone}); please call the practice.",
            notice=in_words(self.notice),
            notice_minutes=self.notice,
            date=f"{until:%Y-%m-%d}",
            time=f"{until:%H:%M}",
            time_zone=self.time_zone,
        )


class OtherBusy(NamedTuple):
    """The refusal of a doctor's move, because the patient has another appointment."""

    def error(self) -> ClinicError:
        return PatientBusy("The patient already has an appointment at that time.")


Refused = Refusal | Limited | Late | OtherBusy


def in_words(minutes: int) -> str:
    """Return a length of time in the largest unit of which it is a whole number: "2 days", "1 hour", "90 minutes"."""
    for unit, length in (("day", 1440), ("hour", 60)):
        if minutes >= length and minutes % length == 0:
            return _counted(minutes // length, unit)
    return _counted(minutes, "minute")


def _counted(number: int, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"


def accepted(result: int | Refused) -> int:
    """Return the id that a statement returned, or raise the error of the refusal that it returned instead."""
    if isinstance(result, int):
        return result
    raise result.error() if isinstance(result, (Limited, Late, OtherBusy)) else ERROR_OF_REFUSAL[result]


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


def why_not_changeable(
    status: str, starts_at: datetime, time_zone: str, now: datetime, notice: int, *, both_live: bool = True
) -> Refusal | Late | None:
    """Return why this appointment cannot be cancelled or moved, or None if it can.

    `notice` is in minutes, and 0 for its doctor. Who leaves cancels what is ahead. So if one of both people has left,
    what is still booked has begun, also if `now`, when the request arrived, was before the start.
    """
    if status == "cancelled":
        return "already_cancelled"
    if starts_at <= now or not both_live:
        return "already_begun"
    return None if in_time(starts_at, now, notice) else Late(notice, starts_at, time_zone)

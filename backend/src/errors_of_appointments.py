"""What can go wrong with slots and appointments."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from src.errors import ClinicError, Conflict, Forbidden, Invalid, NotFound, Outdated, Throttled

# How many ids a sentence names.
MOST_NAMED = 3


class BadSlot(Invalid):
    """The slot must start in the future."""


class NotYourAppointment(Forbidden):
    """This is not your appointment."""


class DoctorNotFound(NotFound):
    """There is no such doctor."""


class SlotNotFound(NotFound):
    """There is no such appointment slot."""


class AppointmentNotFound(NotFound):
    """There is no such appointment."""


class SlotOverlaps(Conflict):
    """This overlaps one of your own slots."""


class SlotTaken(Conflict):
    """This slot is already booked."""


class SlotPast(Conflict):
    """This slot has already begun."""


class SlotNotOffered(Conflict):
    """The doctor does not offer this time any more; please choose another one."""


class NoticeTooShort(Conflict):
    """This time is too close to be booked; please choose a later one."""


class TooFarAhead(Conflict):
    """This time is too far ahead to be booked yet; please choose an earlier one."""


class DayFull(Conflict):
    """There are no more appointments of this kind on that day; please choose another day."""


class PatientBusy(Conflict):
    """You already have an appointment at that time."""


class AlreadyCancelled(Conflict):
    """This appointment is already cancelled."""


class AlreadyBegun(Conflict):
    """This appointment has already begun and can no longer be changed."""


class ChangedMeanwhile(Conflict):
    """Somebody else has changed this at the same moment; please try again."""


class AppointmentOutdated(Outdated):
    """Somebody else has changed this appointment meanwhile; please load it again."""


class NotYourTime(Forbidden):
    """You can move an appointment to times of your own only."""


class SameTime(Conflict):
    """The appointment is at this time already."""


class NotAffected(Conflict):
    """Nothing is cancelled, because some of these are not appointments of yours ahead and outside of your hours."""

    def __init__(self, appointment_ids: Sequence[int] = (17,)) -> None:
        """Name these appointments, which may be cancelled, begun, or inside of the hours by now, or no one's."""
        named = ", ".join(map(str, appointment_ids[:MOST_NAMED]))
        more = len(appointment_ids) - MOST_NAMED
        super().__init__(
            "Nothing is cancelled, because these are not appointments of yours ahead and outside of your hours:"
            f" {named}{f' and {more} more' if more > 0 else ''}."
        )
        self.appointment_ids = list(appointment_ids)


class HoldNotFound(NotFound):
    """There is no such hold, or it has become an appointment."""


class TooManyHolds(Conflict):
    """You hold three times already; release one, or book it."""


class HeldLongest(Conflict):
    """You have held this time for 30 minutes, which is the longest; please book it before the hold ends."""


class WithdrawalByPatient(Forbidden):
    """Only the doctor can withdraw a time; please cancel without `withdraw`."""


class TooLate(Conflict):
    """It is too late to cancel or move this appointment; please call the practice."""

    def __init__(self, notice: str | None = None, until: datetime | None = None, time_zone: str = "") -> None:
        """Name the notice, such as "2 hours", and the last moment, on the wall clock of the zone."""
        super().__init__(
            f"Patients can cancel or move this appointment until {notice} before its start, which was on"
            f" {until:%Y-%m-%d at %H:%M} ({time_zone}); please call the practice."
            if notice is not None
            else None
        )


class TooManyAhead(Conflict):
    """You have as many appointments ahead as the clinic allows; please cancel one first."""

    def __init__(self, limit: int | None = None) -> None:
        super().__init__(_ahead(limit, "") if limit is not None else None)


class TooManyWithDoctor(Conflict):
    """You have as many appointments ahead with this doctor as the doctor allows; please cancel one first."""

    def __init__(self, limit: int | None = None) -> None:
        super().__init__(_ahead(limit, " with this doctor") if limit is not None else None)


def _ahead(limit: int, where: str) -> str:
    number = "one appointment" if limit == 1 else f"{limit} appointments"
    return f"You can have {number} ahead{where}; please cancel one first."


class TooManyChanges(Throttled):
    """You have booked, moved and cancelled too often within an hour; please try again later."""

    def __init__(self, limit: int | None = None, retry_after: int = 3600) -> None:
        """Name the limit, and allow the next change after `retry_after` seconds."""
        minutes = -(-retry_after // 60)
        super().__init__(
            retry_after,
            f"You can book, move and cancel {limit} times within an hour; please try again in {minutes}"
            f" {'minute' if minutes == 1 else 'minutes'}."
            if limit is not None
            else None,
        )


# Why a patient cannot have one more appointment.
LIMITS: tuple[type[ClinicError], ...] = (TooManyAhead, TooManyWithDoctor, TooManyChanges)

# Why a slot or a time cannot be booked, held or moved to.
NOT_AVAILABLE: tuple[type[ClinicError], ...] = (
    SlotNotFound,
    SlotTaken,
    SlotPast,
    SlotNotOffered,
    NoticeTooShort,
    TooFarAhead,
    DayFull,
    PatientBusy,
)

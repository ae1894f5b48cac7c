"""What can go wrong with slots and appointments."""

from __future__ import annotations

from collections.abc import Sequence

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


class SlotBesideAppointment(Conflict):
    """An appointment of yours takes a part of this time, so patients are not offered the slot while it stands."""


class SlotOnClosedDay(Conflict):
    """You are closed on this day; patients would be offered the slot all the same."""


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
        if more > 0:
            super().__init__(
                "Nothing is cancelled, because these are not appointments of yours ahead and outside of your hours:"
                " {named} and {more} more.",
                named=named,
                more=more,
            )
        else:
            super().__init__(
                "Nothing is cancelled, because these are not appointments of yours ahead and outside of your hours:"
                " {named}.",
                named=named,
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


class TooManyAhead(Conflict):
    """You have as many appointments ahead as the clinic allows; please cancel one first."""

    def __init__(self, limit: int | None = None) -> None:
        if limit is None:
            super().__init__()
        else:
            super().__init__(
                "You can have one appointment ahead; please cancel one first."
                if limit == 1
                else "You can have {limit} appointments ahead; please cancel one first.",
                limit=limit,
            )


class TooManyWithDoctor(Conflict):
    """You have as many appointments ahead with this doctor as the doctor allows; please cancel one first."""

    def __init__(self, limit: int | None = None) -> None:
        if limit is None:
            super().__init__()
        else:
            super().__init__(
                "You can have one appointment ahead with this doctor; please cancel one first."
                if limit == 1
                else "You can have {limit} appointments ahead with this doctor; please cancel one first.",
                limit=limit,
            )


class TooManyChanges(Throttled):
    """You have booked, moved and cancelled too often within an hour; please try again later."""

    def __init__(self, limit: int | None = None, retry_after: int = 3600) -> None:
        """Name the limit, and allow the next change after `retry_after` seconds."""
        if limit is None:
            super().__init__(retry_after)
            return
        minutes = -(-retry_after // 60)
        super().__init__(
            retry_after,
            "You can book, move and cancel {limit} times within an hour; please try again in {minutes} minute."
            if minutes == 1
            else "You can book, move and cancel {limit} times within an hour; please try again in {minutes} minutes.",
            limit=limit,
            minutes=minutes,
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

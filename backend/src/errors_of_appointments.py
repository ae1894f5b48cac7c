"""What can go wrong with slots and appointments."""

from __future__ import annotations

from src.errors import ClinicError, Conflict, Forbidden, Invalid, NotFound, Outdated


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


class HoldNotFound(NotFound):
    """There is no such hold, or it has become an appointment."""


class TooManyHolds(Conflict):
    """You hold three times already; release one, or book it."""


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

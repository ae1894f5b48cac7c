"""What can go wrong with slots and appointments."""

from __future__ import annotations

from src.errors import Conflict, Forbidden, Invalid, NotFound


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


class PatientBusy(Conflict):
    """You already have an appointment at that time."""


class AlreadyCancelled(Conflict):
    """This appointment is already cancelled."""


class AlreadyBegun(Conflict):
    """This appointment has already begun and can no longer be cancelled."""

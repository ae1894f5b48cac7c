"""What can go wrong, in the clinic's words.

    ClinicError
    ├── Invalid            a request that says something impossible
    ├── Unauthenticated    nobody we know
    ├── Forbidden          somebody we know, at a wrong door
    ├── NotFound
    ├── Conflict           right in itself, against the state of things
    ├── KeyReused          an Idempotency-Key that stands for another request
    ├── Throttled          too often wrong; try again later
    └── Unavailable        try again in a moment

The docstring of a class is the sentence that the caller reads; a message given to the constructor replaces it.
Nothing here knows HTTP: `utils/problems.py` maps the branches to statuses.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TypeVar

Function = TypeVar("Function", bound=Callable[..., object])


class ClinicError(Exception):
    """Something went wrong."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.sentence())

    @classmethod
    def sentence(cls) -> str:
        """The message of the class, as one line."""
        return " ".join(inspect.cleandoc(cls.__doc__ or "").split())


class Invalid(ClinicError):
    """The request is not valid."""


class Unauthenticated(ClinicError):
    """Please log in: the access token is missing, wrong, expired or no longer accepted."""


class Forbidden(ClinicError):
    """You are not allowed to do this."""


class NotFound(ClinicError):
    """There is nothing here."""


class Conflict(ClinicError):
    """This does not fit the present state of things."""


class KeyReused(ClinicError):
    """This Idempotency-Key was used for another request; take a new one."""


class Throttled(ClinicError):
    """Too many failed attempts; please try again later."""

    def __init__(self, retry_after: int = 60) -> None:
        """Say in how many seconds the next attempt is welcome."""
        super().__init__()
        self.retry_after = retry_after


class Unavailable(ClinicError):
    """The service is busy; please try again in a moment."""


class DatabaseNotMigrated(Unavailable):
    """The database has no tables yet; run "flask db upgrade"."""


class DatabaseBehind(Unavailable):
    """The database lacks the newest migrations; run "flask db upgrade"."""


class GoingDown(Unavailable):
    """This server is going down; ask again in a moment, or another one."""


class BadSlot(Invalid):
    """The date and times do not make an appointment slot."""


class InvitationCodeMissing(Invalid):
    """A doctor needs the clinic's invitation code."""


class WrongCredentials(Unauthenticated):
    """The e-mail address or the password is wrong."""


class AccountDisabled(Unauthenticated):
    """This account is disabled; please ask the clinic."""


class WrongCurrentPassword(Forbidden):
    """The current password is wrong."""


class WrongInvitationCode(Forbidden):
    """The invitation code is wrong."""


class NotADoctor(Forbidden):
    """Only doctors can do this."""


class NotAPatient(Forbidden):
    """Only patients can do this."""


class NotYourAppointment(Forbidden):
    """This is not your appointment."""


class DoctorNotFound(NotFound):
    """There is no such doctor."""


class SlotNotFound(NotFound):
    """There is no such appointment slot."""


class AppointmentNotFound(NotFound):
    """There is no such appointment."""


class EmailTaken(Conflict):
    """This e-mail address is already registered."""


class SlotOverlaps(Conflict):
    """This overlaps one of your own slots."""


class SlotTaken(Conflict):
    """This slot is already booked."""


class SlotPast(Conflict):
    """This slot has already begun."""


class PatientBusy(Conflict):
    """You already have an appointment at that time."""


class StillUnderWay(Conflict):
    """The first request with this Idempotency-Key is still under way; please try again."""


class AlreadyCancelled(Conflict):
    """This appointment is already cancelled."""


class AlreadyBegun(Conflict):
    """This appointment has already begun and can no longer be cancelled."""


def raises(*errors: type[ClinicError]) -> Callable[[Function], Function]:
    """Declare what a controller may refuse with; the OpenAPI document is built from it."""

    def declare(function: Function) -> Function:
        function.__dict__["raises"] = errors
        return function

    return declare


def errors_of(function: Callable[..., object]) -> tuple[type[ClinicError], ...]:
    """What `raises` declared, or nothing."""
    return getattr(function, "raises", ())

"""Moving an appointment to another time."""

from __future__ import annotations

from src.context import Caller, Context
from src.domain.refusals import accepted
from src.errors_of_appointments import (
    NOT_AVAILABLE,
    AlreadyBegun,
    AlreadyCancelled,
    AppointmentNotFound,
    AppointmentOutdated,
    ChangedMeanwhile,
    NotYourAppointment,
    NotYourTime,
    SameTime,
)
from src.repositories import booking_repository as bookings
from src.schemas.base import Message
from src.schemas.reschedule import Reschedule
from src.utils.decorators import raises


@raises(AppointmentNotFound, NotYourAppointment, NotYourTime, AppointmentOutdated, AlreadyCancelled, AlreadyBegun)
@raises(*NOT_AVAILABLE, SameTime, ChangedMeanwhile)
def reschedule(ctx: Context[Caller], appointment_id: int, body: Reschedule) -> Message:
    """Move an appointment that is ahead. It keeps its id and its history, and both parties are told by e-mail.

    Patients can move it to any time that they could book, also of another doctor; doctors to times of their own,
    without minimum notice and horizon. A refusal leaves the old time.
    """
    by = f"the {ctx.actor.role}, {ctx.actor.name}"
    zone = ctx.settings.clinic_time_zone
    accepted(
        bookings.reschedule(
            ctx.db, appointment_id, body.slot_id, ctx.actor.user_id, by, ctx.now, takes=ctx.takes, clinic_zone=zone
        )
    )
    return Message(message="The appointment is moved.")

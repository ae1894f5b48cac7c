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
    TooLate,
    TooManyChanges,
    TooManyWithDoctor,
)
from src.repositories import booking_repository as bookings
from src.schemas.base import Message
from src.schemas.reschedule import Reschedule
from src.utils.decorators import raises


@raises(AppointmentNotFound, NotYourAppointment, NotYourTime, AppointmentOutdated, AlreadyCancelled, AlreadyBegun)
@raises(*NOT_AVAILABLE, TooLate, TooManyWithDoctor, TooManyChanges, SameTime, ChangedMeanwhile)
def reschedule(ctx: Context[Caller], appointment_id: int, body: Reschedule) -> Message:
    """Move an appointment that is ahead. It keeps its id and its history, and both parties are told by e-mail.

    Patients can move it to any time that they could book, also of another doctor, as long before its start as the
    clinic or the doctor says. Doctors can move it to times of their own, without these limits and minimum notice, and
    until the day after the largest horizon of all their visit types. A refusal leaves the old time.
    """
    by = f"the {ctx.actor.role}, {ctx.actor.name}"
    zone, policies = ctx.settings.clinic_time_zone, ctx.settings.policies
    who = (ctx.actor.user_id, by, ctx.now, policies)
    accepted(bookings.reschedule(ctx.db, appointment_id, body.slot_id, *who, takes=ctx.takes, clinic_zone=zone))
    return Message(message="The appointment is moved.")

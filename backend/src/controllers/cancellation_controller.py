"""Cancelling an appointment."""

from __future__ import annotations

from typing import cast

from src.context import Caller, Context, Doctor
from src.controllers.changes_of_hours import close_time_of
from src.domain.refusals import accepted
from src.errors_of_appointments import (
    AlreadyBegun,
    AlreadyCancelled,
    AppointmentNotFound,
    ChangedMeanwhile,
    NotYourAppointment,
    TooLate,
    WithdrawalByPatient,
)
from src.errors_of_hours import TooManyExceptions
from src.repositories import booking_repository as bookings
from src.repositories.cancellations import Cancellation
from src.schemas.base import Message
from src.schemas.cancellation import CancelAppointment
from src.utils.decorators import one_statement, raises


@one_statement
@raises(AppointmentNotFound, NotYourAppointment, AlreadyCancelled, AlreadyBegun, ChangedMeanwhile)
@raises(TooLate, WithdrawalByPatient, TooManyExceptions)
def cancel(ctx: Context[Caller], appointment_id: int, body: CancelAppointment) -> Message:
    """Cancel an appointment that is ahead. Both parties are told by e-mail, and its time is free again at once.

    Patients can cancel as long before the start as the clinic or the doctor says; doctors always can. A doctor who
    withdraws the time keeps it from being offered again: all published slots that overlap it are withdrawn, and where
    the doctor has hours then, an exception closes it.
    """
    if body.withdraw and not isinstance(ctx.actor, Doctor):
        raise WithdrawalByPatient
    by, notice = f"the {ctx.actor.role}, {ctx.actor.name}", ctx.settings.policies.cancellation_notice
    who = (appointment_id, ctx.actor.user_id, by, ctx.now, notice)
    cancellation = Cancellation(*who, body.reason or None, withdraw=body.withdraw)
    accepted(bookings.cancel(ctx.db, cancellation, in_steps=ctx.in_steps))
    if body.withdraw:
        close_time_of(cast("Context[Doctor]", ctx), appointment_id)
    return Message(message="The appointment is cancelled.")

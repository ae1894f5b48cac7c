"""Holding a time for a few minutes."""

from __future__ import annotations

from datetime import timedelta

from src.context import Context, Patient
from src.controllers.email_controller import refuse_unconfirmed
from src.domain.refusals import accepted
from src.errors_of_accounts import EmailNotConfirmed
from src.errors_of_appointments import LIMITS, NOT_AVAILABLE, HeldLongest, HoldNotFound, TooManyHolds
from src.repositories import booking_repository as bookings
from src.repositories import holds
from src.schemas.base import Message
from src.schemas.hold import HeldTime, NewHold
from src.utils.decorators import raises


@raises(*NOT_AVAILABLE, *LIMITS, TooManyHolds, HeldLongest, EmailNotConfirmed)
def hold(ctx: Context[Patient], body: NewHold) -> HeldTime:
    """Hold a time, so that nobody else can book it for some minutes. Booking it turns the hold into the appointment.

    A patient can hold three times at once. Whoever holds a time again holds it that much longer from now on, but no
    longer than 30 minutes in all: `held_until` says until when.
    """
    refuse_unconfirmed(ctx)
    held_until = ctx.now + timedelta(minutes=body.minutes)
    zone, policies = ctx.settings.clinic_time_zone, ctx.settings.policies
    who = (ctx.actor.user_id, ctx.now, policies)
    hold_id = accepted(bookings.hold(ctx.db, body.slot_id, *who, held_until, clinic_zone=zone))
    until = holds.end_of(ctx.db, hold_id)
    return HeldTime(message="The time is held for you.", hold_id=hold_id, held_until=until.isoformat())


@raises(HoldNotFound)
def release(ctx: Context[Patient], hold_id: int) -> Message:
    """Release a hold: the time can be booked by others at once."""
    if not holds.release(ctx.db, hold_id, ctx.actor.user_id):
        raise HoldNotFound
    return Message(message="The hold is released.")

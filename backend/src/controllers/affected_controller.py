"""Booked appointments that lie outside of their doctor's hours."""

from __future__ import annotations

from src.context import Context, Doctor
from src.controllers.changes_of_hours import affected_by, lock, schedule_of
from src.errors_of_appointments import NotAffected
from src.repositories import affected_repository as affected
from src.schemas.affected import AffectedAppointments, AffectedCancelled, CancelAffected
from src.utils.decorators import raises


def list_all(ctx: Context[Doctor]) -> AffectedAppointments:
    """List the booked appointments ahead that lie outside of the hours as they are now; nothing cancels them by itself.

    An appointment for a published slot is among them if a closure takes a part of its time.
    """
    return AffectedAppointments(data=affected_by(ctx, schedule_of(ctx, ctx.actor.time_zone)))


@raises(NotAffected)
def cancel(ctx: Context[Doctor], body: CancelAffected) -> AffectedCancelled:
    """Cancel affected appointments, all of these or none. The patients and the doctor are told by e-mail.

    The times are not offered again: the doctor is not there then. Published slots that overlap them are withdrawn. The
    hours stay as they are, and other visits can be booked where they go on.
    """
    patients = affected.patients_of(ctx.db, ctx.actor.doctor_id, body.appointment_ids)
    schedule = schedule_of(ctx, lock(ctx, *patients).time_zone)
    present = {appointment.appointment_id for appointment in affected_by(ctx, schedule)}
    others = [number for number in body.appointment_ids if number not in present]
    if others:
        raise NotAffected(others)
    by = f"the {ctx.actor.role}, {ctx.actor.name}"
    affected.cancel(ctx.db, body.appointment_ids, ctx.actor.user_id, by, ctx.now, body.reason or None)
    cancelled = len(body.appointment_ids)
    return AffectedCancelled(
        message=f"{cancelled} appointments are cancelled." if cancelled > 1 else "The appointment is cancelled.",
        cancelled=cancelled,
    )

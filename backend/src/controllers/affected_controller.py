"""Booked appointments that lie outside of their doctor's hours."""

from __future__ import annotations

from src.context import Context, Doctor
from src.controllers.changes_of_hours import affected_by, schedule_of
from src.schemas.affected import AffectedAppointments


def list_all(ctx: Context[Doctor]) -> AffectedAppointments:
    """List the booked appointments ahead that lie outside of the hours as they are now; nothing cancels them by itself.

    An appointment for a published slot is among them if a closure takes a part of its time.
    """
    return AffectedAppointments(data=affected_by(ctx, schedule_of(ctx, ctx.actor.time_zone)))

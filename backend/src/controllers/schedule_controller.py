"""A doctor's schedule."""

from __future__ import annotations

from src.context import Context, Doctor
from src.domain.wall_clock import bounds_of_days
from src.repositories import schedule_repository as schedules
from src.schemas.hours_exception import ExceptionOut
from src.schemas.published_slots import DoctorsSlot
from src.schemas.schedule import DaysWanted, DoctorsSchedule, OpeningOut, ScheduledAppointment, ScheduledHold


def show(ctx: Context[Doctor], query: DaysWanted) -> DoctorsSchedule:
    """Show all that is on some days: when the doctor is open or closed, and what is published, booked and held."""
    zone = ctx.actor.time_zone
    first, last = query.days(ctx.now, zone)
    days = schedules.Days(ctx.actor.doctor_id, first, last, *bounds_of_days(first, last, zone))
    return DoctorsSchedule.of(
        zone,
        (first, last),
        openings=[OpeningOut.of_row(row, zone) for row in schedules.openings(ctx.db, days)],
        published_slots=[DoctorsSlot.of_row(row) for row in schedules.published_slots(ctx.db, days)],
        appointments=[ScheduledAppointment.of_row(row, ctx.now) for row in schedules.appointments(ctx.db, days)],
        holds=[ScheduledHold.of_row(row) for row in schedules.holds(ctx.db, days, ctx.now)],
        closures=[ExceptionOut.of_row(row) for row in schedules.closures(ctx.db, days)],
    )

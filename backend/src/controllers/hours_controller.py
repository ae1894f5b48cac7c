"""A doctor's weekly hours."""

from __future__ import annotations

from dataclasses import replace as changed

from src.context import Context, Doctor
from src.controllers.changes_of_hours import affected_by, check_visit_types, lay, lock, schedule_of
from src.errors_of_hours import HoursOutdated, TooManyOpenings, VisitTypeUnknown, ZoneOfProfile
from src.repositories import hours_repository as hours
from src.schemas.hours import DryRun, NewWeeklyHours, WeeklyHoursOut, WeeklyHoursReplaced
from src.utils.decorators import raises


def show(ctx: Context[Doctor]) -> WeeklyHoursOut:
    """Show the weekly hours, and the revision that a change of them names."""
    revision, weekly = hours.list_weekly(ctx.db, ctx.actor.doctor_id)
    return WeeklyHoursOut.of(ctx.actor.time_zone, weekly, revision)


@raises(HoursOutdated, ZoneOfProfile, VisitTypeUnknown, TooManyOpenings)
def replace(ctx: Context[Doctor], query: DryRun, body: NewWeeklyHours) -> WeeklyHoursReplaced:
    """Replace all weekly hours. Booked appointments stay; the answer lists those that lie outside of the hours now."""
    locked = lock(ctx)
    if not ctx.takes(locked.revision):
        raise HoursOutdated
    if body.time_zone != locked.time_zone:
        raise ZoneOfProfile(locked.time_zone)
    schedule = changed(schedule_of(ctx, locked.time_zone), weekly=body.hours())
    for number, row in enumerate(body.weekly):
        check_visit_types(schedule, row.visit_types, f"weekly.{number}.visit_types")
    schedule.check_size()
    affected = affected_by(ctx, schedule)
    if query.dry_run:
        return WeeklyHoursReplaced(message="This was a dry run.", affected=affected, revision=locked.revision)
    revision = hours.replace(ctx.db, ctx.actor.doctor_id, schedule.weekly)
    lay(ctx, schedule)
    return WeeklyHoursReplaced(message="Your hours are changed.", affected=affected, revision=revision)

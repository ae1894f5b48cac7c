"""Exceptions to a doctor's weekly hours."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from src.context import Context, Doctor
from src.controllers.changes_of_hours import (
    affected_by,
    check_number_of_exceptions,
    check_visit_types,
    lay,
    lock,
    schedule_of,
)
from src.domain.schedule import Schedule
from src.domain.wall_clock import local
from src.errors_of_hours import DayPast, ExceptionNotFound, TooManyExceptions, TooManyOpenings, VisitTypeUnknown
from src.repositories import availability_repository as slots
from src.repositories import exception_repository as exceptions
from src.schemas.hours import DryRun, WithAffected
from src.schemas.hours_exception import (
    BEGIN,
    ExceptionAdded,
    ExceptionOut,
    ExceptionPlace,
    ExceptionsOut,
    ExceptionsWanted,
    NewException,
)
from src.utils.decorators import raises


def list_all(ctx: Context[Doctor], query: ExceptionsWanted) -> ExceptionsOut:
    """List the doctor's exceptions and the clinic's closures, except those that ended before yesterday."""
    yesterday = local(ctx.now, ctx.actor.time_zone).date() - timedelta(days=1)
    rows = exceptions.list_page(ctx.db, ctx.actor.doctor_id, yesterday, query.cursor or BEGIN, query.limit + 1)
    shown = rows[: query.limit]
    cursor = str(ExceptionPlace(shown[-1].first_day, shown[-1].id)) if len(rows) > query.limit else None
    return ExceptionsOut.of_rows([ExceptionOut.of_row(row) for row in shown], next_cursor=cursor)


def show(ctx: Context[Doctor], exception_id: int) -> dict[str, Any]:
    """Return the fields of an ExceptionOut; raise ExceptionNotFound unless it is the doctor's own."""
    row = exceptions.find_of_doctor(ctx.db, exception_id, ctx.actor.doctor_id)
    if row is None:
        raise ExceptionNotFound
    return ExceptionOut.of_row(row)


@raises(DayPast, VisitTypeUnknown, TooManyExceptions, TooManyOpenings)
def add(ctx: Context[Doctor], query: DryRun, body: NewException) -> ExceptionAdded:
    """Close days or hours, or open additionally. Booked appointments stay; the answer lists those outside of hours.

    A closure withdraws no published slots; the answer counts the free ones in it, which are still offered.
    """
    before = schedule_of(ctx, lock(ctx).time_zone)
    if body.first_day < before.today:
        raise DayPast
    check_visit_types(before, body.visit_types, "visit_types")
    check_number_of_exceptions(ctx, before)
    exception = body.exception()
    schedule = replace(before, exceptions=[*before.exceptions, exception])
    schedule.check_size()
    affected = affected_by(ctx, schedule)
    still_offered = _still_offered(ctx, replace(before, exceptions=[exception])) if exception.is_closed else 0
    if query.dry_run:
        return ExceptionAdded(message="This was a dry run.", affected=affected, id=None, still_offered=still_offered)
    exception_id = exceptions.add(ctx.db, ctx.actor.doctor_id, exception, body.reason, ctx.now)
    lay(ctx, schedule)
    return ExceptionAdded(
        message=f"The exception is added. Published slots still offered in it: {still_offered}. Withdraw those that"
        " should not be."
        if still_offered
        else "The exception is added.",
        affected=affected,
        id=exception_id,
        still_offered=still_offered,
    )


def _still_offered(ctx: Context[Doctor], schedule: Schedule) -> int:
    """Count the free published slots that this schedule closes."""
    return len(schedule.affected(slots.list_free_ahead(ctx.db, ctx.actor.doctor_id, ctx.now)))


@raises(ExceptionNotFound)
def delete(ctx: Context[Doctor], exception_id: int) -> WithAffected:
    """Delete an exception. Without extra hours, booked appointments may lie outside of the hours; they stay."""
    time_zone = lock(ctx).time_zone
    if not exceptions.delete_of_doctor(ctx.db, exception_id, ctx.actor.doctor_id):
        raise ExceptionNotFound
    schedule = schedule_of(ctx, time_zone)
    lay(ctx, schedule)
    return WithAffected(message="The exception is deleted.", affected=affected_by(ctx, schedule))

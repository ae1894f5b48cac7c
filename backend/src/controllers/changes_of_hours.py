"""What all changes of a doctor's hours have in common."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from src.context import Context, Doctor
from src.domain.openings import closures_of
from src.domain.schedule import Schedule
from src.errors import Unauthenticated
from src.errors_of_hours import TooManyExceptions, VisitTypeUnknown
from src.repositories import appointment_repository as appointments
from src.repositories import exception_repository as exceptions
from src.repositories import hours_repository as hours
from src.repositories import opening_repository as openings
from src.schemas.appointment import DoctorsAppointment

MOST_EXCEPTIONS_AHEAD = 1000


class LockedHours(NamedTuple):
    time_zone: str
    revision: int


def lock(ctx: Context[Doctor], *patients: int) -> LockedHours:
    """Wait until nobody books with the doctor, and lock the account; what `ctx.actor` says may be older.

    The accounts of these patients are locked as well.
    """
    found = hours.lock(ctx.db, ctx.actor.user_id, ctx.actor.doctor_id, *patients)
    if found is None:
        raise Unauthenticated
    return LockedHours(found.time_zone or ctx.settings.clinic_time_zone, found.hours_revision)


def schedule_of(ctx: Context[Doctor], time_zone: str) -> Schedule:
    """Return what the openings follow from now, in this transaction."""
    return openings.schedule_of(ctx.db, ctx.actor.doctor_id, time_zone, ctx.now)


def check_visit_types(schedule: Schedule, visit_types: Collection[int] | None, field: str) -> None:
    """Raise VisitTypeUnknown unless these are the doctor's own and not retired."""
    if not set(visit_types or ()) <= schedule.horizons.keys():
        raise VisitTypeUnknown(field)


def lay(ctx: Context[Doctor], schedule: Schedule) -> None:
    openings.lay(ctx.db, ctx.actor.doctor_id, schedule)


def affected_by(ctx: Context[Doctor], schedule: Schedule) -> list[DoctorsAppointment]:
    """Return the booked appointments ahead that this schedule leaves outside of the hours."""
    booked = openings.booked_ahead(ctx.db, ctx.actor.doctor_id, ctx.now)
    return [DoctorsAppointment(**DoctorsAppointment.of_row(row, ctx.now)) for row in schedule.affected(booked)]


def check_number_of_exceptions(ctx: Context[Doctor], schedule: Schedule) -> None:
    """Raise TooManyExceptions if the doctor has as many ahead as one can have."""
    if exceptions.count_ahead(ctx.db, ctx.actor.doctor_id, schedule.today) >= MOST_EXCEPTIONS_AHEAD:
        raise TooManyExceptions


def close_time_of(ctx: Context[Doctor], appointment_id: int) -> None:
    """Close the time of an appointment if the doctor is open at any minute of it, so that the hours do not offer it.

    The closure has no reason: that of the cancellation is about the patient, and is erased when the patient leaves.
    """
    visit = appointments.find_time(ctx.db, appointment_id)
    time_zone = lock(ctx).time_zone
    schedule = schedule_of(ctx, time_zone)
    if not schedule.is_open_between(visit.starts_at, visit.ends_at):
        return
    check_number_of_exceptions(ctx, schedule)
    for closure in closures_of(visit.starts_at, visit.ends_at, time_zone):
        exceptions.add(ctx.db, ctx.actor.doctor_id, closure, None, ctx.now)
    lay(ctx, schedule_of(ctx, time_zone))

"""Visit types: what a doctor offers."""

from __future__ import annotations

from src.context import Caller, Context, Doctor
from src.controllers.changes_of_hours import lay, lock, schedule_of
from src.errors_of_appointments import DoctorNotFound
from src.errors_of_hours import TooManyOpenings, TooManyVisitTypes, VisitTypeNotFound
from src.repositories import doctor_repository as doctors
from src.repositories import hours_repository as hours
from src.repositories import visit_type_repository as visit_types
from src.schemas.base import Message
from src.schemas.visit_type import (
    DoctorsVisitType,
    DoctorsVisitTypes,
    NewVisitType,
    PatientsVisitType,
    PatientsVisitTypes,
    VisitTypeAdded,
    shown,
)
from src.utils.decorators import raises

MOST_LIVING = 100


def list_all(ctx: Context[Doctor]) -> DoctorsVisitTypes:
    """List the doctor's visit types that are not retired."""
    rows = visit_types.list_living(ctx.db, ctx.actor.doctor_id)
    return DoctorsVisitTypes.of_rows(shown(DoctorsVisitType, rows))


@raises(DoctorNotFound)
def list_for_patients(ctx: Context[Caller | None], doctor_id: int) -> PatientsVisitTypes:
    """List a doctor's visit types that patients may book."""
    rows = visit_types.list_for_patients(ctx.db, doctor_id)
    # Deleting the account retires the visit types, so only an empty list needs the check.
    if not rows and not doctors.is_living(ctx.db, doctor_id):
        raise DoctorNotFound
    return PatientsVisitTypes.of_rows(shown(PatientsVisitType, rows))


@raises(TooManyVisitTypes, TooManyOpenings)
def add(ctx: Context[Doctor], body: NewVisitType) -> VisitTypeAdded:
    """Add a visit type."""
    time_zone = lock(ctx).time_zone
    if visit_types.count_living(ctx.db, ctx.actor.doctor_id) >= MOST_LIVING:
        raise TooManyVisitTypes
    visit_type_id = visit_types.add(ctx.db, ctx.actor.doctor_id, body.columns(), ctx.now)
    _lay(ctx, time_zone)
    return VisitTypeAdded(message="The visit type is added.", visit_type_id=visit_type_id)


@raises(VisitTypeNotFound, TooManyOpenings)
def replace(ctx: Context[Doctor], visit_type_id: int, body: NewVisitType) -> Message:
    """Replace all that a visit type says; what is left out gets its default. Appointments stay as they were booked."""
    time_zone = lock(ctx).time_zone
    if not visit_types.replace(ctx.db, ctx.actor.doctor_id, visit_type_id, body.columns()):
        raise VisitTypeNotFound
    _lay(ctx, time_zone)
    return Message(message="The visit type is changed.")


@raises(VisitTypeNotFound)
def retire(ctx: Context[Doctor], visit_type_id: int) -> Message:
    """Offer a visit type no more. Its appointments stay; hours and exceptions that were for it alone are deleted."""
    time_zone = lock(ctx).time_zone
    if not visit_types.retire(ctx.db, ctx.actor.doctor_id, visit_type_id, ctx.now):
        raise VisitTypeNotFound
    hours.drop_visit_type(ctx.db, ctx.actor.doctor_id, visit_type_id)
    lay(ctx, schedule_of(ctx, time_zone))
    return Message(message="The visit type is retired.")


def _lay(ctx: Context[Doctor], time_zone: str) -> None:
    schedule = schedule_of(ctx, time_zone)
    schedule.check_size()
    lay(ctx, schedule)

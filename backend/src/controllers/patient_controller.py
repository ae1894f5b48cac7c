"""A patient's dashboard and the list of doctors."""

from __future__ import annotations

from typing import Any

from src.context import Caller, Context, Patient, user_id_of
from src.errors_of_appointments import DoctorNotFound
from src.repositories import appointment_repository as appointments
from src.repositories import doctor_repository as doctors
from src.repositories import search_repository as searching
from src.schemas.appointment import PatientsAppointment
from src.schemas.availability import FreeSlot
from src.schemas.doctor import Doctors, DoctorShown, DoctorsWanted
from src.schemas.patient import PatientDashboard
from src.utils.decorators import raises


def dashboard(ctx: Context[Patient]) -> PatientDashboard:
    """Show what a patient wants to see first."""
    following = appointments.next_of_patient(ctx.db, ctx.actor.user_id, ctx.now)
    notice = ctx.settings.policies.cancellation_notice
    return PatientDashboard(
        message=f"Welcome, {ctx.actor.name}.",
        next_appointment=PatientsAppointment(**PatientsAppointment.of_row(following, ctx.now, notice))
        if following
        else None,
        appointments_ahead=appointments.count_ahead_of_patient(ctx.db, ctx.actor.user_id, ctx.now),
        appointments_total=appointments.count_of_patient(ctx.db, ctx.actor.user_id),
    )


def list_doctors(ctx: Context[Caller | None], query: DoctorsWanted) -> Doctors:
    """List the doctors page by page, in a stable order."""
    offset = (query.page - 1) * query.limit
    if query.all:
        rows = doctors.list_living(ctx.db, offset=offset, limit=query.limit)
        total = rows[0].total if rows else doctors.count_living(ctx.db)
    else:
        wanted = {"name": query.name, "specialization": query.specialization}
        rows, total = doctors.list_matching(ctx.db, **wanted, offset=offset, limit=query.limit)
    listed = [
        {"id": row.id, "name": row.name, "designation": row.designation, "specialization": row.specialization}
        for row in rows
    ]
    if query.next_available:
        _add_next_available(ctx, listed)
    return Doctors.of_rows(listed, page=query.page, total_pages=-(-total // query.limit), total=total)


@raises(DoctorNotFound)
def show_doctor(ctx: Context[Caller | None], doctor_id: int) -> DoctorShown:
    """Show one doctor."""
    row = doctors.find_listed(ctx.db, doctor_id)
    if row is None:
        raise DoctorNotFound
    return DoctorShown(
        id=row.id,
        name=row.name,
        designation=row.designation,
        specialization=row.specialization,
        time_zone=row.time_zone or ctx.settings.clinic_time_zone,
    )


def _add_next_available(ctx: Context[Caller | None], listed: list[dict[str, Any]]) -> None:
    ids, zone = [doctor["id"] for doctor in listed], ctx.settings.clinic_time_zone
    found = searching.next_of_doctors(ctx.db, ids, user_id_of(ctx.actor), ctx.now, zone)
    for doctor in listed:
        row = found.get(doctor["id"])
        doctor["next_available"] = None if row is None else FreeSlot.of_found(row)

"""A patient's dashboard and the list of doctors."""

from __future__ import annotations

from src.context import Context, Patient
from src.repositories import appointment_repository as appointments
from src.repositories import doctor_repository as doctors
from src.schemas.appointment import PatientsAppointment
from src.schemas.doctor import Doctors, Page
from src.schemas.patient import PatientDashboard


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


def list_doctors(ctx: Context[Patient], query: Page) -> Doctors:
    """List the doctors page by page, in a stable order."""
    rows = doctors.list_living(ctx.db, offset=(query.page - 1) * query.limit, limit=query.limit)
    total = rows[0].total if rows else doctors.count_living(ctx.db)
    return Doctors.of_rows(
        [
            {"id": row.id, "name": row.name, "designation": row.designation, "specialization": row.specialization}
            for row in rows
        ],
        page=query.page,
        total_pages=-(-total // query.limit),
        total=total,
    )

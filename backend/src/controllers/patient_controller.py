"""A patient's dashboard and the list of doctors."""

from __future__ import annotations

from src.context import Caller, Context, Patient
from src.controllers import listed_doctors
from src.errors_of_appointments import DoctorNotFound
from src.repositories import appointment_repository as appointments
from src.repositories import doctor_repository as doctors
from src.schemas.appointment import PatientsAppointment
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
    listed, total = listed_doctors.page(ctx, query)
    if query.next_available:
        found = listed_doctors.next_times(ctx, listed, query.visit_type, 1)
        for doctor in listed:
            doctor["next_available"] = next(iter(found.get(doctor["id"], ())), None)
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

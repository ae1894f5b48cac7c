"""A patient's dashboard and the list of doctors."""

from __future__ import annotations

from src.context import Caller, Context, Patient
from src.controllers import listed_doctors
from src.domain.refusals import accepted
from src.errors_of_appointments import ChangedMeanwhile, DoctorNotFound
from src.repositories import appointment_repository as appointments
from src.repositories import doctor_repository as doctors
from src.repositories import email_confirmation_repository as confirmations
from src.repositories import idempotency_repository as answers
from src.repositories import kept_answers_erasure as answers_about
from src.repositories import leaving_repository as leaving
from src.repositories import mail_erasure as mails
from src.repositories import refresh_token_repository as refresh_tokens
from src.repositories import second_factor_repository as factors
from src.repositories import user_repository as users
from src.schemas.appointment import PatientsAppointment
from src.schemas.base import Message
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


@raises(ChangedMeanwhile)
def delete_account(ctx: Context[Patient]) -> Message:
    """Leave: erase who this was, everywhere, cancel what is ahead and tell the doctors, and free its times.

    The doctors keep an anonymous entry of each appointment.
    """
    me = accepted(leaving.lock(ctx.db, ctx.actor.user_id, ctx.now))
    users.erase_patient(ctx.db, me, ctx.now)
    refresh_tokens.delete_of(ctx.db, me)
    confirmations.erase_of(ctx.db, me)
    factors.delete_recovery_codes(ctx.db, me)
    mails.clear_about(ctx.db, me, ctx.now)
    leaving.release_holds(ctx.db, me)
    leaving.cancel_ahead(ctx.db, me, ctx.now)
    leaving.erase_texts(ctx.db, me)
    answers.delete_of(ctx.db, me, ctx.now)
    answers_about.clear(ctx.db, me, ctx.now)
    return Message(message="Your account is deleted. Doctors with appointments ahead are told by e-mail.")

"""Booking and listing appointments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from src.context import Caller, Context, Doctor, Patient
from src.controllers import own_appointment
from src.controllers.email_controller import refuse_unconfirmed
from src.domain.refusals import accepted
from src.errors_of_accounts import EmailNotConfirmed
from src.errors_of_appointments import (
    LIMITS,
    NOT_AVAILABLE,
    AppointmentNotFound,
    NotYourAppointment,
)
from src.repositories import appointment_repository as appointments
from src.repositories import appointments_by_start as by_start
from src.repositories import booking_repository as bookings
from src.schemas.appointment import (
    AppointmentBooked,
    BookAppointment,
    DoctorsAppointment,
    PatientsAppointment,
)
from src.schemas.appointment_details import AppointmentDetails
from src.schemas.appointment_list import AppointmentsWanted, DoctorsAppointments, PatientsAppointments
from src.utils.decorators import one_statement, raises


@one_statement
@raises(*NOT_AVAILABLE, *LIMITS, EmailNotConfirmed)
def book(ctx: Context[Patient], body: BookAppointment) -> AppointmentBooked:
    """Book a slot or a computed time that is offered. The patient gets a confirmation by e-mail."""
    refuse_unconfirmed(ctx)
    settings, who = ctx.settings, (ctx.actor.user_id, ctx.now)
    zone, reason = settings.clinic_time_zone, body.reason if settings.appointment_reasons == "yes" else None
    appointment_id = accepted(
        bookings.book(
            ctx.db,
            body.slot_id,
            *who,
            settings.policies,
            clinic_zone=zone,
            in_steps=ctx.in_steps,
            reason=reason or None,
        )
    )
    return AppointmentBooked(message="Your appointment is booked.", appointment_id=appointment_id)


@raises(AppointmentNotFound, NotYourAppointment)
def show(ctx: Context[Caller], appointment_id: int) -> AppointmentDetails:
    """Show one of the caller's appointments with its whole history."""
    return own_appointment.find(ctx, appointment_id).details


def list_mine(ctx: Context[Patient], query: AppointmentsWanted) -> PatientsAppointments:
    """List the patient's appointments, newest booking first or by start, cancelled ones included."""
    of, most, notice = ctx.actor.user_id, query.limit + 1, ctx.settings.policies.cancellation_notice
    if query.by_start:
        rows = by_start.of_patient(ctx.db, of, query.filter, query.place, most, ctx.now)
    else:
        rows = appointments.list_of_patient(ctx.db, of, before=query.cursor, limit=most)
    return PatientsAppointments.of_rows(
        [PatientsAppointment.of_row(row, ctx.now, notice) for row in rows[: query.limit]],
        next_cursor=_next_cursor(rows, query),
    )


def list_doctors(ctx: Context[Doctor], query: AppointmentsWanted) -> DoctorsAppointments:
    """List the doctor's appointments, newest booking first or by start, cancelled ones included."""
    of, most = ctx.actor.doctor_id, query.limit + 1
    if query.by_start:
        rows = by_start.of_doctor(ctx.db, of, query.filter, query.place, most, ctx.now)
    else:
        rows = appointments.list_of_doctor(ctx.db, of, before=query.cursor, limit=most)
    return DoctorsAppointments.of_rows(
        [DoctorsAppointment.of_row(row, ctx.now) for row in rows[: query.limit]],
        next_cursor=_next_cursor(rows, query),
    )


def _next_cursor(rows: Sequence[Row[Any]], query: AppointmentsWanted) -> int | str | None:
    return query.cursor_after(rows[query.limit - 1]) if len(rows) > query.limit else None

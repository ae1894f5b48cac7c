"""One appointment of the caller, and what the caller may still do with it."""

from __future__ import annotations

from dataclasses import dataclass

from src.context import Caller, Context
from src.errors_of_appointments import AppointmentNotFound, NotYourAppointment
from src.repositories import appointment_repository as appointments
from src.schemas.appointment import ListedAppointment, notice_of
from src.schemas.appointment_details import AppointmentDetails, EventOut


@dataclass(frozen=True)
class OwnAppointment:
    """The appointment as its caller sees it, and what it is for; `visit_type_id` is None for a published slot.

    `designation` is the doctor's. The patient can cancel or move it until `notice` minutes before its start.
    """

    details: AppointmentDetails
    doctor_id: int
    doctor_has_left: bool
    designation: str
    slot_id: int
    visit_type_id: int | None
    notice: int


def find(ctx: Context[Caller], appointment_id: int) -> OwnAppointment:
    """Return an appointment of the caller's, as patient or as doctor; raise the error if it is not."""
    row = appointments.find_full(ctx.db, appointment_id)
    if row is None:
        raise AppointmentNotFound
    if ctx.actor.user_id not in (row.patient_id, row.doctor_user_id):
        raise NotYourAppointment
    is_doctor = ctx.actor.user_id == row.doctor_user_id
    history = appointments.history(ctx.db, row.id)
    notice = notice_of(row, ctx.settings.policies.cancellation_notice)
    details = AppointmentDetails(
        doctor_name=row.doctor_name,
        patient_name=row.patient_name,
        history=[EventOut.of_row(event) for event in history],
        revision=history[-1].id,
        reason=row.reason,
        note=row.note if is_doctor else None,
        patient_email=row.patient_email if is_doctor else None,
        patient_phone=row.patient_phone if is_doctor else None,
        **ListedAppointment.of_row(row, ctx.now, notice if ctx.actor.user_id == row.patient_id else 0),
    )
    return OwnAppointment(
        details,
        row.doctor_id,
        row.doctor_has_left,
        row.designation,
        row.slot_id,
        row.visit_type_id,
        notice,
    )

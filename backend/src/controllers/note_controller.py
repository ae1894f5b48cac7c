"""What staff note about an appointment."""

from __future__ import annotations

from src.context import Context, Doctor
from src.errors_of_appointments import AppointmentNotFound, NotYourAppointment
from src.repositories import appointment_repository as appointments
from src.schemas.base import Message
from src.schemas.note import Note
from src.utils.decorators import raises


@raises(AppointmentNotFound, NotYourAppointment)
def write(ctx: Context[Doctor], appointment_id: int, body: Note) -> Message:
    """Replace the note of one of the doctor's appointments. Patients never see it, and no mail has it.

    A move to another doctor deletes it.
    """
    if not appointments.set_note(ctx.db, appointment_id, ctx.actor.doctor_id, body.note or None):
        raise AppointmentNotFound if appointments.find_full(ctx.db, appointment_id) is None else NotYourAppointment
    return Message(message="The note is saved.")

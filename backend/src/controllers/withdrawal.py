"""Cancelling all that is ahead of a doctor who leaves."""

from __future__ import annotations

from src.context import Context, Doctor
from src.controllers.presenters import facts_of
from src.repositories import appointment_repository as appointments
from src.repositories import outbox_repository as outbox
from src.services.appointment_mails import cancellation


def cancel_ahead(ctx: Context[Doctor]) -> None:
    """Cancel the doctor's appointments ahead and tell each patient; the doctor knows."""
    for row in appointments.list_full_ahead_of_doctor(ctx.db, ctx.actor.doctor_id, ctx.now):
        event_id = appointments.cancel(ctx.db, row.id, row.slot_id, ctx.actor.user_id, ctx.now)
        if event_id is None:
            continue
        by = f"the doctor, {row.doctor_name}, who no longer offers appointments here"
        outbox.add(
            ctx.db,
            [(row.patient_id, cancellation(row.patient_email, row.patient_name, by, facts_of(row)))],
            event_id=event_id,
            appointment_id=row.id,
            now=ctx.now,
        )

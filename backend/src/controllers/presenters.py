"""Rows turned into what the wire shows, where several controllers show the same."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row

from src.domain.appointment_rules import shown_status
from src.schemas.base import wall_clock_span
from src.services.appointment_mails import render
from src.services.mail import Mail, MailUnknown


def listed(row: Row[Any], now: datetime) -> dict[str, Any]:
    """Return the fields that every listed appointment has."""
    return {
        "appointment_id": row.id,
        "status": shown_status(row.status, row.starts_at, row.ends_at, now),
        **wall_clock_span(row.starts_at, row.ends_at, row.time_zone),
    }


def patients_appointment(row: Row[Any], now: datetime) -> dict[str, Any]:
    """Show an appointment to its patient, as a PatientsAppointment."""
    return {"doctor_name": row.other_name, **listed(row, now)}


def doctors_appointment(row: Row[Any], now: datetime) -> dict[str, Any]:
    """Show an appointment to its doctor, as a DoctorsAppointment."""
    return {"patient_name": row.other_name, **listed(row, now)}


def mail_of(row: Row[Any]) -> Mail:
    """Return a mail of the outbox as it was rendered, or as it will be; raise MailUnknown as `render` does."""
    if row.text is None:
        return render(row.recipient or "", row.template, row.facts)
    return Mail(row.recipient or "", row.subject, row.text, row.html)


def mail_to_look_at(row: Row[Any]) -> Mail:
    """Return a mail of the outbox as a person can read it, also where this version cannot render it."""
    try:
        return mail_of(row)
    except MailUnknown as unknown:
        return Mail(row.recipient or "", str(unknown), f"{unknown}\n\n{row.facts}\n", "")

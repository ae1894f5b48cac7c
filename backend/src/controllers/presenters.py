"""Rows turned into what the wire shows, where several controllers show the same."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row

from src.domain.appointment_rules import shown_status
from src.schemas.base import wall_clock_span
from src.services.appointment_mails import AppointmentFacts


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


def facts_of(row: Row[Any]) -> AppointmentFacts:
    """Return what mails say of an appointment, from a row of `find_full`."""
    return AppointmentFacts(
        number=row.id,
        doctor_name=row.doctor_name,
        specialization=row.specialization,
        patient_name=row.patient_name,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        time_zone=row.time_zone,
    )

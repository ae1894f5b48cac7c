"""Answers about patients."""

from __future__ import annotations

from src.schemas.appointment import PatientsAppointment
from src.schemas.base import Out


class PatientDashboard(Out):
    """What a patient wants to see first."""

    message: str
    next_appointment: PatientsAppointment | None
    appointments_ahead: int
    appointments_total: int

"""Answers about appointments that lie outside of their doctor's hours."""

from __future__ import annotations

from src.schemas.appointment import DoctorsAppointment
from src.schemas.base import Out


class AffectedAppointments(Out):
    """The booked appointments ahead that lie outside of the hours, by time."""

    data: list[DoctorsAppointment]

"""Requests of cancellations."""

from __future__ import annotations

from pydantic import Field

from src.schemas.base import In
from src.schemas.fields import Flag, OneLine


class CancelAppointment(In):
    """Why an appointment is cancelled, and whether its time is withdrawn; the body can be left out."""

    reason: OneLine | None = Field(
        None, description="the other party sees it; if the doctor gives it, it is in the mails", examples=["I am ill."]
    )
    withdraw: Flag = Field(False, description="for doctors: whether to keep the time from being offered again")

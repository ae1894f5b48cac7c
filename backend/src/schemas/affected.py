"""Requests and answers about appointments that lie outside of their doctor's hours."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from src.schemas.appointment import DoctorsAppointment
from src.schemas.base import In, Message, Out
from src.schemas.fields import Id, OneLine
from src.schemas.findings import Wrong

MOST_AT_ONCE = 500


class AffectedAppointments(Out):
    """The booked appointments ahead that lie outside of the hours, by time."""

    data: list[DoctorsAppointment]


def _each_once(ids: list[int]) -> list[int]:
    if len(set(ids)) < len(ids):
        raise Wrong("repeated", "must not name anything twice.")
    return ids


AppointmentIds = Annotated[list[Id], Field(min_length=1, max_length=MOST_AT_ONCE), AfterValidator(_each_once)]


class CancelAffected(In):
    """Which of the affected appointments to cancel, and why."""

    appointment_ids: AppointmentIds = Field(examples=[[17, 18]])
    reason: OneLine | None = Field(None, description="the patients see it, also in the mails", examples=["I am ill."])


class AffectedCancelled(Message):
    cancelled: int = Field(description="how many", examples=[2])

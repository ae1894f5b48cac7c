"""A patient's own appointments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from src.context import Caller, Context, Patient
from src.controllers import appointment_controller as appointments
from src.schemas.appointment_details import AppointmentDetails
from src.schemas.appointment_list import AppointmentsWanted
from src.schemas.base import In
from src.schemas.fields import QueryNumber

OF_A_PAGE = 20


class EarlierWanted(In):
    """After which one the list of earlier appointments goes on."""

    cursor: QueryNumber | None = None


@dataclass(frozen=True)
class Mine:
    """What is ahead, by time, and what was, the newest booking first."""

    ahead: list[Any]
    earlier: list[Any]
    next_cursor: int | str | None


def my_appointments(ctx: Context[Patient], query: EarlierWanted) -> Mine:
    ahead: list[Any] = []
    if query.cursor is None:
        ahead = appointments.list_mine(ctx, AppointmentsWanted.model_validate({"status": "booked"})).data
    wanted = AppointmentsWanted.model_validate({"limit": OF_A_PAGE, "cursor": query.cursor})
    every = appointments.list_mine(ctx, wanted)
    rows: list[Any] = every.data
    return Mine(ahead, [row for row in rows if row["status"] != "booked"], every.next_cursor)


def appointment(ctx: Context[Caller], appointment_id: int) -> AppointmentDetails:
    return appointments.show(ctx, appointment_id)

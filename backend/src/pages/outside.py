"""Appointments outside of the hours: shown before a change leaves them there, and cancelled together."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from src.context import Context, Doctor
from src.controllers import affected_controller as affected
from src.errors_of_hours import LeavesOutside
from src.schemas.appointment import DoctorsAppointment
from src.schemas.base import In
from src.schemas.fields import Flag


class OutsideWanted(In):
    """Whether all appointments are ticked at first."""

    all: Flag = False


@dataclass(frozen=True)
class Outside:
    """The booked appointments ahead that lie outside of the hours, by time."""

    appointments: list[DoctorsAppointment]
    all_ticked: bool


def outside(ctx: Context[Doctor], query: OutsideWanted) -> Outside:
    return Outside(affected.list_all(ctx).data, query.all)


def ids_outside(ctx: Context[Doctor]) -> frozenset[int]:
    """Return the ids of the appointments that lie outside of the hours now."""
    return frozenset(each.appointment_id for each in affected.list_all(ctx).data)


def refuse_more_outside(before: Collection[int], after: Iterable[DoctorsAppointment]) -> None:
    """Raise LeavesOutside if other appointments than before lie outside after a change."""
    more: list[dict[str, Any]] = [each.model_dump() for each in after if each.appointment_id not in before]
    if more:
        raise LeavesOutside(more)

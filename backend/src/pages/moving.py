"""Moving an appointment: to which time, and whether that suits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from src.context import Context, Patient
from src.controllers import chosen_time
from src.controllers import patient_controller as patients
from src.controllers.chosen_time import ChosenTime
from src.pages import times as free_times
from src.pages.mine import Mine, appointment
from src.pages.times import FreeTimes, TimesWanted
from src.schemas.doctor import DoctorShown


@dataclass(frozen=True)
class MoveTo:
    """The appointment, and the free times to which it can be moved: none if it is too late."""

    mine: Mine
    times: FreeTimes | None


def times(ctx: Context[Patient], appointment_id: int, query: TimesWanted) -> MoveTo:
    mine = appointment(ctx, appointment_id)
    if not mine.appointment.can_move:
        return MoveTo(mine, None)
    return MoveTo(mine, free_times.find(ctx, mine.own.doctor_id, query, mine.own))


@dataclass(frozen=True)
class Move:
    """The appointment, and the chosen time; `nearest` are the free times around it if it has gone."""

    mine: Mine
    doctor: DoctorShown
    time: ChosenTime
    nearest: list[Any]


def confirm(ctx: Context[Patient], appointment_id: int, slot_id: int) -> Move:
    mine = appointment(ctx, appointment_id)
    doctor = patients.show_doctor(ctx, mine.own.doctor_id)
    time = chosen_time.find(ctx, doctor, slot_id, moving=appointment_id)
    nearest = [] if time.can_book else free_times.nearest(ctx, doctor, time, mine.own)
    return Move(mine, doctor, time, nearest)

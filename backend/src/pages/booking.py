"""From a doctor to a time to an appointment: what anybody sees, and what a patient confirms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from src.context import Caller, Context
from src.controllers import chosen_time
from src.controllers import patient_controller as patients
from src.controllers import visit_type_controller as visit_types
from src.controllers.chosen_time import ChosenTime
from src.pages import times as free_times
from src.pages.moments import Limit, Moment
from src.pages.times import FreeTimes, TimesWanted
from src.schemas.doctor import DoctorShown

Visitor = Context[Caller | None]


def times(ctx: Visitor, doctor_id: int, query: TimesWanted) -> FreeTimes:
    return free_times.find(ctx, doctor_id, query)


@dataclass(frozen=True)
class Choice:
    """A chosen time; `nearest` are the free times around it if it has gone.

    `held_until` is HH:MM on the clock of the chosen time, if the reader holds it.
    """

    doctor: DoctorShown
    time: ChosenTime
    visit_type: str | None
    held_until: str | None
    limit: Limit
    nearest: list[Any]


def confirm(ctx: Visitor, doctor_id: int, slot_id: int) -> Choice:
    doctor = patients.show_doctor(ctx, doctor_id)
    time = chosen_time.find(ctx, doctor, slot_id)
    types: list[Any] = visit_types.list_for_patients(ctx, doctor_id).data
    return Choice(
        doctor=doctor,
        time=time,
        visit_type=next((each["name"] for each in types if each["id"] == time.visit_type_id), None),
        held_until=None if time.held_until is None else Moment.of(time.held_until, time.span["time_zone"]).time,
        limit=Limit.of(time.span["starts_at"], time.span["time_zone"], time.notice, ctx.now),
        nearest=[] if time.can_book else free_times.nearest(ctx, doctor, time),
    )

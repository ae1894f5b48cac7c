"""One time that a patient has chosen, whether it can still be booked or not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from src.context import Caller, Context
from src.controllers import free_times
from src.domain.minutes import instant_of_minute
from src.domain.wall_clock import local
from src.errors_of_appointments import SlotNotFound
from src.repositories import appointment_repository as appointments
from src.repositories import availability_repository as slots
from src.repositories import booking_targets as targets
from src.repositories import doctor_repository as doctors
from src.repositories import holds
from src.repositories.booking_targets import ComputedTime
from src.schemas.availability import FreeWanted, span_of_minutes
from src.schemas.base import wall_clock_span
from src.schemas.doctor import DoctorShown


@dataclass(frozen=True)
class ChosenTime:
    """A slot or a computed time of a doctor: when it is, what it is for, and whether the caller can book it now.

    `span` has the fields of a WallClockSpan, and `visit_type_id` is None for a published slot. If the caller holds it,
    `held_until` is when that ends. Once booked, it can be cancelled or moved until `notice` minutes before it starts.
    `booked_as` is the caller's appointment there, or None.
    """

    slot_id: int
    span: dict[str, str]
    visit_type_id: int | None
    place: str | None
    seats_left: int | None
    can_book: bool
    held_until: datetime | None
    notice: int
    booked_as: int | None


def find(ctx: Context[Caller | None], doctor: DoctorShown, slot_id: int, moving: int = 0) -> ChosenTime:
    """Return the doctor's time with this id; raise SlotNotFound if the doctor never had it.

    `moving` is the appointment that the caller would move there, or 0 for a new one.
    """
    target = targets.find(ctx.db, slot_id, ctx.settings.clinic_time_zone)
    if target is None or target.doctor_id != doctor.id:
        raise SlotNotFound
    if isinstance(target, ComputedTime):
        starts_at, visit_type_id = instant_of_minute(target.minute), target.visit_type_id
        span = dict(span_of_minutes(target.minute, target.minutes, target.time_zone))
    else:
        row = slots.find(ctx.db, slot_id)
        starts_at, visit_type_id = row.starts_at, None
        span = dict(wall_clock_span(row.starts_at, row.ends_at, row.wall_start, row.wall_end, row.time_zone))
    day = local(starts_at, doctor.time_zone).date().isoformat()
    wanted = FreeWanted.model_validate({"visit_type": visit_type_id, "from": day, "until": day})
    listed = _listed(ctx, doctor.id, slot_id, wanted, moving)
    notice = doctors.find_policies(ctx.db, doctor.id)["cancellation_notice"]
    return ChosenTime(
        slot_id,
        span,
        visit_type_id,
        place=None if listed is None else listed["place"],
        seats_left=None if listed is None else listed["seats_left"],
        can_book=listed is not None,
        held_until=None if ctx.actor is None else holds.held_until(ctx.db, slot_id, ctx.actor.user_id, ctx.now),
        notice=ctx.settings.policies.cancellation_notice if notice is None else notice,
        booked_as=None if ctx.actor is None else appointments.find_at(ctx.db, ctx.actor.user_id, slot_id),
    )


def _listed(
    ctx: Context[Caller | None], doctor_id: int, slot_id: int, wanted: FreeWanted, moving: int
) -> dict[str, Any] | None:
    """Return the time's entry in the list of free times, which decides what can be booked, or None."""
    rows: Any = free_times.page(ctx, doctor_id, wanted, moving).data
    return next((row for row in rows if row["slot_id"] == slot_id), None)

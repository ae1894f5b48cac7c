"""Publishing, listing and withdrawing slots, and listing what is free."""

from __future__ import annotations

from typing import Any

from src.context import Caller, Context, Doctor
from src.controllers import free_times
from src.domain.appointment_rules import check_slot_times
from src.domain.refusals import raise_if_refused, why_not_bookable
from src.domain.wall_clock import instant_of, wall_span
from src.errors import Unauthenticated
from src.errors_of_appointments import BadSlot, DoctorNotFound, SlotNotFound, SlotOverlaps, SlotPast, SlotTaken
from src.errors_of_hours import VisitTypeNotFound
from src.repositories import account_locks as locks
from src.repositories import availability_repository as slots
from src.repositories import doctor_repository as doctors
from src.repositories import visit_type_repository as visit_types
from src.schemas.availability import FreeSlots, FreeWanted, NewSlot, SlotPublished
from src.schemas.base import Message
from src.schemas.published_slots import DoctorsSlot, DoctorsSlots, SlotsWanted, cursor_after
from src.utils.decorators import raises


@raises(BadSlot, SlotOverlaps)
def publish(ctx: Context[Doctor], body: NewSlot) -> SlotPublished:
    """Publish a slot on the wall clock of the doctor's time zone.

    A slot may last until midnight (`end_time` 00:00 or 24:00), or over midnight if that makes at most 12 hours on the
    clock (22:00 to 02:00). Refused: a slot in the past or more than ten years ahead, one that ends when or before it
    starts, and times that the clocks skip or show twice on that day.
    """
    wall_start, wall_end = wall_span(body.date, body.start_time, body.end_time)
    starts_at, ends_at = instant_of(wall_start, ctx.actor.time_zone), instant_of(wall_end, ctx.actor.time_zone)
    check_slot_times(starts_at, ends_at, ctx.now)
    if not locks.lock_living(ctx.db, ctx.actor.user_id):
        raise Unauthenticated
    slot_id = slots.add(
        ctx.db,
        doctor_id=ctx.actor.doctor_id,
        starts_at=starts_at,
        ends_at=ends_at,
        time_zone=ctx.actor.time_zone,
        wall_start=wall_start,
        wall_end=wall_end,
        now=ctx.now,
    )
    if slot_id is None:
        raise SlotOverlaps
    return SlotPublished(message="The slot is published.", slot_id=slot_id)


def list_own(ctx: Context[Doctor], query: SlotsWanted) -> DoctorsSlots:
    """List the slots that the doctor has published, by time: those from today on, without withdrawn ones.

    `from`, `until` and `status` ask for others, past ones too. Past slots that nobody has booked are deleted in time.
    """
    place, end = query.window(ctx.now, ctx.actor.time_zone)
    rows = slots.list_page(ctx.db, ctx.actor.doctor_id, query.status, place, end, query.limit + 1)
    shown = rows[: query.limit]
    cursor = cursor_after(shown[-1]) if len(rows) > query.limit else None
    return DoctorsSlots.of_rows([DoctorsSlot.of_row(row) for row in shown], next_cursor=cursor)


def show_own(ctx: Context[Doctor], slot_id: int) -> dict[str, Any]:
    """Return the fields of a DoctorsSlot; raise SlotNotFound unless the doctor published it."""
    row = slots.find_of_doctor(ctx.db, slot_id, ctx.actor.doctor_id)
    if row is None:
        raise SlotNotFound
    return DoctorsSlot.of_row(row)


@raises(SlotNotFound, SlotTaken, SlotPast)
def withdraw(ctx: Context[Doctor], slot_id: int) -> Message:
    """Withdraw a free slot that is ahead. Nobody can book it any more; a booked slot stays until it is cancelled.

    This is about the slot alone: what follows from hours at the same time is offered until an exception closes it.
    """
    slot = slots.lock_of_doctor(ctx.db, slot_id, ctx.actor.doctor_id)
    if slot is None:
        raise SlotNotFound
    raise_if_refused(why_not_bookable(slot.status, slot.starts_at, ctx.now))
    slots.withdraw(ctx.db, slot_id)
    return Message(message="The slot is withdrawn.")


@raises(DoctorNotFound, VisitTypeNotFound)
def free_slots(ctx: Context[Caller | None], doctor_id: int, query: FreeWanted) -> FreeSlots:
    """List what can be booked of a doctor, by time: published slots, and times that follow from the doctor's hours."""
    times = free_times.page(ctx, doctor_id, query)
    # Deleting the account withdraws the slots, so a doctor with free times exists. Only an empty list needs the check.
    if not times.data:
        _check_there_is(ctx, doctor_id, query.visit_type)
    return times


def _check_there_is(ctx: Context[Caller | None], doctor_id: int, visit_type_id: int | None) -> None:
    if not doctors.is_living(ctx.db, doctor_id):
        raise DoctorNotFound
    if visit_type_id is not None and not visit_types.is_bookable(ctx.db, doctor_id, visit_type_id):
        raise VisitTypeNotFound

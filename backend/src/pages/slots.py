"""Slots that a doctor publishes beside the hours, one at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import Field

from src.context import Context, Doctor
from src.controllers import availability_controller as availability
from src.controllers import schedule_controller as schedules
from src.domain.wall_clock import wall_clock, wall_span
from src.errors_of_appointments import SlotBesideAppointment, SlotOnClosedDay
from src.pages.forms_of_hours import DraftText
from src.schemas.availability import NewSlot
from src.schemas.base import In, Message
from src.schemas.fields import Flag
from src.schemas.schedule import DaysWanted

_BUSY = ("busy_starts_at", "busy_ends_at")


class SlotDraft(In):
    """What the form shows at first; a browser ignores what is no date or time."""

    date: DraftText = ""
    from_: DraftText = Field("", alias="from")
    until: DraftText = ""


@dataclass(frozen=True)
class NewSlotShown:
    draft: SlotDraft
    time_zone: str


class SlotChanged(Message):
    """What happened, and on which day of the doctor's week."""

    date: str


def new(ctx: Context[Doctor], query: SlotDraft) -> NewSlotShown:
    return NewSlotShown(query, ctx.actor.time_zone)


class SlotForm(NewSlot):
    """A slot to publish, and whether the doctor wants it although something is there."""

    all_the_same: Flag = False


def publish(ctx: Context[Doctor], body: SlotForm) -> SlotChanged:
    """Publish a slot; raise SlotBesideAppointment or SlotOnClosedDay if the doctor has not seen what else is there."""
    if not body.all_the_same:
        _check_beside(ctx, body)
    return SlotChanged(message=availability.publish(ctx, body).message, date=body.date.isoformat())


def _check_beside(ctx: Context[Doctor], slot: NewSlot) -> None:
    begin, end = wall_span(slot.date, slot.start_time, slot.end_time)
    day = slot.date.isoformat()
    on_day: Any = schedules.show(ctx, DaysWanted.model_validate({"from": day, "until": end.date().isoformat()}))
    for busy in on_day.appointments:
        times = (wall_clock(datetime.fromisoformat(busy[name]), ctx.actor.time_zone) for name in _BUSY)
        busy_begin, busy_end = times
        if busy_begin < end and begin < busy_end:
            raise SlotBesideAppointment
    if any(closure["from"] is None and closure["first_day"] <= day for closure in on_day.closures):
        raise SlotOnClosedDay


@dataclass(frozen=True)
class SlotShown:
    slot: dict[str, Any]


def show(ctx: Context[Doctor], slot_id: int) -> SlotShown:
    return SlotShown(availability.show_own(ctx, slot_id))


def withdraw(ctx: Context[Doctor], slot_id: int) -> SlotChanged:
    slot = availability.show_own(ctx, slot_id)
    return SlotChanged(message=availability.withdraw(ctx, slot_id).message, date=slot["date"])

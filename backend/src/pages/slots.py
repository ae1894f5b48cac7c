"""Slots that a doctor publishes beside the hours, one at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import Field

from src.context import Context, Doctor
from src.controllers import availability_controller as availability
from src.pages.forms_of_hours import DraftText
from src.schemas.availability import NewSlot
from src.schemas.base import In, Message


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


def publish(ctx: Context[Doctor], body: NewSlot) -> SlotChanged:
    return SlotChanged(message=availability.publish(ctx, body).message, date=body.date.isoformat())


@dataclass(frozen=True)
class SlotShown:
    slot: dict[str, Any]


def show(ctx: Context[Doctor], slot_id: int) -> SlotShown:
    return SlotShown(availability.show_own(ctx, slot_id))


def withdraw(ctx: Context[Doctor], slot_id: int) -> SlotChanged:
    slot = availability.show_own(ctx, slot_id)
    return SlotChanged(message=availability.withdraw(ctx, slot_id).message, date=slot["date"])

"""Requests and answers about slots."""

from __future__ import annotations

from src.schemas.base import In, Out, WallClockSpan
from src.schemas.fields import WallDate, WallEndTime, WallTime


class NewSlot(In):
    """A slot to publish, on the wall clock of the doctor's time zone."""

    date: WallDate
    start_time: WallTime
    end_time: WallEndTime


class SlotPublished(Out):
    """The slot can be booked now."""

    message: str
    slot_id: int


class FreeSlot(WallClockSpan):
    """A slot that can be booked."""

    slot_id: int


class FreeSlots(Out):
    """The free slots of a doctor that are ahead, by time."""

    data: list[FreeSlot]

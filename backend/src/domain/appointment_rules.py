"""Rules about slots and appointments, as pure functions of their times and status."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from src.errors_of_appointments import BadSlot

ShownStatus = Literal["booked", "in_progress", "completed", "cancelled"]

# Ten years, with three leap days: as many as ten years can have.
FARTHEST_AHEAD = timedelta(days=3653)
# A slot ends on the day on which it starts, or on the next; a day may have an hour more when clocks change.
LONGEST_SLOT = timedelta(hours=49)


def check_slot_times(starts_at: datetime, ends_at: datetime, now: datetime) -> None:
    """Raise BadSlot unless the slot ends after it starts, and starts in the future and within ten years."""
    if ends_at <= starts_at:
        raise BadSlot("The end time must be after the start time.")
    if starts_at <= now:
        raise BadSlot
    if starts_at > now + FARTHEST_AHEAD:
        raise BadSlot("The slot must start within the next ten years.")


def shown_status(status: str, starts_at: datetime, ends_at: datetime, now: datetime) -> ShownStatus:
    """Return the status that patient and doctor see: `booked` only until the start, while they can still cancel."""
    if status == "cancelled":
        return "cancelled"
    if now < starts_at:
        return "booked"
    return "in_progress" if now < ends_at else "completed"

"""Holding a time."""

from __future__ import annotations

from pydantic import Field

from src.schemas.base import In, Out
from src.schemas.fields import Id, WholeNumber


class NewHold(In):
    """Which time to hold, and for how many minutes."""

    slot_id: Id
    minutes: WholeNumber = Field(ge=1, le=15, examples=[10])


class HeldTime(Out):
    """The time is held for the patient."""

    message: str
    hold_id: int
    held_until: str = Field(description="RFC 3339, UTC")

"""Requests and answers about the slots that a doctor has published."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from src.domain.minutes import instant_of_minute, minute_of
from src.domain.wall_clock import bounds_of_days, local
from src.schemas.availability import FreeCursor, TimeCursor
from src.schemas.base import In, Out, WallClockSpan, wall_clock_span
from src.schemas.fields import QueryNumber, WallDate, last_day

SlotStatus = Literal["free", "booked", "withdrawn"]


class SlotsWanted(In):
    """Which of the doctor's own slots to list: without `from`, those from today on."""

    from_: WallDate | None = Field(
        None, alias="from", description="the first day, in the doctor's time zone; null is today"
    )
    until: WallDate | None = Field(None, description="the last day, included, in the doctor's time zone")
    status: SlotStatus | None = Field(
        None, description="only slots with this `status`; without it, all that are not withdrawn"
    )
    limit: QueryNumber = Field(200, ge=1, le=1000)
    cursor: FreeCursor | None = Field(
        None, description="`next_cursor` of the page before, with the same parameters; leave it out to begin"
    )

    @field_validator("until")
    @classmethod
    def _does_not_end_before_it_begins(cls, until: date | None, info: ValidationInfo) -> date | None:
        return last_day(until, info.data.get("from_"))

    def window(self, now: datetime, zone: str) -> tuple[tuple[datetime, int], datetime]:
        """Return the place, a start and an id, that the slots follow, and the instant before which they begin."""
        first = self.from_ or local(now, zone).date()
        begin, end = bounds_of_days(first, self.until or date.max, zone)
        after = (begin, 0)
        if self.cursor is not None:
            after = max(after, (instant_of_minute(self.cursor.minute), self.cursor.slot_id))
        return after, end


class DoctorsSlot(WallClockSpan):
    """A slot that the doctor published."""

    slot_id: int
    status: SlotStatus = Field(
        description="`free`: nobody has booked it; patients see it while it is ahead and nothing else takes its time"
    )

    @staticmethod
    def of_row(row: Any) -> dict[str, Any]:
        """Return the fields, from a row of the repository, whose columns it takes by position: names are slow."""
        slot_id, *times, status = row
        return {"slot_id": slot_id, "status": status, **wall_clock_span(*times)}


class DoctorsSlots(Out):
    """The doctor's own slots, by time."""

    data: list[DoctorsSlot]
    next_cursor: str | None


def cursor_after(row: Any) -> str:
    """Return the cursor of the page that follows this row of the repository."""
    return str(TimeCursor(minute_of(row.starts_at), row.id))

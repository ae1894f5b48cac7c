"""Requests and answers about times of many doctors."""

from __future__ import annotations

from datetime import date
from typing import Any

from pydantic import Field, ValidationInfo, field_validator
from sqlalchemy import Row

from src.domain.parts_of_day import PartOfDay
from src.schemas.availability import FreeCursor, FreeSlot
from src.schemas.base import In, Out
from src.schemas.fields import OneLine, QueryId, QueryNumber, WallDate, last_day

MOST_FOUND = 100


class SlotsWanted(In):
    """Which times to find.

    Without `visit_type`: the published slots, and the times of default visit types. Letter case is ignored.
    """

    specialization: OneLine | None = Field(None, description="only of doctors of this specialization")
    visit_type: OneLine | None = Field(None, description="only times of visit types with this name")
    doctor_id: QueryId | None = Field(None, description="only of this doctor")
    from_: WallDate | None = Field(None, alias="from", description="the first day, in the doctor's time zone")
    until: WallDate | None = Field(None, description="the last day, included, in the doctor's time zone")
    part_of_day: PartOfDay | None = Field(
        None, description="only times that begin before 12:00, before 17:00, or later, on the doctor's wall clock"
    )
    limit: QueryNumber = Field(20, ge=1, le=MOST_FOUND)
    cursor: FreeCursor | None = Field(
        None, description="`next_cursor` of the page before, with the same parameters; leave it out to begin"
    )

    @field_validator("until")
    @classmethod
    def _does_not_end_before_it_begins(cls, until: date | None, info: ValidationInfo) -> date | None:
        return last_day(until, info.data.get("from_"))


class FoundSlot(FreeSlot):
    """A time that can be booked, of which doctor, and for what."""

    doctor_id: int
    doctor_name: str
    designation: str
    specialization: str
    visit_type: str | None = Field(description="the name of the visit type; null for a published slot")

    @classmethod
    def of_row(cls, row: Row[Any]) -> dict[str, Any]:
        """Return the fields, from a row of the search."""
        return {
            **cls.of_found(row),
            "doctor_id": row.doctor_id,
            "doctor_name": row.doctor_name,
            "designation": row.designation,
            "specialization": row.specialization,
            "visit_type": row.visit_type,
        }


class FoundSlots(Out):
    """What can be booked, the earliest first, and at the same minute by `slot_id`."""

    data: list[FoundSlot]
    next_cursor: str | None

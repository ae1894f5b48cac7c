"""Requests and answers about why a time is or is not offered."""

from __future__ import annotations

from typing import Any

from pydantic import Field
from typing_extensions import Self

from src.domain.explanation import Reason, ReasonCode
from src.schemas.base import In, Out, WallClockSpan
from src.schemas.fields import QueryId, WallDateTime


class ExplanationWanted(In):
    """Which time to explain."""

    at: WallDateTime = Field(
        description="on the wall clock of the doctor's time zone; what the clocks show twice is its first showing"
    )
    visit_type: QueryId | None = Field(
        None, description="the id of a visit type of your own; without it, the default type"
    )


class ReasonOut(Out):
    """Something that keeps patients from booking."""

    code: ReasonCode = Field(description="for programs; later versions may add others")
    message: str = Field(description="for people", examples=["This time has already begun."])
    change: str = Field(description="what would change it", examples=["Choose a time that is ahead."])
    params: dict[str, Any] = Field(
        description="what both were made from, such as `appointment_id` or `exception_id`; times without an offset are"
        " on the doctor's wall clock",
    )

    @classmethod
    def of(cls, reason: Reason) -> Self:
        return cls(**reason._asdict())


class ExplainedSlot(Out):
    """A published slot that begins at the time."""

    slot_id: int
    offered: bool
    reasons: list[ReasonOut] = Field(description="empty if and only if it is offered")


class Explanation(Out):
    """Whether patients are offered a visit at a time, and if not, everything that keeps them from it."""

    at: WallClockSpan = Field(description="as long as a visit of the type; without a type, it ends when it begins")
    visit_type_id: int | None = Field(description="null if there is no default type")
    offered: bool
    slot_id: int | None = Field(description="for booking; null if it is not offered")
    reasons: list[ReasonOut] = Field(description="all that hold; empty if and only if it is offered")
    published_slot: ExplainedSlot | None

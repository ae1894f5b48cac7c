"""Requests and answers about visit types."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from src.domain.visit_types import LONGEST_HORIZON, default_of, may_be_default
from src.schemas.base import In, Out
from src.schemas.fields import Description, Flag, Name, Notice, WholeNumber, WithinADay
from src.schemas.findings import Wrong

BookedBy = Literal["patients", "staff"]


class NewVisitType(In):
    """A visit type, whole: what is left out gets its default."""

    name: Name = Field(examples=["Consultation"])
    description: Description = Field("", description="for patients")
    minutes: WithinADay = Field(examples=[30])
    buffer_before: WholeNumber = Field(
        0, ge=0, le=480, description="minutes that the doctor needs before each visit; patients do not see them"
    )
    buffer_after: WholeNumber = Field(0, ge=0, le=480, description="the same after each visit")
    step: WithinADay | None = Field(
        None, description="visits begin when the hours begin and this many minutes later, again and again;"
        " null is as many as `minutes`",
    )  # fmt: skip
    minimum_notice: Notice = Field(0, description="in minutes: how long before a visit it can be booked at the latest")
    horizon: WholeNumber = Field(
        56, ge=1, le=LONGEST_HORIZON, description="in days: how long before a visit it can be booked at the earliest"
    )
    most_per_day: WithinADay | None = Field(
        None, description="how many appointments of this type a day may have; each patient of a group has one"
    )
    capacity: WholeNumber = Field(1, ge=1, le=1000, description="how many patients share one visit")
    booked_by: BookedBy = "patients"
    place: Name | None = None
    is_default: Flag = Field(
        False, description="whether clients mean this type that name none; then no other type is the default"
    )

    @field_validator("is_default")
    @classmethod
    def _is_for_one_patient(cls, is_default: bool, info: ValidationInfo) -> bool:  # noqa: FBT001 - as pydantic calls it
        given = info.data
        if is_default and not may_be_default(given.get("booked_by", "patients"), given.get("capacity", 1)):
            raise Wrong("no_default", "must be false if staff book the visit or patients share it.")
        return is_default

    def columns(self) -> dict[str, Any]:
        """Return the values by column."""
        return self.model_dump() | {"step": self.step or self.minutes}


class VisitTypeAdded(Out):
    """The visit type can be used now."""

    message: str
    visit_type_id: int


class PatientsVisitType(Out):
    """A visit type that patients may book; `is_default` marks the one that clients mean that name none."""

    id: int
    name: str
    description: str
    minutes: int
    step: int
    minimum_notice: int = Field(description="in minutes")
    horizon: int = Field(description="in days")
    most_per_day: int | None
    capacity: int
    place: str | None
    is_default: bool


class DoctorsVisitType(PatientsVisitType):
    """A visit type as its doctor sees it."""

    buffer_before: int
    buffer_after: int
    booked_by: BookedBy


def shown(kind: type[PatientsVisitType], rows: Sequence[Any]) -> list[dict[str, Any]]:
    """Return all living types, or all that patients may book, from rows of the repository."""
    default = default_of(rows)
    return [
        {name: getattr(row, name) for name in kind.model_fields} | {"is_default": row.id == default} for row in rows
    ]


class PatientsVisitTypes(Out):
    """The visit types of a doctor that patients may book, the oldest first."""

    data: list[PatientsVisitType]


class DoctorsVisitTypes(Out):
    """The doctor's visit types that are not retired, the oldest first."""

    data: list[DoctorsVisitType]

"""A doctor's visit types."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from src.context import Context, Doctor
from src.controllers import visit_type_controller as visit_types
from src.errors_of_hours import VisitTypeNotFound
from src.schemas.base import Message
from src.schemas.fields import WholeNumber
from src.schemas.visit_type import NewVisitType

Unit = Literal["minutes", "hours", "days"]
MINUTES: dict[Unit, int] = {"minutes": 1, "hours": 60, "days": 24 * 60}
UNITS: tuple[Unit, ...] = ("days", "hours")


class VisitTypeForm(NewVisitType):
    """A visit type, whose minimum notice counts units of its own."""

    notice_unit: Unit = "minutes"
    minimum_notice: WholeNumber = 0

    def visit_type(self) -> NewVisitType:
        given = self.model_dump(exclude={"notice_unit"})
        return NewVisitType.model_validate(given | {"minimum_notice": self.minimum_notice * MINUTES[self.notice_unit]})


def in_units(minutes: int) -> tuple[int, Unit]:
    """Return a number of minutes by the largest unit that divides it."""
    for unit in UNITS:
        if minutes and minutes % MINUTES[unit] == 0:
            return minutes // MINUTES[unit], unit
    return minutes, "minutes"


@dataclass(frozen=True)
class VisitTypes:
    visit_types: list[Any]


def list_all(ctx: Context[Doctor]) -> VisitTypes:
    return VisitTypes(visit_types.list_all(ctx).data)


@dataclass(frozen=True)
class VisitTypeShown:
    """A visit type, or what a new one is at first; `id` is None for a new one."""

    id: int | None
    fields: dict[str, Any]
    notice: int
    notice_unit: Unit


def new(ctx: Context[Doctor]) -> VisitTypeShown:  # noqa: ARG001 - every page is given the context
    fields = NewVisitType.model_validate({"name": "new", "minutes": 30}).model_dump() | {"name": "", "step": ""}
    return VisitTypeShown(None, fields, 0, "minutes")


def edit(ctx: Context[Doctor], visit_type_id: int) -> VisitTypeShown:
    rows: list[Any] = visit_types.list_all(ctx).data
    fields = next((row for row in rows if row["id"] == visit_type_id), None)
    if fields is None:
        raise VisitTypeNotFound
    return VisitTypeShown(visit_type_id, fields, *in_units(fields["minimum_notice"]))


def add(ctx: Context[Doctor], body: VisitTypeForm) -> Message:
    return Message(message=visit_types.add(ctx, body.visit_type()).message)


def replace(ctx: Context[Doctor], visit_type_id: int, body: VisitTypeForm) -> Message:
    return visit_types.replace(ctx, visit_type_id, body.visit_type())

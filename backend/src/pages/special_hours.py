"""Weekly hours that say more than a text can: for which visit types, at which place, in which time of the year."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from src.context import Context, Doctor
from src.controllers import hours_controller as hours
from src.controllers import visit_type_controller as visit_types
from src.errors_of_hours import HoursNotFound
from src.pages.forms_of_hours import Revised, SpecialForm
from src.pages.hours import Row, current, date_of, replace_weekly
from src.schemas.base import Message
from src.schemas.hours import WEEKDAYS, Weekday, WeeklyHoursOut

NEW_ROW: Row = {
    "weekday": "monday",
    "from": "",
    "until": "",
    "visit_types": None,
    "place": None,
    "valid_from": None,
    "valid_until": None,
}


@dataclass(frozen=True)
class SpecialShown:
    """Hours as they are, or empty ones to add, and what can be chosen for them."""

    row: Row
    weekdays: list[tuple[Weekday, date]]
    visit_types: list[Any]
    revision: int


def new(ctx: Context[Doctor]) -> SpecialShown:
    return _shown(ctx, hours.show(ctx), NEW_ROW)


def edit(ctx: Context[Doctor], number: int) -> SpecialShown:
    present = hours.show(ctx)
    return _shown(ctx, present, _row(present, number))


def _shown(ctx: Context[Doctor], present: WeeklyHoursOut, row: Row) -> SpecialShown:
    weekdays: list[tuple[Weekday, date]] = [(weekday, date_of(weekday)) for weekday in WEEKDAYS]
    return SpecialShown(row, weekdays, visit_types.list_all(ctx).data, present.revision)


def _row(present: WeeklyHoursOut, number: int) -> Row:
    rows: list[Any] = present.weekly
    if not 1 <= number <= len(rows):
        raise HoursNotFound
    return rows[number - 1]


def add(ctx: Context[Doctor], body: SpecialForm) -> Message:
    present = current(ctx, body.revision)
    rows: list[Any] = present.weekly
    return replace_weekly(ctx, present, [*rows, body.row()], all_the_same=body.all_the_same)


def change(ctx: Context[Doctor], number: int, body: SpecialForm) -> Message:
    present = current(ctx, body.revision)
    weekly = [*_others(present, number), body.row()]
    return replace_weekly(ctx, present, weekly, all_the_same=body.all_the_same)


def delete(ctx: Context[Doctor], number: int, body: Revised) -> Message:
    present = current(ctx, body.revision)
    return replace_weekly(ctx, present, _others(present, number), all_the_same=body.all_the_same)


def _others(present: WeeklyHoursOut, number: int) -> list[Row]:
    rows: list[Any] = present.weekly
    gone = _row(present, number)
    return [row for row in rows if row is not gone]

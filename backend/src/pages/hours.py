"""A doctor's weekly hours, one line of text for each weekday."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from pydantic import ValidationError

from src.context import Context, Doctor
from src.controllers import hours_controller as hours
from src.controllers import visit_type_controller as visit_types
from src.domain.minutes import minutes_of_day
from src.domain.written_hours import written
from src.errors_of_hours import HoursOutdated, HoursOverlap
from src.pages.forms_of_hours import WeekDraft, WeekForm
from src.pages.outside import ids_outside, refuse_more_outside
from src.schemas.base import Message
from src.schemas.findings import Wrong
from src.schemas.hours import WEEKDAYS, DryRun, NewWeeklyHours, Weekday, WeeklyHoursOut

Row = Mapping[str, Any]
A_MONDAY = date(2024, 1, 1)
# The days that get the hours of a day are those after it, up to this one.
COPIED_UNTIL: dict[Weekday, Weekday] = {
    "monday": "friday",
    "tuesday": "friday",
    "wednesday": "friday",
    "thursday": "friday",
    "saturday": "sunday",
}
SPECIAL = ("visit_types", "place", "valid_from", "valid_until")


def date_of(weekday: Weekday) -> date:
    """Return a date of this weekday, from which each language makes its name."""
    return A_MONDAY + timedelta(days=WEEKDAYS.index(weekday))


@dataclass(frozen=True)
class SpecialHours:
    """Hours that say more than a text can: `number` is their place among all hours, from 1."""

    number: int
    row: Row
    visit_types: list[str]


@dataclass(frozen=True)
class DayOfWeek:
    """A weekday: the text in its field, the text of the hours that are saved, and the days that can get its hours."""

    name: Weekday
    date: date
    text: str
    saved: str
    special: list[SpecialHours]
    copied_to: tuple[date, date] | None


@dataclass(frozen=True)
class Week:
    time_zone: str
    revision: int
    days: list[DayOfWeek]
    is_draft: bool
    outside: int


def week(ctx: Context[Doctor], query: WeekDraft) -> Week:
    present = hours.show(ctx)
    rows: list[Any] = present.weekly
    special = _special(ctx, rows)
    saved = {weekday: written(_spans(rows, weekday)) for weekday in WEEKDAYS}
    is_draft = query.draft or query.copy_from is not None
    texts = _draft(query) if is_draft else saved
    days = [
        DayOfWeek(
            weekday,
            date_of(weekday),
            texts[weekday],
            saved[weekday],
            [each for each in special if each.row["weekday"] == weekday],
            _copied_to(weekday),
        )
        for weekday in WEEKDAYS
    ]
    # A draft keeps the revision that it began with, so that it overwrites nothing that was saved meanwhile.
    revision = present.revision if query.revision is None or not is_draft else query.revision
    return Week(present.time_zone, revision, days, is_draft, len(ids_outside(ctx)))


def _draft(query: WeekDraft) -> dict[Weekday, str]:
    texts: dict[Weekday, str] = {weekday: getattr(query, weekday) for weekday in WEEKDAYS}
    if query.copy_from is None:
        return texts
    text, last = texts[query.copy_from], COPIED_UNTIL.get(query.copy_from, query.copy_from)
    copied = WEEKDAYS[WEEKDAYS.index(query.copy_from) : WEEKDAYS.index(last) + 1]
    return texts | dict.fromkeys(copied, text)


def _copied_to(weekday: Weekday) -> tuple[date, date] | None:
    last = COPIED_UNTIL.get(weekday)
    return None if last is None else (date_of(weekday) + timedelta(days=1), date_of(last))


def _spans(rows: Iterable[Row], weekday: Weekday) -> list[tuple[int, int]]:
    return [
        (minutes_of_day(row["from"]), minutes_of_day(row["until"]))
        for row in rows
        if row["weekday"] == weekday and not is_special(row)
    ]


def is_special(row: Row) -> bool:
    """Say whether hours say more than a text can."""
    return any(row[name] is not None for name in SPECIAL)


def _special(ctx: Context[Doctor], rows: Iterable[Row]) -> list[SpecialHours]:
    numbered = [(number, row) for number, row in enumerate(rows, 1) if is_special(row)]
    if not numbered:
        return []
    types: list[Any] = visit_types.list_all(ctx).data
    names = {each["id"]: each["name"] for each in types}
    return [
        SpecialHours(number, row, [names[each] for each in row["visit_types"] or () if each in names])
        for number, row in numbered
    ]


def save(ctx: Context[Doctor], body: WeekForm) -> Message:
    """Replace the hours that a text can say; others stay as they are."""
    present = current(ctx, body.revision)
    rows: list[Any] = present.weekly
    weekly = [*filter(is_special, rows), *body.rows()]
    return replace_weekly(ctx, present, weekly, all_the_same=body.all_the_same)


def current(ctx: Context[Doctor], revision: int) -> WeeklyHoursOut:
    """Return the hours; raise HoursOutdated unless they are those that the doctor saw."""
    present = hours.show(ctx)
    if present.revision != revision:
        raise HoursOutdated
    return present


def replace_weekly(
    ctx: Context[Doctor], present: WeeklyHoursOut, weekly: Sequence[Row], *, all_the_same: bool
) -> Message:
    """Replace the present hours, unless somebody changes them meanwhile or nothing changes.

    Raise LeavesOutside if that leaves appointments outside of the hours, unless the doctor wants it `all_the_same`.
    """
    rows: list[Any] = present.weekly
    if sorted(map(str, weekly)) == sorted(map(str, rows)):
        return Message(message="Nothing was changed.")
    ctx = replace(ctx, if_match=frozenset({str(present.revision)}))
    new = _checked(present.time_zone, weekly)
    if not all_the_same:
        refuse_more_outside(ids_outside(ctx), hours.replace(ctx, DryRun(dry_run=True), new).affected)
    return Message(message=hours.replace(ctx, DryRun(dry_run=False), new).message)


def _checked(time_zone: str, weekly: Sequence[Row]) -> NewWeeklyHours:
    try:
        return NewWeeklyHours.model_validate({"time_zone": time_zone, "weekly": weekly})
    except ValidationError as error:
        found: list[Any] = [each.get("ctx", {}).get("error") for each in error.errors()]
        if len(found) == 1 and isinstance(found[0], Wrong) and found[0].code == "overlapping":
            said = found[0].params
            raise HoursOverlap(said["weekday"], said["times"], said["other_times"]) from error
        raise

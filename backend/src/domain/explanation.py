"""Why a time is not offered to patients, in words: each reason with what would change it.

Whether a reason holds is not decided here, except about hours that are not laid out yet (missing_hours.py): the
conditions of repositories/offered.py decide it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, Literal, NamedTuple

from src.domain.appointment_rules import FARTHEST_AHEAD
from src.domain.minutes import MINUTES_OF_DAY, instant_of_minute, minute_after, minute_of
from src.domain.visit_types import LONGEST_HORIZON
from src.domain.wall_clock import ONE_DAY, first_showing, local, wall_clock, wall_end
from src.errors_of_appointments import BadSlot

# For programs. A word keeps its meaning for ever; later versions may add others.
ReasonCode = Literal[
    "no_visit_type",
    "retired",
    "booked_by_staff",
    "past",
    "notice_too_short",
    "too_far_ahead",
    "outside_hours",
    "beyond_hours",
    "hours_for_other_types",
    "closed",
    "clocks_go_back",
    "hours_not_computed",
    "off_grid",
    "day_full",
    "seats_full",
    "taken",
    "booked",
    "withdrawn",
]
TIME_PAST = "Choose a time that is ahead."


class Reason(NamedTuple):
    """Something that keeps patients from booking, and what would change it; `params` is what both were made from."""

    code: ReasonCode
    message: str
    change: str
    params: dict[str, Any]


NO_VISIT_TYPE = Reason(
    "no_visit_type",
    "You have no visit type that one patient can book alone, so clients that name none are offered no times.",
    "Add such a visit type, or name one of yours with visit_type.",
    {},
)


def minute_asked(at: datetime, zone: str, now: datetime) -> int:
    """Return the minute at which the clocks of `zone` first show this; raise BadSlot if they skip it or it is far."""
    instant = first_showing(at, zone)
    if abs(instant - now) > FARTHEST_AHEAD:
        raise BadSlot("at must be at most ten years from now.")
    return minute_of(instant)


class Opened(NamedTuple):
    """The opening in which the visit would begin; see Opening."""

    from_minute: int
    until_minute: int
    runs_until: int


@dataclass(frozen=True)
class Wanted:
    """A visit that somebody asks about: its type, as the repository finds it, and the minute at which it begins."""

    kind: Any
    begin: int
    zone: str
    now: datetime

    @property
    def end(self) -> int:
        return self.begin + self.kind.minutes

    @property
    def busy(self) -> range:
        """What the visit would take of the doctor's time."""
        return range(self.begin - self.kind.buffer_before, self.end + self.kind.buffer_after)

    @property
    def day(self) -> date:
        return local(instant_of_minute(self.begin), self.zone).date()

    def shown(self, minute: int) -> str:
        """Return what the doctor's clocks show then, with the date unless it is that of the visit."""
        return self._with_date(wall_clock(instant_of_minute(minute), self.zone))

    def shown_end(self, minute: int) -> str:
        """Return the same of an end; the midnight after the day of the visit is 24:00."""
        wall = wall_end(instant_of_minute(minute), self.zone)
        return "24:00" if wall == datetime.combine(self.day + ONE_DAY, time()) else self._with_date(wall)

    def _with_date(self, wall: datetime) -> str:
        return f"{wall:%H:%M}" if wall.date() == self.day else f"{wall:%Y-%m-%d %H:%M}"

    def param(self, minute: int) -> str:
        """Return the same in the form in which the call takes it."""
        return wall_clock(instant_of_minute(minute), self.zone).isoformat(timespec="minutes")

    def param_end(self, minute: int) -> str:
        return wall_end(instant_of_minute(minute), self.zone).isoformat(timespec="minutes")


# Reasons of the visit type and of the time.


def of_type(wanted: Wanted) -> Iterator[Reason]:
    """Yield why patients cannot book the visit type at all."""
    kind = wanted.kind
    if kind.retired_at is not None:
        yield Reason("retired", f'The visit type "{kind.name}" is retired.', "Add another visit type like it.", {})
    elif kind.booked_by == "staff":
        yield Reason(
            "booked_by_staff",
            f'"{kind.name}" is booked by staff only: patients neither see nor book it.',
            "Let patients book the visit type (booked_by).",
            {},
        )


def past() -> Reason:
    return Reason("past", "This time has already begun.", TIME_PAST, {})


def notice(wanted: Wanted) -> Reason:
    minutes, this = wanted.kind.minimum_notice, minute_after(wanted.now)
    first = _first_shown(max(minute_of(wanted.now) + 1, this + minutes), wanted.zone)
    most = wanted.begin - this
    return Reason(
        "notice_too_short",
        f"Patients must book this visit type {minutes} minutes before; {wanted.shown(first)} is the first time that"
        " is far enough from now.",
        f"Lower minimum_notice of the visit type to at most {most}, or choose {wanted.shown(first)} or later.",
        {"minimum_notice": minutes, "first": wanted.param(first), "most": most},
    )


def _first_shown(minute: int, zone: str) -> int:
    """Return the minute, or the next one that the clocks show for the first time: at others, nobody is open."""
    # `fold` says which of two showings it is.
    while wall_clock(instant_of_minute(minute), zone).fold:
        minute += 1
    return minute


def horizon(wanted: Wanted) -> Reason:
    days = wanted.kind.horizon
    needed = -((minute_of(wanted.now) - wanted.begin) // MINUTES_OF_DAY)
    since = wanted.begin - days * MINUTES_OF_DAY
    wait = f"wait until {wanted.shown(since)}"
    possible = needed <= LONGEST_HORIZON
    return Reason(
        "too_far_ahead",
        f"Patients can book this visit type {days} days before at the earliest: this time from"
        f" {wanted.shown(since)} on.",
        f"Raise horizon of the visit type to at least {needed}, or {wait}." if possible else f"{wait.capitalize()}.",
        {"horizon": days, "bookable_from": wanted.param(since), "least": needed if possible else None},
    )


# Reasons of the grid, and of other appointments.


def is_on_grid(wanted: Wanted, opened: Opened) -> bool:
    """Say whether visits can begin then in an opening that is not laid; in others, the condition decides."""
    return (wanted.begin - opened.from_minute) % wanted.kind.step == 0


def off_grid(wanted: Wanted, opened: Opened) -> Reason:
    """Name the grid's times before and after, as far as the visit fits into the hours there."""
    step, last = wanted.kind.step, last_in(opened, wanted)
    before = opened.from_minute + (wanted.begin - opened.from_minute) // step * step
    after = None if last is None or last <= before else before + step
    before = None if last is None else min(before, last)
    near = " or ".join(wanted.shown(minute) for minute in (before, after) if minute is not None)
    return Reason(
        "off_grid",
        f"Visits of this type begin at {wanted.shown(opened.from_minute)}, when these hours begin, and every {step}"
        " minutes after it.",
        f"Choose {near}, or change the step of the visit type." if near else "Change the step of the visit type.",
        {
            "hours_begin": wanted.param(opened.from_minute),
            "step": step,
            "before": None if before is None else wanted.param(before),
            "after": None if after is None else wanted.param(after),
        },
    )


def last_in(opened: Opened, wanted: Wanted) -> int | None:
    """Return the last minute of the grid at which a visit can begin that fits into these hours, if there is one."""
    last = min(opened.until_minute - 1, opened.runs_until - wanted.kind.minutes) - opened.from_minute
    return None if last < 0 else opened.from_minute + last // wanted.kind.step * wanted.kind.step


def day_full(wanted: Wanted) -> Reason:
    most = wanted.kind.most_per_day
    return Reason(
        "day_full",
        f"On {wanted.day} there are as many appointments of this type as a day may have: {most}.",
        "Raise most_per_day of the visit type, or choose another day.",
        {"day": wanted.day.isoformat(), "most_per_day": most},
    )


def seats_full(wanted: Wanted) -> Reason:
    seats = wanted.kind.capacity
    return Reason(
        "seats_full",
        f"All {seats} seats at this time are taken.",
        "Raise capacity of the visit type, or wait until somebody cancels.",
        {"capacity": seats},
    )


def taken(wanted: Wanted, others: Sequence[Any]) -> list[Reason]:
    """Name what takes a part of the visit's time: appointments and holds with their buffers."""
    mine = f"a visit at this time would take {wanted.shown(wanted.busy.start)} to {wanted.shown(wanted.busy.stop)}"
    if not others:
        # It ended between the two statements that looked.
        return [Reason("taken", f"Something takes a part of this time; {mine}.", "Please look again.", {})]
    return [_taken_by(wanted, other, mine) for other in others]


def _taken_by(wanted: Wanted, other: Any, mine: str) -> Reason:
    times = f"{wanted.shown(minute_of(other.starts_at))} to {wanted.shown(minute_after(other.ends_at))}"
    takes = f"{wanted.shown(other.busy_from)} to {wanted.shown(other.busy_until)}"
    buffers = "" if takes == times else f", and takes {takes} with its buffers"
    params = {
        "starts_at": other.starts_at.isoformat(),
        "ends_at": other.ends_at.isoformat(),
        "takes_from": instant_of_minute(other.busy_from).isoformat(),
        "takes_until": instant_of_minute(other.busy_until).isoformat(),
    }
    if other.status != "held":
        return Reason(
            "taken",
            f"Appointment {other.id} is from {times}{buffers}; {mine}.",
            f"Move or cancel appointment {other.id}.",
            params | {"appointment_id": other.id, "held_until": None},
        )
    until = wanted.shown(minute_after(other.held_until))
    return Reason(
        "taken",
        f"Until {until} a patient holds {times}{buffers}; {mine}.",
        f"Wait until {until}: the hold ends by then, or becomes an appointment.",
        params | {"appointment_id": None, "held_until": other.held_until.isoformat()},
    )


# Reasons of published slots.


class _Length(NamedTuple):
    """What a published slot has in place of a visit type."""

    minutes: int
    buffer_before: int = 0
    buffer_after: int = 0


def wanted_slot(slot: Any, zone: str, now: datetime) -> Wanted:
    """Return a published slot as a visit that takes just its time."""
    begin = minute_of(slot.starts_at)
    return Wanted(_Length(minute_after(slot.ends_at) - begin), begin, zone, now)


def of_slot(slot: Any, wanted: Wanted, others: Sequence[Any]) -> list[Reason]:
    """Return why nobody can book a published slot; `others` are the appointments and holds that take a part of it."""
    if slot.offered:
        return []
    found: list[Reason] = []
    if slot.status == "withdrawn":
        found.append(Reason("withdrawn", "You have withdrawn this slot.", "Publish it again.", {}))
    if slot.starts_at <= wanted.now:
        found.append(past())
    own = next((other for other in others if other.slot_id == slot.id and other.status == "booked"), None)
    if slot.status == "booked":
        found.append(_booked(None if own is None else own.id))
    others = [other for other in others if other is not own]
    return found if found and not others else [*found, *taken(wanted, others)]


def _booked(appointment_id: int | None) -> Reason:
    return Reason(
        "booked",
        "This slot is booked.",
        f"Cancel or move {'its appointment' if appointment_id is None else f'appointment {appointment_id}'}.",
        {"appointment_id": appointment_id},
    )

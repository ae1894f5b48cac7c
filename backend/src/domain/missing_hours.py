"""Why a visit does not lie in a doctor's hours, in words: from the same hours and exceptions as the openings.

The openings in the table decide whether it does. They end after the last day that can be booked, so beyond it the same
function as theirs is asked here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import NamedTuple

from src.domain.explanation import Opened, Reason, Wanted, last_in
from src.domain.minutes import MINUTES_OF_DAY, time_of_day
from src.domain.openings import DAYS_AFTER, HoursException, WeeklyHours, openings

ALWAYS = [WeeklyHours(weekday, 0, MINUTES_OF_DAY) for weekday in range(7)]


class Known(NamedTuple):
    """An exception to the weekly hours; `of_clinic` says that it closes the whole clinic."""

    id: int
    of_clinic: bool
    hours: HoursException


@dataclass(frozen=True)
class Hours:
    """The weekly hours, and the exceptions of the day of the visit and of those after it."""

    wanted: Wanted
    weekly: Sequence[WeeklyHours]
    exceptions: Sequence[Known]

    def opened(self) -> Opened | None:
        """Return the opening in which the visit would begin if all openings were laid."""
        return self._opened(self.weekly, [known.hours for known in self.exceptions])

    def why_not(self, *, is_laid: bool) -> list[Reason]:
        """Return why the visit does not lie in the hours. `is_laid` says that the openings should have the day."""
        if _lies_in(self.opened(), self.wanted.end):
            return [_not_computed(self.wanted)] if is_laid else []
        return [*self._of_hours(), *self._of_closures(), *self._of_clocks()]

    def _of_hours(self) -> Iterator[Reason]:
        """Yield what is wrong with the hours, closures aside, up to the minute at which the clocks go back."""
        extra = [known.hours for known in self.exceptions if not known.hours.is_closed]
        opened = self._opened(self.weekly, extra)
        until = min(self.wanted.end, self._runs_at_most)
        if _lies_in(opened, until):
            return
        every_week = [replace(row, visit_types=None) for row in self.weekly]
        if _lies_in(self._opened(every_week, [replace(row, visit_types=None) for row in extra]), until):
            yield _for_other_types(self.wanted)
        elif opened is None:
            yield _outside(self.wanted, self._openings(self.weekly, extra))
        else:
            yield _beyond(self.wanted, opened)

    def _of_closures(self) -> Iterator[Reason]:
        everything = self._minutes([])
        for known in self.exceptions:
            if known.hours.is_closed and self._minutes([known.hours]) != everything:
                yield _closed(known)

    def _of_clocks(self) -> Iterator[Reason]:
        if self._runs_at_most < self.wanted.end:
            yield _clocks_go_back(self.wanted, self._runs_at_most)

    @property
    def _runs_at_most(self) -> int:
        """The minute until which the visit would be open if the doctor always were: until the clocks go back."""
        opened = self._opened(ALWAYS, [])
        return self.wanted.begin if opened is None else opened.runs_until

    def _minutes(self, closures: Sequence[HoursException]) -> set[int]:
        """Return the visit's minutes that are open if the doctor always is, but for these closures."""
        visit = range(self.wanted.begin, self.wanted.end)
        found = self._openings(ALWAYS, closures, days=DAYS_AFTER)
        return {
            minute
            for opened in found
            for minute in range(max(visit.start, opened.from_minute), min(visit.stop, opened.until_minute))
        }

    def _opened(self, weekly: Iterable[WeeklyHours], exceptions: Iterable[HoursException]) -> Opened | None:
        begin = self.wanted.begin
        found = self._openings(weekly, exceptions)
        return next((opened for opened in found if opened.from_minute <= begin < opened.until_minute), None)

    def _openings(
        self, weekly: Iterable[WeeklyHours], exceptions: Iterable[HoursException], *, days: int = 0
    ) -> list[Opened]:
        """Return the openings for visits of the type, of the day on which it begins and some days after."""
        first, kinds = self.wanted.day, {self.wanted.kind.id}
        found = openings(weekly, exceptions, kinds, self.wanted.zone, first, first + timedelta(days=days))
        return [Opened(one.from_minute, one.until_minute, one.runs_until) for one in found]


def _lies_in(opened: Opened | None, until: int) -> bool:
    return opened is not None and until <= opened.runs_until


def _not_computed(wanted: Wanted) -> Reason:
    return Reason(
        "hours_not_computed",
        f"Your hours have this time, but the openings of {wanted.day} have not been computed from them yet.",
        "Wait for the worker, which does so every hour, or run flask openings.",
        {"day": wanted.day.isoformat()},
    )


def _outside(wanted: Wanted, found: Sequence[Opened]) -> Reason:
    before = next((one for one in reversed(found) if one.until_minute <= wanted.begin), None)
    after = next((one for one in found if one.from_minute > wanted.begin), None)
    near = " and ".join(_span(wanted, one) for one in (before, after) if one is not None)
    name = wanted.kind.name
    return Reason(
        "outside_hours",
        f'{wanted.shown(wanted.begin)} is not in your hours for "{name}": near it on {wanted.day} are {near}.'
        if near
        else f'You have no hours for "{name}" on {wanted.day}.',
        f"Add hours that have {wanted.shown(wanted.begin)} to {wanted.shown_end(wanted.end)}: weekly ones, or extra"
        " hours.",
        {"day": wanted.day.isoformat(), "before": _param(wanted, before), "after": _param(wanted, after)},
    )


def _beyond(wanted: Wanted, opened: Opened) -> Reason:
    end, hours_end = wanted.shown_end(wanted.end), wanted.shown_end(opened.runs_until)
    last = last_in(opened, wanted)
    return Reason(
        "beyond_hours",
        f"The visit would end at {end}, but the hours in which it begins end at {hours_end}. Visits do not go on in"
        " hours at another place.",
        f"Let the hours last until {end}, or choose {'a shorter visit' if last is None else wanted.shown(last)}.",
        {
            "ends_at": wanted.param_end(wanted.end),
            "hours_end": wanted.param_end(opened.runs_until),
            "last": None if last is None else wanted.param(last),
        },
    )


def _for_other_types(wanted: Wanted) -> Reason:
    return Reason(
        "hours_for_other_types",
        f'Your hours at this time are not for "{wanted.kind.name}".',
        "Add the visit type to those of the hours.",
        {},
    )


def _closed(known: Known) -> Reason:
    hours = known.hours
    days = f"on {hours.first_day}" if hours.first_day == hours.last_day else f"{hours.first_day} to {hours.last_day}"
    whole = (hours.from_time, hours.until_time) == (0, MINUTES_OF_DAY)
    times = "" if whole else f", {time_of_day(hours.from_time)} to {time_of_day(hours.until_time)}"
    whose = "The clinic is" if known.of_clinic else "You are"
    return Reason(
        "closed",
        f"{whose} closed {days}{times} (exception {known.id}).",
        "Ask the clinic to change its closure." if known.of_clinic else f"Delete exception {known.id}.",
        {
            "exception_id": known.id,
            "of_clinic": known.of_clinic,
            "first_day": hours.first_day.isoformat(),
            "last_day": hours.last_day.isoformat(),
            "from": None if whole else time_of_day(hours.from_time),
            "until": None if whole else time_of_day(hours.until_time),
        },
    )


def _clocks_go_back(wanted: Wanted, until: int) -> Reason:
    latest = until - wanted.kind.minutes
    return Reason(
        "clocks_go_back",
        f"The clocks go back during the visit, in {wanted.zone}. What they show twice is open at its first showing"
        " only.",
        f"Choose {wanted.shown(latest)} or earlier, or a time after the clocks have gone back.",
        {"latest": wanted.param(latest)},
    )


def _span(wanted: Wanted, opened: Opened) -> str:
    return f"{wanted.shown(opened.from_minute)} to {wanted.shown_end(opened.until_minute)}"


def _param(wanted: Wanted, opened: Opened | None) -> dict[str, str] | None:
    return opened and {"from": wanted.param(opened.from_minute), "until": wanted.param_end(opened.until_minute)}

"""Turn a doctor's weekly hours and their exceptions into openings: dated stretches of real time.

Three units occur here, all whole minutes as int:

- a minute of the day is on the wall clock, 0 to 1440;
- a real minute counts from 2020-01-01T00:00Z (`minutes.py`);
- a wall minute counts from 2020-01-01T00:00 on the zone's wall clock, so it is a real minute plus the zone's offset.

Every stretch includes the minute at which it begins and excludes the one at which it ends.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from operator import attrgetter
from typing import NamedTuple

from src.domain.minutes import EPOCH, MINUTES_OF_DAY, ONE_MINUTE, instant_of_minute
from src.domain.wall_clock import wall_clock, wall_stretch

EPOCH_DAY = EPOCH.toordinal()
WALL_EPOCH = EPOCH.replace(tzinfo=None)
# A visit may end so many real minutes after the opening in which it begins, if the hours go on.
LONGEST_RUN = 1440
# The days after the last one that are looked at for this. One is too few if the clocks skip an hour of it, or all.
DAYS_AFTER = 2
# An offset is at most a day, and so is what the clocks skip or repeat.
DAYS_AROUND = 3


@dataclass(frozen=True)
class WeeklyHours:
    """Hours of one weekday, 0 = Monday; times are minutes of the day, and `valid_until` is the last valid day."""

    weekday: int
    from_time: int
    until_time: int
    valid_from: date | None = None
    valid_until: date | None = None
    visit_types: frozenset[int] | None = None
    place: str | None = None

    def apply_on(self, day: date) -> bool:
        return (
            self.weekday == day.weekday()
            and (self.valid_from is None or self.valid_from <= day)
            and (self.valid_until is None or day <= self.valid_until)
        )


@dataclass(frozen=True)
class HoursException:
    """Closed or extra hours on each day from `first_day` to `last_day`, both included; times are minutes of the day.

    Only extra hours have visit types and a place: a closure closes everything.
    """

    is_closed: bool
    first_day: date
    last_day: date
    from_time: int = 0
    until_time: int = MINUTES_OF_DAY
    visit_types: frozenset[int] | None = None
    place: str | None = None

    def apply_on(self, day: date) -> bool:
        return self.first_day <= day <= self.last_day


def closures_of(starts_at: datetime, ends_at: datetime, zone: str) -> Iterator[HoursException]:
    """Yield the closure of a visit's time, one for each day on which it takes some."""
    start, end = wall_stretch(starts_at, ends_at, zone)
    day = start.date()
    while datetime.combine(day, time()) < end:
        midnight = datetime.combine(day, time())
        from_time = max((start - midnight) // ONE_MINUTE, 0)
        until_time = min(-((midnight - end) // ONE_MINUTE), MINUTES_OF_DAY)
        yield HoursException(True, day, day, from_time, until_time)
        day += timedelta(days=1)


class Opening(NamedTuple):
    """Real minutes of one local day: a visit begins before `until_minute`, and ends at `runs_until` or before."""

    day: date
    from_minute: int
    until_minute: int
    runs_until: int
    visit_type_id: int | None
    place: str | None


class _Stretch(NamedTuple):
    """Minutes of the day or real minutes, and where the doctor is."""

    begin: int
    end: int
    place: str | None


_BEGIN, _END = attrgetter("begin"), attrgetter("end")


class _Offset(NamedTuple):
    """The wall minutes that the clocks show for the first time while the zone has this offset, in minutes."""

    begin: int
    end: int
    offset: int


class _Day(NamedTuple):
    """The hours that apply on a day. Where `shown` ones overlap, the later one decides the place."""

    date: date
    shown: Sequence[WeeklyHours | HoursException]
    closed: Sequence[HoursException]


def openings(
    weekly: Iterable[WeeklyHours],
    exceptions: Iterable[HoursException],
    visit_types: Collection[int],
    zone: str,
    first_day: date,
    last_day: date,
) -> list[Opening]:
    """Return the openings of the local days from `first_day` to `last_day`, both included, in the order of time.

    If any weekly or extra hours are for some visit types only, each of `visit_types` has openings of its own; otherwise
    the openings have no visit type. Openings of one visit type never overlap.

    What the clocks show twice is open at its first showing only, and what they skip does not exist. Where hours with
    different places overlap, extra hours decide the place, and of two of a kind the later one in the order given.
    """
    exceptions = list(exceptions)
    closed = [exception for exception in exceptions if exception.is_closed]
    shown = [*weekly, *(exception for exception in exceptions if not exception.is_closed)]
    days = list(_days(shown, closed, first_day, last_day))
    offsets = list(_offsets(zone, first_day, last_day))
    restricted = any(row.visit_types is not None for row in shown)
    found: list[Opening] = []
    for visit_type_id in set(visit_types) if restricted else (None,):
        stretches = [(day.date, stretch) for day in days for stretch in _stretches_of(day, visit_type_id, offsets)]
        found += _openings_of(stretches, visit_type_id, last_day)
    return sorted(found)


def _days(
    shown: Sequence[WeeklyHours | HoursException], closed: Sequence[HoursException], first_day: date, last_day: date
) -> Iterator[_Day]:
    """Yield these days and DAYS_AFTER."""
    for ordinal in range(first_day.toordinal(), last_day.toordinal() + DAYS_AFTER + 1):
        day = date.fromordinal(ordinal)
        yield _Day(day, [row for row in shown if row.apply_on(day)], [row for row in closed if row.apply_on(day)])


def _offsets(zone: str, first_day: date, last_day: date) -> Iterator[_Offset]:
    """Yield the zone's offsets during these days and DAYS_AFTER.

    One look a day finds every change, because no zone changes its offset twice within three days.
    """
    begin = _midnight(first_day) - DAYS_AROUND * MINUTES_OF_DAY
    end = _midnight(last_day) + (DAYS_AFTER + DAYS_AROUND) * MINUTES_OF_DAY
    old = _offset_at(begin, zone)
    shown_until = begin + old
    for minute in range(begin, end, MINUTES_OF_DAY):
        new = _offset_at(minute, zone)
        if new != old:
            change = _change(minute - MINUTES_OF_DAY, minute, zone)
            yield _Offset(shown_until, change + old, old)
            shown_until = change + max(old, new)
            old = new
    yield _Offset(shown_until, end + old, old)


def _midnight(day: date) -> int:
    """Return the wall minute at which the day begins."""
    return (day.toordinal() - EPOCH_DAY) * MINUTES_OF_DAY


def _offset_at(minute: int, zone: str) -> int:
    """Return by how many minutes the zone's clocks are ahead of UTC at this real minute."""
    return (wall_clock(instant_of_minute(minute), zone) - WALL_EPOCH) // ONE_MINUTE - minute


def _change(before: int, after: int, zone: str) -> int:
    """Return the first real minute with the offset of `after`, if there is one change of it since `before`."""
    new = _offset_at(after, zone)
    return before + bisect_left(range(before, after), True, key=lambda minute: _offset_at(minute, zone) == new)


def _stretches_of(day: _Day, visit_type_id: int | None, offsets: Sequence[_Offset]) -> list[_Stretch]:
    """Return the real minutes of the day at which such visits are possible, as few stretches as possible."""
    return _joined(_real(_minutes_of_day(day, visit_type_id), _midnight(day.date), offsets))


def _minutes_of_day(day: _Day, visit_type_id: int | None) -> list[_Stretch]:
    """Return the hours for such visits as minutes of the day, sorted and without overlaps."""
    stretches: list[_Stretch] = []
    for row in day.shown:
        if row.visit_types is None or visit_type_id in row.visit_types:
            _replace(stretches, row.from_time, row.until_time, _Stretch(row.from_time, row.until_time, row.place))
    for row in day.closed:
        _replace(stretches, row.from_time, row.until_time)
    return stretches


def _replace(stretches: list[_Stretch], begin: int, end: int, *new: _Stretch) -> None:
    """Put the new stretch in the place of these minutes. The stretches are sorted, and stay so."""
    first = bisect_right(stretches, begin, key=_END)
    last = bisect_left(stretches, end, first, key=_BEGIN)
    stretches[first:last] = sorted([*_without(stretches[first:last], begin, end), *new])


def _without(stretches: Iterable[_Stretch], begin: int, end: int) -> Iterator[_Stretch]:
    for stretch in stretches:
        if stretch.begin < begin:
            yield _Stretch(stretch.begin, min(stretch.end, begin), stretch.place)
        if end < stretch.end:
            yield _Stretch(max(stretch.begin, end), stretch.end, stretch.place)


def _real(stretches: Iterable[_Stretch], midnight: int, offsets: Sequence[_Offset]) -> Iterator[_Stretch]:
    """Yield the real minutes at which the clocks first show these minutes of the day that begins at `midnight`."""
    for stretch in stretches:
        for offset in offsets:
            begin = max(midnight + stretch.begin, offset.begin)
            end = min(midnight + stretch.end, offset.end)
            if begin < end:
                yield _Stretch(begin - offset.offset, end - offset.offset, stretch.place)


def _joined(stretches: Iterable[_Stretch]) -> list[_Stretch]:
    """Return the stretches, with those made one that touch and have the same place."""
    joined: list[_Stretch] = []
    for stretch in stretches:
        if joined and (joined[-1].end, joined[-1].place) == (stretch.begin, stretch.place):
            joined[-1] = joined[-1]._replace(end=stretch.end)
        else:
            joined.append(stretch)
    return joined


def _openings_of(
    stretches: Sequence[tuple[date, _Stretch]], visit_type_id: int | None, last_day: date
) -> Iterator[Opening]:
    """Yield the openings up to `last_day`; the stretches of later days only tell how far the openings run on."""
    following: _Stretch | None = None
    run_end = 0
    for day, stretch in reversed(stretches):
        begin, end, place = stretch
        if following is None or (following.begin, following.place) != (end, place):
            run_end = end
        following = stretch
        if day <= last_day:
            yield Opening(day, begin, end, min(run_end, end + LONGEST_RUN), visit_type_id, place)

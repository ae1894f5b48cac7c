"""Openings where the clocks change, compared with a walk over all minutes.

The walk knows nothing of offsets or stretches: it looks at the clocks once for each real minute, and decides for each
whether the doctor is there.
"""

from __future__ import annotations

import importlib.resources
import itertools
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta, timezone
from functools import cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from src.domain.openings import HoursException, Opening, WeeklyHours, openings
from src.settings.time_zones import time_zone_names

BEGIN = datetime(2026, 1, 1, tzinfo=timezone.utc)
END = datetime(2036, 1, 1, tzinfo=timezone.utc)
EPOCH = datetime(2020, 1, 1, tzinfo=timezone.utc)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
NO_OFFSET = timedelta()
CLOSED = "closed"
# Two looks so far apart find every change, as long as no zone changes its offset twice within three days.
APART = 2 * DAY
FORMER = {
    "Pacific/Apia": datetime(2011, 12, 30, 10, tzinfo=timezone.utc),  # skipped a day
    "Pacific/Kwajalein": datetime(1993, 8, 21, 12, tzinfo=timezone.utc),  # the same, before minute 0
    "America/St_Johns": datetime(2010, 11, 7, 2, 31, tzinfo=timezone.utc),  # went back from 00:01
    "America/Sao_Paulo": datetime(2018, 2, 18, 2, tzinfo=timezone.utc),  # went back from 00:00
    "Asia/Pyongyang": datetime(2018, 5, 4, 15, tzinfo=timezone.utc),  # went forward by half an hour, over midnight
    "America/Caracas": datetime(2007, 12, 9, 7, tzinfo=timezone.utc),  # went back by half an hour
    "Antarctica/Casey": datetime(2018, 3, 10, 17, tzinfo=timezone.utc),  # went back by three hours
}


class Change(NamedTuple):
    """The first instant with the new offset; without a change, any instant and the offset twice."""

    at: datetime
    old: timedelta
    new: timedelta


# The clocks.


def offset(instant: datetime, zone: ZoneInfo) -> timedelta:
    return instant.astimezone(zone).utcoffset() or NO_OFFSET


def changes(zone: ZoneInfo, begin: datetime, end: datetime, step: timedelta) -> Iterator[Change]:
    """Yield the changes, found by ever smaller steps."""
    old = offset(begin, zone)
    for number in range(1, (end - begin) // step + 1):
        at = begin + number * step
        new = offset(at, zone)
        if new != old:
            if step == MINUTE:
                yield Change(at, old, new)
            else:
                yield from changes(zone, at - step, at, HOUR if step == APART else MINUTE)
            old = new


@cache
def zones_that_differ(step: timedelta) -> dict[str, tuple[Change, ...]]:
    """Return one zone of those with the same offsets in the ten years, and all its changes, or any time if none."""
    by_rules: dict[tuple[Change, ...], str] = {}
    files: set[bytes] = set()
    for name in sorted(time_zone_names()):
        rules = (importlib.resources.files("tzdata") / "zoneinfo" / name).read_bytes()
        if rules not in files:
            files.add(rules)
            zone = ZoneInfo(name)
            usual = offset(BEGIN, zone)
            found = tuple(changes(zone, BEGIN, END, step)) or (Change(BEGIN + 1000 * DAY, usual, usual),)
            by_rules.setdefault(found, name)
    return {name: found for found, name in by_rules.items()}


# The walk over all minutes.


class Showing(NamedTuple):
    minute: int
    day: date
    minute_of_day: int


def first_showings(zone: str, first_day: date, last_day: date) -> list[Showing]:
    """Look at the clocks at every minute of these days and two more, and leave out what they have shown before."""
    clock = ZoneInfo(zone)
    begin = (datetime.combine(first_day, time(), timezone.utc) - 2 * DAY - EPOCH) // MINUTE
    end = (datetime.combine(last_day, time(), timezone.utc) + 3 * DAY - EPOCH) // MINUTE
    seen: set[datetime] = set()
    found: list[Showing] = []
    for minute in range(begin, end):
        wall = (EPOCH + minute * MINUTE).astimezone(clock).replace(tzinfo=None, fold=0)
        if wall not in seen:
            seen.add(wall)
            if wall.date() >= first_day:
                found.append(Showing(minute, wall.date(), wall.hour * 60 + wall.minute))
    return found


class Hours(NamedTuple):
    weekly: list[WeeklyHours]
    exceptions: list[HoursException]

    def places(self, day: date, visit_type: int | None) -> list[str | None]:
        """Return the place for each minute of the day, or CLOSED."""
        weekly = [
            row
            for row in self.weekly
            if row.weekday == day.isoweekday() - 1
            and not (row.valid_from and day < row.valid_from)
            and not (row.valid_until and day > row.valid_until)
        ]
        today = [row for row in self.exceptions if row.first_day <= day <= row.last_day]
        places: list[str | None] = [CLOSED] * 1440
        for row in [*weekly, *(row for row in today if not row.is_closed)]:
            if row.visit_types is None or visit_type in row.visit_types:
                places[row.from_time : row.until_time] = [row.place] * (row.until_time - row.from_time)
        for row in today:
            if row.is_closed:
                places[row.from_time : row.until_time] = [CLOSED] * (row.until_time - row.from_time)
        return places


def walked(
    showings: Sequence[Showing], hours: Hours, visit_type: int | None, first_day: date, last_day: date
) -> list[Opening]:
    places = {day: hours.places(day, visit_type) for day in {showing.day for showing in showings}}
    place_at = {minute: places[day][minute_of_day] for minute, day, minute_of_day in showings}
    rows: list[Opening] = []
    for minute, day, _ in showings:
        place = place_at[minute]
        if place == CLOSED or not first_day <= day <= last_day:
            continue
        if rows and (rows[-1].until_minute, rows[-1].day, rows[-1].place) == (minute, day, place):
            begin = rows.pop().from_minute
        else:
            begin = minute
        rows.append(Opening(day, begin, minute + 1, 0, visit_type, place))
    return [row._replace(runs_until=walked_on(row, place_at)) for row in rows]


def walked_on(row: Opening, place_at: dict[int, str | None]) -> int:
    end = row.until_minute
    while end < row.until_minute + 1440 and place_at.get(end, CLOSED) == row.place:
        end += 1
    return end


# What is compared around a change.


def windows(change: Change) -> list[Hours]:
    """Return hours that begin and end before, at, in and after what the clocks skip or repeat."""
    walls = [(change.at + shift).replace(tzinfo=None) for shift in (change.old, change.new)]
    low, high = min(walls), max(walls)
    middle = low + (high - low) // 2 // MINUTE * MINUTE
    shifts = {low - 90 * MINUTE, low - MINUTE, low, low + MINUTE, middle, high - MINUTE, high, high + MINUTE}
    points = sorted({*shifts, high + 90 * MINUTE, middle + 10 * HOUR})
    pairs = list(itertools.combinations(points, 2))
    midnight = datetime.combine(high, time())
    pairs += [(midnight, midnight + DAY), (midnight - DAY, midnight), (midnight - 2 * HOUR, midnight + 2 * HOUR)]
    pairs += [(midnight - MINUTE, midnight + MINUTE), (low - 2 * DAY, high + 2 * DAY)]
    found = [Hours(between(*pair), []) for pair in pairs]
    # Hours that touch what is skipped or repeated from both sides, at one place and at two.
    found += [Hours([*between(low - HOUR, low), *between(high, high + HOUR, place)], []) for place in (None, "Ward")]
    # A closure instead of the change, and at its middle.
    found += [
        Hours(every_day(), [closed for row in between(*pair) for closed in closures(row, change)])
        for pair in ((low, high), (middle, middle + MINUTE), (low - HOUR, middle))
    ]
    return [*found, Hours(every_day(), [])]


def every_day() -> list[WeeklyHours]:
    return [WeeklyHours(weekday, 0, 1440) for weekday in range(7)]


def between(begin: datetime, end: datetime, place: str | None = None) -> list[WeeklyHours]:
    """Return the hours between two wall-clock times less than a week apart."""
    found: list[WeeklyHours] = []
    for number in range((end.date() - begin.date()).days + 1):
        midnight = datetime.combine(begin.date() + number * DAY, time())
        from_time = max(begin - midnight, NO_OFFSET) // MINUTE
        until_time = min(end - midnight, DAY) // MINUTE
        if from_time < until_time:
            found.append(WeeklyHours(midnight.weekday(), from_time, until_time, place=place))
    return found


def closures(row: WeeklyHours, change: Change) -> Iterator[HoursException]:
    for number in range(-2, 4):
        day = change.at.date() + number * DAY
        if day.weekday() == row.weekday:
            yield HoursException(True, day, day, row.from_time, row.until_time)


def compare(zone: str, change: Change, compared: Sequence[Hours]) -> None:
    days = [(change.at + shift).date() for shift in (change.old, change.new)]
    first_day, last_day = min(days) - DAY, max(days) + DAY
    showings = first_showings(zone, first_day, last_day)
    for hours in compared:
        expected = walked(showings, hours, None, first_day, last_day)
        for first, last in (
            (first_day, last_day),
            (min(days), max(days)),
            (first_day, first_day),
            (last_day, last_day),
        ):
            found = openings(*hours, (), zone, first, last)
            assert found == [row for row in expected if first <= row.day <= last], (zone, change, hours, first, last)


def kinds(all_zones: dict[str, tuple[Change, ...]], rng: random.Random) -> list[tuple[str, Change]]:
    """Choose one change of each kind: by how much the clocks change, and at which time of the day."""
    by_kind: defaultdict[tuple[timedelta, timedelta], list[tuple[str, Change]]] = defaultdict(list)
    for zone, found in all_zones.items():
        for change in found:
            # Zones without a change differ little: by offsets of whole hours, and others.
            at = change.at + change.old - EPOCH
            kind = at % DAY if change.new != change.old else at % HOUR
            by_kind[change.new - change.old, kind].append((zone, change))
    return [rng.choice(by_kind[kind]) for kind in sorted(by_kind)]


def near(zone: str, about: datetime) -> Change:
    (change,) = changes(ZoneInfo(zone), about - DAY, about + DAY, HOUR)
    return change


def test_openings_at_each_kind_of_change_are_what_a_walk_over_all_minutes_finds() -> None:
    rng = random.Random(2030)
    chosen = kinds(zones_that_differ(APART), rng)
    assert len(chosen) > 10
    for zone, change in chosen:
        compare(zone, change, rng.sample(windows(change), 8))


@pytest.mark.parametrize("zone", FORMER)
def test_openings_at_a_former_change_are_what_a_walk_over_all_minutes_finds(zone: str) -> None:
    change = near(zone, FORMER[zone])
    assert change.at == FORMER[zone]
    compare(zone, change, random.Random(zone).sample(windows(change), 20))


def test_no_zone_changes_its_offset_twice_within_three_days() -> None:
    assert_far_apart(zones_that_differ(APART))


def assert_far_apart(all_zones: dict[str, tuple[Change, ...]]) -> None:
    for zone, found in all_zones.items():
        for before, after in itertools.pairwise(found):
            assert after.at - before.at > 3 * DAY, (zone, before, after)


@pytest.mark.long
def test_no_zone_changes_its_offset_twice_within_three_days_looked_at_every_six_hours() -> None:
    more_often = zones_that_differ(6 * HOUR)
    assert_far_apart(more_often)
    assert more_often == zones_that_differ(APART)


@pytest.mark.long
@pytest.mark.parametrize("part", range(8))
def test_openings_at_every_change_of_ten_years_are_what_a_walk_over_all_minutes_finds(part: int) -> None:
    every = [(zone, change) for zone, found in zones_that_differ(APART).items() for change in found][part::8]
    compared = 0
    for zone, change in every:
        compare(zone, change, windows(change))
        compared += len(windows(change))
    print(f"{len({zone for zone, _ in every})} zones, {len(every)} changes, {compared} windows")


# Random hours.

PLACES = st.sampled_from([None, "Ward", "Surgery"])
VISIT_TYPES = st.one_of(st.none(), st.none(), st.frozensets(st.integers(1, 3)))
TIMES = st.lists(
    st.one_of(st.integers(0, 1440), st.sampled_from([0, 60, 90, 120, 180, 1380, 1440])),
    min_size=2,
    max_size=2,
    unique=True,
).map(sorted)


@st.composite
def hours_around(draw: st.DrawFn, day: date) -> Hours:
    """Draw hours that are often valid, open or closed on the days around this one."""
    days = st.integers(-9, 9).map(lambda number: day + number * DAY)
    maybe = st.one_of(st.none(), st.none(), days)
    weekly = st.builds(
        lambda weekday, times, *others: WeeklyHours(weekday, *times, *others),
        st.integers(0, 6),
        TIMES,
        maybe,
        maybe,
        VISIT_TYPES,
        PLACES,
    )
    exception = st.builds(
        lambda closed, first, length, times, *others: HoursException(
            closed, first, first + length * DAY, *times, *others
        ),
        st.booleans(),
        days,
        st.integers(0, 4),
        TIMES,
        VISIT_TYPES,
        PLACES,
    )
    return Hours(draw(st.lists(weekly, max_size=12)), draw(st.lists(exception, max_size=5)))


@settings(max_examples=50, deadline=None, database=None)
@given(data=st.data())
def test_openings_of_random_hours_are_what_a_walk_over_all_minutes_finds(data: st.DataObject) -> None:
    restless = {zone: found for zone, found in zones_that_differ(APART).items() if found[0].new != found[0].old}
    zone = data.draw(st.sampled_from(sorted(restless)))
    change = data.draw(st.sampled_from(restless[zone]))
    hours = data.draw(hours_around(change.at.date()))
    first_day = change.at.date() - data.draw(st.integers(0, 5)) * DAY
    last_day = change.at.date() + data.draw(st.integers(0, 5)) * DAY
    restricted = any(row.visit_types is not None for row in hours.weekly) or any(
        row.visit_types is not None and not row.is_closed for row in hours.exceptions
    )
    showings = first_showings(zone, first_day, last_day)
    expected = [
        row
        for visit_type in ((1, 4) if restricted else (None,))
        for row in walked(showings, hours, visit_type, first_day, last_day)
    ]
    found = openings(*hours, (1, 4), zone, first_day, last_day)
    assert found == sorted(expected)
    for before, after in itertools.pairwise(sorted(found, key=lambda row: (row.visit_type_id or 0, row.from_minute))):
        assert before.visit_type_id != after.visit_type_id or before.until_minute <= after.from_minute

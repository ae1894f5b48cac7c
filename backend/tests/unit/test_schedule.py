"""What follows from a doctor's hours, exceptions and visit types."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from src.domain.minutes import minute_after, minute_of
from src.domain.openings import HoursException, WeeklyHours
from src.domain.schedule import Schedule
from src.domain.visit_types import default_of
from src.domain.wall_clock import instant_of
from src.errors_of_hours import TooManyOpenings

NOW = datetime(2030, 3, 4, 8, 0, tzinfo=timezone.utc)  # a Monday
BERLIN = "Europe/Berlin"
# In Berlin the clocks go back from 03:00 to 02:00 on this Sunday.
FOLD = date(2030, 10, 27)
FOR_SOME = [WeeklyHours(0, 0, 1440, visit_types=frozenset({1}))]
EVERY_DAY = [WeeklyHours(weekday, 0, 1440) for weekday in range(7)]


@dataclass(frozen=True)
class Booked:
    starts_at: datetime
    ends_at: datetime
    visit_type_id: int | None = None


def booked(start: str, end: str, visit_type_id: int | None = None, zone: str = "UTC") -> Booked:
    begin, until = (instant_of(datetime.fromisoformat(wall), zone) for wall in (start, end))
    return Booked(begin, until, visit_type_id)


def schedule(**parts: Any) -> Schedule:
    return replace(Schedule("UTC", NOW, (), (), {1: 56}), **parts)


def closed(from_time: int, until_time: int) -> HoursException:
    return HoursException(True, date(2030, 1, 1), date(2030, 12, 31), from_time, until_time)


def test_the_last_day_is_one_after_the_greatest_horizon() -> None:
    assert schedule().last_day == date(2030, 4, 30)
    assert schedule(horizons={1: 3, 2: 366}).last_day == date(2031, 3, 6)
    assert schedule(horizons={}).last_day == date(2030, 3, 5)
    assert schedule(zone="Asia/Tokyo", now=NOW + timedelta(hours=7)).last_day == date(2030, 5, 1)


def test_without_visit_types_there_are_no_openings() -> None:
    assert schedule(weekly=EVERY_DAY, horizons={}).openings() == []
    assert len(schedule(weekly=EVERY_DAY).openings()) == 58


@pytest.mark.parametrize(
    ("parts", "is_refused"),
    [
        # 10 rows in 10 or 11 weeks for 100 types, one of which has hours of its own.
        ({"weekly": FOR_SOME * 10, "horizons": dict.fromkeys(range(100), 62)}, False),
        ({"weekly": FOR_SOME * 10, "horizons": dict.fromkeys(range(100), 69)}, True),
        ({"weekly": EVERY_DAY[:1] * 10, "horizons": dict.fromkeys(range(100), 366)}, False),
        ({"exceptions": [HoursException(False, date(2030, 1, 1), date(2030, 12, 31))] * 172}, False),
        (
            {"exceptions": [HoursException(False, date(2030, 3, 5), date(2030, 12, 31))] * 100, "horizons": {1: 100}},
            True,
        ),
        # A closure makes two openings of one only between two times of a day.
        ({"exceptions": [closed(540, 600)] * 172}, False),
        ({"exceptions": [closed(540, 600)] * 173}, True),
        ({"exceptions": [closed(0, 1440), closed(0, 600), closed(600, 1440)] * 1000}, False),
        ({"exceptions": [HoursException(True, date(2032, 1, 1), date(2032, 12, 31), 540, 600)] * 1000}, False),
    ],
)
def test_there_must_not_be_too_many_openings(parts: dict[str, Any], is_refused: bool) -> None:  # noqa: FBT001
    if is_refused:
        with pytest.raises(TooManyOpenings):
            schedule(**parts).check_size()
    else:
        schedule(**parts).check_size()


def test_a_closure_of_the_hour_that_comes_twice_covers_both() -> None:
    closed = [HoursException(True, FOLD, FOLD, 120, 150)]
    first = Booked(
        datetime(2030, 10, 27, 0, 0, tzinfo=timezone.utc), datetime(2030, 10, 27, 0, 30, tzinfo=timezone.utc)
    )
    second = replace(first, starts_at=first.starts_at + timedelta(hours=1), ends_at=first.ends_at + timedelta(hours=1))
    whole = booked("2030-10-27 01:30", "2030-10-27 03:00", zone=BERLIN)
    after = booked("2030-10-27 03:00", "2030-10-27 03:30", zone=BERLIN)
    plan = schedule(zone=BERLIN, exceptions=closed)
    assert plan.affected([first, second, whole, after]) == [first, second, whole]


def test_a_closure_of_the_hour_that_comes_twice_covers_a_slot_that_ends_in_its_second_showing() -> None:
    # 02:45 to 02:15: a slot that was published in UTC.
    spans = Booked(
        datetime(2030, 10, 27, 0, 45, tzinfo=timezone.utc), datetime(2030, 10, 27, 1, 15, tzinfo=timezone.utc)
    )
    plan = schedule(zone=BERLIN, exceptions=[HoursException(True, FOLD, FOLD, 150, 180)])
    assert plan.affected([spans]) == [spans]


def test_what_spans_the_hour_that_comes_twice_is_open_if_nothing_is_closed() -> None:
    whole = booked("2030-10-27 01:30", "2030-10-27 03:00", zone=BERLIN)
    plan = schedule(zone=BERLIN, exceptions=[HoursException(True, FOLD, FOLD, 180, 1440)])
    assert plan.affected([whole]) == []


TIMES = st.tuples(st.integers(0, 1439), st.integers(1, 1440)).filter(lambda pair: pair[0] < pair[1])


@settings(deadline=None, database=None, max_examples=200)
@given(
    weekly=st.lists(st.tuples(st.integers(0, 6), TIMES, st.sampled_from([None, {1}, {2}, {1, 2}])), max_size=6),
    closed=st.lists(st.tuples(st.integers(0, 9), TIMES), max_size=3),
    starts=st.lists(st.tuples(st.integers(1, 14_000), st.integers(1, 90), st.sampled_from([1, 2, 3])), max_size=8),
)
def test_an_appointment_is_affected_unless_an_opening_contains_it(weekly: Any, closed: Any, starts: Any) -> None:
    plan = schedule(
        weekly=[WeeklyHours(day, *times, visit_types=kinds and frozenset(kinds)) for day, times, kinds in weekly],
        exceptions=[HoursException(True, *2 * [plan_day(day)], *times) for day, times in closed],
        horizons={1: 20, 2: 20, 3: 20},
    )
    rows = [
        Booked(NOW + timedelta(minutes=start), NOW + timedelta(minutes=start + length), kind)
        for start, length, kind in starts
    ]
    outside = [
        row
        for row in rows
        if not any(
            opening.visit_type_id in {None, row.visit_type_id}
            and opening.from_minute <= minute_of(row.starts_at) < opening.until_minute
            and minute_after(row.ends_at) <= opening.runs_until
            for opening in plan.openings()
        )
    ]
    assert plan.affected(rows) == outside


def plan_day(number: int) -> date:
    return NOW.date() + timedelta(days=number)


@dataclass
class Kind:
    id: int
    booked_by: str = "patients"
    capacity: int = 1
    is_default: bool = False


def test_the_default_type_is_the_chosen_one_or_the_first_possible() -> None:
    staff, group, first, second = Kind(1, "staff"), Kind(2, capacity=2), Kind(3), Kind(4)
    assert default_of([]) is default_of([staff, group]) is None
    assert default_of([staff, group, first, second]) == 3
    second.is_default = True
    assert default_of([staff, group, first, second]) == 4

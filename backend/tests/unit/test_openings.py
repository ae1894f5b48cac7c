"""Openings: weekly hours and exceptions become stretches of real time, also where the clocks change."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta, timezone

import pytest

from src.domain.minutes import instant_of_minute, minute_after, minute_of
from src.domain.openings import HoursException, Opening, WeeklyHours, openings

MONDAY = date(2030, 3, 4)
TUESDAY = date(2030, 3, 5)
SUNDAY = date(2030, 3, 10)
MORNING = WeeklyHours(0, 8 * 60, 12 * 60)
AFTERNOON = WeeklyHours(0, 14 * 60, 18 * 60)
ROUND_THE_CLOCK = [WeeklyHours(weekday, 0, 1440) for weekday in range(7)]
VACCINATION, CHECK_UP = 7, 8


def extra(
    day: date, from_time: int, until_time: int, place: str | None = None, visit_types: frozenset[int] | None = None
) -> HoursException:
    return HoursException(False, day, day, from_time, until_time, visit_types, place)


def closed(first: date, last: date, from_time: int = 0, until_time: int = 1440) -> HoursException:
    return HoursException(True, first, last, from_time, until_time)


def every_day(from_time: int, until_time: int) -> list[WeeklyHours]:
    return [WeeklyHours(weekday, from_time, until_time) for weekday in range(7)]


def of_utc(
    weekly: Iterable[WeeklyHours],
    exceptions: Iterable[HoursException] = (),
    first_day: date = MONDAY,
    last_day: date = SUNDAY,
) -> list[str]:
    return shown(openings(weekly, exceptions, (), "UTC", first_day, last_day))


def on(day: date, zone: str, weekly: Iterable[WeeklyHours]) -> list[Opening]:
    return openings(weekly, (), (), zone, day, day)


def shown(rows: Iterable[Opening]) -> list[str]:
    """Return begin and end in UTC, like `03-04 08:00 to 12:00`, and where it runs on until then."""
    return [
        f"{instant_of_minute(row.from_minute):%m-%d %H:%M} to {instant_of_minute(row.until_minute):%H:%M}"
        + (f", on to {instant_of_minute(row.runs_until):%m-%d %H:%M}" if row.runs_until != row.until_minute else "")
        for row in rows
    ]


def with_place(rows: Iterable[Opening]) -> list[tuple[int, int, str | None]]:
    """Return begin and end as minutes of the Monday in UTC."""
    midnight = minute_of(datetime(2030, 3, 4, tzinfo=timezone.utc))
    return [(row.from_minute - midnight, row.until_minute - midnight, row.place) for row in rows]


def test_a_minute_counts_from_2020() -> None:
    assert minute_of(datetime(2020, 1, 1, tzinfo=timezone.utc)) == 0
    assert instant_of_minute(0) == datetime(2020, 1, 1, tzinfo=timezone.utc)
    assert instant_of_minute(minute_of(datetime(2030, 3, 4, 8, 1, tzinfo=timezone.utc))).isoformat() == (
        "2030-03-04T08:01:00+00:00"
    )


@pytest.mark.parametrize("year", [2019, 2030])
def test_a_begin_is_rounded_down_and_an_end_up(year: int) -> None:
    whole = datetime(year, 3, 4, 8, 1, tzinfo=timezone.utc)
    assert minute_of(whole) == minute_after(whole)
    for more in (timedelta(microseconds=1), timedelta(seconds=59.9)):
        assert minute_of(whole + more) == minute_of(whole)
        assert minute_after(whole + more) == minute_of(whole) + 1


def test_a_minute_is_the_same_in_every_time_zone() -> None:
    instant = datetime(2030, 3, 4, 8, 1, tzinfo=timezone.utc)
    assert minute_of(instant.astimezone(timezone(timedelta(hours=5, minutes=45)))) == minute_of(instant)


def test_a_lunch_break_leaves_two_openings() -> None:
    assert of_utc([AFTERNOON, MORNING]) == ["03-04 08:00 to 12:00", "03-04 14:00 to 18:00"]


def test_the_first_and_the_last_day_are_included_and_no_other() -> None:
    assert len(of_utc(ROUND_THE_CLOCK, first_day=MONDAY, last_day=TUESDAY)) == 2
    assert len(of_utc(ROUND_THE_CLOCK, first_day=MONDAY, last_day=MONDAY)) == 1
    assert of_utc(ROUND_THE_CLOCK, first_day=TUESDAY, last_day=MONDAY) == []


def test_an_opening_has_the_local_day() -> None:
    (row,) = on(MONDAY, "Pacific/Auckland", [MORNING])
    assert row.day == MONDAY
    assert shown([row]) == ["03-03 19:00 to 23:00"]


def test_weekly_hours_that_touch_or_overlap_are_one_opening() -> None:
    touching = WeeklyHours(0, 12 * 60, 13 * 60)
    overlapping = WeeklyHours(0, 11 * 60, 15 * 60)
    assert of_utc([MORNING, touching]) == ["03-04 08:00 to 13:00"]
    assert of_utc([MORNING, overlapping, AFTERNOON]) == ["03-04 08:00 to 18:00"]


def test_extra_hours_join_weekly_ones() -> None:
    assert of_utc([MORNING, AFTERNOON], [extra(MONDAY, 12 * 60, 14 * 60)]) == ["03-04 08:00 to 18:00"]
    assert of_utc([MORNING], [extra(MONDAY, 7 * 60, 9 * 60)]) == ["03-04 07:00 to 12:00"]


def test_extra_hours_are_on_each_of_their_days() -> None:
    weekend = HoursException(False, date(2030, 3, 9), SUNDAY, 10 * 60, 11 * 60)
    assert of_utc([], [weekend]) == ["03-09 10:00 to 11:00", "03-10 10:00 to 11:00"]


def test_a_closure_of_days_includes_its_last_day() -> None:
    rows = of_utc(every_day(480, 540), [closed(TUESDAY, date(2030, 3, 9))])
    assert rows == ["03-04 08:00 to 09:00", "03-10 08:00 to 09:00"]


def test_a_closure_of_hours_leaves_the_time_before_and_after() -> None:
    assert of_utc([MORNING], [closed(MONDAY, MONDAY, 9 * 60, 10 * 60)]) == [
        "03-04 08:00 to 09:00",
        "03-04 10:00 to 12:00",
    ]
    assert of_utc([MORNING], [closed(MONDAY, MONDAY, 8 * 60, 9 * 60)]) == ["03-04 09:00 to 12:00"]
    assert of_utc([MORNING], [closed(MONDAY, MONDAY, 11 * 60, 13 * 60)]) == ["03-04 08:00 to 11:00"]
    assert of_utc([MORNING], [closed(MONDAY, MONDAY, 12 * 60, 13 * 60)]) == ["03-04 08:00 to 12:00"]


def test_a_closure_wins_over_extra_hours_in_any_order() -> None:
    exceptions = [closed(MONDAY, MONDAY, 9 * 60, 10 * 60), extra(MONDAY, 8 * 60, 11 * 60)]
    assert (
        of_utc([], exceptions) == of_utc([], reversed(exceptions)) == ["03-04 08:00 to 09:00", "03-04 10:00 to 11:00"]
    )


def test_weekly_hours_are_valid_on_their_first_and_last_day() -> None:
    next_monday, last_monday = date(2030, 3, 11), date(2030, 3, 18)
    row = WeeklyHours(0, 480, 540, valid_from=next_monday, valid_until=last_monday)
    assert of_utc([row], last_day=date(2030, 4, 30)) == ["03-11 08:00 to 09:00", "03-18 08:00 to 09:00"]
    assert of_utc([WeeklyHours(0, 480, 540, valid_from=date(2030, 3, 12))], last_day=date(2030, 3, 12)) == []
    assert of_utc([WeeklyHours(0, 480, 540, valid_until=date(2030, 3, 3))], last_day=date(2030, 3, 12)) == []


def test_hours_until_midnight_run_on_into_the_next_day() -> None:
    night = [WeeklyHours(0, 22 * 60, 1440), WeeklyHours(1, 0, 2 * 60)]
    assert of_utc(night) == ["03-04 22:00 to 00:00, on to 03-05 02:00", "03-05 00:00 to 02:00"]


def test_the_last_day_runs_on_into_a_day_that_is_not_asked_for() -> None:
    night = [WeeklyHours(0, 22 * 60, 1440), WeeklyHours(1, 0, 2 * 60)]
    assert of_utc(night, last_day=MONDAY) == ["03-04 22:00 to 00:00, on to 03-05 02:00"]


def test_hours_that_never_end_run_on_for_24_hours() -> None:
    assert of_utc(ROUND_THE_CLOCK, last_day=TUESDAY) == [
        "03-04 00:00 to 00:00, on to 03-06 00:00",
        "03-05 00:00 to 00:00, on to 03-07 00:00",
    ]


def test_hours_with_a_break_at_midnight_do_not_run_on() -> None:
    night = [WeeklyHours(0, 22 * 60, 1440), WeeklyHours(1, 1, 2 * 60)]
    assert of_utc(night) == ["03-04 22:00 to 00:00", "03-05 00:01 to 02:00"]


def test_hours_do_not_run_on_into_a_closed_day() -> None:
    assert of_utc(ROUND_THE_CLOCK, [closed(TUESDAY, SUNDAY)]) == ["03-04 00:00 to 00:00"]


def test_hours_do_not_run_on_to_another_place() -> None:
    night = [WeeklyHours(0, 22 * 60, 1440, place="Ward"), WeeklyHours(1, 0, 2 * 60, place="Surgery")]
    assert of_utc(night) == ["03-04 22:00 to 00:00", "03-05 00:00 to 02:00"]


def test_without_restrictions_there_is_no_visit_type() -> None:
    rows = openings([MORNING], (), (VACCINATION, CHECK_UP), "UTC", MONDAY, SUNDAY)
    assert [row.visit_type_id for row in rows] == [None]


def of_types(weekly: Iterable[WeeklyHours], exceptions: Iterable[HoursException] = ()) -> dict[int | None, list[str]]:
    rows = openings(weekly, exceptions, (CHECK_UP, VACCINATION, CHECK_UP), "UTC", MONDAY, SUNDAY)
    kinds = {row.visit_type_id for row in rows}
    return {kind: shown(row for row in rows if row.visit_type_id == kind) for kind in kinds}


def test_hours_for_one_visit_type_are_for_no_other_one() -> None:
    midday = WeeklyHours(0, 12 * 60, 14 * 60, visit_types=frozenset({VACCINATION}))
    assert of_types([MORNING, midday, AFTERNOON]) == {
        VACCINATION: ["03-04 08:00 to 18:00"],
        CHECK_UP: ["03-04 08:00 to 12:00", "03-04 14:00 to 18:00"],
    }


def test_openings_of_several_visit_types_are_in_the_order_of_time() -> None:
    midday = WeeklyHours(0, 12 * 60, 14 * 60, visit_types=frozenset({VACCINATION}))
    rows = openings([AFTERNOON, MORNING, midday], (), (CHECK_UP, VACCINATION), "UTC", MONDAY, SUNDAY)
    assert rows == sorted(rows, key=lambda row: row.from_minute)
    assert len(rows) == 3


def test_extra_hours_may_be_for_one_visit_type() -> None:
    assert of_types([MORNING], [extra(MONDAY, 720, 840, visit_types=frozenset({CHECK_UP}))]) == {
        VACCINATION: ["03-04 08:00 to 12:00"],
        CHECK_UP: ["03-04 08:00 to 14:00"],
    }


def test_a_closure_is_for_every_visit_type() -> None:
    restricted = WeeklyHours(0, 720, 840, visit_types=frozenset({CHECK_UP}))
    closure = HoursException(True, MONDAY, MONDAY, 480, 780, visit_types=frozenset({VACCINATION}))
    assert of_types([MORNING, restricted], [closure]) == {CHECK_UP: ["03-04 13:00 to 14:00"]}


def test_the_visit_types_of_a_closure_restrict_nothing() -> None:
    closure = HoursException(True, TUESDAY, TUESDAY, visit_types=frozenset({VACCINATION}))
    assert of_types([MORNING], [closure]) == {None: ["03-04 08:00 to 12:00"]}


def test_a_restriction_on_another_day_also_gives_each_visit_type_its_openings() -> None:
    past = WeeklyHours(1, 480, 540, valid_until=date(2029, 1, 1), visit_types=frozenset({CHECK_UP}))
    assert set(of_types([MORNING, past])) == {VACCINATION, CHECK_UP}
    assert set(of_types([MORNING], [extra(date(2040, 1, 1), 0, 60, visit_types=frozenset())])) == {
        VACCINATION,
        CHECK_UP,
    }


def test_two_places_of_a_day_have_openings_of_their_own_that_are_no_run() -> None:
    weekly = [WeeklyHours(0, 480, 720, place="Ward"), WeeklyHours(0, 720, 900, place="Surgery")]
    rows = openings(weekly, (), (), "UTC", MONDAY, SUNDAY)
    assert with_place(rows) == [(480, 720, "Ward"), (720, 900, "Surgery")]
    assert [row.runs_until for row in rows] == [row.until_minute for row in rows]


def test_the_place_of_extra_hours_wins_where_they_overlap() -> None:
    weekly = [WeeklyHours(0, 480, 720, place="Ward")]
    rows = openings(weekly, [extra(MONDAY, 540, 600, place="Surgery")], (), "UTC", MONDAY, SUNDAY)
    assert with_place(rows) == [(480, 540, "Ward"), (540, 600, "Surgery"), (600, 720, "Ward")]
    rows = openings(weekly, [extra(MONDAY, 600, 800)], (), "UTC", MONDAY, SUNDAY)
    assert with_place(rows) == [(480, 600, "Ward"), (600, 800, None)]


def test_of_two_overlapping_hours_of_a_kind_the_later_one_decides_the_place() -> None:
    weekly = [WeeklyHours(0, 480, 720, place="Ward"), WeeklyHours(0, 600, 800, place="Surgery")]
    rows = openings(weekly, (), (), "UTC", MONDAY, SUNDAY)
    assert with_place(rows) == [(480, 600, "Ward"), (600, 800, "Surgery")]


def test_extra_hours_for_another_visit_type_decide_no_place() -> None:
    weekly = [WeeklyHours(0, 480, 720, place="Ward")]
    exceptions = [extra(MONDAY, 480, 600, place="Surgery", visit_types=frozenset({VACCINATION}))]
    rows = openings(weekly, exceptions, (CHECK_UP,), "UTC", MONDAY, SUNDAY)
    assert with_place(rows) == [(480, 720, "Ward")]


def test_an_hour_that_the_clocks_skip_in_spring_does_not_exist() -> None:
    rows = on(date(2030, 3, 31), "Europe/Berlin", every_day(60, 240))
    assert shown(rows) == ["03-31 00:00 to 02:00"]
    assert on(date(2030, 3, 31), "Europe/Berlin", every_day(120, 180)) == []


def test_hours_around_the_skipped_hour_touch() -> None:
    rows = on(date(2030, 3, 31), "Europe/Berlin", every_day(60, 120) + every_day(180, 240))
    assert shown(rows) == ["03-31 00:00 to 02:00"]


def test_an_hour_that_the_clocks_repeat_in_autumn_is_open_once() -> None:
    rows = on(date(2030, 10, 27), "Europe/Berlin", every_day(60, 240))
    assert shown(rows) == ["10-26 23:00 to 01:00", "10-27 02:00 to 03:00"]
    assert shown(on(date(2030, 10, 27), "Europe/Berlin", every_day(120, 180))) == ["10-27 00:00 to 01:00"]


def test_the_days_beside_a_change_have_the_offset_of_their_own() -> None:
    rows = openings(every_day(480, 540), (), (), "Europe/Berlin", date(2030, 3, 30), date(2030, 4, 1))
    assert shown(rows) == ["03-30 07:00 to 08:00", "03-31 06:00 to 07:00", "04-01 06:00 to 07:00"]


def test_a_run_of_24_hours_counts_real_hours() -> None:
    (row,) = on(date(2030, 3, 30), "Europe/Berlin", ROUND_THE_CLOCK)
    assert shown([row]) == ["03-29 23:00 to 23:00, on to 03-31 23:00"]


def test_a_run_ends_where_the_clocks_begin_to_repeat_an_hour() -> None:
    rows = openings(ROUND_THE_CLOCK, (), (), "Europe/Berlin", date(2030, 10, 26), date(2030, 10, 27))
    assert shown(rows) == [
        "10-25 22:00 to 22:00, on to 10-27 01:00",
        "10-26 22:00 to 01:00",
        "10-27 02:00 to 23:00, on to 10-28 23:00",
    ]


def test_a_day_that_the_clocks_skip_has_no_openings_and_hours_run_on_past_it() -> None:
    rows = openings(ROUND_THE_CLOCK, (), (), "Pacific/Apia", date(2011, 12, 29), date(2011, 12, 31))
    assert [row.day for row in rows] == [date(2011, 12, 29), date(2011, 12, 31)]
    assert shown(rows) == ["12-29 10:00 to 10:00, on to 12-31 10:00", "12-30 10:00 to 10:00, on to 01-01 10:00"]
    assert shown(on(date(2011, 12, 29), "Pacific/Apia", ROUND_THE_CLOCK)) == shown(rows[:1])
    assert on(date(2011, 12, 30), "Pacific/Apia", ROUND_THE_CLOCK) == []


def test_a_day_without_its_first_hour_begins_an_hour_later_and_hours_run_into_it() -> None:
    beirut = openings(ROUND_THE_CLOCK, (), (), "Asia/Beirut", date(2030, 3, 30), date(2030, 3, 31))
    assert shown(beirut) == ["03-29 22:00 to 22:00, on to 03-31 22:00", "03-30 22:00 to 21:00, on to 04-01 21:00"]
    assert shown(on(date(2030, 3, 10), "America/Havana", every_day(0, 120))) == ["03-10 05:00 to 06:00"]
    assert shown(on(date(2018, 11, 4), "America/Sao_Paulo", every_day(30, 90))) == ["11-04 03:00 to 03:30"]


def test_the_repeated_last_hour_of_a_day_separates_it_from_the_next() -> None:
    night = every_day(22 * 60, 1440) + every_day(0, 60)
    rows = openings(night, (), (), "America/Sao_Paulo", date(2018, 2, 17), date(2018, 2, 18))
    assert shown(rows) == [
        "02-17 02:00 to 03:00",
        "02-18 00:00 to 02:00",
        "02-18 03:00 to 04:00",
        "02-19 01:00 to 03:00, on to 02-19 04:00",
    ]


def test_the_repeated_first_hour_of_a_day_is_open_once() -> None:
    rows = on(date(2030, 11, 3), "America/Havana", every_day(0, 120))
    assert shown(rows) == ["11-03 04:00 to 05:00", "11-03 06:00 to 07:00"]


def test_a_repeated_hour_that_lies_in_two_days_is_open_once_in_each() -> None:
    # At 00:01 the clocks went back to 23:01 of the day before.
    rows = openings(ROUND_THE_CLOCK, (), (), "America/St_Johns", date(2010, 11, 6), date(2010, 11, 7))
    assert [row.day for row in rows] == [date(2010, 11, 6), date(2010, 11, 7), date(2010, 11, 7)]
    assert shown(rows) == [
        "11-06 02:30 to 02:30, on to 11-07 02:31",
        "11-07 02:30 to 02:31",
        "11-07 03:31 to 03:30, on to 11-09 03:30",
    ]


def test_a_change_of_half_an_hour_skips_or_repeats_half_an_hour() -> None:
    assert shown(on(date(2030, 10, 6), "Australia/Lord_Howe", every_day(105, 165))) == ["10-05 15:15 to 15:45"]
    assert shown(on(date(2030, 4, 7), "Australia/Lord_Howe", every_day(75, 135))) == [
        "04-06 14:15 to 15:00",
        "04-06 15:30 to 15:45",
    ]


def test_clocks_that_go_back_for_a_month_are_treated_like_all_others() -> None:
    # Morocco leaves its usual time for Ramadan, which zone data calls negative summer time.
    rows = openings(every_day(60, 240), (), (), "Africa/Casablanca", date(2026, 2, 15), date(2026, 2, 15))
    assert shown(rows) == ["02-15 00:00 to 02:00", "02-15 03:00 to 04:00"]
    rows = openings(every_day(60, 240), (), (), "Africa/Casablanca", date(2026, 3, 22), date(2026, 3, 22))
    assert shown(rows) == ["03-22 01:00 to 03:00"]


def test_a_repeated_hour_before_the_first_day_asked_for_changes_nothing() -> None:
    both = openings(ROUND_THE_CLOCK, (), (), "America/Sao_Paulo", date(2018, 2, 17), date(2018, 2, 18))
    assert on(date(2018, 2, 18), "America/Sao_Paulo", ROUND_THE_CLOCK) == both[1:]

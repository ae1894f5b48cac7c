"""The table of a week: which cell begins in which row, and how many rows it takes."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from src.domain.minutes import time_of_day
from src.domain.wall_clock import UTC, instant_of, local
from src.pages.wall_spans import clock_changes, stretch
from src.pages.week_grid import Cell, Row, Stretch, Week, table

MONDAY = date(2030, 3, 4)
DAYS = [MONDAY + timedelta(days=number) for number in range(7)]
LONG_AGO = datetime(2030, 1, 1)


def at(begin: str, end: str, what: Any = None, day: date = MONDAY, last: date | None = None) -> Stretch:
    """Return a stretch of a day, or from one day to another."""
    return Stretch(datetime.fromisoformat(f"{day}T{begin}"), datetime.fromisoformat(f"{last or day}T{end}"), what)


def cells(rows: list[Row], day: date = MONDAY) -> list[Cell]:
    return [cell for row in rows for cell in row.cells if cell.day == day]


def shown(rows: list[Row], day: date = MONDAY) -> list[tuple[str, str, str, tuple[Any, ...]]]:
    return [(cell.from_, cell.until, cell.kind, cell.what) for cell in cells(rows, day)]


def hold_together(rows: list[Row], days: int) -> None:
    """Check that each row of the table has one cell of each day and one of the times, by their rowspans."""
    covered = [0] * len(rows)
    for index, row in enumerate(rows):
        for part in [*row.cells, *([row.hour] if row.hour else [])]:
            assert part.rows >= 1
            for each in range(index, index + part.rows):
                covered[each] += 1
    assert covered == [days + 1] * len(rows)


def test_an_empty_week_has_no_rows() -> None:
    assert table(Week(DAYS), LONG_AGO) == []


def test_a_week_that_is_closed_shows_office_hours() -> None:
    closures = [at("00:00", "00:00", "Holiday", day, day + timedelta(days=1)) for day in DAYS]
    rows = table(Week(DAYS, closures=closures), LONG_AGO)
    assert shown(rows) == [("08:00", "17:00", "closure", ("Holiday",))]
    hold_together(rows, 7)


def test_entries_stand_in_the_hours_which_are_open_hour_by_hour() -> None:
    rows = table(Week(DAYS, [at("09:30", "10:00", "Ada")], [at("09:00", "12:00")]), LONG_AGO)
    assert shown(rows) == [
        ("09:00", "09:30", "open", ()),
        ("09:30", "10:00", "entries", ("Ada",)),
        ("10:00", "11:00", "open", ()),
        ("11:00", "12:00", "open", ()),
    ]
    assert shown(rows, DAYS[1]) == [("09:00", "12:00", "shut", ())]
    assert [row.hour.from_ for row in rows if row.hour] == ["09:00", "10:00", "11:00"]
    hold_together(rows, 7)


@pytest.mark.parametrize(("end", "minutes"), [("09:30", 15), ("09:45", 15), ("09:20", 10), ("09:25", 5), ("09:07", 5)])
def test_rows_are_as_long_as_the_entries_allow(end: str, minutes: int) -> None:
    rows = table(Week(DAYS, [at("09:00", end, "Ada")]), LONG_AGO)
    assert {row.minutes for row in rows} == {minutes}
    hold_together(rows, 7)


def test_odd_minutes_stand_in_the_nearest_rows_and_no_visit_vanishes() -> None:
    visits = [at("09:00", "09:07", 1), at("09:07", "09:14", 2), at("09:16", "09:17", 3), at("23:58", "23:59", 4)]
    rows = table(Week(DAYS, visits), LONG_AGO)
    assert [each for each in shown(rows) if each[2] == "entries"] == [
        ("09:00", "09:05", "entries", (1,)),
        ("09:05", "09:15", "entries", (2,)),
        ("09:15", "09:20", "entries", (3,)),
        ("23:55", "24:00", "entries", (4,)),
    ]
    hold_together(rows, 7)


def test_overlapping_entries_share_a_cell() -> None:
    visits = [at("10:00", "11:00", "Ben"), at("09:00", "10:00", "Ada"), at("09:30", "10:30", "Cleo")]
    rows = table(Week(DAYS, visits), LONG_AGO)
    assert shown(rows) == [("09:00", "11:00", "entries", ("Ada", "Cleo", "Ben"))]
    hold_together(rows, 7)


def test_an_entry_hides_a_closure_which_hides_a_buffer_which_hides_hours() -> None:
    week = Week(
        DAYS,
        [at("10:00", "10:30", "Ada")],
        [at("09:00", "13:00", "Room 1")],
        [at("09:30", "11:00")],
        [at("10:15", "10:45", "Conference"), at("12:00", "13:00", "Lunch"), at("12:00", "13:00", "Builders")],
    )
    rows = table(week, LONG_AGO)
    assert shown(rows) == [
        ("09:00", "09:30", "open", ("Room 1",)),
        ("09:30", "10:00", "buffer", ()),
        ("10:00", "10:30", "entries", ("Ada",)),
        ("10:30", "10:45", "closure", ("Conference",)),
        ("10:45", "11:00", "buffer", ()),
        ("11:00", "12:00", "open", ("Room 1",)),
        ("12:00", "13:00", "closure", ("Lunch", "Builders")),
    ]
    hold_together(rows, 7)


def test_a_visit_over_midnight_stands_on_both_days_and_quiet_hours_are_one_row() -> None:
    visits = [at("22:00", "02:00", "Ada", MONDAY, DAYS[1]), at("09:00", "10:00", "Ben")]
    rows = table(Week(DAYS, visits), LONG_AGO)
    assert [each[:2] for each in shown(rows) if each[2] == "entries"] == [("09:00", "10:00"), ("22:00", "24:00")]
    assert shown(rows, DAYS[1])[0] == ("00:00", "02:00", "entries", ("Ada",))
    labels = [(row.hour.from_, row.hour.until) for row in rows if row.hour and row.hour.minutes > 60]
    assert labels == [("02:00", "09:00"), ("10:00", "22:00")]
    hold_together(rows, 7)


def test_a_break_of_an_hour_is_shown_as_it_is() -> None:
    rows = table(Week(DAYS, openings=[at("09:00", "12:00"), at("13:00", "16:00")]), LONG_AGO)
    assert [row.hour.from_ for row in rows if row.hour] == [time_of_day(60 * hour) for hour in range(9, 16)]
    hold_together(rows, 7)


def test_what_is_over_and_what_is_now() -> None:
    week = Week(DAYS, [at("09:00", "10:00", "Ada", day) for day in DAYS[:3]], [at("09:00", "12:00", None, DAYS[1])])
    now = datetime.fromisoformat(f"{DAYS[1]}T09:36")
    rows = table(week, now)
    [monday, tuesday, wednesday] = [cells(rows, day)[0] for day in DAYS[:3]]
    assert [cell.is_over for cell in (monday, tuesday, wednesday)] == [True, False, False]
    assert [cell.now_at for cell in (monday, tuesday, wednesday)] == [None, 6, None]
    assert [row.hour.now_at for row in rows if row.hour] == [6, None, None]
    later = table(week, datetime.fromisoformat(f"{DAYS[1]}T10:31"))
    assert [(cell.from_, cell.until, cell.now_at) for cell in cells(later, DAYS[1]) if cell.kind == "open"] == [
        ("10:00", "10:30", None),
        ("10:30", "10:45", 0),
        ("10:45", "11:00", None),
        ("11:00", "12:00", None),
    ]
    hold_together(later, 7)


def row_of(begin: datetime, minutes: int, zone: str) -> dict[str, str]:
    ends_at = local(begin.astimezone(UTC) + timedelta(minutes=minutes), zone)
    return {"starts_at": begin.isoformat(), "ends_at": ends_at.isoformat(), "time_zone": zone}


def test_a_visit_in_the_hour_that_clocks_skip_has_the_times_that_they_show() -> None:
    sunday, zone = date(2030, 3, 31), "Europe/Berlin"
    begin = local(instant_of(datetime.fromisoformat(f"{sunday}T01:30"), zone), zone)
    rows = table(Week([sunday], [stretch(row_of(begin, 60, zone), zone, "Ada")]), LONG_AGO)
    assert [each[:2] for each in shown(rows, sunday) if each[2] == "entries"] == [("01:30", "03:30")]
    assert clock_changes([sunday - timedelta(days=1), sunday], zone) == {sunday: "forward"}
    hold_together(rows, 1)


def test_a_visit_that_ends_before_it_began_on_the_clock_is_as_long_as_it_lasts() -> None:
    sunday, zone = date(2030, 10, 27), "Europe/Berlin"
    begin = datetime.fromisoformat(f"{sunday}T02:45:00+02:00")
    rows = table(Week([sunday], [stretch(row_of(begin, 30, zone), zone, "Ada")]), LONG_AGO)
    assert [each[:2] for each in shown(rows, sunday) if each[2] == "entries"] == [("02:45", "03:15")]
    assert clock_changes([sunday], zone) == {sunday: "back"}
    hold_together(rows, 1)


def test_a_visit_agreed_on_in_another_zone_stands_where_the_doctors_clock_has_it() -> None:
    zone = "Asia/Kathmandu"
    begin = datetime.fromisoformat(f"{MONDAY}T09:00:00+00:00")
    rows = table(Week(DAYS, [stretch(row_of(begin, 30, "UTC"), zone, "Ada")]), LONG_AGO)
    assert [each[:2] for each in shown(rows) if each[2] == "entries"] == [("14:45", "15:15")]
    assert {row.minutes for row in rows} == {15}
    assert clock_changes(DAYS, zone) == {}
    hold_together(rows, 7)


@pytest.mark.parametrize("seed", range(20))
def test_whatever_is_on_every_row_has_a_cell_of_each_day(seed: int) -> None:
    def some(number: int) -> list[Stretch]:
        found: list[Stretch] = []
        for index in range(number):
            begin = (seed * 7919 + index * 104729) % (7 * 1440)
            start = datetime.fromisoformat(f"{MONDAY}T00:00") + timedelta(minutes=begin)
            found.append(Stretch(start, start + timedelta(minutes=1 + (seed + 1) * index % 700), index))
        return found

    for number in (1, 3, 12, 40):
        rows = table(Week(DAYS, some(number), some(5), some(7), some(2)), datetime.fromisoformat("2030-03-06T11:11"))
        hold_together(rows, 7)
        entries = {
            each
            for cell in (c for day in DAYS for c in cells(rows, day))
            if cell.kind == "entries"
            for each in cell.what
        }
        assert entries == set(range(number))

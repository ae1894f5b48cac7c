"""Wall clocks: a time is refused, or given back as it was given."""

from __future__ import annotations

import contextlib
from datetime import date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from src.domain.wall_clock import day_bounds, instant_of, local, wall_clock, wall_stretch
from src.errors_of_appointments import BadSlot
from src.settings.time_zones import time_zone_names

ZONES = st.sampled_from(sorted(time_zone_names()))
# Zones that keep changing their clocks, in ways that differ: half an hour, at midnight, in winter, by religion.
RESTLESS = st.sampled_from(
    [
        "Europe/Berlin",
        "America/New_York",
        "America/Santiago",
        "America/Havana",
        "America/Nuuk",
        "Atlantic/Azores",
        "Africa/Cairo",
        "Africa/Casablanca",
        "Asia/Beirut",
        "Asia/Gaza",
        "Australia/Lord_Howe",
        "Europe/Dublin",
        "Pacific/Chatham",
        "Antarctica/Troll",
    ]
)
DAYS = st.dates(date(2020, 1, 1), date(2045, 12, 31))
MINUTES = st.integers(0, 24 * 60 - 1).map(lambda minute: time(minute // 60, minute % 60))
EPOCH = datetime(2020, 1, 1, tzinfo=timezone.utc)
INSTANTS = st.integers(0, 26 * 365 * 24 * 60).map(lambda minutes: EPOCH + timedelta(minutes=minutes))


def readings(wall: datetime, zone: str) -> set[datetime]:
    """Search for every instant at which the clocks of the zone show this, without a word about gap or fold."""
    offsets = {
        (wall.replace(tzinfo=timezone.utc) + timedelta(hours=hours)).astimezone(ZoneInfo(zone)).utcoffset()
        for hours in range(-36, 37)
    }
    instants = {wall.replace(tzinfo=timezone.utc) - offset for offset in offsets if offset is not None}
    return {instant for instant in instants if instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == wall}


@settings(max_examples=200, deadline=None, database=None)
@given(zone=st.one_of(ZONES, RESTLESS), day=DAYS, at=MINUTES)
@example(zone="Europe/Berlin", day=date(2030, 3, 31), at=time(2, 30))
@example(zone="Europe/Berlin", day=date(2030, 10, 27), at=time(2, 30))
@example(zone="Australia/Lord_Howe", day=date(2030, 10, 6), at=time(2, 15))
@example(zone="Australia/Lord_Howe", day=date(2030, 4, 7), at=time(1, 45))
@example(zone="America/Havana", day=date(2030, 3, 10), at=time(0, 30))
@example(zone="Africa/Casablanca", day=date(2030, 2, 10), at=time(2, 30))
def test_a_time_is_refused_or_given_back(zone: str, day: date, at: time) -> None:
    wall = datetime.combine(day, at)
    found = readings(wall, zone)
    if len(found) == 1:
        instant = instant_of(wall, zone)
        assert {instant} == found
        assert instant.tzinfo is timezone.utc
        assert local(instant, zone).replace(tzinfo=None) == wall
    else:
        with pytest.raises(BadSlot, match="does not exist" if not found else "comes twice"):
            instant_of(wall, zone)


@settings(max_examples=50, deadline=None, database=None)
@given(zone=st.one_of(ZONES, RESTLESS), day=DAYS)
def test_a_whole_day_of_minutes_is_in_order(zone: str, day: date) -> None:
    instants = []
    for quarter in range(96):
        with contextlib.suppress(BadSlot):
            instants.append(instant_of(datetime.combine(day, time(quarter // 4, quarter % 4 * 15)), zone))
    assert instants == sorted(set(instants))
    assert len(instants) > 80


@pytest.mark.parametrize(
    ("zone", "day", "at", "said"),
    [
        ("Europe/Berlin", date(2030, 3, 31), time(2, 0), "02:00 does not exist on 2030-03-31 in Europe/Berlin"),
        ("Europe/Berlin", date(2030, 3, 31), time(2, 59), "02:59 does not exist"),
        ("Europe/Berlin", date(2030, 10, 27), time(2, 0), "02:00 comes twice on 2030-10-27 in Europe/Berlin"),
        ("Europe/Berlin", date(2030, 10, 27), time(2, 59), "02:59 comes twice"),
        ("America/Havana", date(2030, 3, 10), time(0, 0), "00:00 does not exist"),
        ("Asia/Tokyo", date(1, 1, 1), time(0, 0), "outside of the calendar"),
        ("America/New_York", date(9999, 12, 31), time(23, 0), "outside of the calendar"),
    ],
)
def test_a_refusal_says_why(zone: str, day: date, at: time, said: str) -> None:
    with pytest.raises(BadSlot, match=said) as refusal:
        instant_of(datetime.combine(day, at), zone)
    assert str(refusal.value).endswith(".")


@pytest.mark.parametrize("at", [time(1, 59), time(3, 0)])
def test_the_minutes_beside_a_change_are_taken(at: time) -> None:
    for day in (date(2030, 3, 31), date(2030, 10, 27)):
        assert local(instant_of(datetime.combine(day, at), "Europe/Berlin"), "Europe/Berlin").time() == at


@settings(max_examples=200, deadline=None, database=None)
@given(zone=st.one_of(ZONES, RESTLESS), day=st.one_of(st.just(date(1, 1, 1)), st.just(date(9999, 12, 31))), at=MINUTES)
def test_the_ends_of_the_calendar_are_refused_or_given_back(zone: str, day: date, at: time) -> None:
    try:
        instant = instant_of(datetime.combine(day, at), zone)
    except BadSlot:
        return
    assert local(instant, zone).replace(tzinfo=None) == datetime.combine(day, at)


@settings(max_examples=150, deadline=None, database=None)
@given(zone=st.one_of(ZONES, RESTLESS), now=INSTANTS)
@example(zone="America/Havana", now=datetime(2030, 11, 3, 5, 30, tzinfo=timezone.utc))
@example(zone="America/Santiago", now=datetime(2030, 4, 7, 3, 30, tzinfo=timezone.utc))
def test_a_day_holds_now_and_the_next_one_follows_without_a_gap(zone: str, now: datetime) -> None:
    begin, end = day_bounds(now, zone)
    today = local(now, zone).date()
    assert begin <= now < end
    assert local(begin, zone).date() == today
    assert local(end, zone).date() > today
    assert local(end - timedelta(seconds=1), zone).date() == today
    assert timedelta(hours=20) < end - begin < timedelta(hours=28)
    assert day_bounds(end, zone)[0] == end
    assert day_bounds(begin, zone) == (begin, end)


@settings(max_examples=200, deadline=None, database=None)
@given(zone=RESTLESS, starts_at=INSTANTS, minutes=st.integers(1, 240))
@example(zone="Europe/Berlin", starts_at=datetime(2030, 10, 26, 23, 30, tzinfo=timezone.utc), minutes=90)
@example(zone="Europe/Berlin", starts_at=datetime(2030, 10, 27, 0, 30, tzinfo=timezone.utc), minutes=60)
@example(zone="Europe/Berlin", starts_at=datetime(2030, 10, 27, 0, 30, tzinfo=timezone.utc), minutes=200)
@example(zone="Europe/Berlin", starts_at=datetime(2030, 3, 31, 0, 0, tzinfo=timezone.utc), minutes=60)
@example(zone="America/Havana", starts_at=datetime(2030, 11, 3, 4, 30, tzinfo=timezone.utc), minutes=60)
@example(zone="Australia/Lord_Howe", starts_at=datetime(2030, 4, 6, 14, 45, tzinfo=timezone.utc), minutes=30)
def test_a_stretch_ends_after_the_latest_minute_that_the_clocks_show(
    zone: str, starts_at: datetime, minutes: int
) -> None:
    one = timedelta(minutes=1)
    shown = [wall_clock(starts_at + number * one, zone) for number in range(minutes)]
    assert wall_stretch(starts_at, starts_at + minutes * one, zone) == (shown[0], max(shown) + one)


def test_well_known_zones_are_known() -> None:
    assert {"UTC", "Europe/Berlin", "America/New_York", "Asia/Tokyo", "Pacific/Kiritimati"} <= time_zone_names()
    assert not {"", "CEST", "+02:00", "europe/berlin", "Factory", "localtime", "posixrules"} & time_zone_names()

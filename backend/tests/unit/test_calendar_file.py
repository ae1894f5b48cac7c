"""Calendar files: what other programs read in them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from icalendar import Calendar, Event, Timezone

from src.services.calendar_file import CalendarEntry, calendar_file

NOW = datetime(2026, 10, 1, 12, 0, tzinfo=timezone.utc)
STARTS_AT = datetime(2026, 10, 20, 7, 0, tzinfo=timezone.utc)
HALF_AN_HOUR = timedelta(minutes=30)
BASE_URL = "https://clinic.example:8443/booking"
ENTRY = CalendarEntry(
    appointment_id=17,
    revision=3,
    status="booked",
    starts_at=STARTS_AT,
    ends_at=STARTS_AT + HALF_AN_HOUR,
    time_zone="Europe/Berlin",
    title="Appointment",
    doctor_name="Dr. Fenna Quill",
    visit_type="Check-up",
    clinic_name="Clinic Sample",
    place="1 Sample Street",
    link=f"{BASE_URL}/my/17",
)


def made(base_url: str | None = BASE_URL, **facts: Any) -> bytes:
    return calendar_file(replace(ENTRY, **facts), base_url, NOW)


def read(file: bytes) -> tuple[Calendar, Event]:
    """Return the calendar and its one event."""
    calendar = Calendar.from_ical(file)
    assert isinstance(calendar, Calendar)
    assert calendar.errors == []
    [event] = calendar.events
    assert event.errors == []
    return calendar, event


def event_at(starts_at: datetime, time_zone: str, **facts: Any) -> tuple[bytes, Event]:
    file = made(starts_at=starts_at, ends_at=starts_at + HALF_AN_HOUR, time_zone=time_zone, **facts)
    return file, read(file)[1]


def test_an_appointment_can_be_read_again() -> None:
    calendar, event = read(made())
    assert (calendar["version"], calendar["method"]) == ("2.0", "PUBLISH")
    assert calendar["prodid"]
    assert event["uid"] == "appointment-17@clinic.example"
    assert event["dtstamp"].dt == NOW
    assert (event["dtstart"].dt, event["dtend"].dt) == (ENTRY.starts_at, ENTRY.ends_at)
    assert event["dtstart"].params["TZID"] == event["dtend"].params["TZID"] == "Europe/Berlin"
    assert event["summary"] == "Appointment: Dr. Fenna Quill, Check-up"
    assert event["location"] == "Clinic Sample, 1 Sample Street"
    assert event["url"] == event["description"] == "https://clinic.example:8443/booking/my/17"
    assert (event["status"], event["sequence"]) == ("CONFIRMED", 3)


def test_a_cancelled_appointment_replaces_the_booked_one() -> None:
    _, before = read(made())
    _, event = read(made(status="cancelled", revision=4))
    assert (event["status"], event["sequence"], event["uid"]) == ("CANCELLED", 4, before["uid"])


def test_what_is_not_known_is_left_out() -> None:
    _, event = read(made(None, visit_type=None, clinic_name=None, place=None, link=None))
    assert event["uid"] == "appointment-17@localhost"
    assert event["summary"] == "Appointment: Dr. Fenna Quill"
    assert not {"LOCATION", "URL", "DESCRIPTION"} & set(event)


@pytest.mark.parametrize(
    "name",
    [
        "Dr. Fenna\nEND:VEVENT\nBEGIN:VALARM",
        "Dr. Fenna\r\nATTACH:https://evil.example/",
        "Dr. Fenna\rATTACH:https://evil.example/",
        "Dr. Fenna\u2028\u0085\x0bATTACH:x",
        "Quill; Fenna, Dr.: \"the\" 'best' = 100% \\ ^n",
        r"Dr. \ Quill \, \; \: \\",
        "Ärztin 例え 👩‍⚕️",
        "Very long " + "ÄÖÜ👩‍⚕️ " * 200,
    ],
)
def test_a_name_stays_a_name(name: str) -> None:
    file = made(doctor_name=name, visit_type=name, clinic_name=name, place=name, title=name)
    calendar, event = read(file)
    assert {part.name for part in calendar.subcomponents} == {"VTIMEZONE", "VEVENT"}
    assert event.subcomponents == []
    assert set(event) == set(read(made())[1])
    shown = " ".join(name.split())
    assert event["summary"] == f"{shown}: {shown}, {shown}"
    assert event["location"] == f"{shown}, {shown}"
    lines = file.removesuffix(b"\r\n").split(b"\r\n")
    assert max(map(len, lines)) <= 75
    assert not [line for line in lines if b"\r" in line or b"\n" in line]
    assert all(line.decode("utf-8") for line in lines), "no character is divided"


@pytest.mark.parametrize("starts_at", ["00:30", "01:30"])
def test_a_time_that_the_clocks_show_twice_is_the_right_one_of_the_two(starts_at: str) -> None:
    """Both are 02:30 in Berlin."""
    instant = datetime.fromisoformat(f"2026-10-25T{starts_at}:00+00:00")
    file, event = event_at(instant, "Europe/Berlin")
    assert (event["dtstart"].dt, event["dtend"].dt) == (instant, instant + HALF_AN_HOUR)
    assert f"DTSTART:20261025T{starts_at.replace(':', '')}00Z".encode() in file


ZONES = [
    ("UTC", "2026-10-20T07:00:00+00:00"),
    ("Etc/UTC", "2026-10-20T07:00:00+00:00"),
    ("GMT", "2026-10-20T07:00:00+00:00"),
    ("Europe/London", "2026-12-20T07:00:00+00:00"),
    ("Etc/GMT+5", "2026-10-20T07:00:00+00:00"),
    ("America/New_York", "2026-11-01T04:00:00+00:00"),  # the day on which the clocks go back, before that
    ("America/New_York", "2026-11-01T14:00:00+00:00"),  # and after
    ("America/New_York", "2027-03-14T06:30:00+00:00"),  # before the clocks go forward
    ("America/New_York", "2027-03-14T07:00:00+00:00"),  # and just after
    ("America/Vancouver", "2027-01-12T17:00:00+00:00"),  # no longer changes its clocks
    ("Asia/Kathmandu", "2026-10-20T07:00:00+00:00"),  # +05:45
    ("Africa/Casablanca", "2026-02-14T09:00:00+00:00"),  # the day before Ramadan's clocks
    ("Africa/Casablanca", "2026-02-20T09:00:00+00:00"),  # a negative daylight saving
    ("Australia/Lord_Howe", "2026-10-03T15:15:00+00:00"),  # half an hour of daylight saving
    ("Pacific/Kiritimati", "2026-10-20T23:30:00+00:00"),  # +14:00
    ("Europe/Berlin", "2036-07-01T07:00:00+00:00"),
]


@pytest.mark.parametrize(("time_zone", "starts_at"), ZONES)
def test_the_instants_are_right_in_every_zone(time_zone: str, starts_at: str) -> None:
    """Also for a program that knows the zone from the file only."""
    instant = datetime.fromisoformat(starts_at)
    file, event = event_at(instant, time_zone)
    assert (event["dtstart"].dt, event["dtend"].dt) == (instant, instant + HALF_AN_HOUR)
    assert len(file) < 1500, "a file has the rules of its own days only"
    zones: list[Timezone] = read(file)[0].timezones
    tzid = event["dtstart"].params.get("TZID")
    assert [zone.tz_name for zone in zones] == ([tzid] if tzid else [])
    for zone in zones:
        by_the_file = zone.to_tz(lookup_tzid=False)
        for name, at in (("dtstart", instant), ("dtend", instant + HALF_AN_HOUR)):
            wall = event[name].dt.replace(tzinfo=None)
            assert wall.replace(tzinfo=by_the_file).astimezone(timezone.utc) == at


def test_an_appointment_over_midnight_ends_on_the_next_day() -> None:
    starts_at = datetime(2026, 10, 20, 21, 45, tzinfo=timezone.utc)
    file, _ = event_at(starts_at, "Europe/Berlin")
    assert b"DTSTART;TZID=Europe/Berlin:20261020T234500" in file
    assert b"DTEND;TZID=Europe/Berlin:20261021T001500" in file

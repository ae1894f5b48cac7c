"""The doctors with weekly hours: their openings, which times are taken already, and which the benchmark books.

Each has one visit type of twenty minutes. They work from Monday to Friday, three hours before noon and four after it,
and begin at a minute of their own. Of four times, two in a row are taken. The next two weeks are listed, about a
hundred free times; what comes later is booked, held and moved to.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

from src.domain.minutes import instant_of_minute
from src.domain.openings import Opening, WeeklyHours, openings
from src.domain.schedule import Schedule
from src.domain.wall_clock import UTC, wall_clock
from src.repositories.offered import MINUTES_OF_VERSION

ZONE = "Europe/Berlin"
MINUTES, HORIZON, FIRST_VERSION = 20, 56, 256
LISTED_DAYS, BOOKED_DAYS = 14, 55
MINUTES_BETWEEN_DOCTORS, LATEST_BEGIN = 7, 60
# So many bookings in a row are of one doctor and one patient, like those of published slots.
RUN = 20


COLUMNS = (
    "slot_id, doctor_id, patient_id, starts_at, ends_at, time_zone, wall_start, wall_end, booked_at, busy_from,"
    " busy_until, visit_type_id, day"
)


class Time(NamedTuple):
    """A computed time of a doctor."""

    day: date
    minute: int


def weekly_hours(doctor: int, minutes_less: int = 0) -> list[WeeklyHours]:
    """Return the hours of a doctor, who may end earlier."""
    first = 9 * 60 + doctor * MINUTES_BETWEEN_DOCTORS % LATEST_BEGIN
    return [
        WeeklyHours(weekday, first + begin * 60, first + end * 60 - less)
        for weekday in range(5)
        for begin, end, less in ((0, 3, 0), (4, 8, minutes_less))
    ]


@cache
def openings_of(doctor: int, today: date) -> list[Opening]:
    """Return what the product lays for the doctor today."""
    now = datetime.combine(today, datetime.min.time(), UTC) + timedelta(hours=12)
    last = Schedule(ZONE, now, (), (), {1: HORIZON}).last_day
    return openings(weekly_hours(doctor), (), {1}, ZONE, today, last)


@cache
def times_of(doctor: int, today: date) -> tuple[list[Time], list[Time]]:
    """Return the times of a doctor from tomorrow on that are taken, and that are free."""
    times = [
        Time(opening.day, minute)
        for opening in openings_of(doctor, today)
        if today < opening.day <= today + timedelta(days=BOOKED_DAYS)
        for minute in range(opening.from_minute, opening.until_minute - MINUTES + 1, MINUTES)
    ]
    taken: list[Time] = []
    free: list[Time] = []
    for number, one in enumerate(times):
        (taken if number % 4 in (1, 2) else free).append(one)
    return taken, free


@cache
def bookable_of(doctor: int, today: date) -> list[Time]:
    """Return the free times of a doctor after the weeks that are listed."""
    first = today + timedelta(days=LISTED_DAYS)
    return [one for one in times_of(doctor, today)[1] if one.day > first]


def slot_id(version: int, minute: int) -> int:
    return version * MINUTES_OF_VERSION + minute


def span(minute: int) -> tuple[Any, ...]:
    """Return the values of SPAN for a visit."""
    begin, end = instant_of_minute(minute), instant_of_minute(minute + MINUTES)
    return begin, end, ZONE, wall_clock(begin, ZONE), wall_clock(end, ZONE)


def tables(doctors: range, others: range, first_patient: int, today: date, now: datetime) -> list[Any]:
    """Return what Stock.tables does, for these doctors; each has a patient who has all the appointments.

    The others have no hours, but like every doctor a visit type.
    """

    def hours() -> Iterator[tuple[Any, ...]]:
        for doctor in doctors:
            for row in weekly_hours(doctor):
                yield doctor, row.weekday, row.from_time, row.until_time

    def opened() -> Iterator[tuple[Any, ...]]:
        for doctor in doctors:
            for row in openings_of(doctor, today):
                yield doctor, row.day, row.from_minute, row.until_minute, row.runs_until

    def appointments() -> Iterator[tuple[Any, ...]]:
        for number, doctor in enumerate(doctors):
            for day, minute in times_of(doctor, today)[0]:
                slot = slot_id(FIRST_VERSION + number, minute)
                yield (slot, doctor, first_patient + number, *span(minute), now, minute, minute + MINUTES,
                       number + 1, day)  # fmt: skip

    count = len(doctors) + len(others)
    types = ((number, doctor, "Consultation", HORIZON, now) for number, doctor in enumerate((*doctors, *others), 1))
    versions = ((FIRST_VERSION + number, number + 1, MINUTES, 0, 0, MINUTES) for number in range(count))
    days = len(openings_of(doctors[0], today)), len(times_of(doctors[0], today)[0])
    return [
        ("visit_types", "id, doctor_id, name, horizon, created_at", types, count),
        ("visit_type_versions", "id, visit_type_id, minutes, buffer_before, buffer_after, step", versions, count),
        ("weekly_hours", "doctor_id, weekday, from_time, until_time", hours(), 10 * len(doctors)),
        ("openings", "doctor_id, day, from_minute, until_minute, runs_until", opened(), days[0] * len(doctors)),
        (
            "appointments",
            COLUMNS,
            appointments(),
            days[1] * len(doctors),
        ),
    ]

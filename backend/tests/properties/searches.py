"""What a search of all doctors must find in a random practice: the lists of the doctors, merged."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from src.domain.minutes import minute_of
from src.repositories import search_repository as searching
from src.repositories.search_repository import Criteria
from tests.properties.oracle import DAY, Doctor, Kind, World, instant

# The type of this name is that of every visit type in a practice; the search ignores letter case.
NAME = "vISIT"
MOST_PAGES = 3
LIMITS = (1, 3, 8)
NEXT_TIMES = (1, 2, 3, 5)


class Found(NamedTuple):
    """What a search shows of a time; a published slot has no visit type."""

    minute: int
    slot_id: int
    visit_type_id: int | None
    seats_left: int | None
    place: str | None
    doctor_id: int


Compared = Callable[[list[Found], list[Found], str], None]


def compare_searches(db: Connection, world: World, chance: random.Random, me: int, compare: Compared) -> None:
    """Compare what the search finds with what the rules say."""
    default = [found for doctor in world.doctors for found in _default(world, doctor, me)]
    kinds = [found for doctor in world.doctors for kind in doctor.kinds for found in _of_kind(world, doctor, kind, me)]
    for name, expected in ((None, default), (NAME, kinds)):
        _compare_next_times(db, world, chance, me, expected, name, compare)
    name, expected = chance.choice([(None, default), (NAME, kinds)])
    day = world.now.date() + chance.randint(-1, 5) * DAY
    days = {"first_day": day, "last_day": chance.choice([day, day, day + DAY, None])}
    part = {"part_of_day": chance.choice(["morning", "afternoon", "evening"])}
    one = {"doctor_id": chance.choice(world.doctors).id, "specialization": "cARDIOLOGY"}
    for more in ({}, chance.choice([days, part, one, days | part])):
        criteria = Criteria(visit_type=name, **more)
        within = [one for one in expected if _is_within(world, one, criteria)]
        _compare_pages(db, world, chance, me, within, criteria, compare)


def _compare_next_times(
    db: Connection,
    world: World,
    chance: random.Random,
    me: int,
    expected: list[Found],
    name: str | None,
    compare: Compared,
) -> None:
    number = chance.choice(NEXT_TIMES)
    ids = [doctor.id for doctor in world.doctors]
    first = searching.next_of_doctors(db, ids, me, world.now, "UTC", visit_type=name, of_each=number)
    for doctor in world.doctors:
        own = sorted(one for one in expected if one.doctor_id == doctor.id)
        rows = [_shown(row) for row in first.get(doctor.id, ())]
        compare(rows, own[:number], f"the next {number} times of {doctor.id} of {name} for {me}")


def _compare_pages(
    db: Connection,
    world: World,
    chance: random.Random,
    me: int,
    expected: list[Found],
    criteria: Criteria,
    compare: Compared,
) -> None:
    limit, expected = chance.choice(LIMITS), sorted(expected)
    after: tuple[int, int] | None = None
    if expected and chance.random() < 0.3:
        # Somewhere in the middle.
        after = chance.choice(expected)[:2]
        expected = [one for one in expected if one[:2] > after]
    for page in range(MOST_PAGES):
        rows = searching.search(db, criteria, me, world.now, "UTC", after=after, most=limit)
        found = [_shown(row) for row in rows]
        compare(found, expected[page * limit : (page + 1) * limit], f"page {page} of {limit} of {criteria} for {me}")
        if len(found) < limit:
            return
        after = found[-1][:2]


def _default(world: World, doctor: Doctor, me: int) -> list[Found]:
    slots = [slot for slot in world.slots if slot.doctor is doctor and world.is_slot_free(slot, me)]
    found = [Found(slot.begin, slot.id, None, None, None, doctor.id) for slot in slots]
    return found if doctor.default is None else [*found, *_of_kind(world, doctor, doctor.default, me)]


def _of_kind(world: World, doctor: Doctor, kind: Kind, me: int) -> list[Found]:
    return [
        Found(minute, kind.slot_id(minute), kind.id, offer.seats_left, offer.place, doctor.id)
        for minute, offer in world.offered(doctor, kind, me).items()
    ]


def _shown(row: Any) -> Found:
    minute = row.minute if row.visit_type_id else minute_of(row.starts_at)
    return Found(minute, row.slot_id, row.visit_type_id, row.seats_left, row.place, row.doctor_id)


def _is_within(world: World, found: Found, criteria: Criteria) -> bool:
    """Return whether its start is as sought: published slots keep their own clocks, in a practice those of UTC."""
    [zone] = [doctor.zone for doctor in world.doctors if doctor.id == found.doctor_id]
    wall = instant(found.minute).astimezone(ZoneInfo("UTC" if found.visit_type_id is None else zone))
    first_hour, last_hour = HOURS.get(criteria.part_of_day or "", (0, 23))
    return (
        criteria.doctor_id in {None, found.doctor_id}
        and (criteria.first_day or date.min) <= wall.date() <= (criteria.last_day or date.max)
        and first_hour <= wall.hour <= last_hour
    )


HOURS = {"morning": (0, 11), "afternoon": (12, 16), "evening": (17, 23)}

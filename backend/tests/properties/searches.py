"""What a search of all doctors must find in a random practice: the lists of the doctors, merged."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from src.domain import parts_of_day
from src.domain.minutes import minute_of
from src.domain.parts_of_day import HOURS, PartOfDay
from src.repositories import search_repository as searching
from src.repositories.search_repository import Days, Part
from tests.properties.oracle import DAY, Doctor, Kind, World, instant

# The type of this name is that of every visit type in a practice; the search ignores letter case.
NAME = "vISIT"
MOST_PAGES = 3


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
    first = searching.next_of_doctors(db, [doctor.id for doctor in world.doctors], me, world.now, "UTC")
    for doctor in world.doctors:
        own = sorted(one for one in default if one.doctor_id == doctor.id)
        row = first.get(doctor.id)
        compare([] if row is None else [_shown(row)], own[:1], f"the next time of {doctor.id}")
    for name, expected in ((None, default), (NAME, kinds)):
        of_all = {"visit_type": name}
        _compare_pages(db, world, chance, me, expected, of_all, compare)
        day = world.now.date() + chance.randint(-1, 5) * DAY
        days = Days(day, chance.choice([day, day, day + DAY, date.max]))
        within = [one for one in expected if days.first <= _wall(world, one).date() <= days.last]
        _compare_pages(db, world, chance, me, within, {**of_all, "days": days}, compare)
        part: PartOfDay = chance.choice(["morning", "afternoon", "evening"])
        first_hour, last_hour = HOURS[part]
        if chance.random() < 0.5:
            within, days = expected, None
        within = [one for one in within if first_hour <= _wall(world, one).hour <= last_hour]
        asked = {**of_all, "days": days, "part": _part(world, part)}
        _compare_pages(db, world, chance, me, within, asked, compare)
    doctor = chance.choice(world.doctors)
    own = [one for one in default if one.doctor_id == doctor.id]
    _compare_pages(db, world, chance, me, own, {"doctor_id": doctor.id, "specialization": "cARDIOLOGY"}, compare)


def _compare_pages(
    db: Connection,
    world: World,
    chance: random.Random,
    me: int,
    expected: list[Found],
    asked: dict[str, Any],
    compare: Compared,
) -> None:
    limit, expected = chance.randint(1, 9), sorted(expected)
    after: tuple[int, int] | None = None
    if expected and chance.random() < 0.3:
        # Somewhere in the middle.
        after = chance.choice(expected)[:2]
        expected = [one for one in expected if one[:2] > after]
    for page in range(MOST_PAGES):
        rows = searching.search(db, me, world.now, "UTC", **asked, after=after, most=limit)
        found = [_shown(row) for row in rows]
        compare(found, expected[page * limit : (page + 1) * limit], f"page {page} of {limit} of {asked} for {me}")
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


def _wall(world: World, found: Found) -> datetime:
    """Return what the clocks show at its start: of a practice's published slots, they are those of UTC."""
    [zone] = [doctor.zone for doctor in world.doctors if doctor.id == found.doctor_id]
    return instant(found.minute).astimezone(ZoneInfo("UTC" if found.visit_type_id is None else zone))


def _part(world: World, part: PartOfDay) -> Part:
    first = world.now.date() - DAY
    by_zone = {doctor.zone: parts_of_day.ends(doctor.zone, part, first, first + 12 * DAY) for doctor in world.doctors}
    return Part(HOURS[part], first, by_zone)

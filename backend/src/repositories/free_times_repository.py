"""What patients can book of one doctor: published slots and computed times, by time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Boolean, Connection, Row, String, TextualSelect

from src.domain import minutes
from src.models.appointment import LONGEST_BUSY
from src.models.base import Id, Instant, WallClock
from src.models.hours import LONGEST_OPENING
from src.repositories import offered
from src.repositories.booking_sql import minute_after, minute_of, typed
from src.repositories.offered import COUNTS, MINUTES_OF_VERSION, OF_DEFAULT_TYPE, OF_TYPE

# A visit type with short steps has tens of thousands of times in a year, and a page needs only the first of them.
MINUTES_AT_ONCE = 28 * minutes.MINUTES_OF_DAY
# No visit type has a longer horizon than 366 days.
LONGEST_HORIZON = 367 * minutes.MINUTES_OF_DAY
# Appointments at published slots need not be looked at: their slots are not free, and slots do not overlap.
NOT_AT_SLOTS = "(visit_type_id IS NOT NULL OR status = 'held')"


def published(dialect: str) -> str:
    """Return the query for the free slots of a doctor of which no appointment or hold takes a part."""
    return f"""
    WITH taken AS MATERIALIZED (
        SELECT busy_from, busy_until FROM appointments
        WHERE doctor_id = :doctor_id AND busy_from > :this_minute - {LONGEST_BUSY}
        AND {NOT_AT_SLOTS} AND {COUNTS}
    )
    SELECT id, starts_at, ends_at, wall_start, wall_end, time_zone, EXISTS (
        SELECT 1 FROM openings WHERE doctor_id = :doctor_id AND from_minute > :this_minute - {LONGEST_OPENING}
    ) AS has_openings
    FROM availability_slots
    WHERE doctor_id = :doctor_id AND status = 'free' AND starts_at > :now AND starts_at >= :begin AND starts_at < :end
    AND NOT EXISTS (
        SELECT 1 FROM taken WHERE busy_from < {minute_after(dialect, "ends_at")}
        AND busy_until > {minute_of(dialect, "starts_at")})"""


@lru_cache(maxsize=64)
def _published(dialect: str, most: int) -> TextualSelect:
    statement = typed(f"{published(dialect)}\n    ORDER BY starts_at LIMIT {int(most)}")
    return statement.columns(
        id=Id,
        starts_at=Instant(),
        ends_at=Instant(),
        wall_start=WallClock,
        wall_end=WallClock,
        time_zone=String(),
        has_openings=Boolean(),
    )


def list_published(
    db: Connection, doctor_id: int, me: int, now: datetime, window: tuple[int, int], most: int, moving: int = 0
) -> Sequence[Row[Any]]:
    """Return the published slots that the patient `me` can book and that begin in the window, by time.

    A row has the columns of a slot, and `has_openings`: whether computed times are possible at all. The appointment
    `moving` takes no time.
    """
    begin, end = window
    values = offered.values(now, begin, end, me=me, moving=moving, doctor_id=doctor_id)
    instants = {"begin": minutes.instant_of_minute(begin), "end": minutes.instant_of_minute(end)}
    return db.execute(_published(db.dialect.name, most), values | instants).all()


@lru_cache(maxsize=64)
def _computed(dialect: str, chosen: str, most: int) -> TextualSelect:
    return typed(f"""
    WITH RECURSIVE {offered.offered(dialect, chosen)}
    SELECT minute, version_id * {MINUTES_OF_VERSION} + minute AS slot_id, minutes, type.id AS visit_type_id,
        CASE WHEN capacity > 1 THEN capacity - seats_taken END AS seats_left, offered.place,
        (SELECT time_zone FROM doctors WHERE id = (SELECT doctor_id FROM type)) AS time_zone
    FROM offered CROSS JOIN type ORDER BY minute LIMIT {int(most)}""").columns()


def list_computed(
    db: Connection,
    doctor_id: int,
    visit_type_id: int | None,
    me: int,
    now: datetime,
    window: tuple[int, int],
    most: int,
    moving: int = 0,
) -> list[Row[Any]]:
    """Return the times of a visit type, or for None of the doctor's default type, that begin in the window.

    A row has minute, slot_id, minutes, visit_type_id, seats_left (None if it is for one patient), place and time_zone
    (None for the clinic's). The appointment `moving` takes no time.
    """
    chosen = OF_DEFAULT_TYPE if visit_type_id is None else OF_TYPE
    query = _computed(db.dialect.name, chosen, most)
    begin, end = window[0], min(window[1], minutes.minute_of(now) + LONGEST_HORIZON)
    found: list[Row[Any]] = []
    while begin < end and len(found) < most:
        until = min(end, begin + MINUTES_AT_ONCE)
        who = {"me": me, "moving": moving, "doctor_id": doctor_id, "visit_type_id": visit_type_id or 0}
        found += db.execute(query, offered.values(now, begin, until, **who)).all()
        begin = until
    return found[:most]

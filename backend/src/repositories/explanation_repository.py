"""What decides whether a doctor offers one time, each condition by itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Boolean, Connection, Row, String

from src.domain.explanation import Opened
from src.domain.minutes import instant_of_minute
from src.models.appointment import LONGEST_BUSY
from src.models.base import Id, Instant
from src.repositories import offered
from src.repositories.booking_sql import typed
from src.repositories.free_times_repository import published
from src.repositories.offered import CONDITIONS, COUNTS, MINUTES_OF_VERSION, OF_DEFAULT_TYPE, OF_TYPE, OF_VERSION

# A visit of a day can be in the way of hundreds of short ones.
MOST_NAMED = 20

_KIND = {
    chosen: typed(f"""
    SELECT visit_type.id, visit_type.name, visit_type.minimum_notice, visit_type.horizon, visit_type.most_per_day,
        visit_type.capacity, visit_type.booked_by, visit_type.retired_at, version.id AS version_id, version.minutes,
        version.buffer_before, version.buffer_after, version.step
    FROM visit_type_versions AS version JOIN visit_types AS visit_type ON visit_type.id = version.visit_type_id
    WHERE {chosen} AND version.is_current""").columns(retired_at=Instant())
    for chosen in (OF_TYPE, OF_DEFAULT_TYPE)
}


def find_kind(db: Connection, doctor_id: int, visit_type_id: int | None) -> Row[Any] | None:
    """Return a visit type of the doctor, retired or not, or for None the default type; with its current version."""
    chosen = OF_DEFAULT_TYPE if visit_type_id is None else OF_TYPE
    return db.execute(_KIND[chosen], {"doctor_id": doctor_id, "visit_type_id": visit_type_id or 0}).one_or_none()


def slot_id_of(kind: Row[Any], minute: int) -> int:
    return kind.version_id * MINUTES_OF_VERSION + minute


_OPENED = "open WHERE from_minute <= :from_minute AND until_minute > :from_minute"
_FOUND = {
    **CONDITIONS,
    "opened_from": f"(SELECT from_minute FROM {_OPENED})",
    "opened_until": f"(SELECT until_minute FROM {_OPENED})",
    "runs_until": f"(SELECT runs_until FROM {_OPENED})",
    "seats_taken": "(SELECT count(*) FROM taken WHERE slot_id = :slot_id AND seats > 1)",
}


def _found(dialect: str, by_staff: int) -> str:
    """Return the query for all conditions, for patients or for staff."""
    rules = offered.offered(dialect, OF_VERSION).replace(":by_staff", str(by_staff))
    return f"(WITH RECURSIVE {rules} SELECT {', '.join(f'{sql} AS {name}' for name, sql in _FOUND.items())})"


# Notice and horizon are the patients' only. Without them the other conditions say what else is wrong. One statement, so
# that all are of one moment.
_EXPLAIN = {
    dialect: typed(f"""
    SELECT patients.offered, patients.notice_too_short, patients.too_far_ahead,
        anybody.slot_unknown, anybody.slot_past, anybody.outside_hours, anybody.offered AS offered_to_staff,
        anybody.day_full, anybody.slot_taken, anybody.off_grid, anybody.seats_taken,
        anybody.opened_from, anybody.opened_until, anybody.runs_until
    FROM {_found(dialect, 0)} AS patients CROSS JOIN {_found(dialect, 1)} AS anybody""")
    for dialect in ("postgresql", "sqlite")
}


class Conditions(NamedTuple):
    """Which conditions of `offered.CONDITIONS` hold, and what is at the minute.

    `offered` says whether patients can book it. All from `outside_hours` on leave notice and horizon aside, and have a
    meaning only for a time that is ahead and a type that is not retired.
    """

    offered: bool
    notice_too_short: bool
    too_far_ahead: bool
    slot_unknown: bool
    slot_past: bool
    outside_hours: bool
    offered_to_staff: bool
    day_full: bool
    slot_taken: bool
    off_grid: bool
    seats_taken: int
    opened: Opened | None


def find_conditions(db: Connection, doctor_id: int, kind: Row[Any], minute: int, now: datetime) -> Conditions:
    """Return what holds for a visit of the type at the minute."""
    values = offered.values(now, minute, minute + 1, doctor_id=doctor_id, version_id=kind.version_id)
    more = {"minutes": kind.minutes, "slot_id": slot_id_of(kind, minute)}
    *conditions, seats_taken, begin, until, runs_until = db.execute(_EXPLAIN[db.dialect.name], values | more).one()
    opened = None if begin is None else Opened(begin, until, runs_until)
    return Conditions._make([*map(bool, conditions), seats_taken, opened])


_TAKING = typed(f"""
    SELECT id, slot_id, status, starts_at, ends_at, busy_from, busy_until, held_until FROM appointments
    WHERE doctor_id = :doctor_id AND {COUNTS} AND busy_from > :busy_from - {LONGEST_BUSY}
    AND busy_from < :busy_until AND busy_until > :busy_from
    ORDER BY busy_from, id LIMIT {MOST_NAMED}""").columns(
    id=Id, slot_id=Id, status=String(), starts_at=Instant(), ends_at=Instant(), held_until=Instant()
)


def list_taking(db: Connection, doctor_id: int, busy: range, now: datetime) -> Sequence[Row[Any]]:
    """Return the first appointments and holds of the doctor that take a part of these minutes, by time."""
    values = {"doctor_id": doctor_id, "busy_from": busy.start, "busy_until": busy.stop, "now": now}
    return db.execute(_TAKING, values | {"me": 0, "moving": 0}).all()


_SLOT = {
    dialect: typed(f"""
    SELECT slot.id, slot.status, slot.starts_at, slot.ends_at,
        EXISTS (SELECT 1 FROM ({published(dialect)}) AS free WHERE free.id = slot.id) AS offered
    FROM availability_slots AS slot
    WHERE slot.doctor_id = :doctor_id AND slot.starts_at >= :begin AND slot.starts_at < :end
    ORDER BY CASE WHEN slot.status = 'withdrawn' THEN 1 ELSE 0 END, slot.id DESC LIMIT 1""").columns(
        id=Id, status=String(), starts_at=Instant(), ends_at=Instant(), offered=Boolean()
    )
    for dialect in ("postgresql", "sqlite")
}


def find_slot(db: Connection, doctor_id: int, minute: int, now: datetime) -> Row[Any] | None:
    """Return the slot that the doctor published for this minute, withdrawn if there is no other; or None.

    `offered` says whether patients can book it.
    """
    values = offered.values(now, minute, minute + 1, doctor_id=doctor_id)
    instants = {"begin": instant_of_minute(minute), "end": instant_of_minute(minute + 1)}
    return db.execute(_SLOT[db.dialect.name], values | instants).one_or_none()

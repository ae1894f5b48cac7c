"""Parts of the SQL of bookings that several files share."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import BigInteger, Date, Integer, String, TextClause, bindparam, text

from src.domain.minutes import EPOCH
from src.models.base import Id, Instant, WallClock
from src.models.hours import LONGEST_OPENING

_FIRST_MINUTE = int(EPOCH.timestamp()) // 60
# The last minute since 2020-01-01T00:00Z that has begun at an instant, and the first that has not.
_MINUTE_OF = {
    "postgresql": f"CAST(floor(extract(epoch FROM {{0}})) AS BIGINT) / 60 - {_FIRST_MINUTE}",
    "sqlite": f"CAST(strftime('%s', {{0}}) AS INTEGER) / 60 - {_FIRST_MINUTE}",
}
_MINUTE_AFTER = {
    "postgresql": f"(CAST(ceil(extract(epoch FROM {{0}})) AS BIGINT) + 59) / 60 - {_FIRST_MINUTE}",
    "sqlite": f"(CAST(strftime('%s', {{0}}) AS INTEGER) + 59) / 60 - {_FIRST_MINUTE}",
}


def minute_of(dialect: str, instant: str) -> str:
    """Return the SQL for what domain/minutes.minute_of computes."""
    return _MINUTE_OF[dialect].format(instant)


def minute_after(dialect: str, instant: str) -> str:
    """Return the SQL for what domain/minutes.minute_after computes."""
    return _MINUTE_AFTER[dialect].format(instant)


def patient_busy(patient: str, starts_at: str, ends_at: str, moving: str = "0") -> str:
    """Return the condition that the patient has a booked appointment, not the one that is moved, at that time."""
    return f"""EXISTS (
        SELECT 1 FROM appointments AS other WHERE other.patient_id = {patient} AND other.status = 'booked'
        AND other.starts_at < {ends_at} AND other.ends_at > {starts_at} AND other.id <> {moving})"""


# An opening in which a visit of the type that begins at :from_minute and takes :minutes lies.
OPENING_OF_VISIT = f"""openings WHERE doctor_id = :doctor_id
    AND (visit_type_id IS NULL OR visit_type_id = :visit_type_id)
    AND from_minute > :from_minute - {LONGEST_OPENING} AND from_minute <= :from_minute
    AND until_minute > :from_minute AND runs_until >= :from_minute + :minutes"""

_IDS = """slot_id patient_id doctor_id doctor_user_id appointment_id event_id actor_id version_id visit_type_id
    me moving hold_id changes_per_hour after_id"""
_MINUTES = "from_minute until_minute this_minute next_minute minute_after busy_from busy_until after_minute"
_TEXTS = "reason clinic_zone specialization visit_type parts doctors"
_TYPES: dict[str, Any] = {
    "now": Instant(),
    "starts_at": Instant(),
    "ends_at": Instant(),
    "begin": Instant(),
    "end": Instant(),
    "hour_ago": Instant(),
    "wall_start": WallClock,
    "wall_end": WallClock,
    "following": Instant(),
    "first_day": Date(),
    "last_day": Date(),
    "parts_from": Date(),
    "first_hour": Integer(),
    "last_hour": Integer(),
    **dict.fromkeys(_TEXTS.split(), String()),
    "by_staff": Integer(),
    "minutes": Integer(),
    **dict.fromkeys(("most_ahead", "most_with_doctor", "cancellation_notice"), Integer()),
    **dict.fromkeys(_MINUTES.split(), BigInteger()),
    **dict.fromkeys(_IDS.split(), Id),
}


def typed(sql: str) -> TextClause:
    """Return the statement with the types of its parameters."""
    names = set(re.findall(r"(?<![:\w]):(\w+)", sql)) & _TYPES.keys()
    return text(sql).bindparams(*(bindparam(name, type_=_TYPES[name]) for name in sorted(names)))


# The columns of an appointment that its slot or time decides without a look at other appointments.
COPIED = ("slot_id", "doctor_id", "visit_type_id", "starts_at", "ends_at", "time_zone", "wall_start", "wall_end")

"""The next time that can be booked, as scalar SQL: the first that `offered` would list, without listing the others.

Both expressions read a doctor's time in order and stop at the first that fits, so a search of many doctors reads of
each only what is before it: the appointments ahead, and the openings in the gaps that are long enough.
"""

from __future__ import annotations

from dataclasses import dataclass

from src.domain.parts_of_day import DIGITS
from src.models.appointment import LONGEST_BUSY
from src.models.hours import LONGEST_OPENING
from src.repositories.booking_sql import minute_after, minute_of
from src.repositories.free_times_repository import NOT_AT_SLOTS
from src.repositories.offered import (
    COUNTS,
    GREATEST,
    IS_FOR_TYPE,
    LEAST,
    MINUTES_OF_VERSION,
    OF_GROUP,
    ON_GRID,
    earliest,
    fits_at,
    latest,
)

# The rows of a window come in its order. SQLite does not know that: told to sort them, it would read them all first.
_IN_ORDER = {"postgresql": "ORDER BY gap_until", "sqlite": ""}
_HAS_ROOM = f"""(type.most_per_day IS NULL OR type.most_per_day > (
        SELECT count(*) FROM appointments
        WHERE appointments.visit_type_id = type.id AND appointments.day = openings.day AND {COUNTS}))"""
_BUSY = f"appointments WHERE appointments.doctor_id = type.doctor_id AND {COUNTS}"
_BEFORE, _NEEDED = "type.buffer_before", "(type.buffer_before + type.minutes + type.buffer_after)"
# When the last visit that can be booked has ended.
_END = "(type.last_minute + type.minutes + type.buffer_after)"
_MINUTE_OF_GROUP = f"(slot_id - type.version_id * {MINUTES_OF_VERSION})"
# Without it, PostgreSQL would compute a column of a subquery once for each of its uses.
_ONCE = {"postgresql": "OFFSET 0", "sqlite": ""}
# The two ends of the part of the day that is wanted, on each day from :parts_from on (domain/parts_of_day.py).
_DAY_OF_PARTS = {
    "postgresql": "(openings.day - CAST(:parts_from AS date))",
    "sqlite": "CAST(julianday(openings.day) - julianday(:parts_from) AS INTEGER)",
}


@dataclass(frozen=True)
class Wanted:
    """Which times of `type` are wanted; what is not asked for is not in the SQL.

    `days` is for times on a day from :first_day to :last_day, `part` for a part of the day, of which `type` has the
    column `parts`, and `groups` for types that are for several patients at a time.
    """

    days: bool = False
    part: bool = False
    groups: bool = True

    @property
    def opened(self) -> str:
        """The condition that the times of an opening are wanted and can be booked."""
        of_days = " AND openings.day BETWEEN :first_day AND :last_day" if self.days else ""
        return f"openings.doctor_id = type.doctor_id AND {IS_FOR_TYPE} AND {_HAS_ROOM}{of_days}"

    def ends(self, dialect: str) -> tuple[str, str] | None:
        """Return the minutes at which the part of the opening's day begins and ends."""
        if not self.part:
            return None
        at = f"2 * {DIGITS} * {_DAY_OF_PARTS[dialect]}"
        texts = (f"substr(type.parts, {at} + {1 + DIGITS * number}, {DIGITS})" for number in (0, 1))
        begin, end = (f"CAST(nullif({text}, '') AS BIGINT)" for text in texts)
        return begin, end


def computed(dialect: str, first: str, wanted: Wanted) -> str:
    """Return the minute of the first time of `type` at or after the minute `first`, or NULL.

    `type` has the columns that it has in `offered`.
    """
    alone = _alone(dialect, first, wanted)
    if not wanted.groups:
        return alone
    return f"""(SELECT min(minute) FROM (
        SELECT {alone} AS minute UNION ALL SELECT {_of_group(dialect, first, wanted)}) AS next_times)"""


def is_possible(dialect: str, first: str, wanted: Wanted) -> str:
    """Return the condition that there would be a time if nothing was taken, or that it is a group."""
    start = _start_in_gap(dialect, first, wanted)
    everything = f"SELECT {first} - {_BEFORE} AS gap_from, {_END} AS gap_until"
    return f"(type.capacity > 1 OR (SELECT {start} FROM ({everything}) AS everything) IS NOT NULL)"


def _alone(dialect: str, first: str, wanted: Wanted) -> str:
    """Return the first start in the first gap that has one: before each appointment, or else after the last."""
    greatest = GREATEST[dialect]
    edge = f"({first} - {_BEFORE})"
    last_before = f"{_BUSY} AND busy_from <= {edge} ORDER BY busy_from DESC LIMIT 1"
    last = f"SELECT busy_until FROM {_BUSY} AND busy_from < {_END} ORDER BY busy_from DESC LIMIT 1"
    start = _start_in_gap(dialect, first, wanted)
    return f"""coalesce((
        SELECT minute FROM (
            SELECT gap_until, {start} AS minute FROM (
                SELECT busy_from AS gap_until, {greatest}({edge}, coalesce(max(busy_until) OVER (
                    ORDER BY busy_from ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), {edge})) AS gap_from
                FROM {_BUSY} AND busy_from >= coalesce((SELECT busy_from FROM {last_before}), {edge})
                AND busy_from < {_END}
            ) AS gaps WHERE gap_until - gap_from >= {_NEEDED} {_IN_ORDER[dialect]} {_ONCE[dialect]}
        ) AS starts WHERE minute IS NOT NULL {_IN_ORDER[dialect]} LIMIT 1
    ), (
        SELECT {start} FROM (
            SELECT {greatest}({edge}, coalesce(({last}), {edge})) AS gap_from, {_END} AS gap_until) AS last_gap
    ))"""


def _start_in_gap(dialect: str, first: str, wanted: Wanted) -> str:
    greatest, least, ends = GREATEST[dialect], LEAST[dialect], wanted.ends(dialect)
    first_start = earliest(dialect, first if ends is None else f"{greatest}({first}, {ends[0]})")
    last_start = latest(dialect)
    if ends is not None:
        last_start = f"{least}({last_start}, {ends[1]} - 1)"
    return f"""(
        SELECT minute FROM (
            SELECT from_minute, latest, {ON_GRID} AS minute FROM (
                SELECT from_minute, {first_start} AS earliest, {last_start} AS latest FROM openings
                WHERE {wanted.opened} AND from_minute > gap_from - {LONGEST_OPENING} AND from_minute < gap_until
                AND from_minute <= type.last_minute AND until_minute > gap_from AND until_minute > {first}
            ) AS fitting WHERE earliest <= latest
        ) AS of_opening WHERE minute <= latest ORDER BY from_minute LIMIT 1)"""


def _of_group(dialect: str, first: str, wanted: Wanted) -> str:
    """Return the first time at which somebody has a seat of a group, and another is left."""
    minute, ends = _MINUTE_OF_GROUP, wanted.ends(dialect)
    of_part = "" if ends is None else f" AND {minute} >= {ends[0]} AND {minute} < {ends[1]}"
    return f"""(
        SELECT {minute} FROM appointments WHERE {OF_GROUP} AND {COUNTS}
        AND slot_id >= type.version_id * {MINUTES_OF_VERSION} + {first}
        AND slot_id <= type.version_id * {MINUTES_OF_VERSION} + type.last_minute
        GROUP BY slot_id HAVING count(*) < type.capacity AND min(seats) > 1 AND EXISTS (
            SELECT 1 FROM openings WHERE {wanted.opened} AND from_minute > {minute} - {LONGEST_OPENING}
            AND {fits_at(minute)}{of_part})
        ORDER BY slot_id LIMIT 1)"""


def published(dialect: str, doctor: str, condition: str) -> str:
    """Return when the doctor's first slot starts that can be booked and for which the condition is true, or NULL."""
    return f"""(
        SELECT starts_at FROM availability_slots AS slot
        WHERE slot.doctor_id = {doctor} AND slot.status = 'free' AND {condition}
        AND NOT EXISTS (
            SELECT 1 FROM appointments WHERE appointments.doctor_id = {doctor} AND {NOT_AT_SLOTS} AND {COUNTS}
            AND busy_from > {minute_of(dialect, "slot.starts_at")} - {LONGEST_BUSY}
            AND busy_from < {minute_after(dialect, "slot.ends_at")}
            AND busy_until > {minute_of(dialect, "slot.starts_at")})
        ORDER BY slot.starts_at LIMIT 1)"""

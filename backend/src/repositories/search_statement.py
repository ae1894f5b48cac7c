"""The statement that finds what can be booked next, of many doctors at once: only the parts that a search asks for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import String, TextualSelect

from src.models.base import Id, Instant, WallClock
from src.models.hours import LONGEST_OPENING
from src.repositories import next_time
from src.repositories.booking_sql import minute_of, typed
from src.repositories.next_time import Wanted
from src.repositories.offered import (
    BOOKABLE,
    COUNTS,
    GREATEST,
    IS_FOR_TYPE,
    LEAST,
    MINUTES_OF_VERSION,
    default_type_of,
    type_columns,
)

# Later than every time.
_NEVER = 2**40
_JSON = {"postgresql": "jsonb_each_text(CAST({} AS jsonb))", "sqlite": "json_each({})"}
_OF_LIST = {
    "postgresql": "= ANY(CAST(translate(:doctors, '[]', '{}') AS bigint[]))",
    "sqlite": "IN (SELECT value FROM json_each(:doctors))",
}
_WALL = "coalesce(slot.wall_start, slot.starts_at)"
_HOUR = {"postgresql": f"extract(hour FROM {_WALL})", "sqlite": f"CAST(strftime('%H', {_WALL}) AS INTEGER)"}


@dataclass(frozen=True)
class Sought:
    """Which parts the statement has: each that is asked for makes it longer, and none costs what it is not asked for.

    `by_type` looks for the times of visit types of a name, and else for published slots and for those of default types.
    `last_day` is whether the days end.
    """

    doctors: bool = False
    doctor: bool = False
    specialization: bool = False
    by_type: bool = False
    days: bool = False
    last_day: bool = False
    part: bool = False

    @property
    def times(self) -> Wanted:
        # A default type is for one patient at a time.
        return Wanted(self.days, self.part, groups=self.by_type)


def _doctor(dialect: str, sought: Sought) -> str:
    conditions = "users.deleted_at IS NULL"
    if sought.doctors:
        conditions += f" AND doctors.id {_OF_LIST[dialect]}"
    if sought.doctor:
        conditions += " AND doctors.id = :doctor_id"
    if sought.specialization:
        conditions += " AND lower(doctors.specialization) = lower(:specialization)"
    zone = "coalesce(doctors.time_zone, :clinic_zone)"
    parts = f"JOIN {_JSON[dialect].format(':parts')} AS part ON part.key = {zone}" if sought.part else ""
    return f"""
    doctor AS MATERIALIZED (
        SELECT doctors.id, {"part.value" if sought.part else "NULL"} AS parts
        FROM doctors JOIN users ON users.id = doctors.user_id {parts}
        WHERE {conditions}
    )"""


def _type(dialect: str, sought: Sought) -> str:
    """Return the CTE `type` with the visit types, and `timed` with the first time of each beside it.

    `soonest` is the first minute after the time that the cursor names, which has :after_minute and :after_id.
    """
    of_name = "visit_type.doctor_id = doctor.id AND lower(visit_type.name) = lower(:visit_type)"
    chosen = of_name if sought.by_type else default_type_of("doctor.id")
    # Who never works at that part of the day need not be looked for in the gaps between all appointments.
    if_possible = f"WHERE {next_time.is_possible(dialect, 'type.soonest', sought.times)}" if sought.part else ""
    return f"""
    type AS MATERIALIZED (
        SELECT every.*, CASE WHEN first_minute > :after_minute THEN first_minute
            WHEN version_id * {MINUTES_OF_VERSION} + :after_minute > :after_id THEN :after_minute
            ELSE :after_minute + 1 END AS soonest
        FROM (
            SELECT {type_columns(dialect)}, visit_type.name, doctor.parts
            FROM doctor JOIN visit_types AS visit_type ON {chosen}
            JOIN visit_type_versions AS version ON version.visit_type_id = visit_type.id
            WHERE {BOOKABLE} AND visit_type.booked_by = 'patients') AS every
    ), timed AS MATERIALIZED (
        SELECT type.*, {next_time.computed(dialect, "type.soonest", sought.times)} AS next_minute
        FROM type {if_possible}
    )"""


def _published(dialect: str, sought: Sought, doctor: str, after: str) -> str:
    condition = f"slot.starts_at > :now AND {after}"
    if sought.days:
        condition += f" AND date({_WALL}) BETWEEN :first_day AND :last_day"
    if sought.last_day:
        condition += " AND slot.starts_at < :end"
    if sought.part:
        condition += f" AND {_HOUR[dialect]} BETWEEN :first_hour AND :last_hour"
    return next_time.published(dialect, doctor, condition)


_FIRST_PUBLISHED = "slot.starts_at >= :begin AND (slot.starts_at >= :following OR slot.id > :after_id)"


def _first(dialect: str, sought: Sought, most: int | None) -> str:
    """Return the CTE with the first time of each visit type, and the first slot of each doctor."""
    computed = f"""
        SELECT doctor_id, id AS visit_type_id, next_minute AS minute,
            version_id * {MINUTES_OF_VERSION} + next_minute AS slot_id, NULL AS starts_at
        FROM timed WHERE next_minute IS NOT NULL"""
    if sought.by_type:
        return f"first AS MATERIALIZED ({computed}{_limit(most)})"
    return f"""
    first_slot AS MATERIALIZED (
        SELECT doctor.id AS doctor_id, {_published(dialect, sought, "doctor.id", _FIRST_PUBLISHED)} AS starts_at
        FROM doctor
    ), first AS MATERIALIZED (
        {computed}
        UNION ALL SELECT doctor_id, NULL, {minute_of(dialect, "starts_at")}, {_slot_at("first_slot")}, starts_at
        FROM first_slot WHERE starts_at IS NOT NULL {_limit(most)}
    )"""


def _limit(most: int | None) -> str:
    return "" if most is None else f" ORDER BY minute, slot_id LIMIT {int(most)}"


def _slot_at(row: str) -> str:
    """Return the id of the free slot, by doctor and start. Joins would let PostgreSQL read all slots."""
    return f"""(
        SELECT slot.id FROM availability_slots AS slot
        WHERE slot.doctor_id = {row}.doctor_id AND slot.status = 'free' AND slot.starts_at = {row}.starts_at)"""


def _following(dialect: str, sought: Sought, most: int) -> str:
    """Return the CTE `found` with the times and slots from the first of each on, as far as the page can show them.

    No time after `bound` is shown. If there are fewer visit types than rows, each goes on a little first (`early`), so
    that one need not go on far beyond what the page shows of all of them (`nearer`).
    """
    greatest, least = GREATEST[dialect], LEAST[dialect]
    following_time = next_time.computed(dialect, "(times.minute + 1)", sought.times)
    shared = f"""
    bound AS MATERIALIZED (
        SELECT CASE WHEN count(*) < {most} THEN {_NEVER} ELSE max(minute) END AS minute,
            {most} / {greatest}(count(*), 1) AS steps FROM first
    ), few AS MATERIALIZED (
        SELECT id, doctor_id, capacity, most_per_day, place, version_id, minutes, buffer_before, buffer_after, step,
            parts, name, {least}(last_minute, (SELECT minute FROM bound)) AS last_minute, next_minute
        FROM timed WHERE next_minute <= (SELECT minute FROM bound)
    ), early AS (
        SELECT id AS visit_type_id, next_minute AS minute, 1 AS number FROM few
        UNION ALL SELECT times.visit_type_id, {following_time}, number + 1
        FROM early AS times JOIN few AS type ON type.id = times.visit_type_id
        WHERE number <= (SELECT steps FROM bound) AND times.minute < type.last_minute
    ), nearer AS MATERIALIZED (
        SELECT coalesce((
            SELECT minute FROM (
                SELECT minute FROM early WHERE minute IS NOT NULL
                UNION ALL SELECT minute FROM first WHERE visit_type_id IS NULL) AS known
            ORDER BY minute LIMIT 1 OFFSET {most - 1}), (SELECT minute FROM bound)) AS minute
    ), times AS (
        SELECT visit_type_id, minute, number FROM early
        UNION ALL SELECT times.visit_type_id, {following_time}, number + 1
        FROM times JOIN few AS type ON type.id = times.visit_type_id
        WHERE number > (SELECT steps FROM bound) AND number < {most}
        AND times.minute < {least}(type.last_minute, (SELECT minute FROM nearer))
    )"""
    found = f"""SELECT doctor_id, visit_type_id, minute, version_id * {MINUTES_OF_VERSION} + minute AS slot_id
        FROM times JOIN few ON few.id = times.visit_type_id WHERE minute IS NOT NULL"""
    if sought.by_type:
        return f"{shared}, found AS ({found}{_limit(most)})"
    following_slot = _published(dialect, sought, "slots.doctor_id", "slot.starts_at > slots.starts_at")
    return f"""{shared}, slots AS (
        SELECT doctor_id, starts_at, 1 AS number FROM first WHERE visit_type_id IS NULL
        UNION ALL SELECT slots.doctor_id, {following_slot}, number + 1 FROM slots
        WHERE number < {most} AND {minute_of(dialect, "slots.starts_at")} < (SELECT minute FROM nearer)
    ), found AS (
        {found}
        UNION ALL SELECT doctor_id, NULL, {minute_of(dialect, "starts_at")}, {_slot_at("slots")} FROM slots
        WHERE starts_at IS NOT NULL {_limit(most)}
    )"""


def _of_each(dialect: str, sought: Sought, number: int) -> str:
    """Return the CTE `found` with the first times of each doctor: so many of each visit type and of the slots first."""
    following_time = next_time.computed(dialect, "(times.minute + 1)", sought.times)
    following_slot = _published(dialect, sought, "slots.doctor_id", "slot.starts_at > slots.starts_at")
    slots = f""", slots AS (
        SELECT doctor_id, starts_at, 1 AS number FROM first WHERE visit_type_id IS NULL
        UNION ALL SELECT slots.doctor_id, {following_slot}, number + 1 FROM slots
        WHERE number < {number} AND starts_at IS NOT NULL
    )"""
    of_slots = f"""
        UNION ALL SELECT doctor_id, NULL, {minute_of(dialect, "starts_at")}, {_slot_at("slots")} FROM slots
        WHERE starts_at IS NOT NULL"""
    if sought.by_type:
        slots = of_slots = ""
    return f"""times AS (
        SELECT visit_type_id, minute, 1 AS number FROM first WHERE visit_type_id IS NOT NULL
        UNION ALL SELECT times.visit_type_id, {following_time}, number + 1
        FROM times JOIN timed AS type ON type.id = times.visit_type_id
        WHERE number < {number} AND times.minute < type.last_minute
    ){slots}, every AS (
        SELECT doctor_id, visit_type_id, minute, version_id * {MINUTES_OF_VERSION} + minute AS slot_id
        FROM times JOIN timed ON timed.id = times.visit_type_id WHERE minute IS NOT NULL
        {of_slots}
    ), found AS (
        SELECT doctor_id, visit_type_id, minute, slot_id FROM (
            SELECT every.*, row_number() OVER (PARTITION BY doctor_id ORDER BY minute, slot_id) AS number FROM every
        ) AS numbered WHERE number <= {number}
    )"""


def _of_slot(column: str) -> str:
    return f"(SELECT {column} FROM availability_slots WHERE availability_slots.id = found.slot_id)"


def _of_doctor(column: str) -> str:
    return f"""(
        SELECT {column} FROM doctors JOIN users ON users.id = doctors.user_id WHERE doctors.id = found.doctor_id)"""


@lru_cache(maxsize=256)
def search_statement(dialect: str, sought: Sought, most: int | None, of_each: int = 1) -> TextualSelect:
    """Return the query for the times in their order, or without `most` for the first of each doctor.

    If that is one, there is a row for each visit type, and one for the slots.
    """
    following = ""
    if most is not None:
        following = f", {_following(dialect, sought, int(most))}"
    elif of_each > 1:
        following = f", {_of_each(dialect, sought, int(of_each))}"
    of_doctors = {"doctor_name": "name", "designation": "designation", "specialization": "specialization"}
    shown = "".join(f", {_of_doctor(column)} AS {name}" for name, column in of_doctors.items())
    statement = typed(f"""
    WITH RECURSIVE {_doctor(dialect, sought)}, {_type(dialect, sought)}, {_first(dialect, sought, most)}{following}
    SELECT found.minute, found.slot_id, found.visit_type_id, type.name AS visit_type, type.minutes,
        CASE WHEN type.capacity > 1 THEN type.capacity - (
            SELECT count(*) FROM appointments WHERE appointments.slot_id = found.slot_id AND {COUNTS}
        ) END AS seats_left,
        coalesce(type.place, (
            SELECT openings.place FROM openings WHERE openings.doctor_id = type.doctor_id AND {IS_FOR_TYPE}
            AND from_minute > found.minute - {LONGEST_OPENING} AND from_minute <= found.minute
            AND until_minute > found.minute
        )) AS place,
        {", ".join(f"{_of_slot(name)} AS {name}" for name in ("starts_at", "ends_at", "wall_start", "wall_end"))},
        coalesce({_of_slot("time_zone")}, {_of_doctor("time_zone")}, :clinic_zone) AS time_zone, found.doctor_id
        {"" if most is None else shown}
    FROM {"found" if following else "first"} AS found
    LEFT JOIN {"timed" if most is None else "few"} AS type ON type.id = found.visit_type_id
    ORDER BY found.minute, found.slot_id""")
    return statement.columns(
        minute=Id,
        slot_id=Id,
        starts_at=Instant(),
        ends_at=Instant(),
        wall_start=WallClock,
        wall_end=WallClock,
        time_zone=String(),
    )

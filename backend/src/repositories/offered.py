"""The computed times that can be booked: the one text that decides it, for listing, booking, holding and moving.

A doctor's openings, less what appointments and holds take, leave gaps. A visit may begin at each step of the grid at
which it fits into a gap with its buffers: window functions find the gaps, and a recursive query the steps. Group visits
with a seat left come after these. Buffers count against other visits, not against the hours.

No table is joined with `type` by an equation: once SQLite has statistics, it reads all appointments for such a join, in
a scan or for a Bloom filter (tests/shape/test_sqlite_plans.py). All times are minutes since 2020-01-01T00:00Z, which
gives both databases the same arithmetic.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from src.domain.minutes import MINUTES_OF_DAY, minute_after, minute_of
from src.models.appointment import LIVE, LONGEST_BUSY
from src.models.hours import LONGEST_OPENING

GREATEST = {"postgresql": "greatest", "sqlite": "max"}
LEAST = {"postgresql": "least", "sqlite": "min"}
# The id of a computed time is that of its visit type's version, times this, plus the minute of its start.
MINUTES_OF_VERSION = 2**24

OF_VERSION = "version.id = :version_id"
OF_TYPE = "visit_type.id = :visit_type_id AND visit_type.doctor_id = :doctor_id"


def default_type_of(doctor: str) -> str:
    """Return the condition that it is the doctor's default type."""
    return f"""visit_type.id = (
    SELECT id FROM visit_types
    WHERE doctor_id = {doctor} AND retired_at IS NULL AND booked_by = 'patients' AND capacity = 1
    ORDER BY is_default DESC, id LIMIT 1)"""


OF_DEFAULT_TYPE = default_type_of(":doctor_id")

# Expired holds, the caller's own holds, and the appointment that is being moved do not count.
COUNTS = f"""{LIVE} AND busy_from IS NOT NULL AND appointments.id <> :moving
    AND NOT (status = 'held' AND (held_until <= :now OR patient_id = :me))"""
# The type that can be booked now: the conditions on it, and which openings are for it.
BOOKABLE = "version.is_current AND visit_type.retired_at IS NULL"
IS_FOR_TYPE = "(openings.visit_type_id IS NULL OR openings.visit_type_id = type.id)"
# The first time of the grid in an opening that is not before `earliest`.
ON_GRID = "from_minute + (earliest - from_minute + step - 1) / step * step"
# The ids of the times of the current version of a visit type, which the seats of a group have.
OF_GROUP = f"""capacity > 1 AND slot_id >= version_id * {MINUTES_OF_VERSION}
        AND slot_id < (version_id + 1) * {MINUTES_OF_VERSION}"""


def _smallest_free(number: str, rows: str) -> str:
    return f"""(
        SELECT min(candidate) FROM (SELECT 1 AS candidate UNION ALL SELECT {number} + 1 FROM {rows}) AS candidates
        WHERE candidate NOT IN (SELECT {number} FROM {rows}))"""


_OF_DAY = f"""appointments WHERE appointments.visit_type_id = type.id AND appointments.day = offered.day
    AND nth IS NOT NULL AND {COUNTS}"""
# What an appointment at the one offered time takes, by column.
COLUMNS = {
    "busy_from": "offered.minute - type.buffer_before",
    "busy_until": "offered.minute + type.minutes + type.buffer_after",
    "seat": f"CASE WHEN capacity = 1 THEN 1 ELSE {_smallest_free('seat', 'taken WHERE taken.slot_id = :slot_id')} END",
    "seats": "capacity",
    "day": "offered.day",
    "nth": f"CASE WHEN type.most_per_day IS NULL THEN NULL ELSE {_smallest_free('nth', _OF_DAY)} END",
    "most_per_day": "type.most_per_day",
    "place": "offered.place",
}
_OPEN_THEN = "open WHERE from_minute <= :from_minute AND until_minute > :from_minute"
# What can be wrong with the one time, in the order in which a booking looks; `offered` says that nothing is. A group
# that somebody booked stays at its time when the grid changes: where it has a seat left, the last two do not matter.
CONDITIONS = {
    "slot_unknown": "NOT EXISTS (SELECT 1 FROM type)",
    "slot_past": ":from_minute < :next_minute",
    "notice_too_short": ":from_minute < (SELECT first_minute FROM type)",
    "too_far_ahead": ":from_minute > (SELECT last_minute FROM type)",
    "outside_hours": f"NOT EXISTS (SELECT 1 FROM {_OPEN_THEN} AND runs_until >= :from_minute + :minutes)",
    "offered": "EXISTS (SELECT 1 FROM offered)",
    "day_full": f"EXISTS (SELECT 1 FROM {_OPEN_THEN} AND day IN (SELECT day FROM full_days))",
    "slot_taken": """EXISTS (
        SELECT 1 FROM taken CROSS JOIN type
        WHERE busy_from < :from_minute + minutes + buffer_after AND busy_until > :from_minute - buffer_before
    )""",
    "off_grid": """NOT EXISTS (
        SELECT 1 FROM open CROSS JOIN type WHERE from_minute <= :from_minute AND until_minute > :from_minute
        AND :from_minute = from_minute + (:from_minute - from_minute) / step * step
    )""",
}
# The Refusal of a condition that has another name.
_REFUSALS = {"outside_hours": "not_offered", "offered": "again", "off_grid": "not_offered"}
_CASES = [(condition, _REFUSALS.get(name, name)) for name, condition in CONDITIONS.items()]
# Why the one time is not offered, a Refusal; "again" if it is. Where nothing else is wrong, the last condition is.
WHY_NOT = "\n    ".join((
    "CASE",
    *(f"WHEN {condition} THEN '{refusal}'" for condition, refusal in _CASES[:-1]),
    f"ELSE '{_CASES[-1][1]}' END",
))  # fmt: skip


def fits_at(minute: str) -> str:
    """Return the condition that an opening has room for a visit that begins at the minute."""
    return f"{minute} >= from_minute AND {minute} < until_minute AND {minute} + minutes <= runs_until"


def type_columns(dialect: str) -> str:
    """Return the columns of `type`: what the search for its times needs to know of a visit type.

    The first and the last minute are those at which a time may begin; for staff, no notice and no horizon limit them.
    """
    greatest, least = GREATEST[dialect], LEAST[dialect]
    return f"""visit_type.id, visit_type.doctor_id, visit_type.capacity, visit_type.most_per_day, visit_type.place,
            version.id AS version_id, version.minutes, version.buffer_before, version.buffer_after, version.step,
            {greatest}(:from_minute, :next_minute, :minute_after + CASE WHEN :by_staff = 1 THEN 0
                ELSE visit_type.minimum_notice END) AS first_minute,
            {least}(:until_minute - 1, CASE WHEN :by_staff = 1 THEN :until_minute
                ELSE :this_minute + visit_type.horizon * {MINUTES_OF_DAY} END) AS last_minute"""


def earliest(dialect: str, first_minute: str = "first_minute") -> str:
    """Return from which minute on a visit may begin in an opening, in the gap that begins at `gap_from`."""
    return f"{GREATEST[dialect]}(gap_from + buffer_before, from_minute, {first_minute})"


def latest(dialect: str) -> str:
    """Return the last minute at which a visit may begin in an opening, in the gap that ends at `gap_until`."""
    return f"{LEAST[dialect]}(gap_until - buffer_after - minutes, runs_until - minutes, until_minute - 1, last_minute)"


def offered(dialect: str, chosen: str, condition: str = "true", lock: str = "") -> str:
    """Return the CTEs of a query WITH RECURSIVE; the last, `offered`, has one row for each time that can be booked.

    `chosen` says which visit type of the doctor: OF_VERSION, OF_TYPE or OF_DEFAULT_TYPE. There are no times unless the
    `condition` is true, and `lock` may lock the rows of the type. The times begin in [:from_minute, :until_minute).
    `offered` has the columns minute, day, place and seats_taken; `type` is the visit type.
    """
    return f"""
    type AS MATERIALIZED (
        SELECT {type_columns(dialect)}
        FROM visit_type_versions AS version JOIN visit_types AS visit_type ON visit_type.id = version.visit_type_id
        WHERE {chosen} AND {BOOKABLE}
        AND (visit_type.booked_by = 'patients' OR :by_staff = 1) AND {condition} {lock}
    ), taken AS MATERIALIZED (
        SELECT busy_from, busy_until, slot_id, seat, seats FROM appointments WHERE doctor_id = :doctor_id AND {COUNTS}
        AND busy_from > :from_minute - {LONGEST_BUSY} - (SELECT buffer_before FROM type)
        AND busy_from < :until_minute + (SELECT minutes + buffer_after FROM type)
        AND busy_until > :from_minute - (SELECT buffer_before FROM type)
    ), open AS MATERIALIZED (
        SELECT day, from_minute, until_minute, runs_until, coalesce(type.place, openings.place) AS place
        FROM type CROSS JOIN openings
        WHERE openings.doctor_id = :doctor_id
        AND {IS_FOR_TYPE}
        AND from_minute > first_minute - {LONGEST_OPENING} AND from_minute <= last_minute
        AND until_minute > first_minute
    ), full_days AS (
        SELECT day FROM appointments
        WHERE visit_type_id = (SELECT id FROM type WHERE most_per_day IS NOT NULL) AND {COUNTS}
        AND day BETWEEN (SELECT min(day) FROM open) AND (SELECT max(day) FROM open)
        GROUP BY day HAVING count(*) >= (SELECT most_per_day FROM type)
    ), edges AS (
        SELECT busy_from, busy_until FROM taken
        UNION ALL SELECT :until_minute + minutes + buffer_after, NULL FROM type
    ), gaps AS (
        SELECT busy_from AS gap_until, coalesce(max(busy_until) OVER (
            ORDER BY busy_from ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS gap_from
        FROM edges
    ), fitting AS (
        SELECT from_minute, step, day, open.place, {earliest(dialect)} AS earliest, {latest(dialect)} AS latest
        FROM gaps CROSS JOIN type CROSS JOIN open
        WHERE gap_until - gap_from >= buffer_before + minutes + buffer_after
        AND gap_until > from_minute AND gap_from < runs_until
    ), starts AS (
        SELECT {ON_GRID} AS minute, latest, step, day, place
        FROM fitting WHERE earliest <= latest
        UNION ALL SELECT minute + step, latest, step, day, place FROM starts WHERE minute + step <= latest
    ), seats AS (
        SELECT slot_id - version_id * {MINUTES_OF_VERSION} AS minute, count(*) AS seats_taken
        FROM taken CROSS JOIN type
        WHERE {OF_GROUP}
        GROUP BY slot_id, version_id, capacity HAVING count(*) < capacity AND min(seats) > 1
    ), offered AS (
        SELECT minute, day, place, 0 AS seats_taken FROM starts
        WHERE minute <= latest AND day NOT IN (SELECT day FROM full_days)
        UNION ALL SELECT minute, day, open.place, seats_taken FROM seats CROSS JOIN type JOIN open
        ON {fits_at("minute")}
        WHERE minute BETWEEN first_minute AND last_minute AND day NOT IN (SELECT day FROM full_days)
    )"""


def values(now: datetime, from_minute: int, until_minute: int, **more: int) -> dict[str, Any]:
    """Return the parameters of `offered`; `me` and `moving` are 0 for nobody and nothing."""
    nobody = {"me": 0, "moving": 0, "by_staff": 0}
    clock = {"now": now, "this_minute": minute_of(now), "next_minute": minute_of(now) + 1}
    window = {"from_minute": from_minute, "until_minute": until_minute, "minute_after": minute_after(now)}
    return nobody | clock | window | more

"""The lean version of weekly hours: replaced by one call, and turned into openings by plain Python.

Hours have no places, no visit types and no days between which they are valid; there are no exceptions, and no hours
begin where others end.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import psycopg
from flask import Response, request

from benchmarks.yardstick import LISTED, ask, claims, connection, json, lean, listed

BEGAN = datetime(2020, 1, 1, tzinfo=timezone.utc)
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
# Weekday, and minutes of the day.
Hours = tuple[int, int, int]
Opening = tuple[date, int, int]

LOCK = """
    SELECT d.id, d.time_zone, (SELECT max(horizon) FROM visit_types t WHERE t.doctor_id = d.id AND retired_at IS NULL)
    FROM users u JOIN doctors d ON d.user_id = u.id
    WHERE u.id = %(user)s AND u.token_epoch = %(epoch)s AND u.deleted_at IS NULL AND u.disabled_at IS NULL
    AND NOT EXISTS (SELECT 1 FROM revoked_tokens r WHERE r.jti = %(jti)s) FOR NO KEY UPDATE OF u
"""
REPLACE = """
    WITH gone AS (DELETE FROM weekly_hours WHERE doctor_id = %(doctor)s),
    closed AS (DELETE FROM openings WHERE doctor_id = %(doctor)s AND day >= %(today)s),
    hours AS (
        INSERT INTO weekly_hours (doctor_id, weekday, from_time, until_time)
        SELECT %(doctor)s, * FROM unnest(%(weekdays)s, %(froms)s, %(untils)s)),
    opened AS (
        INSERT INTO openings (doctor_id, day, from_minute, until_minute, runs_until)
        SELECT %(doctor)s, day, begins, ends, ends
        FROM unnest(%(days)s, %(begins)s, %(ends)s) AS o (day, begins, ends))
    UPDATE doctors SET hours_revision = hours_revision + 1, openings_until = %(last)s WHERE id = %(doctor)s
    RETURNING hours_revision
"""
AHEAD = f"""
    SELECT {LISTED}, u.name FROM appointments a JOIN visit_types t ON t.id = a.visit_type_id
    JOIN users u ON u.id = a.patient_id
    WHERE a.doctor_id = %(doctor)s AND a.status = 'booked' AND a.starts_at > now() ORDER BY a.starts_at, a.id
"""


@lean.put("/doctor/hours")
def replace() -> Response:
    """Replace the weekly hours, and list the appointments at computed times that lie outside of them."""
    weekly = [
        (WEEKDAYS.index(row["weekday"]), row["from"], row["until"])
        for row in orjson.loads(request.get_data())["weekly"]
    ]
    hours = [(weekday, minute_of_day(begin), minute_of_day(end)) for weekday, begin, end in weekly]
    now = datetime.now(timezone.utc)
    with connection().transaction():
        [(doctor, zone, horizon)] = ask(LOCK, **claims())
        today = now.astimezone(ZoneInfo(zone)).date()
        last = today + timedelta(days=horizon + 1)
        opened = list(openings(hours, zone, today, last))
        columns = {"weekdays": 0, "froms": 1, "untils": 2}, {"days": 0, "begins": 1, "ends": 2}
        arrays = {name: [row[number] for row in hours] for name, number in columns[0].items()}
        arrays |= {name: [row[number] for row in opened] for name, number in columns[1].items()}
        [(revision,)] = ask(REPLACE, doctor=doctor, today=today, last=last, **arrays)
        ahead = ask(AHEAD, doctor=doctor)
    affected = [
        listed(row, now) | {"patient_name": row[-1], "reason": None} for row in ahead if not lies_in(opened, row)
    ]
    return json({"message": "Your hours are changed.", "affected": affected, "revision": revision})


def minute_of_day(clock: str) -> int:
    return int(clock[:2]) * 60 + int(clock[3:])


def openings(hours: Iterable[Hours], zone: str, first: date, last: date) -> Iterator[Opening]:
    """Yield the openings of all days from the first to the last one, by time."""
    rows = sorted(hours)
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        midnight = datetime.combine(day, time(), ZoneInfo(zone))
        for weekday, begin, end in rows:
            if weekday == day.weekday():
                yield day, real(midnight, begin), real(midnight, end)


def real(midnight: datetime, minutes: int) -> int:
    wall = midnight + timedelta(minutes=minutes)
    return int((wall.astimezone(timezone.utc) - BEGAN) / timedelta(minutes=1))


def lies_in(opened: Iterable[Opening], row: tuple[Any, ...]) -> bool:
    start, end = ((each - BEGAN) / timedelta(minutes=1) for each in row[1:3])
    return any(begins <= start and end <= ends for _, begins, ends in opened)


# What `python worker.py` does for doctors whose openings do not reach their horizon.
DUE = """
    SELECT d.id, d.time_zone, d.openings_until, CAST(now() AT TIME ZONE d.time_zone AS date) AS today,
        (SELECT max(horizon) FROM visit_types t WHERE t.doctor_id = d.id AND retired_at IS NULL) + 1 AS days,
        (SELECT json_agg(json_build_array(weekday, from_time, until_time)) FROM weekly_hours w WHERE w.doctor_id = d.id)
    FROM doctors d JOIN users u ON u.id = d.user_id
    WHERE d.id = ANY(%s) AND u.deleted_at IS NULL ORDER BY u.id FOR NO KEY UPDATE OF u
"""
LAY = """
    WITH opened AS (
        INSERT INTO openings (doctor_id, day, from_minute, until_minute, runs_until)
        SELECT %(doctor)s, day, begins, ends, ends
        FROM unnest(%(days)s, %(begins)s, %(ends)s) AS o (day, begins, ends))
    UPDATE doctors SET openings_until = %(last)s WHERE id = %(doctor)s
"""


def extend(connection: psycopg.Connection[Any], doctors: Iterable[int]) -> None:
    """Add the openings that these doctors lack, in a transaction."""
    with connection.transaction():
        for doctor, zone, until, today, days, hours in connection.execute(DUE, [list(doctors)]).fetchall():
            last = today + timedelta(days=days)
            first = today if until is None else max(today, until + timedelta(days=1))
            rows = list(openings([(*row,) for row in hours], zone, first, last))
            names = {"days": [row[0] for row in rows], "begins": [row[1] for row in rows]}
            connection.execute(LAY, {"doctor": doctor, "last": last, "ends": [row[2] for row in rows], **names})

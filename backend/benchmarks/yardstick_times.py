"""The lean version of computed times: listed by plain Python, and booked by a statement under the same constraints.

Visits are for one patient, and days have no limit: groups and limits are left out. Reasons for a refusal too.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import psycopg
from flask import Response, request

from benchmarks import yardstick_hours
from benchmarks.yardstick import (
    CACHED_TIMES,
    CALLER,
    MAIL,
    MINUTE,
    TAKEN,
    ask,
    book,
    booked,
    claims,
    connection,
    free_slots,
    json,
    lean,
    span,
)

__all__ = ["lean", "yardstick_hours"]
MINUTES_OF_VERSION = 2**24
FIRST_COMPUTED = 2**32
BEGAN = datetime(2020, 1, 1, tzinfo=timezone.utc)
LONGEST_OPENING, MINUTES_OF_DAY = 1500, 1440
LIVING_TYPE = "t.retired_at IS NULL AND t.booked_by = 'patients'"

TIMES = f"""
    WITH caller AS ({CALLER}),
    type AS (
        SELECT t.id, v.id AS version, v.minutes, v.buffer_before, v.buffer_after, v.step, t.minimum_notice, t.horizon,
            t.place, d.time_zone, {MINUTE.format("CAST(%(from)s AS timestamp) AT TIME ZONE d.time_zone")} AS begins,
            {MINUTE.format("(CAST(%(until)s AS timestamp) + interval '1 day') AT TIME ZONE d.time_zone")} AS ends
        FROM visit_types t JOIN visit_type_versions v ON v.visit_type_id = t.id AND v.is_current
        JOIN doctors d ON d.id = t.doctor_id
        WHERE t.id = %(type)s AND t.doctor_id = %(doctor)s AND {LIVING_TYPE})
    SELECT type.*, (
        SELECT json_agg(json_build_array(from_minute, until_minute, runs_until, o.place) ORDER BY from_minute)
        FROM openings o WHERE doctor_id = %(doctor)s AND (visit_type_id IS NULL OR visit_type_id = %(type)s)
        AND from_minute > (SELECT begins FROM type) - {LONGEST_OPENING}
        AND from_minute < (SELECT ends FROM type)), (
        SELECT json_agg(json_build_array(busy_from, busy_until) ORDER BY busy_from) FROM (
            {TAKEN.format("(SELECT begins FROM type)")}
            AND busy_from < (SELECT ends FROM type) + {MINUTES_OF_DAY}) AS taken)
    FROM caller, type
"""


@lean.get("/patient/doctors/<int:doctor_id>/availability")
def free(doctor_id: int) -> Response:
    """List the published slots, or the times of a visit type from a day to another one."""
    wanted = request.args
    if "visit_type" not in wanted:
        return free_slots(doctor_id)
    days = {"from": wanted["from"], "until": wanted["until"]}
    [row] = ask(TIMES, doctor=doctor_id, type=int(wanted["visit_type"]), **days, **claims())
    type_id, version, minutes, before, after, step, notice, horizon, place, zone, begins, ends, openings, taken = row
    now = (datetime.now(timezone.utc) - BEGAN) / timedelta(minutes=1)
    first, last = max(begins, now + notice), min(ends - 1, now + horizon * MINUTES_OF_DAY)
    data = [
        time_span(minute, minutes, zone)
        | {"slot_id": version * MINUTES_OF_VERSION + minute, "visit_type_id": type_id, "seats_left": None}
        | {"place": place or there}
        for minute, there in gaps(openings or (), taken or (), (minutes, before, after, step), first, last)
    ]
    return json({"data": data, "next_cursor": None})


def gaps(openings: Any, taken: Any, lengths: tuple[int, ...], first: float, last: float) -> Iterator[tuple[int, str]]:
    """Yield the minutes at which a visit fits between what is taken, each with the opening's place."""
    minutes, before, after, step = lengths
    number, count = 0, len(taken)
    for begin, until, runs_until, place in openings:
        for minute in range(begin, min(until, runs_until - minutes + 1), step):
            while number < count and taken[number][1] <= minute - before:
                number += 1
            is_free = number == count or taken[number][0] >= minute + minutes + after
            if is_free and first <= minute <= last:
                yield minute, place


@lru_cache(maxsize=CACHED_TIMES)
def time_span(minute: int, minutes: int, zone: str) -> dict[str, str]:
    """Return the fields of an answer that show a computed time."""
    start, end = (BEGAN + timedelta(minutes=each) for each in (minute, minute + minutes))
    walls = [each.astimezone(ZoneInfo(zone)).replace(tzinfo=None) for each in (start, end)]
    return span(start, end, *walls, zone)


OF_TIME = f"""
    type AS MATERIALIZED (
        SELECT t.id, t.doctor_id, t.place, d.user_id, d.time_zone, v.minutes, v.buffer_before, v.buffer_after, v.step,
            t.minimum_notice, t.horizon, BEGAN + %(minute)s * interval '1 minute' AS starts_at,
            BEGAN + (%(minute)s + v.minutes) * interval '1 minute' AS ends_at
        FROM visit_type_versions v JOIN visit_types t ON t.id = v.visit_type_id JOIN doctors d ON d.id = t.doctor_id
        WHERE v.id = %(version)s AND v.is_current AND {LIVING_TYPE})
""".replace("BEGAN", "timestamptz '2020-01-01T00:00Z'")
# For the caller and the doctor, who are locked before.
OPENING = f"""
    opening AS MATERIALIZED (
        SELECT o.day, o.place FROM openings o JOIN type ON type.doctor_id = o.doctor_id
        WHERE (o.visit_type_id IS NULL OR o.visit_type_id = type.id)
        AND o.from_minute > %(minute)s - {LONGEST_OPENING} AND o.from_minute <= %(minute)s
        AND o.until_minute > %(minute)s AND o.runs_until >= %(minute)s + type.minutes
        AND (%(minute)s - o.from_minute) %% type.step = 0
        AND type.starts_at > now() + type.minimum_notice * interval '1 minute'
        AND type.starts_at <= now() + type.horizon * interval '1 day'
        {{locked}} FOR SHARE OF o)
"""
COLUMNS = """slot_id, doctor_id, starts_at, ends_at, time_zone, wall_start, wall_end, busy_from, busy_until,
    visit_type_id, day, place"""
VALUES = """
    %(slot)s, type.doctor_id, type.starts_at, type.ends_at, type.time_zone, type.starts_at AT TIME ZONE type.time_zone,
    type.ends_at AT TIME ZONE type.time_zone, %(minute)s - type.buffer_before,
    %(minute)s + type.minutes + type.buffer_after, type.id, opening.day, coalesce(type.place, opening.place)
"""
BOOK_TIME = f"""
    WITH caller AS ({CALLER}), {OF_TIME},
    people AS MATERIALIZED (
        SELECT u.id, u.name, u.email, d.specialization FROM users u LEFT JOIN doctors d ON d.user_id = u.id
        WHERE u.deleted_at IS NULL AND u.id IN ((SELECT id FROM caller), (SELECT user_id FROM type))
        ORDER BY u.id FOR SHARE OF u),
    {OPENING.format(locked="AND (SELECT count(*) FROM people) = 2")},
    appointment AS (
        INSERT INTO appointments (patient_id, booked_at, {COLUMNS})
        SELECT %(user)s, now(), {VALUES} FROM type CROSS JOIN opening
        ON CONFLICT DO NOTHING RETURNING *),
    event AS (
        INSERT INTO appointment_events (appointment_id, event, actor_id, at)
        SELECT id, 'booked', %(user)s, now() FROM appointment RETURNING id)
    {MAIL.format(template="booked", columns="useless_after,", values="appointment.ends_at,", facts="")}
    FROM event CROSS JOIN appointment JOIN people patient ON patient.id = %(user)s
    JOIN people recipient ON recipient.id = patient.id JOIN people doctor ON doctor.id <> patient.id
    RETURNING appointment_id
"""
EXPIRED = """
    DELETE FROM appointments USING visit_type_versions v JOIN visit_types t ON t.id = v.visit_type_id
    WHERE v.id = %(version)s AND appointments.doctor_id = t.doctor_id AND appointments.status = 'held'
    AND (held_until <= now() OR patient_id = %(user)s AND slot_id = %(slot)s) RETURNING appointments.id
"""


@lean.post("/appointments")
def book_any() -> Response:
    """Book a published slot or a computed time."""
    slot = orjson.loads(request.get_data())["slot_id"]
    if slot < FIRST_COMPUTED:
        return book(slot)
    values = of_slot(slot)
    rows = ask(BOOK_TIME, **values)
    if not rows and ask(EXPIRED, **values):
        rows = ask(BOOK_TIME, **values)
    return booked(rows)


def of_slot(slot: int) -> dict[str, Any]:
    version, minute = divmod(slot, MINUTES_OF_VERSION)
    return {"slot": slot, "version": version, "minute": minute, **claims()}


# In a transaction of its own statements: what follows a lock must see what was committed before.
LOCK = f"""
    WITH caller AS ({CALLER}), {OF_TIME}
    SELECT id FROM users WHERE deleted_at IS NULL AND id IN (
        (SELECT id FROM caller), (SELECT user_id FROM type),
        (SELECT d.user_id FROM appointments a JOIN doctors d ON d.id = a.doctor_id WHERE a.id = %(appointment)s))
    ORDER BY id FOR NO KEY UPDATE
"""
HOLD = f"""
    WITH {OF_TIME}, {OPENING.format(locked="")}
    INSERT INTO appointments (patient_id, booked_at, status, held_until, {COLUMNS})
    SELECT %(user)s, now(), 'held', %(until)s, {VALUES} FROM type CROSS JOIN opening
    WHERE (
        SELECT count(*) FROM appointments WHERE patient_id = %(user)s AND status = 'held' AND held_until > now()) < 3
    AND NOT EXISTS (
        SELECT FROM appointments a WHERE a.patient_id = %(user)s AND a.status = 'booked'
        AND tstzrange(a.starts_at, a.ends_at) && tstzrange(type.starts_at, type.ends_at))
    ON CONFLICT DO NOTHING RETURNING id
"""


@lean.post("/holds")
def hold() -> Response:
    body = orjson.loads(request.get_data())
    until = datetime.now(timezone.utc) + timedelta(minutes=body["minutes"])
    values = {"until": until, "appointment": 0, **of_slot(body["slot_id"])}
    with connection().transaction():
        if len(ask(LOCK, **values)) < 2:
            return json({"error": "no"}, 404)
        rows = ask(HOLD, **values)
        if not rows and ask(EXPIRED, **values):
            rows = ask(HOLD, **values)
    if not rows:
        return json({"error": "no"}, 409)
    said = {"message": "The time is held for you.", "hold_id": rows[0][0], "held_until": until.isoformat()}
    return json(said, 201)


RELEASE = f"""
    WITH caller AS ({CALLER})
    DELETE FROM appointments USING caller
    WHERE appointments.id = %(hold)s AND status = 'held' AND patient_id = caller.id RETURNING appointments.id
"""


@lean.delete("/holds/<int:hold_id>")
def release(hold_id: int) -> Response:
    if not ask(RELEASE, hold=hold_id, **claims()):
        return json({"error": "no"}, 404)
    return json({"message": "The hold is released."})


KEPT = ("starts_at", "ends_at", "wall_start", "wall_end", "time_zone", "doctor_id")
MOVED = """, 'moved_by', CAST(%(by)s AS text), 'moved_by_recipient', recipient.id = %(user)s,
    'was_starts_at', old.starts_at, 'was_ends_at', old.ends_at, 'was_time_zone', old.time_zone,
    'was_wall_start', old.wall_start, 'was_wall_end', old.wall_end, 'was_doctor_name', was_doctor.name"""
DOCTOR = "(SELECT d.id AS doctor_id, u.id, u.name, d.specialization FROM doctors d JOIN users u ON u.id = d.user_id)"
MOVE = f"""
    WITH {OF_TIME}, {OPENING.format(locked="")},
    old AS MATERIALIZED (
        SELECT id, {", ".join(KEPT)} FROM appointments
        WHERE id = %(appointment)s AND patient_id = %(user)s AND status = 'booked' AND starts_at > now()
        AND slot_id <> %(slot)s FOR NO KEY UPDATE),
    appointment AS (
        UPDATE appointments SET ({COLUMNS}) = ROW({VALUES})
        FROM type CROSS JOIN opening CROSS JOIN old WHERE appointments.id = old.id RETURNING appointments.*),
    event AS (
        INSERT INTO appointment_events (appointment_id, event, actor_id, at,
            {", ".join(f"was_{name}" for name in KEPT)})
        SELECT id, 'rescheduled', %(user)s, now(), {", ".join(KEPT)} FROM old WHERE EXISTS (SELECT FROM appointment)
        RETURNING id)
    {MAIL.format(template="rescheduled", columns="", values="", facts=MOVED)}
    FROM event CROSS JOIN old CROSS JOIN appointment JOIN users patient ON patient.id = appointment.patient_id
    JOIN {DOCTOR} doctor ON doctor.doctor_id = appointment.doctor_id
    JOIN {DOCTOR} was_doctor ON was_doctor.doctor_id = old.doctor_id
    JOIN users recipient ON recipient.id IN (patient.id, doctor.id, was_doctor.id)
    RETURNING appointment_id
"""


@lean.post("/appointments/<int:appointment_id>/reschedule")
def move(appointment_id: int) -> Response:
    """Move an appointment at a computed time to another computed time."""
    values = of_slot(orjson.loads(request.get_data())["slot_id"])
    values |= {"appointment": appointment_id, "by": "the patient, Patient Number 1"}
    try:
        with connection().transaction():
            rows = ask(MOVE, **values) if len(ask(LOCK, **values)) >= 2 else []
    except (psycopg.errors.ExclusionViolation, psycopg.errors.UniqueViolation):
        rows = []
    if not rows:
        return json({"error": "no"}, 409)
    return json({"message": "The appointment is moved."})

"""Two applications to compare the product with, under the same gunicorn: a bare view, and a lean version of the API.

What has to do with computed times is in yardstick_times.py and yardstick_hours.py.

The lean version checks the account, gives the same answers and writes the same rows under the same constraints and
locks, with one prepared statement per request. It caches what the product caches: the claims of tokens and the times of
slots. It has no validation, no other database and no error sentences. The product's additional cost is that of the
steps in src/web/road.py.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from datetime import datetime, timezone
from functools import lru_cache
from typing import Any

import jwt
import orjson
import psycopg
from flask import Flask, Response, request
from psycopg.rows import tuple_row

DATABASE = os.environ["BENCH_CONNINFO"]
CACHED_TOKENS, CACHED_TIMES = 2048, 8192
SECRET = os.environ["JWT_SECRET_KEY"]

bare = Flask("bare")
lean = Flask("lean")
_local = threading.local()


@bare.get("/")
def nothing() -> dict[str, str]:
    """Return a small JSON object."""
    return {"status": "ok"}


def ask(statement: str, **parameters: Any) -> list[tuple[Any, ...]]:
    """Run a prepared statement in autocommit, on this thread's connection."""
    return connection().execute(statement, parameters).fetchall()


def connection() -> psycopg.Connection[tuple[Any, ...]]:
    """Return this thread's connection."""
    if not hasattr(_local, "connection"):
        _local.connection = psycopg.connect(DATABASE, autocommit=True, prepare_threshold=0, row_factory=tuple_row)
        _local.connection.execute("SET timezone = 'UTC'")
    return _local.connection


def claims() -> dict[str, Any]:
    """Return the user, epoch and id of the request's token."""
    expires, known = verified(request.headers["Authorization"][7:])
    if expires < time.time():
        raise jwt.ExpiredSignatureError
    return known


def disconnect() -> None:
    """Close this thread's connection."""
    _local.connection.close()


@lru_cache(maxsize=CACHED_TOKENS)
def verified(token: str) -> tuple[int, dict[str, Any]]:
    said = jwt.decode(token, SECRET, algorithms=["HS256"])
    return said["exp"], {"user": int(said["sub"]), "epoch": said["epoch"], "jti": said["jti"]}


def json(body: dict[str, Any], status: int = 200) -> Response:
    return Response(orjson.dumps(body), status=status, mimetype="application/json")


@lru_cache(maxsize=CACHED_TIMES)
def span(starts_at: datetime, ends_at: datetime, wall_start: datetime, wall_end: datetime, zone: str) -> dict[str, str]:
    """Return the fields of an answer that show the time of a slot."""
    start, end = with_offset(wall_start, starts_at), with_offset(wall_end, ends_at)
    return {
        "date": start[:10],
        "start_time": start[11:16],
        "end_time": end[11:16],
        "starts_at": start,
        "ends_at": end,
        "time_zone": zone,
    }


def with_offset(wall: datetime, instant: datetime) -> str:
    return wall.replace(tzinfo=timezone(wall - instant.replace(tzinfo=None))).isoformat()


# Minutes count from 2020-01-01T00:00Z; the instants here have no seconds.
EPOCH = 26297280
MINUTE = f"CAST(extract(epoch FROM {{}}) AS BIGINT) / 60 - {EPOCH}"
# What takes a doctor's time from a minute on.
TAKEN = """
    SELECT busy_from, busy_until FROM appointments
    WHERE doctor_id = %(doctor)s AND status IN ('held', 'booked') AND NOT overbooked AND busy_from IS NOT NULL
    AND busy_from > {} - 2940 AND NOT (status = 'held' AND (held_until <= now() OR patient_id = %(user)s))
"""
CALLER = """
    SELECT u.id, u.name, u.email, u.role, d.id AS doctor_id FROM users u LEFT JOIN doctors d ON d.user_id = u.id
    WHERE u.id = %(user)s AND u.token_epoch = %(epoch)s AND u.deleted_at IS NULL AND u.disabled_at IS NULL
    AND NOT EXISTS (SELECT 1 FROM revoked_tokens r WHERE r.jti = %(jti)s)
"""


@lean.get("/auth/me")
def me() -> Response:
    [row] = ask(
        f"""WITH caller AS ({CALLER})
        SELECT caller.id, caller.name, caller.email, caller.role, u.phone, u.language,
            coalesce(d.time_zone, u.own_time_zone), u.email_confirmed_at IS NOT NULL
        FROM caller JOIN users u ON u.id = caller.id LEFT JOIN doctors d ON d.id = caller.doctor_id""",
        **claims(),
    )
    names = ("id", "name", "email", "role", "phone", "language", "time_zone", "email_confirmed")
    return json(dict(zip(names, row, strict=True)))


def free_slots(doctor_id: int) -> Response:
    """List the published slots that are free."""
    rows = ask(
        f"""WITH caller AS ({CALLER}), taken AS MATERIALIZED (
            {TAKEN.format("%(begin)s")} AND (visit_type_id IS NOT NULL OR status = 'held'))
        SELECT s.id, s.starts_at, s.ends_at, s.wall_start, s.wall_end, s.time_zone FROM caller LEFT JOIN LATERAL (
            SELECT id, starts_at, ends_at, wall_start, wall_end, time_zone FROM availability_slots
            WHERE doctor_id = %(doctor)s AND status = 'free' AND starts_at > now()
            AND NOT EXISTS (
                SELECT 1 FROM taken
                WHERE busy_from < {MINUTE.format("ends_at")} AND busy_until > {MINUTE.format("starts_at")})
            ORDER BY starts_at) s ON true""",
        begin=int(time.time()) // 60 - EPOCH,
        doctor=doctor_id,
        **claims(),
    )
    data = [span(*times) | {"slot_id": number} | PUBLISHED for number, *times in rows]
    return json({"data": data, "next_cursor": None})


PUBLISHED = {"visit_type_id": None, "seats_left": None, "place": None}


@lean.get("/patient/doctors")
def list_doctors() -> Response:
    """List the first ten doctors."""
    rows = ask(
        f"""WITH caller AS ({CALLER})
        SELECT (SELECT sum(living) FROM doctor_blocks), d.* FROM caller, LATERAL (
            SELECT d.id, u.name, d.designation, d.specialization FROM doctors d JOIN users u ON u.id = d.user_id
            WHERE u.deleted_at IS NULL ORDER BY d.id LIMIT 10) d""",
        **claims(),
    )
    total = rows[0][0]
    names = ("id", "name", "designation", "specialization")
    data = [dict(zip(names, row[1:], strict=True)) for row in rows]
    return json({"data": data, "page": 1, "total_pages": -(-total // 10), "total": total})


LISTED = "a.id, a.starts_at, a.ends_at, a.wall_start, a.wall_end, a.time_zone, a.status, t.name AS type, a.place"


def listed(row: tuple[Any, ...], now: datetime) -> dict[str, Any]:
    """Return the fields of a listed appointment."""
    number, *times, status, visit_type, place, _name = row
    starts_at, ends_at = times[:2]
    if status != "cancelled" and now >= starts_at:
        status = "in_progress" if now < ends_at else "completed"
    can_change = {"can_cancel": status == "booked", "can_move": status == "booked"}
    shown = {"appointment_id": number, "status": status, "visit_type": visit_type, "place": place}
    return span(*times) | shown | can_change


@lean.get("/appointments/my")
def my_appointments() -> Response:
    rows = ask(
        f"""WITH caller AS ({CALLER})
        SELECT a.* FROM caller c, LATERAL (
            SELECT {LISTED}, u.name
            FROM appointments a LEFT JOIN visit_types t ON t.id = a.visit_type_id
            JOIN doctors d ON d.id = a.doctor_id JOIN users u ON u.id = d.user_id
            WHERE a.patient_id = c.id AND a.status <> 'held' ORDER BY a.id DESC LIMIT 201) a""",
        **claims(),
    )
    return _appointments(rows, lambda name: {"doctor_name": name})


@lean.get("/appointments/doctor")
def doctors_appointments() -> Response:
    rows = ask(
        f"""WITH caller AS ({CALLER})
        SELECT a.* FROM caller c, LATERAL (
            SELECT {LISTED}, u.name
            FROM appointments a LEFT JOIN visit_types t ON t.id = a.visit_type_id JOIN users u ON u.id = a.patient_id
            WHERE a.doctor_id = c.doctor_id AND a.status <> 'held' ORDER BY a.id DESC LIMIT 201) a""",
        **claims(),
    )
    return _appointments(rows, lambda name: {"patient_name": name, "reason": None})


def _appointments(rows: list[tuple[Any, ...]], other: Callable[[str], dict[str, Any]]) -> Response:
    now = datetime.now(timezone.utc)
    data = [listed(row, now) | other(row[-1]) for row in rows[:200]]
    return json({"data": data, "next_cursor": rows[199][0] if len(rows) > 200 else None})


MAIL = """
    INSERT INTO outbox (key, about, event_id, appointment_id, recipient_id, recipient, template, facts, due_at,
        {columns} created_at)
    SELECT gen_random_uuid()::text, 'appointment:' || appointment.id || ' event:' || event.id,
        event.id, appointment.id, recipient.id, recipient.email, '{template}',
        json_build_object('number', appointment.id, 'recipient_name', recipient.name, 'doctor_name', doctor.name,
            'specialization', doctor.specialization, 'patient_name', patient.name, 'starts_at', appointment.starts_at,
            'ends_at', appointment.ends_at, 'time_zone', appointment.time_zone,
            'wall_start', appointment.wall_start, 'wall_end', appointment.wall_end, 'place', appointment.place,
            'visit_type', (SELECT name FROM visit_types WHERE id = appointment.visit_type_id) {facts}),
        now(), {values} now()
"""

# Lock the accounts first, in the order of ids, then the slot, as the product does.
BOOK = f"""
    WITH caller AS ({CALLER}),
    people AS MATERIALIZED (
        SELECT u.id, u.name, u.email, d.specialization FROM users u LEFT JOIN doctors d ON d.user_id = u.id
        WHERE u.deleted_at IS NULL AND u.id IN (
            (SELECT id FROM caller),
            (SELECT d.user_id FROM availability_slots s JOIN doctors d ON d.id = s.doctor_id WHERE s.id = %(slot)s))
        ORDER BY u.id FOR SHARE OF u),
    slot AS MATERIALIZED (
        SELECT id, doctor_id, starts_at, ends_at, time_zone, wall_start, wall_end FROM availability_slots
        WHERE id = %(slot)s AND status = 'free' AND starts_at > now() AND (SELECT count(*) FROM people) = 2
        FOR NO KEY UPDATE),
    appointment AS (
        INSERT INTO appointments (slot_id, doctor_id, patient_id, starts_at, ends_at, time_zone, wall_start, wall_end,
            booked_at, busy_from, busy_until)
        SELECT id, doctor_id, %(user)s, starts_at, ends_at, time_zone, wall_start, wall_end, now(),
            {MINUTE.format("starts_at")}, {MINUTE.format("ends_at")} FROM slot
        ON CONFLICT DO NOTHING RETURNING *),
    taken AS (
        UPDATE availability_slots SET status = 'booked' FROM appointment WHERE availability_slots.id = slot_id),
    event AS (
        INSERT INTO appointment_events (appointment_id, event, actor_id, at)
        SELECT id, 'booked', %(user)s, now() FROM appointment RETURNING id)
    {MAIL.format(template="booked", columns="useless_after,", values="appointment.ends_at,", facts="")}
    FROM event CROSS JOIN appointment JOIN people patient ON patient.id = %(user)s
    JOIN people recipient ON recipient.id = patient.id JOIN people doctor ON doctor.id <> patient.id
    RETURNING appointment_id
"""


def book(slot: int) -> Response:
    """Book a published slot."""
    return booked(ask(BOOK, slot=slot, **claims()))


def booked(rows: list[tuple[Any, ...]]) -> Response:
    if not rows:
        return json({"error": "no"}, 409)
    return json({"message": "Your appointment is booked.", "appointment_id": rows[0][0]}, 201)


CANCELLED_BY = ", 'cancelled_by', CAST(%(by)s AS text), 'cancelled_by_recipient', recipient.id = %(user)s"
CANCEL = f"""
    WITH caller AS ({CALLER}),
    wanted AS (
        SELECT a.id, a.slot_id, a.patient_id, d.user_id AS doctor_user_id FROM appointments a
        JOIN doctors d ON d.id = a.doctor_id WHERE a.id = %(appointment)s),
    people AS MATERIALIZED (
        SELECT u.id, u.name, u.email, d.specialization FROM users u LEFT JOIN doctors d ON d.user_id = u.id
        WHERE u.deleted_at IS NULL
        AND u.id IN ((SELECT patient_id FROM wanted), (SELECT doctor_user_id FROM wanted))
        ORDER BY u.id FOR SHARE OF u),
    slot AS MATERIALIZED (
        SELECT id FROM availability_slots WHERE id = (SELECT slot_id FROM wanted)
        AND (SELECT count(*) FROM people) = 2 AND (SELECT count(*) FROM caller) = 1 FOR NO KEY UPDATE),
    appointment AS (
        UPDATE appointments SET status = 'cancelled', cancelled_at = now()
        WHERE id = %(appointment)s AND slot_id = (SELECT slot_id FROM wanted) AND (SELECT count(*) FROM slot) <= 1
        AND (SELECT count(*) FROM people) = 2 AND (SELECT count(*) FROM caller) = 1
        AND status = 'booked' AND starts_at > now()
        RETURNING *),
    freed AS (
        UPDATE availability_slots SET status = 'free' FROM appointment WHERE availability_slots.id = slot_id),
    event AS (
        INSERT INTO appointment_events (appointment_id, event, actor_id, at)
        SELECT id, 'cancelled', %(user)s, now() FROM appointment RETURNING id)
    {MAIL.format(template="cancelled", columns="", values="", facts=CANCELLED_BY)}
    FROM event CROSS JOIN appointment JOIN people patient ON patient.id = appointment.patient_id
    JOIN people doctor ON doctor.id <> patient.id CROSS JOIN people recipient
    RETURNING appointment_id
"""


@lean.post("/appointments/<int:appointment_id>/cancel")
def cancel(appointment_id: int) -> Response:
    rows = ask(CANCEL, appointment=appointment_id, by="the patient, Patient Number 1", **claims())
    if not rows:
        return json({"error": "no"}, 409)
    return json({"message": "The appointment is cancelled."})

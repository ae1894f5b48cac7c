"""Fill a database with the rows of a clinic, with its history, and with mails that were sent about it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from typing import Any

import psycopg
from rich.progress import Progress

from benchmarks.past import PAST_AT_ONCE, PAST_ON_POSTGRESQL, PAST_ON_SQLITE, WITHOUT_RANGE, past_values
from benchmarks.stock import APPOINTMENTS_OF_A_BUSY_DOCTOR, BUSY, PATIENTS, SPAN, Stock
from src.models import PROFILES_OF_A_BLOCK

CHUNK = 20_000


def fill_postgresql(conninfo: str, stock: Stock) -> None:
    """Copy the rows into PostgreSQL; add the EXCLUDE constraint of the slots afterwards, which is faster."""
    with psycopg.connect(conninfo, autocommit=True) as connection, Progress() as progress:
        with without_rules(connection, "availability_slots", progress, types="x"):
            for table, columns, rows, count in stock.tables():
                task = progress.add_task(table, total=count)
                with connection.cursor() as cursor, cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
                    for number, row in enumerate(rows, 1):
                        copy.write_row(row)
                        if number % CHUNK == 0:
                            progress.update(task, completed=number)
                progress.update(task, completed=count)
                connection.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}")
        connection.execute(COUNT)
        _write_history(connection, stock, progress)
        _write_past(connection, stock, progress)
        task = progress.add_task("statistics", total=1)
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")
        progress.advance(task)


@contextmanager
def without_rules(connection: psycopg.Connection, table: str, progress: Progress, types: str) -> Iterator[None]:
    """Drop the table's constraints of these types, and for more than EXCLUDE its indexes too; add them at the end."""
    rules = connection.execute(RULES, {"table": table, "types": list(types)}).fetchall()
    indexes = connection.execute(INDEXES, {"table": table}).fetchall() if types != "x" else []
    for name, _ in rules:
        connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    for name, _ in indexes:
        connection.execute(f"DROP INDEX {name}")
    yield
    task = progress.add_task(f"rules of {table}", total=len(rules) + len(indexes))
    for name, definition in rules:
        connection.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
        progress.advance(task)
    for _, definition in indexes:
        connection.execute(definition)
        progress.advance(task)


def _write_history(connection: psycopg.Connection, stock: Stock, progress: Progress) -> None:
    """Insert cancelled appointments of one slot: those of the patient with the history first, then of the others."""
    usual = APPOINTMENTS_OF_A_BUSY_DOCTOR
    for first, last, times in (
        (stock.old_patient, stock.old_patient, stock.history),
        (stock.first_patient, stock.first_patient + PATIENTS - BUSY - 1, usual),
    ):
        people = {"slot": stock.slot(0)[0], "first": first, "last": last}
        connection.execute(HISTORY, {**people, "times": times})
        connection.execute(EVENTS, people)
    if not stock.mails:
        return
    with without_rules(connection, "outbox", progress, types="ufc"):
        task = progress.add_task("mails that were sent", total=PATIENTS)
        for first in range(stock.first_patient, stock.first_patient + PATIENTS, TOLD_AT_ONCE):
            connection.execute(SENT, {"patient": stock.old_patient, "first": first, "last": first + TOLD_AT_ONCE - 1})
            progress.advance(task, TOLD_AT_ONCE)


def _write_past(connection: psycopg.Connection, stock: Stock, progress: Progress) -> None:
    """Insert appointments that have ended, of which the trigger would fill the ranges that old ones lack."""
    values = past_values(stock)
    with without_rules(connection, "appointments", progress, types="xfc"):
        connection.execute("ALTER TABLE appointments DISABLE TRIGGER appointments_busy_insert")
        task = progress.add_task("appointments that have ended", total=stock.past)
        for first in range(0, stock.past, PAST_AT_ONCE):
            count = min(PAST_AT_ONCE, stock.past - first)
            connection.execute(PAST_ON_POSTGRESQL, {**values, "first": first, "last": first + count - 1})
            progress.advance(task, count)
        connection.execute("ALTER TABLE appointments ENABLE TRIGGER appointments_busy_insert")


TOLD_AT_ONCE = 50
HISTORY = f"""
    INSERT INTO appointments (slot_id, doctor_id, patient_id, {SPAN}, status, booked_at, cancelled_at)
    SELECT s.id, s.doctor_id, u.id, {SPAN}, 'cancelled', now(), now()
    FROM users u CROSS JOIN generate_series(1, %(times)s) CROSS JOIN availability_slots s
    WHERE s.id = %(slot)s AND u.id BETWEEN %(first)s AND %(last)s
"""
EVENTS = """
    INSERT INTO appointment_events (appointment_id, event, actor_id, at)
    SELECT id, event, patient_id, now() FROM appointments CROSS JOIN (VALUES ('booked'), ('cancelled')) AS e (event)
    WHERE slot_id = %(slot)s AND patient_id BETWEEN %(first)s AND %(last)s ORDER BY id, event
"""
RULES = (
    "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
    " WHERE conrelid = CAST(%(table)s AS regclass) AND contype = ANY(%(types)s)"
)
INDEXES = (
    "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index"
    " WHERE indrelid = CAST(%(table)s AS regclass)"
    " AND indexrelid NOT IN (SELECT conindid FROM pg_constraint WHERE conrelid = CAST(%(table)s AS regclass))"
)
SENT = """
    INSERT INTO outbox (key, about, event_id, appointment_id, recipient_id, recipient, template, facts, subject, text,
        html, status, due_at, sent_at, attempts, created_at)
    SELECT gen_random_uuid()::text, 'appointment:' || e.appointment_id || ' event:' || e.id,
        e.id, e.appointment_id, u.id, u.email, 'cancelled', '{}', 'Subject', 'Text', 'HTML',
        'sent', now(), now(), 1, now()
    FROM appointment_events e CROSS JOIN users u
    WHERE e.actor_id = %(patient)s AND e.event = 'cancelled' AND u.id BETWEEN %(first)s AND %(last)s
"""


COUNT = f"INSERT INTO doctor_blocks SELECT id / {PROFILES_OF_A_BLOCK}, count(*) FROM doctors GROUP BY 1"


def fill_sqlite(path: str, stock: Stock) -> None:
    """Insert the rows into a SQLite file. It gets no statistics, because the product never gathers any there."""
    connection = sqlite3.connect(path, isolation_level=None)
    with Progress() as progress:
        for table, columns, rows, count in stock.tables():
            task = progress.add_task(table, total=count)
            marks = ", ".join("?" * len(columns.split(", ")))
            while chunk := [_plain(row) for row in islice(rows, CHUNK)]:
                connection.execute("BEGIN")
                connection.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", chunk)
                connection.execute("COMMIT")
                progress.advance(task, len(chunk))
    connection.execute("BEGIN")
    values = past_values(stock)
    connection.execute(PAST_ON_SQLITE, {**values, "first": 0, "last": stock.past - 1})
    connection.execute(WITHOUT_RANGE, values)
    connection.execute("COMMIT")
    connection.execute(COUNT)
    connection.close()


def _plain(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the row with instants as SQLAlchemy writes them on SQLite: UTC, no offset, microseconds."""
    return tuple(value.strftime("%Y-%m-%d %H:%M:%S.%f") if isinstance(value, datetime) else value for value in row)

"""Fill a database with the rows of a clinic, with its history, and with mails that were sent about it."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from itertools import islice
from typing import Any

import psycopg
from rich.progress import Progress

from benchmarks.stock import APPOINTMENTS_OF_A_BUSY_DOCTOR, BUSY, PATIENTS, SPAN, Stock
from src.models import PROFILES_OF_A_BLOCK

CHUNK = 20_000

INDEXES = (
    "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
    " WHERE contype = 'x' AND conrelid = 'availability_slots'::regclass"
)


def fill_postgresql(conninfo: str, stock: Stock) -> None:
    """Copy the rows into PostgreSQL; add the EXCLUDE constraint of the slots afterwards, which is faster."""
    with psycopg.connect(conninfo, autocommit=True) as connection, Progress() as progress:
        rules = connection.execute(INDEXES).fetchall()
        for table, name, _ in rules:
            connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        for table, (columns, rows, count) in stock.tables().items():
            task = progress.add_task(table, total=count)
            with connection.cursor() as cursor, cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
                for number, row in enumerate(rows, 1):
                    copy.write_row(row)
                    if number % CHUNK == 0:
                        progress.update(task, completed=number)
            progress.update(task, completed=count)
            connection.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}")
        task = progress.add_task("rules, statistics", total=len(rules) + 1)
        for table, name, definition in rules:
            connection.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
            progress.advance(task)
        connection.execute(COUNT)
        _write_history(connection, stock, progress)
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")
        progress.advance(task)


def _write_history(connection: psycopg.Connection, stock: Stock, progress: Progress) -> None:
    """Insert cancelled appointments of one slot: those of the patient with the history first, then of the others."""
    usual = APPOINTMENTS_OF_A_BUSY_DOCTOR
    for first, last, times in (
        (stock.old_patient, stock.old_patient, stock.history),
        (stock.first_patient, stock.first_patient + PATIENTS - BUSY - 1, usual),
    ):
        people = {"slot": stock.bookable[0], "first": first, "last": last}
        connection.execute(HISTORY, {**people, "times": times})
        connection.execute(EVENTS, people)
    if not stock.mails:
        return
    rules = connection.execute(RULES_OF_OUTBOX).fetchall()
    indexes = connection.execute(INDEXES_OF_OUTBOX).fetchall()
    for name, _ in rules:
        connection.execute(f"ALTER TABLE outbox DROP CONSTRAINT {name}")
    for name, _ in indexes:
        connection.execute(f"DROP INDEX {name}")
    task = progress.add_task("mails that were sent", total=PATIENTS)
    for first in range(stock.first_patient, stock.first_patient + PATIENTS, TOLD_AT_ONCE):
        connection.execute(SENT, {"patient": stock.old_patient, "first": first, "last": first + TOLD_AT_ONCE - 1})
        progress.advance(task, TOLD_AT_ONCE)
    task = progress.add_task("their rules", total=len(rules) + len(indexes))
    for name, definition in rules:
        connection.execute(f"ALTER TABLE outbox ADD CONSTRAINT {name} {definition}")
        progress.advance(task)
    for _, definition in indexes:
        connection.execute(definition)
        progress.advance(task)


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
RULES_OF_OUTBOX = (
    "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
    " WHERE conrelid = 'outbox'::regclass AND contype IN ('u', 'f', 'c')"
)
INDEXES_OF_OUTBOX = (
    "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index"
    " WHERE indrelid = 'outbox'::regclass"
    " AND indexrelid NOT IN (SELECT conindid FROM pg_constraint WHERE conrelid = 'outbox'::regclass)"
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
    """Insert the rows into a SQLite file."""
    connection = sqlite3.connect(path, isolation_level=None)
    with Progress() as progress:
        for table, (columns, rows, count) in stock.tables().items():
            task = progress.add_task(table, total=count)
            marks = ", ".join("?" * len(columns.split(", ")))
            while chunk := [_plain(row) for row in islice(rows, CHUNK)]:
                connection.execute("BEGIN")
                connection.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", chunk)
                connection.execute("COMMIT")
                progress.advance(task, len(chunk))
    connection.execute(COUNT)
    connection.execute("ANALYZE")
    connection.close()


def _plain(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the row with instants as SQLAlchemy writes them on SQLite: UTC, no offset, microseconds."""
    return tuple(value.strftime("%Y-%m-%d %H:%M:%S.%f") if isinstance(value, datetime) else value for value in row)

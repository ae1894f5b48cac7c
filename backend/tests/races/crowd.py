"""Many callers at once, and transactions for which others wait.

Tests with such a transaction are ON_POSTGRESQL. On SQLite these races cannot happen: a writer takes the one write lock
before it reads anything.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from apiflask import APIFlask
from sqlalchemy import Connection, text
from werkzeug.test import TestResponse

from src.database.transaction import transaction
from tests.people import Patient, Person

Call = Callable[[], TestResponse]
Crowd = Callable[[int], list[Patient]]


def at_once(calls: Sequence[Call]) -> list[TestResponse]:
    """Start all calls at the same moment, each in a thread of its own, and return the answers in order."""
    gate = threading.Barrier(len(calls))

    def run(call: Call) -> TestResponse:
        gate.wait(timeout=30)
        return call()

    with ThreadPoolExecutor(max_workers=len(calls)) as pool:
        return list(pool.map(run, calls))


def statuses(answers: Sequence[TestResponse]) -> Counter[int]:
    return Counter(answer.status_code for answer in answers)


def with_own_client(app: APIFlask, patient: Patient) -> Patient:
    return replace(patient, client=app.test_client())


def booking(patient: Patient, slot_id: int, **options: Any) -> Call:
    return lambda: patient.post("/appointments", {"slot_id": slot_id}, **options)


def holding(patient: Patient, slot_id: int, **options: Any) -> Call:
    return lambda: patient.post("/holds", {"slot_id": slot_id, "minutes": 5}, **options)


def moving(person: Person, appointment_id: int, slot_id: int) -> Call:
    return lambda: person.move(appointment_id, slot_id)


def count(app: APIFlask, query: str) -> int:
    with app.app_context(), transaction(writes=False) as db:
        return db.execute(text(query)).scalar_one()


def until_somebody_waits(db: Connection) -> None:
    """Wait until another connection waits for a lock of this one."""
    waiting = text("SELECT count(*) FROM pg_locks WHERE pg_backend_pid() = ANY (pg_blocking_pids(pid))")
    deadline = time.monotonic() + 20
    while not db.execute(waiting).scalar_one():
        assert time.monotonic() < deadline, "no connection waits for the lock"
        time.sleep(0.01)


def until_all_wait(db: Connection, answers: Sequence[Future[TestResponse]]) -> None:
    """Wait until as many other connections wait for locks as there are calls."""
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    deadline = time.monotonic() + 20
    while db.execute(waiting).scalar_one() < len(answers):
        assert time.monotonic() < deadline, "not all wait"
        time.sleep(0.01)
        db.execute(text("SELECT pg_stat_clear_snapshot()"))

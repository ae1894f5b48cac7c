"""Measure how long the worker takes to lay the openings of doctors, ours and the yardstick's."""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

import psutil
import psycopg
from flask import Flask
from sqlalchemy import Connection, text

from benchmarks.clinic_hours import HORIZON
from benchmarks.measure import Block, Database
from benchmarks.report import LAY, ONE_DAY, Results
from benchmarks.stock import today
from benchmarks.systems import SECRETS, cpu_seconds
from config import Settings, load_settings
from src.context import Transaction
from src.database.transaction import transaction
from src.domain.wall_clock import local
from src.extensions import db
from src.repositories import hours_repository as hours
from src.repositories import opening_repository as openings
from src.utils.clock import system_clock
from tests.conftest import build_app

# How many doctors a transaction of the yardstick is for, as in the product.
AT_ONCE = 10
# What openings there are before each: none, or all but those of the last day.
BEFORE = {
    LAY: (
        "DELETE FROM openings WHERE doctor_id BETWEEN :first AND :last",
        "UPDATE doctors SET openings_until = NULL WHERE id BETWEEN :first AND :last",
    ),
    ONE_DAY: (
        "DELETE FROM openings WHERE doctor_id BETWEEN :first AND :last AND day >= :day",
        "UPDATE doctors SET openings_until = :before WHERE id BETWEEN :first AND :last",
    ),
}
COUNT = "SELECT count(DISTINCT doctor_id) FROM openings WHERE doctor_id BETWEEN :first AND :last AND day >= :day"


@dataclass
class Horizon:
    """The product's code and the yardstick's, run in this process, on the doctors with hours."""

    name: str
    app: Flask
    database: Database
    lean: Callable[[Sequence[int]], None] | None

    @classmethod
    @contextmanager
    def of(cls, name: str, url: str, database: Database, conninfo: str = "") -> Generator[Horizon]:
        """Yield them, the yardstick only with a `conninfo`, and close their connections afterwards."""
        settings = load_settings(database_url=url, **{key.lower(): value for key, value in SECRETS.items()})
        app = build_app(settings)
        if conninfo:
            with psycopg.connect(conninfo, autocommit=True, prepare_threshold=0) as connection:
                yield cls(name, app, database, partial(_lean(conninfo), connection))
        else:
            yield cls(name, app, database, None)
        with app.app_context():
            db.engine.dispose()

    def measure(self, results: Results) -> None:
        """Measure each kind of work once."""
        for work in BEFORE:
            results.blocks[self.name, work, 1].append(self._measure(work, self._extend))
            if self.lean is not None:
                results.blocks["lean", work, 1].append(self._measure(work, self._extend_lean))

    def _measure(self, work: str, extend: Callable[[], None]) -> Block:
        doctors = self.database.stock.timed
        day = _last_working_day() if work == ONE_DAY else today()
        values = {"first": doctors[0], "last": doctors[-1], "day": day, "before": day - timedelta(days=1)}
        with self.app.app_context():
            with transaction(writes=True) as connection:
                for statement in BEFORE[work]:
                    _run(connection, statement, values)
            own = [psutil.Process()]
            before = cpu_seconds(own), cpu_seconds(self.database.processes())
            began = time.perf_counter()
            extend()
            seconds = time.perf_counter() - began
            after = cpu_seconds(own), cpu_seconds(self.database.processes())
            with transaction(writes=False) as connection:
                done = _run(connection, COUNT, values).scalar_one()
        count = len(doctors)
        each = seconds / count * 1000
        # A doctor without openings makes the run void.
        statuses = Counter({200: done, 500: count - done})
        return Block(count / seconds, each, each, (after[0] - before[0]) / count * 1e6,
                     (after[1] - before[1]) / count * 1e6, statuses)  # fmt: skip

    def _extend(self) -> None:
        for _ in _product()(transaction, system_clock(), self.app.extensions["settings"]):
            pass

    def _extend_lean(self) -> None:
        doctors = self.database.stock.timed
        assert self.lean is not None
        for first in range(0, len(doctors), AT_ONCE):
            self.lean(doctors[first : first + AT_ONCE])


def _run(connection: Connection, statement: str, values: dict[str, Any]) -> Any:
    names = re.findall(r":(\w+)", statement)
    return connection.execute(text(statement), {name: values[name] for name in names})


def _last_working_day() -> date:
    last = today() + timedelta(days=HORIZON + 1)
    return last - timedelta(days=max(last.weekday() - 4, 0))


def _lean(conninfo: str) -> Callable[[psycopg.Connection, Sequence[int]], None]:
    os.environ.update(BENCH_CONNINFO=conninfo, **SECRETS)
    return importlib.import_module("benchmarks.yardstick_times").yardstick_hours.extend


def _product() -> Callable[[Transaction, datetime, Settings], Iterator[int]]:
    """Return the worker's task, or before there is one, what it does."""
    if importlib.util.find_spec("src.tasks.openings") is None:
        return _extend
    return importlib.import_module("src.tasks.openings").extend


def _extend(transaction: Transaction, now: datetime, settings: Settings) -> Iterator[int]:
    after = 0
    while True:
        with transaction(writes=False) as db:
            page = openings.list_doctors(db, after, 500)
        if not page:
            return
        after = page[-1].id
        day = local(now, settings.clinic_time_zone).date()
        due = [
            row for row in page if row.openings_until is None or row.openings_until < day + timedelta(days=HORIZON + 1)
        ]
        for first in range(0, len(due), AT_ONCE):
            chunk = due[first : first + AT_ONCE]
            with transaction(writes=True) as db:
                for row in chunk:
                    hours.lock(db, row.user_id, row.id)
                    openings.lay(db, row.id, openings.schedule_of(db, row.id, row.time_zone, now))
            yield len(chunk)

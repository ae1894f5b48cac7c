"""`./bench --parts`: the CPU time of a call and of its parts, in one thread and without gunicorn.

It shows where the product's time goes that the yardstick does not need.
"""

from __future__ import annotations

import importlib
import os
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import orjson
from flask import Flask
from rich.table import Table
from sqlalchemy import Row, text
from werkzeug.test import EnvironBuilder

from benchmarks.clinic_hours import LISTED_DAYS, ZONE
from benchmarks.database import conninfo, postgresql
from benchmarks.report import console
from benchmarks.rounds import token_maker
from benchmarks.stock import LEAST_SLOTS, Stock, today
from benchmarks.systems import SECRETS
from config import load_settings
from src.controllers.free_times import NEVER
from src.database.transaction import transaction
from src.domain.minutes import minute_of
from src.extensions import db
from src.repositories import free_times_repository, user_repository
from src.repositories.offered import MINUTES_OF_DAY
from src.schemas.availability import MOST_TIMES, FreeSlot
from src.utils.clock import system_clock
from tests.conftest import build_app

CALLS = {
    "who am I": "/auth/me",
    "list doctors": "/patient/doctors",
    "list free slots": "/patient/doctors/1/availability",
    "my appointments": "/appointments/my",
}
ROUNDS, TIMES = 20, 50


def cpu_us(work: Callable[[], Any], times: int = TIMES) -> float:
    """Return the CPU time of this process for a piece of work, in microseconds."""
    began = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - began) / times * 1e6


def best(works: dict[str, Callable[[], Any]]) -> dict[str, float]:
    """Measure each piece of work in turn, ROUNDS times, and return the least time of each."""
    least = dict.fromkeys(works, float("inf"))
    for _ in range(ROUNDS):
        for name, work in works.items():
            least[name] = min(least[name], cpu_us(work))
    return least


def _call(app: Flask, path: str, token: str) -> Callable[[], None]:
    environ = EnvironBuilder(path=path, headers={"Authorization": f"Bearer {token}"}).get_environ()

    def call() -> None:
        said: list[str] = []
        body = app.wsgi_app(dict(environ), lambda status, _headers: said.append(status))
        b"".join(body)
        body.close()
        assert said[0].startswith("200"), said

    return call


def _steps(stock: Stock) -> dict[str, float]:
    """Measure the steps of listing free slots and computed times; call it in an application context."""
    now, patient = system_clock(), stock.first_patient
    one = text("SELECT 1")

    def nothing() -> None:
        with transaction(writes=False):
            pass

    def rows() -> Sequence[Row[Any]]:
        window = (minute_of(now), NEVER)
        return free_times_repository.list_published(connection, 1, patient, now, window, MOST_TIMES)

    def slots() -> list[dict[str, Any]]:
        return [FreeSlot.of_published(row) for row in rows()]

    def computed() -> Sequence[Row[Any]]:
        window = (minute_of(now) + MINUTES_OF_DAY, minute_of(now) + (1 + LISTED_DAYS) * MINUTES_OF_DAY)
        return free_times_repository.list_computed(connection, stock.timed[0], 1, patient, now, window, MOST_TIMES)

    with transaction(writes=False) as connection:
        raw: Any = connection.connection.driver_connection
        shown = slots()
        return best(
            {
                "connection from the pool and back": nothing,
                "SELECT 1 by psycopg": lambda: raw.execute("SELECT 1").fetchall(),
                "SELECT 1 by SQLAlchemy": lambda: connection.execute(one).all(),
                "caller": lambda: user_repository.find_caller(connection, patient, 0, "none"),
                "free slots": rows,
                "free slots with their times": slots,
                "computed times": computed,
                "computed times with their fields": lambda: [FreeSlot.of_computed(row, ZONE) for row in computed()],
                "JSON": lambda: orjson.dumps(shown),
            }
        )


def parts() -> None:
    """Print the CPU time of calls, ours and the yardstick's, and of the steps of listing."""
    with postgresql(Stock(LEAST_SLOTS)) as (cluster, database):
        os.environ.update(BENCH_CONNINFO=conninfo(cluster), **SECRETS)
        yardstick = importlib.import_module("benchmarks.yardstick")
        importlib.import_module("benchmarks.yardstick_times")
        secrets = {name.lower(): value for name, value in SECRETS.items()}
        app = build_app(load_settings(database_url=cluster.url, **secrets))
        token = token_maker()(database.stock.busy_patient(database.stock.busy[0]), "patient")
        works = {
            "bare view": _call(yardstick.bare, "/", token),
            "ours, /health/live": _call(app, "/health/live", token),
        }
        stock = database.stock
        first, last = today() + timedelta(days=1), today() + timedelta(days=LISTED_DAYS)
        times = f"/patient/doctors/{stock.timed[0]}/availability?visit_type=1&from={first}&until={last}"
        for name, path in {**CALLS, "list computed times": times}.items():
            works |= {
                f"ours, {name}": _call(app, path, token),
                f"yardstick, {name}": _call(yardstick.lean, path, token),
            }
        table = Table(title=f"CPU time, least of {ROUNDS} means")
        table.add_column("what")
        table.add_column("µs", justify="right")
        calls = best(works)
        yardstick.disconnect()
        for name, least in calls.items():
            table.add_row(name, f"{least:.0f}")
        table.add_section()
        with app.app_context():
            for name, least in _steps(database.stock).items():
                table.add_row(name, f"{least:.0f}")
            db.engine.dispose()
        console.print(table)

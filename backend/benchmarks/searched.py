"""Clinics that are searched: doctors with weekly hours, of whose times those of the first weeks are mostly taken.

Sixty doctors begin at different minutes (clinic_hours.py), and all others have the openings of one of these. So Python
computes the openings and times of sixty, and the database copies them. Which times are taken differs with every doctor.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timezone
from functools import cache
from typing import Any

from rich.progress import Progress
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Date,
    Integer,
    MetaData,
    Table,
    bindparam,
    create_engine,
    insert,
    text,
)

from benchmarks.clinic_hours import COLUMNS, FIRST_VERSION, HORIZON, LATEST_BEGIN, MINUTES, ZONE, openings_of, span
from benchmarks.fill import COUNT, without_rules
from benchmarks.stock import today
from src.models.base import Instant, WallClock
from src.repositories.offered import MINUTES_OF_VERSION
from tests.conftest import migrate_to_head

# Patients without appointments, who search.
CALLERS = 20
# The openings and times of the doctors from 0 to 59; `percent` of the doctors who have such a time have it taken.
_METADATA = MetaData()
_OPENED = Table(
    "opened",
    _METADATA,
    Column("doctor", Integer),
    Column("day", Date),
    *(Column(name, BigInteger) for name in ("from_minute", "until_minute", "runs_until")),
    prefixes=["TEMPORARY"],
)
_TIMES = Table(
    "times",
    _METADATA,
    *(Column(name, Integer) for name in ("doctor", "number", "percent")),
    Column("day", Date),
    Column("minute", BigInteger),
    *(Column(name, Instant) for name in ("starts_at", "ends_at")),
    *(Column(name, WallClock) for name in ("wall_start", "wall_end")),
    prefixes=["TEMPORARY"],
)
_NUMBERS = "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {})"
# First the accounts of the doctors, then those of their patients, then those of the callers. Nobody logs in.
_ROWS = (
    f"""
    INSERT INTO users (id, name, email, email_key, password_hash, role, created_at)
    {_NUMBERS.format(f"2 * :doctors + {CALLERS}")}
    SELECT n, 'Person ' || n, 'p' || n || '@people.example', 'p' || n || '@people.example', 'none',
        CASE WHEN n <= :doctors THEN 'doctor' ELSE 'patient' END, :now FROM numbers
    """,
    f"""
    INSERT INTO doctors (id, user_id, designation, specialization, time_zone)
    {_NUMBERS.format(":doctors")} SELECT n, n, 'Dr. med.', 'Cardiology', '{ZONE}' FROM numbers
    """,
    COUNT,
    f"""
    INSERT INTO visit_types (id, doctor_id, name, horizon, created_at)
    SELECT id, id, 'Consultation', {HORIZON}, :now FROM doctors
    """,
    f"""
    INSERT INTO visit_type_versions (id, visit_type_id, minutes, buffer_before, buffer_after, step)
    SELECT {FIRST_VERSION} + id, id, {MINUTES}, 0, 0, {MINUTES} FROM doctors
    """,
    f"""
    INSERT INTO openings (doctor_id, day, from_minute, until_minute, runs_until)
    SELECT doctors.id, day, from_minute, until_minute, runs_until
    FROM doctors JOIN opened ON opened.doctor = doctors.id % {LATEST_BEGIN} ORDER BY doctors.id, from_minute
    """,
)
_APPOINTMENTS = f"""
    INSERT INTO appointments ({COLUMNS})
    SELECT CAST({FIRST_VERSION} + doctors.id AS BIGINT) * {MINUTES_OF_VERSION} + minute, doctors.id,
        :doctors + doctors.id, starts_at, ends_at, '{ZONE}', wall_start, wall_end, :now, minute, minute + {MINUTES},
        doctors.id, day
    FROM doctors JOIN times ON times.doctor = doctors.id % {LATEST_BEGIN}
    WHERE (doctors.id * 48271 + number * 16807) % 65537 % 100 < percent
    ORDER BY doctors.id, minute
"""


@dataclass(frozen=True)
class Weeks:
    """How full the doctors are: how many of a hundred times are taken in each week from now on, the last for the rest.

    A search may take `times_as_long` as in mixed weeks.
    """

    name: str
    taken: tuple[int, ...]
    times_as_long: int

    def percent(self, day: date, first_day: date) -> int:
        """Return how many of a hundred times of the day are taken."""
        return self.taken[min((day - first_day).days // 7, len(self.taken) - 1)]


MIXED = Weeks("mixed weeks", (95, 70, 70, 20), 1)
SOLID = Weeks("four weeks solid", (100, 100, 100, 100, 20), 5)


def fill(url: str, doctors: int, weeks: Weeks, progress: Progress) -> None:
    """Make a clinic in an empty database. SQLite gets no statistics, because the product never gathers any there."""
    migrate_to_head(url)
    engine = create_engine(url)
    values = {"doctors": doctors, "now": datetime.now(timezone.utc)}
    now = bindparam("now", type_=Instant)
    with engine.begin() as connection:
        _METADATA.create_all(connection)
        connection.execute(insert(_OPENED), _opened(today()))
        connection.execute(insert(_TIMES), _times(weeks, today()))
        for rows in _ROWS:
            statement = text(rows)
            connection.execute(statement.bindparams(now) if ":now" in rows else statement, values)
        with _without_rules(connection, progress):
            connection.execute(text(_APPOINTMENTS).bindparams(now), values)
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
            connection.execute(text("CHECKPOINT"))
    engine.dispose()


@cache
def _opened(first_day: date) -> list[dict[str, Any]]:
    return [
        {
            "doctor": doctor,
            "day": one.day,
            "from_minute": one.from_minute,
            "until_minute": one.until_minute,
            "runs_until": one.runs_until,
        }
        for doctor in range(LATEST_BEGIN)
        for one in openings_of(doctor, first_day)
    ]


def _times(weeks: Weeks, first_day: date) -> list[dict[str, Any]]:
    return [{**one, "percent": weeks.percent(one["day"], first_day)} for one in _times_of_all(first_day)]


@cache
def _times_of_all(first_day: date) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for one in _opened(first_day):
        for minute in range(one["from_minute"], one["until_minute"] - MINUTES + 1, MINUTES):
            starts_at, ends_at, _, wall_start, wall_end = span(minute)
            found.append(
                {
                    "doctor": one["doctor"],
                    "number": len(found),
                    "day": one["day"],
                    "minute": minute,
                    "starts_at": starts_at,
                    "ends_at": ends_at,
                    "wall_start": wall_start,
                    "wall_end": wall_end,
                }
            )
    return found


@contextmanager
def _without_rules(connection: Connection, progress: Progress) -> Iterator[None]:
    """Drop the rules, indexes and triggers of the appointments, and make them anew at the end, which is faster.

    PostgreSQL does not get its EXCLUDE constraints again: that takes minutes, and no search reads their indexes.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL maintenance_work_mem = '256MB'"))
        for name in ("appointments_doctor_no_overlap", "appointments_patient_no_overlap"):
            connection.execute(text(f"ALTER TABLE appointments DROP CONSTRAINT {name}"))
        driver: Any = connection.connection.driver_connection
        with without_rules(driver, "appointments", progress, types="fc"):
            yield
        return
    dropped = connection.execute(text(_OF_APPOINTMENTS)).all()
    for kind, name, _ in dropped:
        connection.execute(text(f"DROP {kind} {name}"))
    yield
    connection.exec_driver_sql("PRAGMA cache_size = -262144")
    for _, _, definition in dropped:
        connection.exec_driver_sql(definition)


_OF_APPOINTMENTS = """
    SELECT type, name, sql FROM sqlite_master
    WHERE tbl_name = 'appointments' AND type IN ('index', 'trigger') AND sql IS NOT NULL ORDER BY type
"""

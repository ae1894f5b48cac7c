"""Appointments that have ended, of the doctors with hours: one after another, until yesterday.

The older half was booked before there were computed times: at published slots, without a range of minutes. Every tenth
is cancelled. Each doctor's are at the same times, and no two at one time have one patient.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

from benchmarks.clinic_hours import FIRST_VERSION, MINUTES
from benchmarks.stock import BUSY, HOLDERS, PATIENTS, TIMED, Stock, today
from src.domain.minutes import minute_of
from src.domain.wall_clock import UTC
from src.repositories.offered import MINUTES_OF_VERSION

PAST_AT_ONCE = 100_000
_SERIES = {
    "postgresql": "generate_series(CAST({first} AS integer), CAST({last} AS integer)) AS series (n)",
    "sqlite": """(
            WITH RECURSIVE s (n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM s WHERE n < {last}) SELECT n FROM s)""",
}
_INSTANT = {
    "postgresql": "timestamptz '2020-01-01T00:00Z' + ({}) * interval '1 minute'",
    "sqlite": "strftime('%Y-%m-%d %H:%M:%S.000000', 1577836800 + ({}) * 60, 'unixepoch')",
}
_WALL = {
    "postgresql": "({}) AT TIME ZONE 'Europe/Berlin'",
    # An hour before the clocks of Berlin, in winter: nothing looks at the wall clock of what has ended.
    "sqlite": "{}",
}


def _past(dialect: str) -> str:
    """Return the INSERT of the appointments from number `first` to `last`, the newest first."""
    names = ("first", "last", "until", "old", "doctor", "patient")
    marks = {name: f"%({name})s" if dialect == "postgresql" else f":{name}" for name in names}
    start = _INSTANT[dialect].format("minute")
    end = _INSTANT[dialect].format(f"minute + {MINUTES}")
    percent = "%%" if dialect == "postgresql" else "%"
    return f"""
    INSERT INTO appointments (slot_id, doctor_id, patient_id, starts_at, ends_at, time_zone, wall_start, wall_end,
        status, booked_at, cancelled_at, busy_from, busy_until, visit_type_id)
    SELECT CASE WHEN is_old THEN 4294967295 - n
            ELSE (CAST({FIRST_VERSION} AS BIGINT) + nth) * {MINUTES_OF_VERSION} + minute END,
        {marks["doctor"]} + nth,
        {marks["patient"]} + person + CASE WHEN person >= {PATIENTS - BUSY} THEN {BUSY + 1} ELSE 0 END,
        {start}, {end}, 'Europe/Berlin', {_WALL[dialect].format(start)}, {_WALL[dialect].format(end)},
        CASE WHEN is_cancelled THEN 'cancelled' ELSE 'booked' END, {start}, CASE WHEN is_cancelled THEN {start} END,
        CASE WHEN NOT is_old THEN minute END, CASE WHEN NOT is_old THEN minute + {MINUTES} END,
        CASE WHEN NOT is_old THEN nth + 1 END
    FROM (
        SELECT n, n {percent} {TIMED} AS nth, n {percent} {PATIENTS - BUSY + HOLDERS} AS person,
            n >= {marks["old"]} AS is_old, n / 3 {percent} 10 = 0 AS is_cancelled,
            {marks["until"]} - (n / {TIMED} + 1) * {MINUTES} AS minute
        FROM {_SERIES[dialect].format(**marks)}) AS numbers
    """


PAST_ON_POSTGRESQL = _past("postgresql")
PAST_ON_SQLITE = _past("sqlite")
# SQLite has no way to switch the trigger off that fills the range.
WITHOUT_RANGE = """
    UPDATE appointments SET busy_from = NULL, busy_until = NULL
    WHERE slot_id > 4294967295 - :past AND slot_id < 4294967296
"""


def past_values(stock: Stock) -> dict[str, Any]:
    """Return the parameters of the statements."""
    midnight = datetime.combine(today() - timedelta(days=1), time(), UTC)
    return {
        "until": minute_of(midnight),
        "old": stock.past // 2,
        "past": stock.past,
        "doctor": stock.timed.start,
        "patient": stock.first_patient,
    }

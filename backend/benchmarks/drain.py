"""Measure what a due mail costs the worker, with a provider that answers at once."""

from __future__ import annotations

import statistics
import threading
import time
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psutil
import psycopg
from apiflask import APIFlask

from benchmarks.measure import Block, Database
from benchmarks.stock import PATIENTS
from benchmarks.systems import SECRETS, cpu_seconds
from config import load_settings
from src.database.transaction import transaction
from src.extensions import db
from src.services.mail import Mail
from src.services.pace import Pace
from src.tasks.delivery import deliver_due
from src.utils.clock import system_clock
from tests.conftest import build_app

SCENARIO = "a mail by the worker"

# Adds a new event and a mail about it to each patient.
OWE = """
    WITH appointment AS (SELECT * FROM appointments ORDER BY id LIMIT 1),
    event AS (
        INSERT INTO appointment_events (appointment_id, event, actor_id, at)
        SELECT id, 'booked', patient_id, now() FROM appointment RETURNING id)
    INSERT INTO outbox (key, about, event_id, appointment_id, recipient_id, recipient, template, facts, due_at,
        created_at)
    SELECT gen_random_uuid()::text, 'appointment:' || appointment.id || ' event:' || event.id,
        event.id, appointment.id, u.id, u.email, 'booked',
        json_build_object('number', appointment.id, 'recipient_name', u.name, 'doctor_name', 'Dr. Number 1',
            'specialization', 'Cardiology', 'patient_name', u.name, 'starts_at', appointment.starts_at,
            'ends_at', appointment.ends_at, 'time_zone', appointment.time_zone),
        now(), now()
    FROM event CROSS JOIN appointment CROSS JOIN users u WHERE u.id >= %s AND u.id < %s
"""


@dataclass
class StopwatchMailer:
    """A mailer that sends nothing, and records the time and the key of each mail."""

    at: list[float] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)

    def send(self, mail: Mail, key: str) -> None:
        assert mail.text
        self.at.append(time.perf_counter())
        self.keys.add(key)


@dataclass
class Drain:
    """The product's worker, run in this process."""

    name: str
    conninfo: str
    database: Database
    app: APIFlask

    @classmethod
    @contextmanager
    def of(cls, name: str, url: str, conninfo: str, database: Database) -> Generator[Drain]:
        """Yield a worker, and close its connections afterwards."""
        settings = load_settings(database_url=url, **{key.lower(): value for key, value in SECRETS.items()})
        app = build_app(settings)
        yield cls(name, conninfo, database, app)
        with app.app_context():
            db.engine.dispose()

    def measure(self) -> Block:
        """Add PATIENTS due mails, deliver them, and measure that."""
        stock = self.database.stock
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            connection.execute(
                "UPDATE outbox SET status = 'sent' WHERE status = 'waiting'"
            )  # the mails of bookings since the last measurement
            connection.execute(OWE, [stock.first_patient, stock.first_patient + PATIENTS])
        mailer, pace, settings = StopwatchMailer(), Pace(None, threading.Event()), self.app.extensions["settings"]
        own = [psutil.Process()]
        before = cpu_seconds(own), cpu_seconds(self.database.processes())
        began = time.perf_counter()
        with self.app.app_context():
            while deliver_due(transaction, mailer, system_clock, settings, pace):
                pass
        seconds = time.perf_counter() - began
        after = cpu_seconds(own), cpu_seconds(self.database.processes())
        steps = [late - early for early, late in zip([began, *mailer.at[:-1]], mailer.at, strict=True)]
        quantiles = statistics.quantiles(steps, n=100, method="inclusive")
        sent = len(mailer.keys) if len(mailer.at) == len(mailer.keys) else 0
        return Block(
            rate=PATIENTS / seconds,
            p50_ms=quantiles[49] * 1000,
            p99_ms=quantiles[98] * 1000,
            server_us=(after[0] - before[0]) / PATIENTS * 1e6,
            database_us=(after[1] - before[1]) / PATIENTS * 1e6,
            # A mail that was not sent, or sent twice, makes the run void.
            statuses=Counter({200: sent, 500: PATIENTS - sent}),
        )

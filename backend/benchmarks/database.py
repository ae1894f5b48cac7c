"""The PostgreSQL that is measured, and how fast pgbench runs the product's statements on it."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from sqlalchemy import make_url

from benchmarks.fill import fill_postgresql
from benchmarks.measure import Database
from benchmarks.report import MANY, Results
from benchmarks.stock import Stock
from tests.conftest import migrate_to_head
from tests.postgres import Cluster, binaries_in

# A commit waits for the disk, as in production.
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "max_connections": "100",
           "shared_buffers": "256MB", "max_wal_size": "4GB"}  # fmt: skip
LISTS = 300

LIST = """\\set doctor random(1, {read})
SELECT id, starts_at, ends_at, wall_start, wall_end, time_zone FROM availability_slots
WHERE doctor_id = :doctor AND status = 'free' AND starts_at > now() ORDER BY starts_at;
"""

# The slots and the patients are those of Stock.slot.
BOOK = """WITH next AS MATERIALIZED (SELECT {first} + nextval('benchmark_slots') AS number),
taken AS (UPDATE availability_slots SET status = 'booked' FROM next
    WHERE id = {first_slot} + number % {doctors} * 100 + number / {doctors} AND status = 'free' AND starts_at > now()
    RETURNING id, doctor_id, starts_at, ends_at, time_zone, wall_start, wall_end,
        {first_patient} + number % {doctors} AS patient),
booked AS (INSERT INTO appointments (slot_id, doctor_id, patient_id, starts_at, ends_at, time_zone, wall_start,
        wall_end, booked_at)
    SELECT id, doctor_id, patient, starts_at, ends_at, time_zone, wall_start, wall_end, now() FROM taken
    ON CONFLICT DO NOTHING RETURNING id, patient_id),
event AS (INSERT INTO appointment_events (appointment_id, event, actor_id, at)
    SELECT id, 'booked', patient_id, now() FROM booked RETURNING id, appointment_id, actor_id)
INSERT INTO outbox (key, about, event_id, appointment_id, recipient_id, recipient, template, facts, due_at, created_at)
SELECT gen_random_uuid()::text, 'appointment:' || appointment_id || ' event:' || id,
    id, appointment_id, actor_id, 'p@people.example', 'booked',
    json_build_object('number', appointment_id, 'doctor_name', repeat('x', 300)), now(), now() FROM event;
"""
CANCEL = """WITH cancelled AS (UPDATE appointments SET status = 'cancelled', cancelled_at = now()
    WHERE id > %s AND status = 'booked' RETURNING slot_id)
UPDATE availability_slots SET status = 'free' FROM cancelled WHERE availability_slots.id = slot_id
"""


@contextmanager
def postgresql(stock: Stock) -> Iterator[tuple[Cluster, Database]]:
    """Start PostgreSQL with durable commits, and fill its database with a clinic."""
    with server() as cluster:
        migrate_to_head(cluster.url)
        fill_postgresql(conninfo(cluster), stock)
        assert cluster.process is not None
        yield cluster, Database(stock, cluster.process.pid)


@contextmanager
def server() -> Iterator[Cluster]:
    """Start PostgreSQL with durable commits."""
    with tempfile.TemporaryDirectory(prefix="b-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        cluster = Cluster(binaries_in(folder), folder)
        cluster.initialise()
        cluster.start(DURABLE)
        try:
            yield cluster
        finally:
            cluster.stop()


def new_database(cluster: Cluster, name: str) -> str:
    """Create an empty database, and return its URL."""
    with psycopg.connect(conninfo(cluster), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return make_url(cluster.url).set(database=name).render_as_string(hide_password=False)


def conninfo(cluster: Cluster) -> str:
    """Return the connection string for psycopg."""
    return f"host={cluster.sockets} user=postgres dbname=postgres"


def database_alone(cluster: Cluster, stock: Stock, results: Results, requests: int) -> None:
    """Run the product's statements with pgbench, then cancel its bookings."""
    first = stock.bookable * 3 // 4
    # The transactions of each client: not more than there are slots for, and together less than 20,000.
    each = min(requests, (stock.bookable - first) // MANY - 1, 1200)
    with psycopg.connect(conninfo(cluster), autocommit=True) as connection:
        connection.execute("DROP SEQUENCE IF EXISTS benchmark_slots")
        connection.execute("CREATE SEQUENCE benchmark_slots CACHE 1")
        first_slot, first_patient = stock.slot(0)
        book = BOOK.format(
            first=first, first_slot=first_slot, first_patient=first_patient, doctors=stock.booked_doctors
        )
        newest = connection.execute("SELECT max(id) FROM appointments").fetchone()
        results.pgbench["book"].append(pgbench(cluster.binaries, cluster.sockets, book, MANY, each))
        read = LIST.format(read=stock.read)
        lists = min(LISTS, requests)
        results.pgbench["list free slots"].append(pgbench(cluster.binaries, cluster.sockets, read, MANY, lists))
        connection.execute(CANCEL, newest)
        connection.execute("VACUUM availability_slots, appointments")


def pgbench(binaries: Path, sockets: Path, script: str, clients: int, transactions: int) -> float:
    """Run a script with pgbench, `transactions` times by each client, and return the transactions per second."""
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(script)
        file.flush()
        done = subprocess.run(
            [
                *(str(binaries / "pgbench"), "-h", str(sockets), "-U", "postgres", "-n", "-M", "prepared"),
                *("-c", str(clients), "-j", "2", "-t", str(transactions), "-f", file.name, "postgres"),
            ],
            capture_output=True,
            text=True,
            check=True,
        )
    [line] = [line for line in done.stdout.splitlines() if line.startswith("tps")]
    return float(line.split()[2])

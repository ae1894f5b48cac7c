"""The scenarios, and how a block of their requests is measured."""

from __future__ import annotations

import json
import statistics
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from itertools import cycle, islice
from pathlib import Path

import psutil

from benchmarks import load
from benchmarks.stock import BUSY, PATIENTS, READ, Stock
from benchmarks.systems import cpu_seconds, family
from tests.processes.servers import Server

# The expected status of each scenario, 200 if it is not here; any other status makes the run void.
EXPECTED = {"book": 201}


@dataclass
class Database:
    """A system's database; `pid` is that of PostgreSQL's main process, or None for SQLite."""

    stock: Stock
    pid: int | None

    def processes(self) -> list[psutil.Process]:
        """Return the processes of the database server."""
        return [] if self.pid is None else family(self.pid)


@dataclass
class System:
    """A server that is measured; `token` makes a token from a user's id and role."""

    name: str
    server: Server
    database: Database | None
    token: Callable[[int, str], str]
    # Appointments to cancel: (appointment, patient).
    booked: list[tuple[int, int]] = field(default_factory=list)
    next_slot: int = 0

    def requests(self, scenario: str, count: int) -> list[bytes]:
        """Return the requests of a block."""
        if self.database is None:
            return [load.request("GET", "/", "")] * count
        return list(islice(cycle((SCENARIOS | GROWING)[scenario](self, self.database.stock, count)), count))


def _free_slots(system: System, stock: Stock, count: int) -> list[bytes]:
    return [
        load.request(
            "GET", f"/patient/doctors/{1 + i % READ}/availability", system.token(_patient(stock, i), "patient")
        )
        for i in range(min(count, 200))
    ]


def _doctors(system: System, stock: Stock, count: int) -> list[bytes]:
    return [
        load.request("GET", "/patient/doctors", system.token(_patient(stock, i), "patient"))
        for i in range(min(count, 200))
    ]


def _me(system: System, stock: Stock, count: int) -> list[bytes]:
    return [
        load.request("GET", "/auth/me", system.token(_patient(stock, i), "patient")) for i in range(min(count, 200))
    ]


def _my_appointments(system: System, stock: Stock, _count: int) -> list[bytes]:
    patients = [stock.busy_patient(doctor) for doctor in range(READ + 1, READ + BUSY + 1)]
    return [load.request("GET", "/appointments/my", system.token(patient, "patient")) for patient in patients]


def _doctors_appointments(system: System, _stock: Stock, _count: int) -> list[bytes]:
    doctors = range(READ + 1, READ + BUSY + 1)
    return [load.request("GET", "/appointments/doctor", system.token(doctor, "doctor")) for doctor in doctors]


def _book(system: System, stock: Stock, count: int) -> list[bytes]:
    slots = stock.bookable
    requests: list[bytes] = []
    system.booked = []
    for _ in range(count):
        slot = slots[system.next_slot % len(slots)]
        system.next_slot += 1
        patient = stock.patient_for(slot)
        system.booked.append((0, patient))
        body = json.dumps({"slot_id": slot}).encode()
        requests.append(load.request("POST", "/appointments", system.token(patient, "patient"), body))
    return requests


def _cancel(system: System, _stock: Stock, _count: int) -> list[bytes]:
    return [
        load.request("POST", f"/appointments/{appointment}/cancel", system.token(patient, "patient"))
        for appointment, patient in system.booked
    ]


def _last_page_of_doctors(system: System, stock: Stock, count: int) -> list[bytes]:
    path = f"/patient/doctors?page={-(-stock.doctors // 10)}"
    return [load.request("GET", path, system.token(_patient(stock, i), "patient")) for i in range(min(count, 200))]


def _page_of_history(system: System, stock: Stock, _count: int) -> list[bytes]:
    return [load.request("GET", "/appointments/my?limit=20", system.token(stock.old_patient, "patient"))]


def _dashboard_over_history(system: System, stock: Stock, _count: int) -> list[bytes]:
    return [load.request("GET", "/patient/dashboard", system.token(stock.old_patient, "patient"))]


def _patient(stock: Stock, number: int) -> int:
    return stock.first_patient + number % (PATIENTS - BUSY)


SCENARIOS: dict[str, Callable[[System, Stock, int], list[bytes]]] = {
    "list free slots": _free_slots,
    "list doctors": _doctors,
    "my appointments": _my_appointments,
    "doctor's appointments": _doctors_appointments,
    "who am I": _me,
    "book": _book,
    "cancel": _cancel,
}

# The scenarios of `./bench --growth`.
GROWING: dict[str, Callable[[System, Stock, int], list[bytes]]] = {
    "list free slots": _free_slots,
    "list doctors": _doctors,
    "last page of doctors": _last_page_of_doctors,
    "page of a long history": _page_of_history,
    "dashboard over a long history": _dashboard_over_history,
    "book": _book,
    "cancel": _cancel,
}


@dataclass
class Block:
    """What one block measured: requests per second, latencies, CPU time per request, statuses."""

    rate: float
    p50_ms: float
    p99_ms: float
    server_us: float
    database_us: float
    statuses: Counter[int]


def measure(system: System, scenario: str, count: int, connections: int) -> Block:
    """Send a block of requests and measure it."""
    requests = system.requests(scenario, count)
    server = family(system.server.program.process.pid)
    database = system.database.processes() if system.database else []
    before = cpu_seconds(server), cpu_seconds(database)
    outcome = load.send(system.server.port, requests, connections)
    # PostgreSQL may have started processes for new connections meanwhile; it has ended none.
    after_server, after_database = cpu_seconds(server), cpu_seconds(database)
    if system.database:
        known = {process.pid for process in database}
        after_database += cpu_seconds(p for p in system.database.processes() if p.pid not in known)
    if scenario == "book":
        system.booked = [
            (json.loads(body)["appointment_id"], patient)
            for body, (_, patient) in zip(outcome.bodies, system.booked, strict=True)
            if b"appointment_id" in body
        ]
    quantiles = statistics.quantiles(outcome.latencies, n=100, method="inclusive")
    count = len(requests)
    return Block(
        rate=count / outcome.seconds,
        p50_ms=quantiles[49] * 1000,
        p99_ms=quantiles[98] * 1000,
        server_us=(after_server - before[0]) / count * 1e6,
        database_us=(after_database - before[1]) / count * 1e6,
        statuses=outcome.statuses,
    )


@dataclass
class Summary:
    """The medians over all rounds."""

    system: str
    scenario: str
    connections: int
    rate: float
    p50_ms: float
    p99_ms: float
    server_us: float
    database_us: float
    unexpected: int

    @property
    def cpu_us(self) -> float:
        """CPU time of server and database, in microseconds per request."""
        return self.server_us + self.database_us

    def as_dict(self) -> dict[str, object]:
        """Return the row of the JSON file."""
        return asdict(self) | {"cpu_us": self.cpu_us}


def summarize(system: str, scenario: str, connections: int, blocks: Sequence[Block]) -> Summary:
    expected = EXPECTED.get(scenario, 200)

    def median(name: str) -> float:
        return statistics.median(getattr(block, name) for block in blocks)

    return Summary(
        system, scenario, connections, median("rate"), median("p50_ms"), median("p99_ms"), median("server_us"),
        median("database_us"),
        sum(count for block in blocks for status, count in block.statuses.items() if status != expected),
    )  # fmt: skip


PGBENCH_LIST = """\\set doctor random(1, {read})
SELECT id, starts_at, ends_at, wall_start, wall_end, time_zone FROM availability_slots
WHERE doctor_id = :doctor AND status = 'free' AND starts_at > now() ORDER BY starts_at;
"""

PGBENCH_BOOK = """WITH next AS MATERIALIZED (SELECT {first} + nextval('benchmark_slots') AS slot),
taken AS (UPDATE availability_slots SET status = 'booked' FROM next
    WHERE id = next.slot AND status = 'free' AND starts_at > now()
    RETURNING id, doctor_id, starts_at, ends_at, time_zone, wall_start, wall_end,
        {first_patient} + (id - 1) / 100 % {patients} AS patient),
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

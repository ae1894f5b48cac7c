"""How a block of requests is measured, and the medians of several blocks."""

from __future__ import annotations

import json
import statistics
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from itertools import cycle, islice

import psutil

from benchmarks import load
from benchmarks.scenarios import ALL, BOOKINGS, EXPECTED
from benchmarks.scenarios_of_times import Booked
from benchmarks.stock import Stock
from benchmarks.systems import cpu_seconds, family
from tests.processes.servers import Server


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
    booked: list[Booked] = field(default_factory=list)
    next_slot: int = 0
    next_time: int = 0
    next_change: int = 0
    # The ids of processes beside the server whose CPU time counts too.
    beside: list[int] = field(default_factory=list)

    def processes(self) -> list[psutil.Process]:
        """Return the processes of the server, and those beside it."""
        return [process for pid in (self.server.program.process.pid, *self.beside) for process in family(pid)]

    def requests(self, scenario: str, count: int) -> list[bytes]:
        """Return the requests of a block."""
        if self.database is None:
            return [load.request("GET", "/", "")] * count
        return list(islice(cycle(ALL[scenario](self, self.database.stock, count)), count))

    def bodies(self, requests: Sequence[bytes]) -> list[bytes]:
        """Send requests one after another, and return the bodies of the answers."""
        return load.send(self.server.port, requests, 1).bodies


@dataclass
class Block:
    """What one block measured: requests per second, latencies, CPU time per request, statuses."""

    rate: float
    p50_ms: float
    p99_ms: float
    server_us: float
    database_us: float
    statuses: Counter[int]

    @property
    def cpu_us(self) -> float:
        """CPU time of server and database, in microseconds per request."""
        return self.server_us + self.database_us


def measure(system: System, scenario: str, count: int, connections: int) -> Block:
    """Send a block of requests and measure it."""
    requests = system.requests(scenario, count)
    server = system.processes()
    database = system.database.processes() if system.database else []
    before = cpu_seconds(server), cpu_seconds(database)
    outcome = load.send(system.server.port, requests, connections)
    # PostgreSQL may have started processes for new connections meanwhile; it has ended none.
    after_server, after_database = cpu_seconds(server), cpu_seconds(database)
    if system.database:
        known = {process.pid for process in database}
        after_database += cpu_seconds(p for p in system.database.processes() if p.pid not in known)
    if scenario in BOOKINGS:
        name = BOOKINGS[scenario]
        system.booked = [
            booked._replace(number=json.loads(body)[name])
            for body, booked in zip(outcome.bodies, system.booked, strict=True)
            if f'"{name}"'.encode() in body
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
    cpu_us: float
    unexpected: int

    def as_dict(self) -> dict[str, object]:
        """Return the row of the JSON file."""
        return asdict(self)


def summarize(system: str, scenario: str, connections: int, blocks: Sequence[Block]) -> Summary:
    expected = EXPECTED.get(scenario, {200})

    def median(name: str) -> float:
        return statistics.median(getattr(block, name) for block in blocks)

    return Summary(
        system, scenario, connections, median("rate"), median("p50_ms"), median("p99_ms"), median("server_us"),
        median("database_us"), median("cpu_us"),
        sum(count for block in blocks for status, count in block.statuses.items() if status not in expected),
    )  # fmt: skip

"""`./bench --search`: how long a search takes, in clinics of two sizes whose doctors are more or less full."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.progress import Progress
from rich.table import Table

from benchmarks import load
from benchmarks.database import new_database, server
from benchmarks.report import console, machine
from benchmarks.rounds import token_maker
from benchmarks.searched import CALLERS, MIXED, SOLID, Weeks, fill
from benchmarks.systems import serving
from tests.processes.servers import Server

SIZES = (200, 2000)
CALLS = {
    "search": "/slots?limit=20",
    "search in the morning": "/slots?limit=20&part_of_day=morning",
    "doctors with their next times": "/patient/doctors?next_available=true&limit=100",
}
# A block has as many requests as this time is enough for, within these limits.
SECONDS, FEWEST, MOST = 1.5, 3, 20
# Of the median, in mixed weeks.
MS_FOR_EACH_DOCTOR, LEAST_MS = 0.25, 50


@dataclass
class Searched:
    """A clinic on a database, its server, and the latencies of each call in seconds."""

    database: str
    doctors: int
    weeks: Weeks
    server: Server
    latencies: dict[str, list[float]] = field(default_factory=lambda: {call: [] for call in CALLS})
    counts: dict[str, int] = field(default_factory=dict)
    unexpected: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"{self.doctors:,} doctors, {self.weeks.name}, {self.database}"

    @property
    def goal_ms(self) -> float:
        return goal_ms(self.doctors, self.weeks)

    def warm_up(self, most: int) -> None:
        """Send each call, look at the answers, and decide how many requests a block has; then send a block."""
        for call in CALLS:
            outcome = self._send(call, FEWEST)
            self.counts[call] = min(most, max(FEWEST, int(SECONDS / statistics.median(outcome.latencies))))
            found = [json.loads(body).get("data") for body in outcome.bodies]
            # The first doctor has a next time, too.
            if not all(data and data[0].get("next_available", data) for data in found):
                self.unexpected.append(f"{self.name}: {call} found no time")
            self._send(call, self.counts[call])

    def measure(self) -> None:
        for call, count in self.counts.items():
            self.latencies[call] += self._send(call, count).latencies

    def rows(self) -> list[dict[str, Any]]:
        """Return what was measured of each call."""
        found: list[dict[str, Any]] = []
        for call, latencies in self.latencies.items():
            quantiles = statistics.quantiles(latencies, n=20, method="inclusive")
            found.append(
                {"doctors": self.doctors, "weeks": self.weeks.name, "database": self.database, "call": call,
                 "requests": len(latencies), "p50_ms": quantiles[9] * 1000, "p95_ms": quantiles[18] * 1000,
                 "goal_ms": self.goal_ms}
            )  # fmt: skip
        return found

    def _send(self, call: str, count: int) -> load.Outcome:
        """Let the callers send requests in turn, over one connection."""
        first = 2 * self.doctors + 1
        callers = [first + number % CALLERS for number in range(count)]
        requests = [load.request("GET", CALLS[call], token_maker()(caller, "patient")) for caller in callers]
        outcome = load.send(self.server.port, requests, 1)
        bad = {status: times for status, times in outcome.statuses.items() if status != 200}
        if bad:
            self.unexpected.append(f"{self.name}: {call} answered {bad}")
        return outcome


def goal_ms(doctors: int, weeks: Weeks) -> float:
    """Return how long the median of a search may be."""
    return max(LEAST_MS, MS_FOR_EACH_DOCTOR * doctors) * weeks.times_as_long


def search(options: argparse.Namespace) -> dict[str, Any]:
    """Measure all clinics on both databases in each round."""
    before = os.getloadavg()
    with _clinics(options.search) as clinics, Progress(console=console) as progress:
        task = progress.add_task("measuring", total=(options.rounds + 1) * len(clinics))
        for number in range(options.rounds + 1):
            for clinic in clinics if number % 2 else clinics[::-1]:
                if number:
                    clinic.measure()
                else:
                    clinic.warm_up(min(MOST, options.requests))
                progress.advance(task)
    rows = [row for clinic in clinics for row in clinic.rows()]
    missed = [_name(row) for row in rows if row["p50_ms"] > row["goal_ms"]]
    result = {
        "machine": machine(),
        "options": {"doctors": options.search, "rounds": options.rounds},
        "load": {"before": before, "after": os.getloadavg()},
        "void": [sentence for clinic in clinics for sentence in clinic.unexpected],
        "missed": missed,
        "measured": rows,
    }
    _show(result)
    return result


@contextmanager
def _clinics(sizes: list[int]) -> Iterator[list[Searched]]:
    """Fill the databases, and serve the product on each."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        cluster = stack.enter_context(server())
        progress = stack.enter_context(Progress(console=console))
        task = progress.add_task("filling", total=len(sizes) * 4)
        clinics: list[Searched] = []
        for doctors in sizes:
            for weeks in (MIXED, SOLID):
                name = f"clinic_{len(clinics)}"
                urls = {"PostgreSQL": new_database(cluster, name), "SQLite": f"sqlite:///{folder / name}.db"}
                for database, url in urls.items():
                    fill(url, doctors, weeks, progress)
                    progress.advance(task)
                    served = serving(f"{name}-{database}", "app:app", folder, DATABASE_URL=url)
                    clinics.append(Searched(database, doctors, weeks, stack.enter_context(served)))
        progress.stop()
        yield clinics


def _name(row: dict[str, Any]) -> str:
    return f"{row['call']}: {row['doctors']} doctors, {row['weeks']}, {row['database']}"


def _show(result: dict[str, Any]) -> None:
    table = Table(title="latency of one connection, in ms")
    for column in ("call", "doctors", "weeks", "database", "requests", "p50", "p95", "goal of p50"):
        table.add_column(column, justify="left" if column in {"call", "weeks", "database"} else "right")
    for row in sorted(result["measured"], key=lambda row: list(CALLS).index(row["call"])):
        said = f"{row['goal_ms']:.0f}{' MISSED' if _name(row) in result['missed'] else ''}"
        table.add_row(
            row["call"], f"{row['doctors']:,}", row["weeks"], row["database"], str(row["requests"]),
            f"{row['p50_ms']:.1f}", f"{row['p95_ms']:.1f}", said,
        )  # fmt: skip
    console.print(table)
    for when, averages in result["load"].items():
        console.print(f"load {when}: {', '.join(f'{one:.2f}' for one in averages)}", highlight=False)
    for sentence in result["void"]:
        console.print(f"[bold red]VOID[/]: {sentence}")

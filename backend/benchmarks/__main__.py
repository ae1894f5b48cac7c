"""`./bench`: measure the product's speed as ratios to a bare Flask view, a lean yardstick and pgbench.

Each round measures every scenario on every system, so that other load of the machine affects all systems alike.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
from rich.progress import Progress

from benchmarks.chart import draw
from benchmarks.drain import SCENARIO as DRAIN
from benchmarks.drain import Drain
from benchmarks.measure import (
    GROWING,
    PGBENCH_BOOK,
    PGBENCH_LIST,
    SCENARIOS,
    Database,
    System,
    measure,
    pgbench,
)
from benchmarks.report import MANY, Results, compare, console, report, show
from benchmarks.stock import PATIENTS, READ, Stock, fill_postgresql, fill_sqlite
from benchmarks.systems import SECRETS, megabytes_per_worker, serving
from config import load_settings
from src.utils.security import issue_token
from tests.conftest import build_app, migrate_to_head
from tests.postgres import Cluster, binaries_in
from tests.processes.servers import BACKEND

# A commit waits for the disk, as in production.
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "max_connections": "100",
           "shared_buffers": "256MB", "max_wal_size": "4GB"}  # fmt: skip
GROWTH = (10_000, 1_000_000, 10_000_000)
LEAST_SLOTS = 10_000


@cache
def token_maker() -> Callable[[int, str], str]:
    """Return a function that makes tokens that all systems accept."""
    settings = load_settings(**{name.lower(): value for name, value in SECRETS.items()})
    app = build_app(settings)

    @cache
    def token(user_id: int, role: str) -> str:
        with app.app_context():
            return issue_token(user_id, role, 0, settings)

    return token


@contextmanager
def postgresql(stock: Stock) -> Iterator[tuple[Cluster, Database]]:
    """Start PostgreSQL with durable commits, and fill its database with a clinic."""
    with tempfile.TemporaryDirectory(prefix="b-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        cluster = Cluster(binaries_in(folder), folder)
        cluster.initialise()
        cluster.start(DURABLE)
        try:
            migrate_to_head(cluster.url)
            fill_postgresql(conninfo(cluster), stock)
            assert cluster.process is not None
            yield cluster, Database(stock, cluster.process.pid)
        finally:
            cluster.stop()


def conninfo(cluster: Cluster) -> str:
    """Return the connection string for psycopg."""
    return f"host={cluster.sockets} user=postgres dbname=postgres"


@contextmanager
def product(name: str, url: str, database: Database, folder: Path) -> Iterator[System]:
    """Serve the product on a database."""
    with serving(name.replace(" ", "-"), "app:app", folder, DATABASE_URL=url) as server:
        yield System(name, server, database, token_maker())


def run_rounds(
    systems: list[System], scenarios: list[str], results: Results, *, rounds: int, requests: int,
    between: Callable[[], None] = lambda: None,
) -> None:  # fmt: skip
    """Measure every scenario on every system in each round; a first round, to warm up, does not count."""
    with Progress(console=console) as progress:
        task = progress.add_task("measuring", total=(rounds + 1) * len(scenarios) * len(systems))
        for number in range(rounds + 1):
            # The order alternates, so that no system always comes first.
            order = systems if number % 2 else systems[::-1]
            for connections, count in ((1, min(requests, max(50, requests // 5))), (MANY, requests)):
                for scenario in scenarios:
                    for system in order:
                        block = measure(system, scenario, count, connections)
                        if number:
                            name = "bare view" if system.database is None else scenario
                            results.blocks[system.name, name, connections].append(block)
                        progress.advance(task, 0.5)
            for system in systems:
                results.memory[system.name].append(megabytes_per_worker(system.server))
            if number:
                between()


def bench(options: argparse.Namespace) -> dict[str, Any]:
    """Measure the product beside the bare view, the lean yardstick and pgbench."""
    results = Results()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        cluster, database = stack.enter_context(postgresql(Stock(options.slots)))
        yardstick = {"BENCH_CONNINFO": conninfo(cluster)}
        bare = stack.enter_context(serving("bare", "benchmarks.yardstick:bare", folder, **yardstick))
        lean = stack.enter_context(serving("lean", "benchmarks.yardstick:lean", folder, **yardstick))
        ours = stack.enter_context(product("ours", cluster.url, database, folder))
        systems = [System("lean", lean, database, token_maker()), ours]
        if options.sqlite:
            file = folder / "clinic.db"
            migrate_to_head(f"sqlite:///{file}")
            stock = Stock(min(options.slots, 100_000))
            fill_sqlite(str(file), stock)
            url = f"sqlite:///{file}"
            systems.append(stack.enter_context(product("ours on SQLite", url, Database(stock, None), folder)))
        # Each system books other slots, so that one that fails to cancel does not make bookings of the others fail.
        for number, system in enumerate(systems):
            assert system.database is not None
            system.next_slot = len(system.database.stock.bookable) * number // 4
        same_bytes(systems)

        def between() -> None:
            results.blocks["bare", "bare view", 1] += [
                measure(System("bare", bare, None, token_maker()), "", min(200, options.requests), 1)
            ]
            results.blocks["bare", "bare view", MANY] += [
                measure(System("bare", bare, None, token_maker()), "", options.requests, MANY)
            ]
            database_alone(cluster, database.stock, results, options.requests)

        scenarios = options.only or list(SCENARIOS)
        run_rounds(systems, scenarios, results, rounds=options.rounds, requests=options.requests, between=between)
    return report(results, options)


def same_bytes(systems: list[System]) -> None:
    """Exit unless the yardstick and the product give the same answers."""
    for scenario in ("list free slots", "list doctors", "my appointments", "doctor's appointments", "who am I"):
        bodies = {
            json.dumps(json.loads(_body(system, scenario)), sort_keys=True)
            for system in systems
            if system.name in {"lean", "ours"}
        }
        if len(bodies) != 1:
            sys.exit(f"the yardstick and the product answer differently to {scenario}:\n" + "\n".join(bodies))


def _body(system: System, scenario: str) -> bytes:
    from benchmarks import load  # noqa: PLC0415

    return load.send(system.server.port, system.requests(scenario, 1), 1).bodies[0]


def database_alone(cluster: Cluster, stock: Stock, results: Results, requests: int) -> None:
    """Run the product's statements with pgbench, then cancel its bookings."""
    first = stock.bookable[len(stock.bookable) * 3 // 4]
    # The transactions of each client: not more than there are slots for, and together less than 20,000.
    each = min(requests, (stock.slots - first) // MANY - 1, 1200)
    with psycopg.connect(conninfo(cluster), autocommit=True) as connection:
        connection.execute("DROP SEQUENCE IF EXISTS benchmark_slots")
        connection.execute("CREATE SEQUENCE benchmark_slots CACHE 1")
        book = PGBENCH_BOOK.format(first=first, first_patient=stock.first_patient, patients=PATIENTS)
        results.pgbench["book"].append(pgbench(cluster.binaries, cluster.sockets, book, MANY, each))
        read = PGBENCH_LIST.format(read=READ)
        results.pgbench["list free slots"].append(
            pgbench(cluster.binaries, cluster.sockets, read, MANY, min(300, requests))
        )
        connection.execute(
            "UPDATE appointments SET status = 'cancelled', cancelled_at = now()"
            " WHERE status = 'booked' AND slot_id >= %s",
            [first],
        )
        connection.execute(
            "UPDATE availability_slots SET status = 'free' WHERE status = 'booked' AND id >= %s", [first]
        )
        connection.execute("VACUUM availability_slots, appointments")


def growth(options: argparse.Namespace) -> dict[str, Any]:
    """Measure clinics of several sizes side by side; the largest one also has a history."""
    results = Results()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        systems: list[System] = []
        drains: list[Drain] = []
        for slots in options.growth:
            is_last = slots == options.growth[-1]
            stock = Stock(slots, history=options.history, mails=True) if is_last else Stock(slots)
            name = f"{stock.slots} slots"
            console.print(f"{stock.slots:,} slots of {stock.doctors:,} doctors, a history of {stock.history:,}")
            cluster, database = stack.enter_context(postgresql(stock))
            systems.append(stack.enter_context(product(name, cluster.url, database, folder)))
            drains.append(stack.enter_context(Drain.of(name, cluster.url, conninfo(cluster), database)))

        def between() -> None:
            for drain in drains:
                results.blocks[drain.name, DRAIN, 1].append(drain.measure())

        between()
        results.blocks.clear()  # the first measurement warms up and does not count
        run_rounds(systems, list(GROWING), results, rounds=options.rounds, requests=options.requests, between=between)
    return report(results, options)


def main() -> int:
    """Run what the command line asks for; return 1 after unexpected answers."""
    parser = argparse.ArgumentParser(prog="./bench", description="Measure the product beside what bounds it.")
    parser.add_argument("--slots", type=int, default=1_000_000, help="how many slots there are (default 1,000,000)")
    parser.add_argument("--rounds", type=int, default=5, help="how many rounds count (default 5)")
    parser.add_argument("--requests", type=int, default=1000, help="requests of a block (default 1,000)")
    parser.add_argument("--sqlite", action="store_true", help="measure the embedded database too")
    parser.add_argument(
        "--growth",
        nargs="*",
        type=int,
        metavar="SLOTS",
        help="clinics of these sizes side by side (default 10 thousand, 1 million, 10 million), the last with a past",
    )
    parser.add_argument(
        "--history", type=int, default=10_000, help="appointments of that past, each told to a thousand"
    )
    parser.add_argument("--only", action="append", choices=list(SCENARIOS), help="one scenario (may be repeated)")
    parser.add_argument("--against", type=Path, metavar="FILE", help="compare with the JSON file of an earlier run")
    parser.add_argument("--output", type=Path, default=Path("bench.json"), metavar="FILE", help="where to write JSON")
    options = parser.parse_args()
    if options.growth == []:
        options.growth = list(GROWTH)
    if min(options.growth or [options.slots]) < LEAST_SLOTS:
        parser.error(f"a clinic has at least {LEAST_SLOTS} slots")
    options.output = options.output.resolve()
    earlier = json.loads(options.against.read_text()) if options.against else None
    os.chdir(BACKEND)  # Flask-Migrate looks for migrations in the working directory
    result = growth(options) if options.growth else bench(options)
    options.output.write_text(json.dumps(result, indent=1))
    options.output.with_suffix(".svg").write_text(draw(result))
    show(result)
    if earlier:
        compare(result, earlier)
    console.print(f"written: {options.output}, {options.output.with_suffix('.svg')}")
    return bool(result["void"])


if __name__ == "__main__":
    sys.exit(main())

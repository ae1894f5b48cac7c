"""`./bench`: measure the product's speed as ratios to a bare Flask view, a lean yardstick and pgbench."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from benchmarks.against import against
from benchmarks.chart import draw
from benchmarks.database import conninfo, database_alone, postgresql
from benchmarks.drain import SCENARIO as DRAIN
from benchmarks.drain import Drain
from benchmarks.fill import fill_sqlite
from benchmarks.horizon import Horizon
from benchmarks.mails import mail_worker
from benchmarks.measure import Database, System, measure
from benchmarks.pages import pages
from benchmarks.parts import parts
from benchmarks.report import MANY, Results, console, report, show
from benchmarks.rounds import product, run_rounds, token_maker, yardstick
from benchmarks.same import same_answers
from benchmarks.scenarios import BUSY_DAY, GROWING, OF_TIMES, OURS_ONLY, SCENARIOS, SEARCHES
from benchmarks.search import SIZES, search
from benchmarks.stock import CHANGING, LEAST_PAST, LEAST_SLOTS, Stock
from benchmarks.systems import megabytes_per_worker, serving
from tests.conftest import migrate_to_head
from tests.processes.servers import BACKEND

GROWTH = (10_000, 1_000_000, 10_000_000)
LOG_INS = 1000
MOST_ON_SQLITE = 100_000


def bench(options: argparse.Namespace) -> dict[str, Any]:
    """Measure the product beside the bare view, the lean yardstick and pgbench."""
    results = Results()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        cluster, database = stack.enter_context(postgresql(Stock(options.slots)))
        settings = {"BENCH_CONNINFO": conninfo(cluster)}
        server = stack.enter_context(serving("bare", "benchmarks.yardstick:bare", folder, **settings))
        bare = System("bare", server, None, token_maker())
        lean = stack.enter_context(yardstick(cluster, database, folder))
        ours = stack.enter_context(product("ours", cluster.url, database, folder))
        systems = [lean, ours]
        if options.sqlite:
            systems.append(stack.enter_context(_on_sqlite(options.slots, folder)))
        # Each system books other slots, so that one that fails to cancel does not make bookings of the others fail.
        for number, system in enumerate(systems):
            assert system.database is not None
            system.next_slot = system.database.stock.bookable * number // 4
            system.next_time = system.database.stock.bookable_times * number // 4
            system.next_change = CHANGING * number
        same_answers(lean, ours)
        horizons = [stack.enter_context(Horizon.of("ours", cluster.url, database, conninfo(cluster)))]
        if options.sqlite:
            embedded = systems[-1].database
            assert embedded is not None
            horizons.append(stack.enter_context(Horizon.of("ours on SQLite", _sqlite_url(folder), embedded)))

        def between() -> None:
            for connections, count in ((1, min(200, options.requests)), (MANY, options.requests)):
                results.blocks["bare", "bare view", connections].append(measure(bare, "", count, connections))
            with mail_worker(cluster.url, folder, ours):
                results.blocks["ours", BUSY_DAY, MANY].append(measure(ours, BUSY_DAY, options.requests, MANY))
            database_alone(cluster, database.stock, results, options.requests)
            for horizon in horizons:
                horizon.measure(results)

        scenarios = options.only or [*SCENARIOS, *OF_TIMES, *OURS_ONLY]
        run_rounds(systems, scenarios, results, rounds=options.rounds, requests=options.requests, between=between)
        for system in systems[1:]:
            _log_in(system, min(LOG_INS, options.requests), results)
    result = report(results, options)
    show(result)
    return result


@contextmanager
def _on_sqlite(slots: int, folder: Path) -> Iterator[System]:
    url = _sqlite_url(folder)
    migrate_to_head(url)
    stock = Stock(min(slots, MOST_ON_SQLITE))
    fill_sqlite(url.removeprefix("sqlite:///"), stock)
    with product("ours on SQLite", url, Database(stock, None), folder) as system:
        yield system


def _sqlite_url(folder: Path) -> str:
    return f"sqlite:///{folder / 'clinic.db'}"


def _log_in(system: System, count: int, results: Results) -> None:
    """Log people in, and then measure the memory of the server."""
    results.blocks[system.name, "log in", MANY].append(measure(system, "log in", count, MANY))
    results.memory[system.name] = megabytes_per_worker(system.server)


def growth(options: argparse.Namespace) -> dict[str, Any]:
    """Measure clinics of several sizes side by side; the largest one also has a history."""
    results = Results()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        systems: list[System] = []
        drains: list[Drain] = []
        for slots in options.growth:
            is_last = slots == options.growth[-1]
            past = options.past if is_last else LEAST_PAST
            stock = Stock(slots, history=options.history, mails=True, past=past) if is_last else Stock(slots)
            name = f"{stock.slots} slots"
            console.print(f"{stock.slots:,} slots of {stock.doctors:,} doctors, a history of {stock.history:,},"
                          f" {stock.past:,} appointments that have ended")  # fmt: skip
            cluster, database = stack.enter_context(postgresql(stock))
            systems.append(stack.enter_context(product(name, cluster.url, database, folder)))
            drains.append(stack.enter_context(Drain.of(name, cluster.url, conninfo(cluster), database)))

        def between() -> None:
            for drain in drains:
                results.blocks[drain.name, DRAIN, 1].append(drain.measure())

        between()
        results.blocks.clear()  # the first measurement warms up and does not count
        scenarios = [one for one in (*GROWING, *SEARCHES) if (one in options.only if options.only else one in GROWING)]
        run_rounds(systems, scenarios, results, rounds=options.rounds, requests=options.requests, between=between)
    result = report(results, options)
    show(result)
    return result


def main() -> int:
    """Run what the command line asks for; return 1 after unexpected answers or a missed goal."""
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
    parser.add_argument(
        "--past", type=int, default=1_000_000,
        help="with --growth, the appointments that have ended in the last clinic's doctors' hours (default 1 million;"
             " the others have 10 thousand)",
    )  # fmt: skip
    parser.add_argument(
        "--only",
        action="append",
        choices=[*SCENARIOS, *OF_TIMES, *OURS_ONLY, *SEARCHES],
        help="one scenario (may be repeated); the searches are measured only so",
    )
    parser.add_argument("--against", metavar="COMMIT", help="compare with the servers of another commit")
    parser.add_argument(
        "--search", nargs="*", type=int, metavar="DOCTORS",
        help="how long a search takes in clinics of so many doctors with weekly hours (default 200 and 2,000),"
             " on PostgreSQL and SQLite",
    )  # fmt: skip
    parser.add_argument("--pages", action="store_true", help="each page beside its JSON call, on the demo data")
    parser.add_argument("--parts", action="store_true", help="CPU time of the parts of a call, without servers")
    parser.add_argument("--output", type=Path, default=Path("bench.json"), metavar="FILE", help="where to write JSON")
    options = parser.parse_args()
    if options.growth == []:
        options.growth = list(GROWTH)
    if options.search == []:
        options.search = list(SIZES)
    if options.search and min(options.search) < 1:
        parser.error("a clinic has at least one doctor")
    if min(options.growth or [options.slots]) < LEAST_SLOTS:
        parser.error(f"a clinic has at least {LEAST_SLOTS} slots")
    options.output = options.output.resolve()
    os.chdir(BACKEND)  # Flask-Migrate looks for migrations in the working directory
    if options.parts:
        parts()
        return 0
    if options.search or options.pages:
        result = search(options) if options.search else pages(options)
        options.output.write_text(json.dumps(result, indent=1))
        console.print(f"written: {options.output}")
        return bool(result["void"] or result["missed"])
    result = against(options) if options.against else growth(options) if options.growth else bench(options)
    options.output.write_text(json.dumps(result, indent=1))
    options.output.with_suffix(".svg").write_text(draw(result))
    console.print(f"written: {options.output}, {options.output.with_suffix('.svg')}")
    return bool(result["void"] or result["missed"])


if __name__ == "__main__":
    sys.exit(main())

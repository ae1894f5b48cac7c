"""`./bench --against COMMIT`: the servers of another commit beside ours, on one database, in the same rounds."""

from __future__ import annotations

import argparse
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.table import Table

from benchmarks import load
from benchmarks.database import postgresql
from benchmarks.measure import System
from benchmarks.report import MANY, Ratio, Results, console, cpu, p50, report
from benchmarks.rounds import product, run_rounds
from benchmarks.scenarios import OF_TIMES, OURS_ONLY, SCENARIOS, SEARCHES
from benchmarks.scenarios_of_times import CHANGES
from benchmarks.stock import CHANGING, Stock
from tests.processes.servers import backend_of

# A call is slower if even the lower quartile of its ratios to the other commit's is larger than this.
SLOWER = 1.05


def against(options: argparse.Namespace) -> dict[str, Any]:
    """Measure both commits; the database has the newest schema, on which the code of the release before works too."""
    results = Results()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        try:
            there = backend_of(options.against, folder / "there")
        except LookupError as error:
            sys.exit(str(error))
        cluster, database = stack.enter_context(postgresql(Stock(options.slots)))
        before = stack.enter_context(product("before", cluster.url, database, folder, backend=there))
        ours = stack.enter_context(product("ours", cluster.url, database, folder))
        ours.next_slot = database.stock.bookable // 2
        ours.next_time = database.stock.bookable_times // 2
        ours.next_change = CHANGING * CHANGES // 2
        known = [*SCENARIOS, *(OF_TIMES if _has_times(before) else ()), *OURS_ONLY, *(SEARCHES if options.only else ())]
        scenarios = [scenario for scenario in known if not options.only or scenario in options.only]
        run_rounds([before, ours], scenarios, results, rounds=options.rounds, requests=options.requests)
    compared = comparisons(results)
    slower = [name for name, ratio in compared.items() if ratio.low > SLOWER]
    show(results, compared, slower, options.against)
    return report(results, options) | {
        "against": options.against,
        "missed": slower,
        "ratios": {name: asdict(ratio) for name, ratio in compared.items()},
    }


def _has_times(system: System) -> bool:
    """Return whether this version has computed times, of which one call tells."""
    [body] = system.bodies([load.request("GET", "/openapi.json", "")])
    return b'"/holds"' in body


def comparisons(results: Results) -> dict[str, Ratio]:
    """Return our CPU time and latency divided by the other commit's, by the name of the figure."""
    found: dict[str, Ratio] = {}
    for system, scenario, connections in results.blocks:
        if system == "ours":
            name, of = ("CPU", cpu) if connections == MANY else ("p50", p50)
            key = (scenario, connections)
            found[f"{scenario}, {name} at {connections} connections"] = results.ratio(
                ("ours", *key), ("before", *key), of
            )
    return found


def show(results: Results, compared: dict[str, Ratio], slower: list[str], commit: str) -> None:
    """Print the medians of both commits side by side, and the ratios with the quartiles of all rounds."""
    by = {(s.system, s.scenario, s.connections): s for s in results.summaries()}
    table = Table(title=f"{commit} and ours")
    for column in ("call", "conn.", "per second", "p50 ms", "CPU µs"):
        table.add_column(column, justify="left" if column == "call" else "right")
    for (system, scenario, connections), ours in by.items():
        if system == "ours":
            there = by["before", scenario, connections]
            table.add_row(
                scenario, str(connections), f"{there.rate:.0f} → {ours.rate:.0f}",
                f"{there.p50_ms:.2f} → {ours.p50_ms:.2f}", f"{there.cpu_us:.0f} → {ours.cpu_us:.0f}",
            )  # fmt: skip
    console.print(table)
    for name, ratio in compared.items():
        console.print(f"{ratio}  {name}{'  SLOWER' if name in slower else ''}", highlight=False)

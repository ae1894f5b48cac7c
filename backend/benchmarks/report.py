"""Report medians, and ratios that can be compared between machines, with their goals."""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.measure import SCENARIOS, Block, Summary, summarize

MANY = 16
# The largest allowed ratio of our CPU time to that of the lean yardstick.
GOALS = {"list free slots": 1.5, "list doctors": 1.7, "my appointments": 1.7, "who am I": 1.7, "book": 1.7}
LEAST_OF_PGBENCH = 0.06
LEAST_OF_SQLITE = 0.5
# The largest allowed ratio of the median latency in the largest clinic to that in the smallest.
GROWTH_GOALS = {"list free slots": 1.25, "book": 1.25}
LARGEST_GROWTH = 1.5
TO_YARDSTICK = "CPU of ours to the lean yardstick"
SQLITE_TO_POSTGRESQL = "rate of ours on SQLite to ours on PostgreSQL"
# Without a terminal, rich would make the tables too narrow.
console = Console(width=None if sys.stdout.isatty() else 130)


@dataclass
class Results:
    """All measurements; `blocks` has the key (system, scenario, connections)."""

    blocks: dict[tuple[str, str, int], list[Block]] = field(default_factory=lambda: defaultdict(list))
    memory: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    pgbench: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def summaries(self) -> list[Summary]:
        return [summarize(*key, blocks) for key, blocks in self.blocks.items()]


def report(results: Results, options: argparse.Namespace) -> dict[str, Any]:
    """Return the content of the JSON file."""
    summaries = results.summaries()
    return {
        "machine": machine(),
        "options": {"slots": options.slots, "rounds": options.rounds, "requests": options.requests},
        "void": [f"{s.system}, {s.scenario}: {s.unexpected} unexpected answers" for s in summaries if s.unexpected],
        "measured": [s.as_dict() for s in summaries],
        "pgbench": {name: statistics.median(rates) for name, rates in results.pgbench.items()},
        "memory_mb": {name: {"first": seen[0], "last": seen[-1]} for name, seen in results.memory.items()},
        "ratios": ratios(summaries, results, options.growth),
    }


def ratios(summaries: list[Summary], results: Results, sizes: list[int] | None) -> dict[str, float]:
    """Return the ratios that can be compared between machines, by name."""
    by = {(s.system, s.scenario, s.connections): s for s in summaries}
    found: dict[str, float] = {}
    for scenario in SCENARIOS:
        ours = by.get(("ours", scenario, MANY))
        if ours:
            lean, bare = by["lean", scenario, MANY], by["bare", "bare view", MANY]
            found[f"{TO_YARDSTICK}: {scenario}"] = ours.cpu_us / lean.cpu_us
            found[f"CPU of ours to a bare view: {scenario}"] = ours.cpu_us / bare.cpu_us
            embedded = by.get(("ours on SQLite", scenario, MANY))
            if embedded:
                found[f"{SQLITE_TO_POSTGRESQL}: {scenario}"] = embedded.rate / ours.rate
    for name, rates in results.pgbench.items():
        if ("ours", name, MANY) not in by:
            continue
        found[f"rate of ours to pgbench: {name}"] = by["ours", name, MANY].rate / statistics.median(rates)
    return found | (growth_ratios(by, sizes[0]) if sizes else {})


def growth_ratios(by: dict[tuple[str, str, int], Summary], smallest: int) -> dict[str, float]:
    """Return the ratios of p50 in each larger clinic to that in the smallest."""
    found: dict[str, float] = {}
    for (system, scenario, connections), summary in by.items():
        few = by[f"{smallest} slots", scenario, connections]
        if summary is not few:
            name = f"p50 at {system} to {smallest}: {scenario}, {connections} connections"
            found[name] = summary.p50_ms / few.p50_ms
    return found


def machine() -> dict[str, Any]:
    """Return what is known of this machine."""
    return {
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30),
        "python": platform.python_version(),
        "gunicorn": version("gunicorn"),
        "system": platform.system(),
    }


def show(result: dict[str, Any]) -> None:
    """Print the medians, the ratios and their goals."""
    table = Table(title="medians")
    for column in ("system", "scenario", "conn.", "per second", "p50 ms", "p99 ms", "server µs", "database µs"):
        table.add_column(column, justify="left" if column in {"system", "scenario"} else "right")
    for row in sorted(result["measured"], key=lambda row: (row["scenario"], row["connections"], row["system"])):
        table.add_row(
            row["system"], row["scenario"], str(row["connections"]), f"{row['rate']:.0f}", f"{row['p50_ms']:.2f}",
            f"{row['p99_ms']:.2f}", f"{row['server_us']:.0f}", f"{row['database_us']:.0f}",
        )  # fmt: skip
    console.print(table)
    for name, rate in result["pgbench"].items():
        console.print(f"pgbench, {name}: {rate:.0f} per second")
    for name, seen in result["memory_mb"].items():
        console.print(
            f"memory of a worker, {name}: {seen['first']:.0f} MB after warming up, {seen['last']:.0f} MB last"
        )
    for name, ratio in result["ratios"].items():
        console.print(f"{ratio:6.2f}  {name}{_goal(name, ratio)}")
    for sentence in result["void"]:
        console.print(f"[bold red]VOID[/]: {sentence}")


def _goal(name: str, ratio: float) -> str:
    kind, _, rest = name.partition(": ")
    scenario = rest.partition(",")[0]
    least = {"rate of ours to pgbench: book": LEAST_OF_PGBENCH, f"{SQLITE_TO_POSTGRESQL}: book": LEAST_OF_SQLITE}
    if name in least:
        return f"  (goal: at least {least[name]}{'' if ratio >= least[name] else ', MISSED'})"
    if kind.startswith("p50 at"):
        most = GROWTH_GOALS.get(scenario, LARGEST_GROWTH)
    elif kind == TO_YARDSTICK and scenario in GOALS:
        most = GOALS[scenario]
    else:
        return ""
    return f"  (goal: at most {most}{'' if ratio <= most else ', MISSED'})"


def compare(result: dict[str, Any], earlier: dict[str, Any]) -> None:
    """Print the ratios beside those of an earlier run."""
    console.print("\nsince the earlier run:")
    for name, ratio in result["ratios"].items():
        if name in earlier["ratios"]:
            console.print(f"{earlier['ratios'][name]:6.2f} -> {ratio:6.2f}  {name}")

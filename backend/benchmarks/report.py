"""Report medians, and ratios that can be compared between machines, with their goals."""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.measure import Block, Summary, summarize
from benchmarks.scenarios import OF_TIMES, SCENARIOS

MANY = 16
TO_YARDSTICK = "CPU of ours to the lean yardstick"
TO_PUBLISHED = "CPU of computed times to that of published slots"
LISTED_TO_YARDSTICK = "CPU of listing computed times to the lean yardstick listing published slots"
THOUSAND_DOCTORS = "seconds for 1,000 doctors"
TO_UNKEYED = "CPU of a booking with a key to one without"
# Of the worker, measured in one process: lay the openings of all days, and those of one more.
LAY, ONE_DAY = "lay eight weeks", "lay one more day"
WORKS = (LAY, ONE_DAY)
TO_PGBENCH = "rate of ours to pgbench"
SQLITE_TO_POSTGRESQL = "rate of ours on SQLite to ours on PostgreSQL"
MEMORY = "MB of a worker after the log-ins"
# Goals notice what became slower: docs/performance.md has the figures. Two runs differ by up to two fifths.
AT_MOST = {
    f"{TO_YARDSTICK}: list free slots": 1.7,
    f"{TO_YARDSTICK}: list doctors": 2.7,
    f"{TO_YARDSTICK}: my appointments": 2.2,
    f"{TO_YARDSTICK}: doctor's appointments": 2.1,
    f"{TO_YARDSTICK}: who am I": 2.2,
    f"{TO_YARDSTICK}: book": 2.1,
    f"{TO_YARDSTICK}: cancel": 2.0,
    LISTED_TO_YARDSTICK: 2.0,
    f"{TO_PUBLISHED}: book": 1.6,
    TO_UNKEYED: 1.6,
    MEMORY: 100,
}
AT_LEAST = {f"{TO_PGBENCH}: book": 0.15, f"{SQLITE_TO_POSTGRESQL}: book": 0.5}
# The largest allowed ratio of the median latency in a larger clinic to that in the smallest.
GROWTH_GOALS = {"list free slots": 1.25, "book": 1.25}
LARGEST_GROWTH = 1.5
# Without a terminal, rich would make the tables too narrow.
console = Console(width=None if sys.stdout.isatty() else 130)


@dataclass(frozen=True)
class Ratio:
    """The ratio of two measurements that were made side by side: the median of all rounds, and the quartiles."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, over: Sequence[float], under: Sequence[float]) -> Ratio:
        """Divide the measurements of each round."""
        each = [a / b for a, b in zip(over, under, strict=True)]
        low, median, high = statistics.quantiles(each, n=4, method="inclusive") if len(each) > 1 else each * 3
        return cls(median, low, high)

    def __str__(self) -> str:
        return f"{self.median:6.2f} ({self.low:.2f} to {self.high:.2f})"


Key = tuple[str, str, int]


@dataclass
class Results:
    """All measurements, by round; `blocks` has the key (system, scenario, connections)."""

    blocks: dict[Key, list[Block]] = field(default_factory=lambda: defaultdict(list))
    memory: dict[str, float] = field(default_factory=dict)
    pgbench: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def summaries(self) -> list[Summary]:
        return [summarize(*key, blocks) for key, blocks in self.blocks.items()]

    def ratio(self, over: Key, under: Key, of: Callable[[Block], float]) -> Ratio:
        return Ratio.of([of(block) for block in self.blocks[over]], [of(block) for block in self.blocks[under]])


def cpu(block: Block) -> float:
    return block.cpu_us


def rate(block: Block) -> float:
    return block.rate


def p50(block: Block) -> float:
    return block.p50_ms


def report(results: Results, options: argparse.Namespace) -> dict[str, Any]:
    """Return the content of the JSON file."""
    summaries = results.summaries()
    found = ratios(results) | (growth_ratios(results, options.growth[0]) if options.growth else {})
    memory = {f"{MEMORY}: {name}": megabytes for name, megabytes in results.memory.items()}
    missed = [name for name, ratio in found.items() if misses(name, ratio.median)]
    return {
        "machine": machine(),
        "options": {"slots": options.slots, "rounds": options.rounds, "requests": options.requests},
        "void": [f"{s.system}, {s.scenario}: {s.unexpected} unexpected answers" for s in summaries if s.unexpected],
        "missed": missed + [name for name, megabytes in memory.items() if misses(name, megabytes)],
        "measured": [s.as_dict() for s in summaries],
        "pgbench": {name: statistics.median(rates) for name, rates in results.pgbench.items()},
        "memory_mb": memory,
        "seconds": {
            f"{THOUSAND_DOCTORS}: {s.scenario}, {s.system}": 1000 / s.rate for s in summaries if s.scenario in WORKS
        },
        "ratios": {name: asdict(ratio) for name, ratio in found.items()},
    }


def ratios(results: Results) -> dict[str, Ratio]:
    """Return the ratios that can be compared between machines, by name."""
    found: dict[str, Ratio] = {}
    for scenario in (*SCENARIOS, *OF_TIMES):
        ours = ("ours", scenario, MANY)
        if ours not in results.blocks or ("bare", "bare view", MANY) not in results.blocks:
            continue
        found[f"{TO_YARDSTICK}: {scenario}"] = results.ratio(ours, ("lean", scenario, MANY), cpu)
        found[f"CPU of ours to a bare view: {scenario}"] = results.ratio(ours, ("bare", "bare view", MANY), cpu)
        embedded = ("ours on SQLite", scenario, MANY)
        if embedded in results.blocks:
            found[f"{SQLITE_TO_POSTGRESQL}: {scenario}"] = results.ratio(embedded, ours, rate)
    found |= _of_times(results)
    keyed, unkeyed = ("ours", "book with a key", MANY), ("ours", "book", MANY)
    if keyed in results.blocks and unkeyed in results.blocks:
        found[TO_UNKEYED] = results.ratio(keyed, unkeyed, cpu)
    for name, rates in results.pgbench.items():
        if ("ours", name, MANY) in results.blocks:
            found[f"{TO_PGBENCH}: {name}"] = Ratio.of([rate(b) for b in results.blocks["ours", name, MANY]], rates)
    return found


def _of_times(results: Results) -> dict[str, Ratio]:
    """Return the ratios of computed times to published slots, and of the worker's work to the yardstick's."""
    found: dict[str, Ratio] = {}
    for system in dict.fromkeys(name for name, _, _ in results.blocks):
        for scenario, computed in (("list free slots", "list computed times"), ("book", "book a computed time")):
            over, under = (system, computed, MANY), (system, scenario, MANY)
            if over in results.blocks and under in results.blocks:
                suffix = "" if system == "ours" else f", {system}"
                found[f"{TO_PUBLISHED}: {scenario}{suffix}"] = results.ratio(over, under, cpu)
    over, under = ("ours", "list computed times", MANY), ("lean", "list free slots", MANY)
    if over in results.blocks and under in results.blocks:
        found[LISTED_TO_YARDSTICK] = results.ratio(over, under, cpu)
    for work in WORKS:
        if ("lean", work, 1) in results.blocks:
            found[f"{TO_YARDSTICK}: {work}"] = results.ratio(("ours", work, 1), ("lean", work, 1), cpu)
    return found


def growth_ratios(results: Results, smallest: int) -> dict[str, Ratio]:
    """Return the ratios of p50 in each larger clinic to that in the smallest."""
    few = f"{smallest} slots"
    return {
        f"p50 at {system} to {smallest}: {scenario}, {connections} connections": results.ratio(
            (system, scenario, connections), (few, scenario, connections), p50
        )
        for system, scenario, connections in results.blocks
        if system != few
    }


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
    for name, per_second in result["pgbench"].items():
        console.print(f"pgbench, {name}: {per_second:.0f} per second")
    for name, megabytes in result["memory_mb"].items():
        console.print(f"{megabytes:6.0f}  {name}{_goal(name, megabytes)}", highlight=False)
    for name, seconds in result["seconds"].items():
        console.print(f"{seconds:6.2f}  {name}", highlight=False)
    for name, each in result["ratios"].items():
        ratio = Ratio(**each)
        console.print(f"{ratio}  {name}{_goal(name, ratio.median)}", highlight=False)
    for sentence in result["void"]:
        console.print(f"[bold red]VOID[/]: {sentence}")


def misses(name: str, value: float) -> bool:
    """Return whether a figure misses its goal."""
    most, least = _bounds(name)
    return (most is not None and value > most) or (least is not None and value < least)


def _goal(name: str, value: float) -> str:
    most, least = _bounds(name)
    if most is None and least is None:
        return ""
    said = f"at most {most}" if most is not None else f"at least {least}"
    return f"  (goal: {said}{', MISSED' if misses(name, value) else ''})"


def _bounds(name: str) -> tuple[float | None, float | None]:
    """Return what a figure may be at most, and at least."""
    if name.startswith("p50 at"):
        scenario = name.partition(": ")[2].partition(",")[0]
        return GROWTH_GOALS.get(scenario, LARGEST_GROWTH), None
    return AT_MOST.get(name) or AT_MOST.get(name.partition(":")[0]), AT_LEAST.get(name)

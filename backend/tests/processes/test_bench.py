"""`./bench` runs and gets only the answers that it expects; these tests do not check how fast they come.

The runs are in `./test --long`.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections import Counter, defaultdict
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from benchmarks.against import SLOWER, comparisons
from benchmarks.database import postgresql
from benchmarks.measure import Block
from benchmarks.report import (
    LISTED_TO_YARDSTICK,
    MANY,
    MEMORY,
    SQLITE_TO_POSTGRESQL,
    TO_PUBLISHED,
    TO_YARDSTICK,
    WORKS,
    Results,
    misses,
)
from benchmarks.rounds import product, yardstick
from benchmarks.same import same_answers
from benchmarks.scenarios import OF_TIMES
from benchmarks.search import CALLS, goal_ms
from benchmarks.searched import MIXED, SOLID, Weeks
from benchmarks.stock import LEAST_SLOTS, SLOTS_OF_A_DOCTOR, Stock, spans
from tests.processes.servers import BACKEND, clean_environment

pytestmark = pytest.mark.timeout(300)


def bench(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", "--output", folder / "bench.json", *arguments],
        cwd=BACKEND,
        env=clean_environment(folder),
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )


def results(folder: Path, done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert (folder / "bench.json").is_file(), done.stdout + done.stderr
    result = json.loads((folder / "bench.json").read_text())
    assert result["void"] == []
    # So few requests say nothing about speed, so a goal may be missed.
    assert done.returncode == bool(result["missed"]), done.stdout + done.stderr
    assert all(ratio["median"] > 0 for ratio in result["ratios"].values())
    assert (folder / "bench.svg").read_text().startswith("<svg")
    return result


@pytest.mark.long
def test_a_small_run_measures_everything_and_is_not_void(tmp_path: Path) -> None:
    result = results(tmp_path, bench(tmp_path, "--slots", "10000", "--rounds", "1", "--requests", "16", "--sqlite"))
    measured = {(row["system"], row["scenario"]) for row in result["measured"]}
    assert {("lean", "book"), ("ours", "book"), ("ours on SQLite", "book"), ("bare", "bare view")} <= measured
    assert {("ours", "book with a key"), ("ours", "a busy day"), ("ours", "log in")} <= measured
    for scenario in (*OF_TIMES, *WORKS):
        assert {("lean", scenario), ("ours", scenario), ("ours on SQLite", scenario)} <= measured
    assert {LISTED_TO_YARDSTICK, f"{TO_PUBLISHED}: book", f"{TO_YARDSTICK}: move"} <= result["ratios"].keys()
    assert len(result["seconds"]) == 6


def test_the_yardstick_answers_like_the_product(tmp_path: Path) -> None:
    with (
        postgresql(Stock(LEAST_SLOTS)) as (cluster, database),
        yardstick(cluster, database, tmp_path) as lean,
        product("ours", cluster.url, database, tmp_path) as ours,
    ):
        same_answers(lean, ours)


def test_a_clinic_that_is_too_small_is_refused(tmp_path: Path) -> None:
    too_few = bench(tmp_path, "--slots", "9")
    assert too_few.returncode == 2
    assert "at least 10000 slots" in too_few.stderr


@pytest.mark.parametrize("slots", [10_000, 100_000, 1_000_000])
def test_no_two_slots_overlap_that_a_patient_of_the_benchmark_books(slots: int) -> None:
    stock, tomorrow = Stock(slots), datetime(2030, 3, 5, tzinfo=timezone.utc)
    booked: dict[int, list[tuple[datetime, datetime]]] = defaultdict(list)
    for slot, patient in map(stock.slot, range(stock.bookable)):
        doctor, nth = divmod(slot - 1, SLOTS_OF_A_DOCTOR)
        starts_at, ends_at, *_ = spans(1 + doctor, tomorrow)[nth]
        booked[patient].append((starts_at, ends_at))
    for times in booked.values():
        assert all(earlier[1] <= later[0] for earlier, later in itertools.pairwise(sorted(times)))
    assert len({stock.slot(number)[1] for number in range(MANY)}) == MANY


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        (f"{TO_YARDSTICK}: book", 1, 9),
        (LISTED_TO_YARDSTICK, 1.9, 2.1),
        (f"{TO_PUBLISHED}: book", 1.5, 1.7),
        (f"{MEMORY}: ours", 50, 101),
        (f"{SQLITE_TO_POSTGRESQL}: book", 0.9, 0.1),
        ("p50 at 9 slots to 3: book, 16 connections", 1, 2),
        ("p50 at 9 slots to 3: list computed times, 16 connections", 1.4, 1.6),
    ],
)
def test_a_figure_beyond_its_goal_misses_it(name: str, good: float, bad: float) -> None:
    assert not misses(name, good)
    assert misses(name, bad)


@pytest.mark.parametrize(
    ("doctors", "weeks", "most"), [(20, MIXED, 50), (200, MIXED, 50), (2000, MIXED, 500), (2000, SOLID, 2500)]
)
def test_a_search_of_full_doctors_may_take_five_times_as_long(doctors: int, weeks: Weeks, most: float) -> None:
    assert goal_ms(doctors, weeks) == most


@pytest.mark.parametrize(
    ("ours", "is_slower"), [([100, 100, 100], False), ([120, 119, 121], True), ([96, 107, 130], False)]
)
def test_a_call_is_slower_only_beyond_the_spread_of_the_rounds(ours: list[float], is_slower: bool) -> None:  # noqa: FBT001
    results = Results()
    for system, times in (("before", [100.0, 100.0, 100.0]), ("ours", ours)):
        results.blocks[system, "book", MANY] = [Block(1, 1, 1, time, 0, Counter()) for time in times]
    [ratio] = comparisons(results).values()
    assert (ratio.low > SLOWER) is is_slower


@pytest.mark.long
def test_a_small_run_against_this_commit_measures_everything_and_is_not_void(tmp_path: Path) -> None:
    sizes = ["--slots", "10000", "--rounds", "2", "--requests", "60"]
    result = results(tmp_path, bench(tmp_path, "--against", "HEAD", *sizes))
    measured = {(row["system"], row["scenario"]) for row in result["measured"]}
    assert {("before", "book with a key"), ("ours", "book with a key")} <= measured
    assert {("before", "book a computed time"), ("ours", "book a computed time")} <= measured

    unknown = bench(tmp_path, "--against", "no-such-commit", *sizes)
    assert unknown.returncode == 1
    assert "'no-such-commit' is no commit of this repository" in unknown.stderr


@pytest.mark.long
def test_a_small_growth_run_measures_everything_and_is_not_void(tmp_path: Path) -> None:
    sizes = ["--growth", "10000", "20000", "--history", "50", "--past", "20000"]
    result = results(tmp_path, bench(tmp_path, *sizes, "--rounds", "1", "--requests", "60"))
    for scenario in (
        "last page of doctors",
        "dashboard over a long history",
        "a mail by the worker",
        "book",
        "hold",
        "move",
    ):
        assert any(f"p50 at 20000 slots to 10000: {scenario}" in name for name in result["ratios"])


@pytest.mark.long
def test_a_small_run_of_searches_measures_both_databases_and_finds_times(tmp_path: Path) -> None:
    done = bench(tmp_path, "--search", "20", "--rounds", "1", "--requests", "4")
    assert (tmp_path / "bench.json").is_file(), done.stdout + done.stderr
    result = json.loads((tmp_path / "bench.json").read_text())
    assert result["void"] == []
    # So few requests say nothing about speed, so a goal may be missed.
    assert done.returncode == bool(result["missed"]), done.stdout + done.stderr
    measured = Counter((row["weeks"], row["database"]) for row in result["measured"])
    both = {(weeks.name, database) for weeks in (MIXED, SOLID) for database in ("PostgreSQL", "SQLite")}
    assert measured == Counter(dict.fromkeys(both, len(CALLS)))
    assert all(0 < row["p50_ms"] <= row["p95_ms"] for row in result["measured"])
    assert done.stdout.count("MISSED") == len(result["missed"])
    assert "load before" in done.stdout


@pytest.mark.long
def test_the_parts_of_a_call_are_measured(tmp_path: Path) -> None:
    done = bench(tmp_path, "--parts")
    assert done.returncode == 0, done.stdout + done.stderr
    for part in ("ours, list free slots", "yardstick, list computed times", "SELECT 1 by SQLAlchemy", "JSON"):
        assert part in done.stdout

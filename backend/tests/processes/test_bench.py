"""`./bench` runs and gets only the answers that it expects; these tests do not check how fast they come.

The runs are in `./test --long`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

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


def test_a_clinic_that_is_too_small_is_refused(tmp_path: Path) -> None:
    too_few = bench(tmp_path, "--slots", "9")
    assert too_few.returncode == 2
    assert "at least 10000 slots" in too_few.stderr


@pytest.mark.long
def test_a_small_run_against_this_commit_measures_everything_and_is_not_void(tmp_path: Path) -> None:
    sizes = ["--slots", "10000", "--rounds", "2", "--requests", "60"]
    result = results(tmp_path, bench(tmp_path, "--against", "HEAD", *sizes))
    measured = {(row["system"], row["scenario"]) for row in result["measured"]}
    assert {("before", "book with a key"), ("ours", "book with a key")} <= measured

    unknown = bench(tmp_path, "--against", "no-such-commit", *sizes)
    assert unknown.returncode == 1
    assert "'no-such-commit' is no commit of this repository" in unknown.stderr


@pytest.mark.long
def test_a_small_growth_run_measures_everything_and_is_not_void(tmp_path: Path) -> None:
    sizes = ["--growth", "10000", "20000", "--history", "50"]
    result = results(tmp_path, bench(tmp_path, *sizes, "--rounds", "1", "--requests", "60"))
    for scenario in ("last page of doctors", "dashboard over a long history", "a mail by the worker", "book"):
        assert any(f"p50 at 20000 slots to 10000: {scenario}" in name for name in result["ratios"])


@pytest.mark.long
def test_the_parts_of_a_call_are_measured(tmp_path: Path) -> None:
    done = bench(tmp_path, "--parts")
    assert done.returncode == 0, done.stdout + done.stderr
    for part in ("ours, list free slots", "yardstick, list free slots", "SELECT 1 by SQLAlchemy", "JSON"):
        assert part in done.stdout

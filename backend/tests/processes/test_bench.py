"""`./bench` works, and no answer that it gets is unexpected; how fast it was is not for a test to say."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes.servers import BACKEND, clean_environment


@pytest.mark.timeout(300)
def test_a_small_run_measures_everything_and_is_not_void(tmp_path: Path) -> None:
    output = tmp_path / "bench.json"
    small = ["--slots", "10000", "--rounds", "1", "--requests", "60", "--sqlite", "--output", output]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", *small],
        cwd=BACKEND,
        env=clean_environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(output.read_text())
    assert result["void"] == []
    measured = {(row["system"], row["scenario"]) for row in result["measured"]}
    assert {("lean", "book"), ("ours", "book"), ("ours on SQLite", "book"), ("bare", "bare view")} <= measured
    assert all(ratio > 0 for ratio in result["ratios"].values())
    assert output.with_suffix(".svg").read_text().startswith("<svg")

    again = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--against", output, "--slots", "9"],
        cwd=BACKEND,
        env=clean_environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert again.returncode == 2
    assert "--slots must be at least" in again.stderr

"""The usage of ./run, ./test and ./bench."""

from __future__ import annotations

import subprocess

import pytest

from tests.processes.servers import BACKEND

ROOT = BACKEND.parent
# If a command went on, it would fail at this Python and start nothing.
NO_PYTHON = "/nowhere/python3"


def call(*command: str) -> subprocess.CompletedProcess[str]:
    script, *arguments = command
    return subprocess.run(
        [ROOT / script, *arguments],
        env={"PATH": "/usr/bin:/bin", "PYTHON": NO_PYTHON},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("script", ["run", "test", "bench"])
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_is_the_usage(script: str, option: str) -> None:
    done = call(script, option)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"./{script}" in done.stdout
    assert "set -eu" not in done.stdout
    assert "#" not in done.stdout


@pytest.mark.parametrize(
    "command", [("run", "--port", "80"), ("run", "demo"), ("run", ""), ("test", "--faults"), ("test", "--load"),
                ("test", "--load", "1", "2")]
)  # fmt: skip
def test_other_arguments_are_refused(command: tuple[str, ...]) -> None:
    done = call(*command)
    assert done.returncode == 2
    assert done.stdout == ""
    assert f"./{command[0]}" in done.stderr
    assert NO_PYTHON not in done.stderr

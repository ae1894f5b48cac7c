"""Start the servers that are measured, and read their CPU time and memory."""

from __future__ import annotations

import contextlib
import secrets
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import psutil

from benchmarks.clinic_hours import ZONE
from tests.processes.servers import BACKEND, Program, Server, clean_environment, free_port

SECRETS = {
    "SECRET_KEY": secrets.token_urlsafe(48),
    "JWT_SECRET_KEY": secrets.token_urlsafe(48),
    "DOCTOR_INVITATION_CODE": secrets.token_urlsafe(48),
}
# The product's defaults.
ARGON2 = {"ARGON2_MEMORY_KIB": "19456", "ARGON2_ITERATIONS": "2"}
# A few patients make all bookings.
CHANGES = {"PATIENT_CHANGES_PER_HOUR": "1000000"}
# The doctors' time zone is the clinic's, as in most clinics.
CLINIC = {"CLINIC_TIME_ZONE": ZONE}


@contextlib.contextmanager
def serving(name: str, target: str, folder: Path, backend: Path = BACKEND, **settings: str) -> Iterator[Server]:
    """Run `gunicorn TARGET` as the Procfile does: in backend/, with gunicorn.conf.py, for production."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", target]
    env = clean_environment(folder, **SECRETS, **ARGON2, **CHANGES, **CLINIC, **settings)
    program = Program(command, cwd=backend, env=env, log=folder / f"{name}.log")
    server = Server(program, port)
    try:
        server.wait_until_answering()
        yield server
    finally:
        program.end()


def family(pid: int) -> list[psutil.Process]:
    """Return a process and all its children."""
    parent = psutil.Process(pid)
    return [parent, *parent.children(recursive=True)]


def cpu_seconds(processes: Iterable[psutil.Process]) -> float:
    """Return the user and system time of the running processes, and of their ended children."""
    total = 0.0
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            total += sum(process.cpu_times()[:4])
    return total


def megabytes_per_worker(server: Server) -> float:
    """Return the memory of the largest worker as PSS: its own memory, and its share of memory used by several."""
    workers = family(server.program.process.pid)[1:]
    return max(worker.memory_full_info().pss for worker in workers) / 2**20

"""A mail worker beside the servers, and a provider that accepts what it sends."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.measure import System
from benchmarks.systems import ARGON2, SECRETS
from tests.mail.fake_resend import fake_resend
from tests.processes.servers import BACKEND, Program, clean_environment


@contextmanager
def mail_worker(url: str, folder: Path, system: System) -> Iterator[None]:
    """Run `python worker.py` on the system's database; its CPU time counts as the system's."""
    with fake_resend() as resend:
        provider = {"RESEND_API_KEY": "re_of_the_benchmark", "RESEND_API_URL": resend.url,
                    "FROM_EMAIL": "Clinic <clinic@people.example>"}  # fmt: skip
        env = clean_environment(folder, DATABASE_URL=url, **SECRETS, **ARGON2, **provider)
        worker = Program([sys.executable, "worker.py"], cwd=BACKEND, env=env, log=folder / "worker.log")
        try:
            worker.wait_for_output("started")
            system.beside.append(worker.process.pid)
            yield
        finally:
            system.beside.clear()
            worker.end()

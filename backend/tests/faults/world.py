"""The processes of a campaign (servers, mail workers, a database, a fake mail provider) and the faults they suffer."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import psutil
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from src.utils.clock import system_clock
from tests.faults.record import Limits, Record, now
from tests.mail.fake_resend import FakeResend
from tests.postgres import Cluster
from tests.processes.servers import BACKEND, REAL_SECRETS, Program, clean_environment, free_port

LEASE_SECONDS = 3.0
FAULTY_MOODS = ("500", "503-html", "429", "hang", "cut", "accept-then-cut", "late")
SECONDS_TO_RECOVER = 3.0


def day_of_visits() -> str:
    """Return the day on which all slots and times of a campaign are."""
    return (system_clock().date() + timedelta(days=30)).isoformat()


def limits() -> Limits:
    """Return what the clinic allows: its notice makes it too late for the earlier times of the eastern zones."""
    bound = datetime.fromisoformat(f"{day_of_visits()}T09:15+00:00")
    return Limits(notice=int((bound - system_clock()).total_seconds()) // 60)


class NotServingError(Exception):
    """A machine does not serve again after a fault."""


@dataclass
class Machine:
    """A server of the campaign: one gunicorn with two workers."""

    world: World
    name: str
    port: int = field(default_factory=free_port)
    program: Program | None = None
    starts: int = 0

    def start(self) -> None:
        self.starts += 1
        command = [sys.executable, "-m", "gunicorn", "-b", f"127.0.0.1:{self.port}", "tests.faults.mutated:app"]
        log = self.world.folder / f"{self.name}.{self.starts}.log"
        self.program = Program(command, cwd=BACKEND, env=self.world.environment, log=log)

    def processes(self) -> list[psutil.Process]:
        """Return the master and its workers, the master first."""
        assert self.program is not None
        with suppress(psutil.NoSuchProcess):
            master = psutil.Process(self.program.process.pid)
            return [master, *master.children(recursive=True)]
        return []

    def workers(self) -> list[psutil.Process]:
        return self.processes()[1:]

    def kill(self) -> None:
        everything = self.processes()
        for process in everything:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        assert self.program is not None
        self.program.process.wait(10)
        # Until the last worker has ended, the port is in use, and a new gunicorn would wait a second to try again.
        psutil.wait_procs(everything, timeout=10)

    def stop(self) -> None:
        """Send SIGTERM, as a rolling restart does, and wait until the requests under way are answered."""
        assert self.program is not None
        self.program.process.terminate()
        self.program.process.wait(30)


@dataclass
class MailWorker:
    """A process of the mail worker."""

    world: World
    name: str
    program: Program | None = None
    starts: int = 0

    def start(self) -> None:
        self.starts += 1
        log = self.world.folder / f"{self.name}.{self.starts}.log"
        command = [sys.executable, "-m", "tests.faults.mutated"]
        self.program = Program(command, cwd=BACKEND, env=self.world.environment, log=log)

    def send(self, number: signal.Signals) -> None:
        assert self.program is not None
        self.program.process.send_signal(number)

    def kill(self) -> None:
        assert self.program is not None
        self.program.process.kill()
        self.program.process.wait(10)


class World:
    """All processes of a campaign; `calm_since` is None during a fault and its recovery."""

    def __init__(
        self, folder: Path, resend: FakeResend, *, cluster: Cluster | None, url: str, mutant: str, machines: int
    ) -> None:
        self.folder = folder
        self.resend = resend
        self.cluster = cluster
        self.url = url
        self.limits = limits()
        self.calm_since: float | None = now()
        self.faults: list[str] = []
        # The faults, and how many seconds each machine took afterwards to be ready again.
        self.recoveries: list[tuple[str, float]] = []
        self.seconds_to_start = 0.0
        self.environment = clean_environment(
            folder,
            **REAL_SECRETS,
            DATABASE_URL=url,
            RESEND_API_KEY="re_of_the_tests",
            RESEND_API_URL=resend.url,
            FROM_EMAIL="clinic@people.example",
            MAIL_TIMEOUT_SECONDS="0.5",
            MAIL_LEASE_SECONDS=str(LEASE_SECONDS),
            MAIL_RETRY_CEILING_SECONDS="1",
            MAIL_POLL_SECONDS="0.1",
            # Slow enough that several mails are due when a worker looks, so that it sends batches.
            RESEND_REQUESTS_PER_SECOND="10",
            LOGIN_FAILURES_PER_ACCOUNT="100000",
            LOGIN_FAILURES_PER_ADDRESS="100000",
            INVITATION_FAILURES_PER_ADDRESS="100000",
            REGISTRATIONS_PER_HOUR="100000",
            PASSWORD_RESETS_PER_HOUR="100000",
            CANCELLATION_NOTICE_MINUTES=str(self.limits.notice),
            MOST_APPOINTMENTS_AHEAD=str(self.limits.most_ahead),
            MOST_APPOINTMENTS_AHEAD_PER_DOCTOR=str(self.limits.most_with_doctor),
            PATIENT_CHANGES_PER_HOUR=str(self.limits.changes_per_hour),
            FAULTS_MUTANT=mutant,
        )
        self.machines = [Machine(self, f"machine{number}") for number in range(machines)]
        self.mail_workers = [MailWorker(self, f"mail{number}") for number in range(2)]

    @property
    def engine(self) -> Engine:
        return create_engine(self.url, poolclass=NullPool)

    def living(self) -> Iterator[tuple[str, psutil.Process]]:
        """Yield the server workers and mail workers, each with the name of its machine."""
        for machine in self.machines:
            for worker in machine.workers():
                yield machine.name, worker
        for mail in self.mail_workers:
            assert mail.program is not None
            with suppress(psutil.NoSuchProcess):
                yield mail.name, psutil.Process(mail.program.process.pid)

    def start(self) -> None:
        """Start all processes at once, and note how many seconds the slowest machine took to be ready."""
        began = now()
        for machine in self.machines:
            machine.start()
        for worker in self.mail_workers:
            worker.start()
        for machine in self.machines:
            self.await_ready(machine, 40)
        self.seconds_to_start = now() - began

    def end(self) -> None:
        for machine in self.machines:
            machine.kill()
        for worker in self.mail_workers:
            worker.send(signal.SIGCONT)
            worker.kill()

    def await_ready(self, machine: Machine, seconds: float) -> float:
        """Wait until the machine reports that it is ready, and return how many seconds that took."""
        from tests.faults.callers import ask  # noqa: PLC0415 - the two know each other

        began = now()
        while now() - began < seconds:
            answer = ask(machine.port, "GET", "/health/ready", timeout=1)
            if answer is not None and answer.status == 200:
                return now() - began
            time.sleep(0.05)
        assert machine.program is not None
        raise NotServingError(f"{machine.name} does not serve again:\n{machine.program.output[-3000:]}")

    @contextmanager
    def fault(self, name: str) -> Iterator[None]:
        """Record a fault, and wait afterwards until every machine is ready again."""
        self.faults.append(name)
        self.calm_since = None
        yield
        for machine in self.machines:
            self.recoveries.append((name, self.await_ready(machine, 20)))
        self.calm_since = now()


def trouble(world: World, record: Record, rng: random.Random, over: threading.Event) -> None:
    """Cause one fault after another, at random, until the campaign is over."""
    faults = [kill_server_worker, kill_machine, freeze_server_worker, restart_machine, kill_mail, freeze_mail]
    if world.cluster is not None:
        faults += [kill_postgres, restart_postgres, kill_backend, terminate_backends]
    bag: list[int] = []
    while not over.is_set():
        # Each kind comes once before any comes twice, in an order that the seed decides.
        bag = bag or rng.sample(range(len(faults)), len(faults))
        fault = faults[bag.pop()]
        try:
            with world.fault(fault.__name__):
                fault(world, rng)
        except NotServingError as error:
            record.violation(str(error))
            return
        over.wait(rng.uniform(0.2, 0.8))


def slow_recoveries(world: World, recover_within: float) -> list[str]:
    """Return the recoveries that took longer than so many seconds.

    A machine that starts anew may take twice as long as at the start of the campaign, when all processes start at once:
    how many seconds Python needs to load the libraries depends on the computer, and the clients keep its cores busy.
    """
    starting = max(recover_within, 2 * world.seconds_to_start)
    limits = {kill_machine.__name__: starting, restart_machine.__name__: starting}
    return [
        f"{seconds:.1f} s after {fault}"
        for fault, seconds in world.recoveries
        if seconds > limits.get(fault, recover_within)
    ]


def kill_server_worker(world: World, rng: random.Random) -> None:
    workers = rng.choice(world.machines).workers()
    if workers:
        rng.choice(workers).kill()


def kill_machine(world: World, rng: random.Random) -> None:
    machine = rng.choice(world.machines)
    machine.kill()
    machine.start()


def restart_machine(world: World, rng: random.Random) -> None:
    machine = rng.choice(world.machines)
    machine.stop()
    machine.start()


def freeze_server_worker(world: World, rng: random.Random) -> None:
    workers = rng.choice(world.machines).workers()
    if workers:
        worker = rng.choice(workers)
        worker.suspend()
        time.sleep(rng.uniform(0.3, 1.0))
        worker.resume()


def kill_mail(world: World, rng: random.Random) -> None:
    worker = rng.choice(world.mail_workers)
    worker.kill()
    worker.start()


def freeze_mail(world: World, rng: random.Random) -> None:
    """Stop a mail worker for longer than its lease, so that the other worker claims its mail."""
    worker = rng.choice(world.mail_workers)
    worker.send(signal.SIGSTOP)
    time.sleep(LEASE_SECONDS + 0.5)
    worker.send(signal.SIGCONT)


def kill_postgres(world: World, rng: random.Random) -> None:
    """Kill all processes of PostgreSQL, and start it again."""
    cluster = world.cluster
    assert cluster is not None
    assert cluster.process is not None
    server = psutil.Process(cluster.process.pid)
    everything = [server, *server.children(recursive=True)]
    for process in everything:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    cluster.process.wait(10)
    psutil.wait_procs(everything, timeout=10)
    cluster.start(POSTGRES_SETTINGS)


def restart_postgres(world: World, rng: random.Random) -> None:
    cluster = world.cluster
    assert cluster is not None
    assert cluster.process is not None
    cluster.process.send_signal(signal.SIGINT)
    cluster.process.wait(20)
    cluster.start(POSTGRES_SETTINGS)


def kill_backend(world: World, rng: random.Random) -> None:
    """Kill the process of one connection; PostgreSQL then restarts all of them."""
    with suppress(DBAPIError), world.engine.connect() as connection:
        pids = list(connection.scalars(text("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")))
        with suppress(ProcessLookupError):
            os.kill(rng.choice(pids), signal.SIGKILL)


def terminate_backends(world: World, rng: random.Random) -> None:
    with suppress(DBAPIError), world.engine.connect() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
                " AND datname = current_database()"
            )
        )


# Without fsync, commits still survive kill -9, because the operating system keeps what was written.
POSTGRES_SETTINGS = {"fsync": "off", "synchronous_commit": "on", "max_connections": "200"}


def empty_folder(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    folder.chmod(0o755)
    return folder

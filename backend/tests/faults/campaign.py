"""A fault campaign: clients use the product while its processes are killed; a checker then looks for wrong results.

./test --faults SEED SECONDS     on PostgreSQL with two machines
./test --load SECONDS            the same clients without faults: no answer may be a 5xx, and memory must stay level
./test --mutants                 campaigns with deliberate defects, each of which the checker must report
"""

from __future__ import annotations

import random
import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import psutil
from sqlalchemy import text

from src.database.connections import listen_to_sqlite
from tests.conftest import migrate_to_head
from tests.faults.callers import Town
from tests.faults.checker import check
from tests.faults.clients import Client
from tests.faults.mutants import MUTANTS, Mutant
from tests.faults.record import NEVER, Record, now
from tests.faults.world import (
    FAULTY_MOODS,
    LEASE_SECONDS,
    POSTGRES_SETTINGS,
    SECONDS_TO_RECOVER,
    World,
    slow_recoveries,
    trouble,
)
from tests.mail.fake_resend import fake_resend
from tests.postgres import Cluster, binaries_in

CLIENTS = 12
# By which fraction the memory of a process may change under steady load.
FLAT = 0.05
# How many of the holds that are left in the end are made to expire.
HOLDS_TO_EXPIRE = 10
# How many new passwords by mail, and how many patients who leave, a campaign has at least.
LEAST = 2
SECONDS_TO_DRAIN = LEASE_SECONDS + 10
# For which the seconds of the mutants are meant. A slower computer gets more time for them.
REQUESTS_A_SECOND = 200
# How many times its seconds a campaign may take until enough has happened.
MOST_TIMES = 3
# Whether so much has happened that a campaign may end.
Enough = Callable[[World, Record], bool]


@dataclass
class Report:
    seed: int
    seconds: float
    violations: list[str]
    faults: Counter[str]
    recoveries: list[float]
    requests: int
    answers: int
    # How many of the answers were those of forms, as browsers post them.
    forms: int
    appointments: int
    moves: int
    holds: int
    changes_of_hours: int
    withdrawals: int
    # The appointments that were cancelled because they were outside of the hours.
    swept: int
    # How often a new password was set with the token of a mail, and with the old password.
    resets: int
    password_changes: int
    # How many patients left.
    departures: int
    limited: Counter[str]
    mails: int
    # How many batches were sent, and how many of these requests repeated an earlier one.
    batches: int
    repeated_batches: int
    drained_after: float
    statuses: Counter[int] = field(default_factory=Counter)
    memory: dict[str, list[float]] = field(default_factory=dict)

    def __str__(self) -> str:
        slowest = max(self.recoveries, default=0.0)
        return (
            f"seed {self.seed}, {self.seconds:.0f} s: {len(self.violations)} violations,"
            f" {sum(self.faults.values())} faults {dict(self.faults)},"
            f" {self.requests} requests, {self.answers} answers, {self.forms} of them to forms,"
            f" {self.appointments} appointments,"
            f" {self.moves} moves, {self.holds} holds, {self.changes_of_hours} changes of hours,"
            f" {self.withdrawals} withdrawals, {self.swept} affected appointments cancelled,"
            f" {self.resets} resets and {self.password_changes} changes of passwords, {self.departures} patients left,"
            f" limits met {dict(self.limited)}, {self.mails} mails,"
            f" {self.batches} batches, of which {self.repeated_batches} were repetitions,"
            f" slowest recovery {slowest:.1f} s, mails drained after {self.drained_after:.1f} s"
        )


def run(
    seed: int,
    seconds: float,
    *,
    kind: Literal["postgresql", "sqlite"] = "postgresql",
    mutant: str = "",
    faulty_share: float = 0.5,
    trouble_comes: bool = True,
    enough: Enough = lambda _world, _record: True,
    recover_within: float = SECONDS_TO_RECOVER,
) -> Report:
    """Run one campaign for `seconds`, and for up to three times as long until `enough` has happened.

    A machine that needs more than `recover_within` seconds to serve again is a violation, see `slow_recoveries`.
    """
    defect = MUTANTS[mutant] if mutant else Mutant("", under_faults=trouble_comes)
    record = Record()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="f-", dir="/tmp")))
        folder.chmod(0o755)
        resend = stack.enter_context(fake_resend())
        cluster, url = _database(folder, kind, defect)
        if cluster is not None:
            stack.callback(cluster.stop)
        migrate_to_head(url)
        machines = 2 if kind == "postgresql" else 1
        world = World(folder, resend, cluster=cluster, url=url, mutant=mutant, machines=machines)
        _break_schema(world, defect)
        stack.callback(world.end)
        world.start()
        moods = random.Random(seed)
        resend.retry_after, resend.hang_seconds = 0.3, 1.0
        resend.mood = lambda: moods.choice(FAULTY_MOODS) if moods.random() < faulty_share else "ok"
        record.limits = world.limits
        town = Town(world, record)
        with watched_memory(world) as memory:
            clients = _live(town, seed, defect, seconds, enough)
        _complete(clients)
        _look_back(town, clients)
        drained = _drain(world)
        engine = world.engine
        if kind == "sqlite":
            listen_to_sqlite(engine)
        violations = check(record, engine, resend.accepted)
        violations += [f"a machine served again only {late}" for late in slow_recoveries(world, recover_within)]
        if drained > SECONDS_TO_DRAIN:
            violations.append(f"mails still wait {drained:.0f} s after the last fault")
        if not trouble_comes:
            violations += [f"{status} from {path}" for status, _, path in record.server_errors]
            violations += not_flat(memory)
        recoveries = [seconds for _, seconds in world.recoveries]
        batch_keys = [call["key"] for call in resend.calls if "mails" in call]
        if violations and not mutant:
            _keep_logs(folder, seed)
        return Report(
            seed, seconds, violations, Counter(world.faults), recoveries, record.requests, record.answers,
            record.forms, len(record.booked), record.moves, record.holds,
            sum(map(len, record.hours.values())),
            sum(one.ended != NEVER for of in record.withdrawals.values() for one in of),
            sum(len(sweep.appointments) for sweep in record.sweeps if sweep.outcome == "done"),
            sum(record.reset_tokens.values()), record.password_changes,
            sum(departure.done for departure in record.departures.values()),
            record.limited, len(resend.accepted),
            len(batch_keys), len(batch_keys) - len(set(batch_keys)),
            drained, Counter(s for s, _, _ in record.server_errors), memory,
        )  # fmt: skip


@contextmanager
def watched_memory(world: World) -> Iterator[dict[str, list[float]]]:
    """Measure the memory of each server and mail worker every two seconds; yield the megabytes by process."""
    seen: dict[str, list[float]] = {}
    done = threading.Event()

    def look() -> None:
        while not done.wait(2):
            for name, process in world.living():
                with suppress(psutil.Error):
                    seen.setdefault(f"{name} {process.pid}", []).append(process.memory_info().rss / 2**20)

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield seen
    finally:
        done.set()
        watcher.join()


def not_flat(memory: dict[str, list[float]]) -> list[str]:
    """Return a sentence for each process whose memory changed by more than FLAT from the second fifth to the last."""
    wrong: list[str] = []
    for name, seen in memory.items():
        fifth = max(1, len(seen) // 5)
        # The first fifth does not count: it fills caches, prepares statements and starts threads.
        first, last = statistics.median(seen[fifth : 2 * fifth]), statistics.median(seen[-fifth:])
        print(f"  memory of {name}: {first:.1f} MB, in the end {last:.1f} MB ({last / first - 1:+.1%})")
        if abs(last / first - 1) > FLAT:
            wrong.append(f"memory of {name} went from {first:.1f} to {last:.1f} MB")
    return wrong


def _keep_logs(folder: Path, seed: int) -> None:
    """Copy the logs of all processes to a folder that stays."""
    kept = tempfile.mkdtemp(prefix=f"faults-of-seed-{seed}-")
    print("logs are kept in", kept)
    for log in [*folder.glob("*.log"), *folder.glob("log")]:
        shutil.copy(log, kept)


def _database(folder: Path, kind: str, defect: Mutant) -> tuple[Cluster | None, str]:
    if kind == "sqlite":
        return None, f"sqlite:///{folder / 'clinic.db'}"
    cluster = Cluster(binaries_in(folder), folder)
    cluster.initialise()
    POSTGRES_SETTINGS.update({"synchronous_commit": "on", "wal_writer_delay": "200ms", **defect.postgres})
    cluster.start(POSTGRES_SETTINGS)
    return cluster, cluster.url


def _break_schema(world: World, defect: Mutant) -> None:
    with world.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for statement in defect.sql:
            connection.execute(text(statement))
        if world.cluster is not None:
            # The tables must survive a kill of a server with the mutant `synchronous-commit-off`.
            connection.execute(text("CHECKPOINT"))


def _live(town: Town, seed: int, defect: Mutant, seconds: float, enough: Enough) -> list[Client]:
    """Run the clients, while a thread causes faults, and return them."""
    world, record = town.world, town.record
    settling = Client(town, random.Random(seed))
    settling.settle()
    for _ in range(4):
        settling.open_practice(publish=5)
    over = threading.Event()
    until, latest = now() + seconds, now() + MOST_TIMES * seconds
    with ThreadPoolExecutor(max_workers=CLIENTS + 1) as pool:
        clients = [Client(town, random.Random(seed * 1000 + number)) for number in range(CLIENTS)]
        running = [pool.submit(client.run, over) for client in clients]
        if defect.under_faults:
            running.append(pool.submit(trouble, world, record, random.Random(seed), over))
        # One that ends before the others has failed, or has found that a machine does not serve any more.
        ended: set[Future[None]] = set()
        while not ended and (now() < until or (now() < latest and not enough(world, record))):
            ended, _ = wait(running, timeout=0.1, return_when=FIRST_COMPLETED)
        over.set()
    for thread in running:
        thread.result()
    return [settling, *clients]


def _complete(clients: list[Client]) -> None:
    """Let so many people set new passwords and leave that a campaign has LEAST of each, however short it is."""
    forget, leave = clients[:LEAST], clients[-LEAST:]
    lacking = LEAST - sum(client.resets for client in clients)
    staying = LEAST - sum(client.leavings for client in clients)
    with ThreadPoolExecutor(max_workers=2 * LEAST) as pool:
        asked = [pool.submit(client.reset_now) for client in forget[: max(lacking, 0)]]
        asked += [pool.submit(client.leave) for client in leave[: max(staying, 0)]]
    for one in asked:
        one.result()


def _look_back(town: Town, clients: list[Client]) -> None:
    """Book what was held until now, and read the lists."""
    # Each books one, because of the limits.
    for client in clients[:HOLDS_TO_EXPIRE]:
        client.book_expired()
    for client in clients:
        client.read_own_lists()
    clients[0].read_lists_of_doctors()
    clients[0].try_ended_sessions()


def _drain(world: World) -> float:
    """End the provider's faults, wait until no mail waits, and return how many seconds that took."""
    world.resend.mood = None
    world.resend.script.clear()
    began = now()
    engine = world.engine
    while now() - began < SECONDS_TO_DRAIN + 5:
        with engine.connect() as connection:
            if not connection.execute(text("SELECT count(*) FROM outbox WHERE status = 'waiting'")).scalar_one():
                break
        time.sleep(0.1)
    return now() - began


def main() -> None:
    """Run what the command line asks for; exit with status 1 after a violation."""
    if sys.argv[1:2] == ["--mutants"]:
        sys.exit(_all_mutants(sys.argv[2:] or list(MUTANTS)))
    if sys.argv[1] == "--load":
        report = run(0, float(sys.argv[2]), trouble_comes=False, faulty_share=0)
    else:
        report = run(int(sys.argv[1]), float(sys.argv[2]))
    print(report)
    for violation in report.violations:
        print("  violation:", violation)
    sys.exit(bool(report.violations))


def _all_mutants(names: list[str]) -> int:
    missed = 0
    if unknown := set(names) - MUTANTS.keys():
        sys.exit(f"There is no mutant {', '.join(unknown)}; there are: {', '.join(MUTANTS)}")
    for name in names:
        told: list[str] = []
        for seed in (1, 2, 3):
            seconds = MUTANTS[name].seconds
            least = seconds * REQUESTS_A_SECOND
            report = run(
                seed,
                seconds,
                mutant=name,
                enough=lambda _, record, least=least: record.requests >= least,
                recover_within=NEVER,
            )
            told = [violation for violation in report.violations if MUTANTS[name].explains(violation)]
            if told:
                break
        caught = bool(told)
        missed += not caught
        said = (told or report.violations or ["no violation"])[0][:160]
        print(f"{'caught' if caught else 'MISSED'}  {name}, seed {seed}: {said}", flush=True)
    print(f"{len(names) - missed} of {len(names)} mutants caught")
    return missed


if __name__ == "__main__":
    main()

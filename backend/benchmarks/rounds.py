"""Measure every scenario on every system in each round, so that other load of the machine affects all systems alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from pathlib import Path

from rich.progress import Progress

from benchmarks.database import conninfo
from benchmarks.measure import Database, System, measure
from benchmarks.report import MANY, Results, console
from benchmarks.scenarios import OURS_ONLY, SEARCHES
from benchmarks.systems import SECRETS, serving
from config import load_settings
from src.utils.security import issue_token
from tests.conftest import build_app
from tests.postgres import Cluster
from tests.processes.servers import BACKEND


@cache
def token_maker() -> Callable[[int, str], str]:
    """Return a function that makes tokens that all systems accept."""
    settings = load_settings(**{name.lower(): value for name, value in SECRETS.items()})
    app = build_app(settings)

    @cache
    def token(user_id: int, role: str) -> str:
        with app.app_context():
            return issue_token(user_id, role, 0, timedelta(hours=settings.jwt_access_token_hours))

    return token


@contextmanager
def yardstick(cluster: Cluster, database: Database, folder: Path) -> Iterator[System]:
    """Serve the lean yardstick on a database of the product."""
    settings = {"BENCH_CONNINFO": conninfo(cluster)}
    with serving("lean", "benchmarks.yardstick_times:lean", folder, **settings) as server:
        yield System("lean", server, database, token_maker())


@contextmanager
def product(name: str, url: str, database: Database, folder: Path, backend: Path = BACKEND) -> Iterator[System]:
    """Serve the product on a database."""
    with serving(name.replace(" ", "-"), "app:app", folder, backend, DATABASE_URL=url) as server:
        yield System(name, server, database, token_maker())


def run_rounds(
    systems: list[System], scenarios: list[str], results: Results, *, rounds: int, requests: int,
    between: Callable[[], None] = lambda: None,
) -> None:  # fmt: skip
    """Measure every scenario on every system in each round; a first round, to warm up, does not count."""
    with Progress(console=console) as progress:
        task = progress.add_task("measuring", total=(rounds + 1) * 2 * len(scenarios) * len(systems))
        for number in range(rounds + 1):
            # The order alternates, so that no system always comes first.
            order = systems if number % 2 else systems[::-1]
            for connections, count in ((1, min(requests, max(50, requests // 5))), (MANY, requests)):
                for scenario in scenarios:
                    for system in order:
                        progress.advance(task)
                        if scenario in {**OURS_ONLY, **SEARCHES} and system.name == "lean":
                            continue
                        block = measure(system, scenario, count, connections)
                        if number:
                            results.blocks[system.name, scenario, connections].append(block)
            if number:
                between()

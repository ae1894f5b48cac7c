"""`./bench --pages`: how long each page takes beside its JSON call, and how many bytes it has, on the demo data."""

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from rich.progress import Progress
from rich.table import Table

from benchmarks import load
from benchmarks.report import console, machine
from benchmarks.systems import serving
from src.tasks import demo
from tests.processes.servers import BACKEND, Server, clean_environment

# Requests of a block.
MOST = 200
TIMES_AS_LONG, MOST_MS, MOST_BYTES = 3.0, 20.0, 30_000
DOCTOR, PATIENT = demo.DOCTORS[0].email, demo.PATIENTS[0][1]
_LOADED = re.compile(rb'(?:<link rel="(?:stylesheet|icon)" href|<script src)="([^"]*)"')


@dataclass
class Measured:
    """A page, the call that answers the same as JSON, and the latencies of both in seconds."""

    page: str
    call: str
    email: str
    cold_bytes: int = 0
    of_page: list[float] = field(default_factory=list)
    of_call: list[float] = field(default_factory=list)

    def row(self) -> dict[str, Any]:
        page, call = (statistics.median(latencies) * 1000 for latencies in (self.of_page, self.of_call))
        missed = page > MOST_MS or page > TIMES_AS_LONG * call or self.cold_bytes > MOST_BYTES
        return {
            "page": self.page, "call": self.call, "bytes": self.cold_bytes, "page_ms": page, "call_ms": call,
            "times": page / call, "missed": missed,
        }  # fmt: skip


PAGES = (
    ("/book", "/patient/doctors?next_available=true", PATIENT),
    ("/book/1", "/patient/doctors/1/availability", PATIENT),
    ("/my", "/appointments/my", PATIENT),
    ("/desk", "/doctor/schedule", DOCTOR),
    ("/desk/hours", "/doctor/hours", DOCTOR),
    ("/desk/visit-types", "/doctor/visit-types", DOCTOR),
    ("/desk/profile", "/doctor/profile", DOCTOR),
)


def pages(options: argparse.Namespace) -> dict[str, Any]:
    """Measure each page and its call in turn, over one connection to a server in production."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        database = {"DATABASE_URL": f"sqlite:///{folder / 'demo.db'}", "FLASK_APP": "app.py"}
        prepare = [sys.executable, "-m", "flask", "prepare"]
        env = clean_environment(folder, **database, APP_ENV="development")
        subprocess.run(prepare, cwd=BACKEND, env=env, check=True, capture_output=True)
        with serving("pages", "app:app", folder, **database) as server:
            measured, void = _measure(server, options)
    rows = [each.row() for each in measured]
    result = {
        "machine": machine(),
        "load": os.getloadavg(),
        "void": void,
        "missed": [row["page"] for row in rows if row["missed"]],
        "measured": rows,
    }
    _show(result)
    return result


def _measure(server: Server, options: argparse.Namespace) -> tuple[list[Measured], list[str]]:
    tokens = {email: server.log_in(email) for email in (DOCTOR, PATIENT)}
    measured, void = [Measured(*names) for names in PAGES], list[str]()
    with Progress(console=console) as progress:
        task = progress.add_task("measuring", total=(options.rounds + 1) * len(measured))
        for number in range(options.rounds + 1):
            for each in measured:
                token = tokens[each.email]
                page, call = _page(each.page, token), load.request("GET", each.call, token)
                count = min(MOST, options.requests)
                of_page, of_call = (load.send(server.port, [one] * count, 1) for one in (page, call))
                bad = [path for path, of in ((each.page, of_page), (each.call, of_call)) if set(of.statuses) != {200}]
                void += [f"{path} answered something else than 200" for path in bad]
                if number:
                    each.of_page += of_page.latencies
                    each.of_call += of_call.latencies
                else:
                    each.cold_bytes = len(of_page.bodies[0]) + sum(map(len, _loaded(server, of_page.bodies[0])))
                progress.advance(task)
    return measured, void


def _page(path: str, token: str) -> bytes:
    head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\nCookie: __Host-session={token}\r\n\r\n"
    return head.encode()


def _loaded(server: Server, page: bytes) -> list[bytes]:
    """Return all that a page loads, unzipped."""
    found: list[bytes] = []
    for path in sorted(set(_LOADED.findall(page))):
        with urlopen(Request(f"{server.url}{path.decode()}")) as answer:  # noqa: S310 - our own server
            found.append(answer.read())
    return found


def _show(result: dict[str, Any]) -> None:
    table = Table(title="pages beside their calls, on SQLite with demo data: p50 over one connection")
    for column in ("page", "call", "bytes, cold", "page ms", "call ms", "times"):
        table.add_column(column, justify="left" if column in {"page", "call"} else "right")
    for row in result["measured"]:
        said = f"{row['times']:.1f}{' MISSED' if row['missed'] else ''}"
        figures = (f"{row['bytes']:,}", f"{row['page_ms']:.1f}", f"{row['call_ms']:.1f}", said)
        table.add_row(row["page"], row["call"], *figures)
    console.print(table)
    console.print(f"load: {', '.join(f'{one:.2f}' for one in result['load'])}", highlight=False)
    for sentence in result["void"]:
        console.print(f"[bold red]VOID[/]: {sentence}")

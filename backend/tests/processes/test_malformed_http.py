"""What gunicorn itself answers: requests that are no HTTP never reach the application. And its access log."""

from __future__ import annotations

import json
import re
import shutil
import socket
import time
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

from tests.processes.conftest import StartServer
from tests.processes.servers import Server

CHUNKED = (
    b"POST /auth/login HTTP/1.1\r\nHost: l\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
)
MALFORMED = [
    (400, b"nonsense\r\n\r\n"),
    (400, b"GET / HTTP/9.9\r\n\r\n"),
    (400, b"GET /health HTTP/1.1\r\nHost: l\r\nno colon\r\n\r\n"),
    (400, b"GET /health HTTP/1.1\r\nHost: l\r\nContent-Length: many\r\n\r\n"),
    (400, CHUNKED + b"not a number\r\n{}\r\n0\r\n\r\n"),
    (414, b"GET /" + b"a" * 10_000 + b" HTTP/1.1\r\nHost: l\r\n\r\n"),
    (431, b"GET /health HTTP/1.1\r\nHost: l\r\nX-Long: " + b"a" * 100_000 + b"\r\n\r\n"),
    (431, b"GET /health HTTP/1.1\r\nHost: l\r\n" + b"X-Many: a\r\n" * 1_000 + b"\r\n"),
    (501, b"POST /health HTTP/1.1\r\nHost: l\r\nTransfer-Encoding: nonsense\r\n\r\n"),
]


def send(server: Server, request: bytes) -> tuple[HTTPResponse, Any]:
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as client:
        client.sendall(request)
        answer = HTTPResponse(client)
        answer.begin()
        return answer, json.loads(answer.read())


def test_malformed_requests_get_a_problem_and_every_request_a_line_with_its_time(
    start_gunicorn: StartServer, sqlite_template: Path, tmp_path: Path
) -> None:
    database = shutil.copy(sqlite_template, tmp_path / "malformed.db")
    server = start_gunicorn(DATABASE_URL=f"sqlite:///{database}")
    for status, request in MALFORMED:
        answer, problem = send(server, request)
        shown = request[:60]
        assert answer.status == status, (shown, problem)
        assert answer.headers["Content-Type"] == "application/problem+json", shown
        assert problem["status"] == status, shown
        assert problem["error"].endswith("."), shown
        assert "'" not in problem["error"], f"{shown!r} is repeated"

    server.call(
        "GET", "/health/live?token=a-secret", headers={"X-Request-ID": "the-one", "Referer": "/?token=a-secret"}
    )
    # Gunicorn writes the line after it has sent the answer.
    lines: list[str] = []
    for _ in range(100):
        lines = [line for line in server.program.output.splitlines() if line.endswith("[the-one]")]
        if lines:
            break
        time.sleep(0.1)
    [line] = lines
    assert re.match(
        r'\[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}] 127\.0\.0\.1 "GET /health/live HTTP/1\.1" 200 ', line
    )
    assert "a-secret" not in server.program.output


def test_no_header_from_this_machine_sets_the_path_prefix(
    start_gunicorn: StartServer, sqlite_template: Path, tmp_path: Path
) -> None:
    database = shutil.copy(sqlite_template, tmp_path / "prefix.db")
    server = start_gunicorn(DATABASE_URL=f"sqlite:///{database}")
    redirected = server.call("GET", "//evil.example/my", headers={"SCRIPT_NAME": "//evil.example"})
    assert (redirected.status, redirected.headers["Location"]) == (404, None)
    assert server.call("GET", "/health", headers={"SCRIPT_NAME": "/elsewhere"}).status == 200

"""After SIGTERM, gunicorn answers every accepted connection and refuses new ones."""

from __future__ import annotations

import http.client
import shutil
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.processes.conftest import StartServer
from tests.processes.servers import REAL_SECRETS, Server, wait_until

CODE = REAL_SECRETS["DOCTOR_INVITATION_CODE"]
CLIENTS = 8
# Between the last accept and the closing of the listener, the kernel may complete one more handshake.
UNLUCKY = 1


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    return f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'rolling.db')}"


class Hammer:
    """Clients that send requests without a pause until one is refused, and count the results."""

    def __init__(self, server: Server, *, asks_ready: bool) -> None:
        self.server = server
        self.asks_ready = asks_ready
        self.counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        threads = [threading.Thread(target=self._strike) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        wait_until(lambda: self.counts["answered"] > 10 * CLIENTS, 30, lambda: str(self.counts))
        yield
        for thread in threads:
            thread.join(60)

    def _strike(self) -> None:
        fate = "answered"
        while fate == "answered":
            fate = self._ask("/health/ready") if self.asks_ready else "answered"
            if fate == "answered":
                fate = self._ask("/health/live")
            with self._lock:
                self.counts[fate] += 1

    def _ask(self, path: str) -> str:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=20)
        try:
            connection.connect()
        except (ConnectionRefusedError, ConnectionResetError):
            # The listener may be closed in the middle of the handshake, before it accepts.
            return "refused"
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            response.read()
        except (OSError, http.client.HTTPException) as error:
            return f"lost: {error!r}"
        finally:
            connection.close()
        return "answered" if response.status == 200 else f"told {response.status}"

    @property
    def lost(self) -> int:
        return sum(count for fate, count in self.counts.items() if fate.startswith("lost"))


def test_connections_are_answered_or_refused(start_gunicorn: StartServer, sqlite_url: str) -> None:
    server = start_gunicorn(DATABASE_URL=sqlite_url)
    hammer = Hammer(server, asks_ready=False)
    with hammer.at_work():
        assert server.program.signal(signal.SIGTERM) == 0
    assert hammer.lost <= UNLUCKY, hammer.counts
    assert hammer.counts["refused"] >= CLIENTS - UNLUCKY, hammer.counts


def test_clients_that_ask_for_readiness_first_lose_no_request(start_gunicorn: StartServer, sqlite_url: str) -> None:
    server = start_gunicorn(DATABASE_URL=sqlite_url, SHUTDOWN_DRAIN_SECONDS="2")
    hammer = Hammer(server, asks_ready=True)
    with hammer.at_work():
        server.program.process.send_signal(signal.SIGTERM)
        wait_until(lambda: hammer.counts["told 503"] == CLIENTS, 20, lambda: str(hammer.counts))
        not_ready = server.call("GET", "/health/ready")
        assert not_ready.status == 503
        assert not_ready.headers["Retry-After"]
        assert "going down" in not_ready.json()["error"]
        # Until SHUTDOWN_DRAIN_SECONDS are over, the server still answers new requests.
        server.book_something(CODE)
    assert set(hammer.counts) == {"answered", "told 503"}
    assert server.program.wait() == 0


def test_a_request_under_way_is_answered(start_gunicorn: StartServer, sqlite_url: str) -> None:
    server = start_gunicorn(DATABASE_URL=sqlite_url)
    body = b'{"email": "nobody@people.example", "password": "wrong password"}'
    head = (
        f"POST /auth/login HTTP/1.1\r\nHost: l\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with server.open_half_a_request(head.encode() + body[:10]) as connection:
        # The workers share a listener, so an answer to a later request shows that the first connection was accepted.
        server.call("GET", "/health/live")
        server.program.process.send_signal(signal.SIGTERM)
        wait_until(lambda: not server.answers(), 20, lambda: server.program.output)
        connection.sendall(body[10:])
        assert connection.recv(100).startswith(b"HTTP/1.1 401 ")
    assert server.program.wait() == 0

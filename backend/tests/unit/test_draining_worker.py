"""How gunicorn's worker stops, and the connections that it still accepts then."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.workers.gthread import ThreadWorker

import src.draining
from app import app
from src.server.draining_worker import DrainingWorker


class StoppingWorker(DrainingWorker):
    """A worker that was told to stop and only counts what it accepts."""

    def __init__(self, listener: Listener) -> None:
        self.alive = False
        self.sockets = [listener]
        self.cfg = Config()
        self.nr_conns = 0
        self._accepting = False
        self.accepted: list[socket.socket] = []

    def enqueue_req(self, conn: Any) -> None:
        self.accepted.append(conn.sock)


class Listener:
    """A listening socket of loopback whose first connection is gone when it is accepted."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.socket.setblocking(False)
        self.aborts = 1

    def accept(self) -> tuple[socket.socket, Any]:
        connection, address = self.socket.accept()
        if self.aborts:
            self.aborts -= 1
            connection.close()
            raise ConnectionAbortedError(103, "Software caused connection abort")
        return connection, address

    def __getattr__(self, name: str) -> Any:
        return getattr(self.socket, name)


@pytest.fixture
def listener() -> Iterator[Listener]:
    listener = Listener()
    yield listener
    listener.socket.close()


def test_a_connection_that_is_gone_does_not_leave_the_later_ones_waiting(listener: Listener) -> None:
    worker = StoppingWorker(listener)
    with ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(socket.create_connection(listener.getsockname()))
        worker.set_accept_enabled(False)
        for accepted in worker.accepted:
            stack.enter_context(accepted)
        assert len(worker.accepted) == 2
    assert listener.socket.fileno() == -1, "it is not closed"


@pytest.mark.parametrize("enabled", [True, False])
def test_a_worker_that_was_told_to_stop_can_be_told_again(listener: Listener, *, enabled: bool) -> None:
    worker = StoppingWorker(listener)
    worker.set_accept_enabled(enabled)
    worker.set_accept_enabled(False)
    assert worker.accepted == []


def test_settings_that_became_wrong_since_the_start_do_not_keep_a_worker_from_stopping(
    monkeypatch: pytest.MonkeyPatch, listener: Listener
) -> None:
    told = threading.Event()
    monkeypatch.setattr(src.draining, "_draining", threading.Event())
    monkeypatch.setattr(ThreadWorker, "handle_exit", lambda *_: told.set())
    worker = StoppingWorker(listener)
    worker.app = SimpleNamespace(wsgi=lambda: app)
    worker.load_wsgi()
    monkeypatch.setenv("PORT", "five")
    worker.handle_exit(signal.SIGTERM, None)
    assert told.wait(5)

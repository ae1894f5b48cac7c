"""Gunicorn's threaded worker, with a shutdown that loses no request, and errors as problem+json.

A client that does not close its connection delays no other client.
"""

from __future__ import annotations

import select
import threading
from types import FrameType
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

from config import load_settings
from src.draining import begin_draining, is_draining
from src.server.malformed_http import ProblemSocket, answer_malformed_bodies


class DrainingWorker(ThreadWorker):
    """On SIGTERM, reports "not ready" and serves for `SHUTDOWN_DRAIN_SECONDS` more.

    Then it refuses new connections, answers the requests on those already made, and ends.

    Gunicorn's own worker stops accepting but leaves its listening socket open until it has sent the last answer; the
    kernel then resets the connections that it queued meanwhile. A client can safely retry a refused connection
    elsewhere; after a reset it does not know whether its booking took effect.
    """

    _drain_seconds = 0

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to drain; gunicorn calls this on SIGTERM."""
        if not is_draining():
            begin_draining()
            stop = threading.Timer(self._drain_seconds, super().handle_exit, (sig, frame))
            stop.daemon = True
            stop.start()

    def set_accept_enabled(self, enabled: bool | None) -> None:  # noqa: FBT001 - gunicorn's signature
        """Start or stop accepting. At shutdown, also accept what the kernel has queued, then close the sockets."""
        # SIGTERM may come at any time, so that this may be called twice after it; the second call finds no sockets.
        alive = self.alive
        super().set_accept_enabled(enabled and alive)
        if alive:
            return
        for listener in self.sockets:
            # accept() does not tell an empty queue from a connection that is gone: it returns silently after both.
            while _connections_wait(listener):
                self.accept(listener)
            listener.close()
        self.sockets = []

    def handle(self, conn: Any) -> Any:
        """Handle a request; return whether its connection stays open, and close it here if not.

        Gunicorn closes it in the thread that accepts connections, and waits there until the client closes it too, for
        up to two seconds: a dozen clients that did not kept all others waiting for 24 seconds.
        """
        stays = super().handle(conn)
        if not stays:
            conn.close(graceful=True)
            conn.close = _already_closed
        return stays

    def load_wsgi(self) -> None:
        """Load the application, and let it answer malformed bodies; gunicorn calls this once."""
        super().load_wsgi()
        # Not read at SIGTERM: by then, somebody may have written a wrong value into `.env`.
        self._drain_seconds = load_settings().shutdown_drain_seconds
        answer_malformed_bodies(self.wsgi)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Answer a request that is not valid HTTP, with problem+json in place of gunicorn's HTML."""
        answered: Any = ProblemSocket(client)
        super().handle_error(req, answered, addr, exc)


def _already_closed(*, graceful: bool = False) -> None:
    pass


def _connections_wait(listener: Any) -> bool:
    queue = select.poll()
    queue.register(listener, select.POLLIN)
    return bool(queue.poll(0))

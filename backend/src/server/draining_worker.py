"""Gunicorn's threaded worker, with a shutdown that loses no request."""

from __future__ import annotations

import threading
from types import FrameType
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

from config import load_settings
from src.draining import begin_draining, is_draining


class DrainingWorker(ThreadWorker):
    """On SIGTERM, reports "not ready" and serves for `SHUTDOWN_DRAIN_SECONDS` more.

    Then it refuses new connections, answers the requests on those already made, and ends.

    Gunicorn's own worker stops accepting but leaves its listening socket open until it has sent the last answer; the
    kernel then resets the connections that it queued meanwhile. A client can safely retry a refused connection
    elsewhere; after a reset it does not know whether its booking took effect.
    """

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to drain; gunicorn calls this on SIGTERM."""
        if not is_draining():
            begin_draining()
            stop = threading.Timer(load_settings().shutdown_drain_seconds, super().handle_exit, (sig, frame))
            stop.daemon = True
            stop.start()

    def set_accept_enabled(self, enabled: bool | None) -> None:  # noqa: FBT001 - gunicorn's signature
        """Start or stop accepting. At shutdown, also accept what the kernel has queued, then close the sockets."""
        super().set_accept_enabled(enabled)
        if self.alive:
            return
        for listener in self.sockets:
            while self._accepts_one(listener):
                pass
            listener.close()

    def _accepts_one(self, listener: Any) -> bool:
        # accept() raises no error when the queue is empty, so only the count shows whether it accepted a connection.
        before = self.nr_conns
        self.accept(listener)
        return self.nr_conns > before

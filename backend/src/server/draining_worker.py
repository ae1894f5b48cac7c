"""gunicorn's threaded worker, changed so that a restart loses no request."""

from __future__ import annotations

import threading
from types import FrameType
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

from config import load_settings
from src.draining import begin_draining, is_draining


class DrainingWorker(ThreadWorker):
    """On SIGTERM it is not ready, serves on for `SHUTDOWN_DRAIN_SECONDS`, answers every open connection and then stops.

    gunicorn's own worker leaves its listening socket open, without accepting, until the last answer is out, and then
    resets the connections that came meanwhile. A client can safely retry a refused connection elsewhere; one that was
    reset may have booked.
    """

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to drain; gunicorn calls this for SIGTERM."""
        if not is_draining():
            begin_draining()
            stop = threading.Timer(load_settings().shutdown_drain_seconds, super().handle_exit, (sig, frame))
            stop.daemon = True
            stop.start()

    def set_accept_enabled(self, enabled: bool | None) -> None:  # noqa: FBT001 - gunicorn's signature
        """Start or stop accepting. When stopping for good, first accept the connections in the kernel's queue."""
        super().set_accept_enabled(enabled)
        if self.alive:
            return
        for listener in self.sockets:
            while self._lets_one_in(listener):
                pass
            listener.close()

    def _lets_one_in(self, listener: Any) -> bool:
        before = self.nr_conns
        self.accept(listener)
        return self.nr_conns > before

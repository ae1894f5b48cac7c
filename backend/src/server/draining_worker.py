"""Going down without losing a request: gunicorn's threaded worker, with a better end."""

from __future__ import annotations

import threading
from types import FrameType
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

from config import load_settings
from src.draining import begin_draining, is_draining


class DrainingWorker(ThreadWorker):
    """On SIGTERM: be not ready, serve on for `SHUTDOWN_DRAIN_SECONDS`, answer whoever has connected, refuse the rest.

    Gunicorn alone leaves its listening socket open and unheard until the last answer is out, and whoever connected
    meanwhile is cut off. A refused connection is safely tried elsewhere; one that is cut off may have booked.
    """

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to drain; gunicorn calls this for SIGTERM."""
        if not is_draining():
            begin_draining()
            stop = threading.Timer(load_settings().shutdown_drain_seconds, super().handle_exit, (sig, frame))
            stop.daemon = True
            stop.start()

    def set_accept_enabled(self, enabled: bool | None) -> None:  # noqa: FBT001 - gunicorn's signature
        """Open or close the door; when it is for good, let those in who already stand in the kernel's queue."""
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

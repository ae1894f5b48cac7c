"""How fast a mail provider may be asked."""

from __future__ import annotations

import threading
import time

# A provider that asks for a longer pause (a used-up quota) is asked again after this long all the same.
LONGEST_PAUSE_SECONDS = 60.0


class Pace:
    """At most so many calls a second (None: as many as one likes), and none while the provider asks for a pause."""

    def __init__(self, per_second: float | None, stop: threading.Event) -> None:
        self._interval = 1 / per_second if per_second else 0.0
        self._stop = stop
        self._next = time.monotonic()

    def wait(self) -> bool:
        """Wait until the provider may be asked; return whether the worker was told to stop meanwhile."""
        stopped = self._stop.wait(max(0.0, self._next - time.monotonic()))
        self._next = time.monotonic() + self._interval
        return stopped

    def hold(self, seconds: float) -> None:
        """Ask nothing for so many seconds."""
        self._next = max(self._next, time.monotonic() + min(seconds, LONGEST_PAUSE_SECONDS))

"""The rate of calls to a mail provider."""

from __future__ import annotations

import threading
import time

# After this pause the worker calls the provider again, even if it asked for a longer one because a quota is used up.
LONGEST_PAUSE_SECONDS = 60.0


class Pace:
    """Allows at most `per_second` calls a second (None: no limit), and none while the provider asks for a pause."""

    def __init__(self, per_second: float | None, stop: threading.Event) -> None:
        self._interval = 1 / per_second if per_second else 0.0
        self._stop = stop
        self._next = time.monotonic()

    def wait(self) -> bool:
        """Wait until the next call is allowed; return whether the worker was told to stop meanwhile."""
        stopped = self._stop.wait(max(0.0, self._next - time.monotonic()))
        self._next = time.monotonic() + self._interval
        return stopped

    def pause(self, seconds: float) -> None:
        """Allow no call for so many seconds, but at most LONGEST_PAUSE_SECONDS."""
        self._next = max(self._next, time.monotonic() + min(seconds, LONGEST_PAUSE_SECONDS))

"""How fast mails may be sent to a provider."""

from __future__ import annotations

import threading
import time

# The longest pause: a provider that asks for more (because a quota is used up) is tried again after this time.
LONGEST_PAUSE_SECONDS = 60.0


class Pace:
    """Allows so many calls a second (None: any number), and none while the provider asks for a pause."""

    def __init__(self, per_second: float | None, stop: threading.Event) -> None:
        self._interval = 1 / per_second if per_second else 0.0
        self._stop = stop
        self._next = time.monotonic()

    def wait(self) -> bool:
        """Wait until the next call is allowed; return whether the worker was stopped meanwhile."""
        stopped = self._stop.wait(max(0.0, self._next - time.monotonic()))
        self._next = time.monotonic() + self._interval
        return stopped

    def hold(self, seconds: float) -> None:
        """Allow no call for so many seconds."""
        self._next = max(self._next, time.monotonic() + min(seconds, LONGEST_PAUSE_SECONDS))

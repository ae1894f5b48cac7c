"""Whether this process was told to stop. Load balancers read it at `/health/ready` and then send no more requests."""

from __future__ import annotations

import threading

_draining = threading.Event()


def begin_draining() -> None:
    """Answer "not ready" at `/health/ready` from now on."""
    _draining.set()


def is_draining() -> bool:
    return _draining.is_set()

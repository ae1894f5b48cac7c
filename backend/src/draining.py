"""Whether this process was told to stop. Balancers learn it at `/health/ready` and then send no more requests."""

from __future__ import annotations

import threading

_draining = threading.Event()


def begin_draining() -> None:
    """Say "not ready" from now on."""
    _draining.set()


def is_draining() -> bool:
    """Whether the end of this process has begun."""
    return _draining.is_set()

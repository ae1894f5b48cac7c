"""The requests and answers of a campaign, with their times, as the clients record them for the checker."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Any, Literal

Outcome = Literal["done", "taken", "busy", "gone", "not_active", "free", "not_free", "unknown"]
NEVER = float("inf")


@dataclass(frozen=True)
class SlotOperation:
    """A request that changed or listed a slot, between two times of the monotonic clock in seconds.

    `unknown` means that there was no answer: it took effect once at any time after `began`, or never.
    """

    kind: Literal["book", "cancel", "withdraw", "look"]
    began: float
    ended: float
    outcome: Outcome
    appointment: int | None = None
    by: str = ""


@dataclass
class Record:
    """What the clients record; they share it."""

    slots: dict[int, list[SlotOperation]] = field(default_factory=dict)
    # A sentence for each violation that a client sees itself.
    violations: list[str] = field(default_factory=list)
    # (status, instant, path): every answer that was a server error.
    server_errors: list[tuple[int, float, str]] = field(default_factory=list)
    # Acknowledged bookings: appointment -> (patient's address, slot).
    booked: dict[int, tuple[str, int]] = field(default_factory=dict)
    # Bookings without an answer: (patient's address, slot).
    unanswered: set[tuple[str, int]] = field(default_factory=set)
    registered: dict[str, int] = field(default_factory=dict)
    requests: int = 0
    answers: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def operation(self, slot_id: int, operation: SlotOperation) -> None:
        with self.lock:
            self.slots.setdefault(slot_id, []).append(operation)

    def violation(self, sentence: str) -> None:
        with self.lock:
            if len(self.violations) < 100:
                self.violations.append(sentence)


@dataclass(frozen=True)
class Answered:
    """The answer to a request; the times span all its attempts."""

    status: int
    body: Any
    headers: Any
    began: float
    ended: float

    @property
    def kind(self) -> str:
        """The last part of a problem's type, such as `slot-taken`."""
        return str(self.body.get("type", "")).rpartition(":")[2] if isinstance(self.body, dict) else ""


def now() -> float:
    """Return the time of the monotonic clock, in seconds."""
    return time.monotonic()

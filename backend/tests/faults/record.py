"""What was asked and answered during a campaign, with times; everything the checker may know."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Any, Literal

Outcome = Literal["done", "taken", "busy", "gone", "not_active", "free", "not_free", "unknown"]
NEVER = float("inf")


@dataclass(frozen=True)
class SlotOperation:
    """Something done to, or seen of, one slot between two instants (seconds of the monotonic clock).

    `unknown` means that nobody was told: it took effect once at any time from `began` on, or never.
    """

    kind: Literal["book", "cancel", "withdraw", "look"]
    began: float
    ended: float
    outcome: Outcome
    appointment: int | None = None
    by: str = ""


@dataclass
class Record:
    """Filled by all clients at once."""

    slots: dict[int, list[SlotOperation]] = field(default_factory=dict)
    # Sentences, each a broken promise seen by a client on the spot.
    violations: list[str] = field(default_factory=list)
    # (status, instant, path): every answer that was a server error.
    server_errors: list[tuple[int, float, str]] = field(default_factory=list)
    # Who was told that which appointment is booked: appointment -> (patient's mailbox, slot).
    booked: dict[int, tuple[str, int]] = field(default_factory=dict)
    # Bookings that nobody answered: (mailbox, slot).
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
    """One answer to one logical request, however many attempts it took."""

    status: int
    body: Any
    headers: Any
    began: float
    ended: float

    @property
    def kind(self) -> str:
        """What kind of problem it was, like `slot-taken`."""
        return str(self.body.get("type", "")).rpartition(":")[2] if isinstance(self.body, dict) else ""


def now() -> float:
    """Return the instant of the campaign's one clock, in seconds."""
    return time.monotonic()

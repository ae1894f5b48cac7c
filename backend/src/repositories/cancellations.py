"""Who cancels which appointment, and how."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Cancellation:
    """The cancellation of an appointment by its patient or its doctor.

    `by` says in words who cancels, and `reason` why. `cancellation_notice` is the clinic's, in minutes. `withdraw` asks
    that the time is not offered again.
    """

    appointment_id: int
    actor_id: int
    by: str
    now: datetime
    cancellation_notice: int
    reason: str | None = None
    withdraw: bool = False

    def values(self) -> dict[str, Any]:
        """Return the parameters of the statements."""
        return {
            "appointment_id": self.appointment_id,
            "actor_id": self.actor_id,
            "cancelled_by": self.by,
            "now": self.now,
            "cancellation_notice": self.cancellation_notice,
            "reason": self.reason,
        }

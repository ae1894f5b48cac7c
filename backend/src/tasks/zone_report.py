"""What a recomputation did, in numbers and in words."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Row

from src.repositories.ahead_repository import Ahead, Times


@dataclass
class OfDoctor:
    """How much of a doctor's was changed. In words: what could not be moved and why, and what is outside of the hours.

    `openings` counts those that were laid anew.
    """

    doctor: str
    slots: int = 0
    appointments: int = 0
    holds: int = 0
    openings: int = 0
    staying: list[str] = field(default_factory=list[str])
    outside: list[str] = field(default_factory=list[str])

    @property
    def moved(self) -> int:
        return self.slots + self.appointments + self.holds

    def after(self, earlier: OfDoctor | None) -> OfDoctor:
        """Return the result of this and an earlier attempt together."""
        if earlier is None:
            return self
        return replace(
            self,
            slots=self.slots + earlier.slots,
            appointments=self.appointments + earlier.appointments,
            holds=self.holds + earlier.holds,
            openings=self.openings + earlier.openings,
        )


@dataclass
class Recomputed:
    """What a recomputation did, by doctor."""

    doctors: list[OfDoctor]

    @property
    def changed(self) -> list[OfDoctor]:
        return [doctor for doctor in self.doctors if doctor.moved or doctor.openings]

    @property
    def staying(self) -> list[str]:
        return [line for doctor in self.doctors for line in doctor.staying]

    @property
    def outside(self) -> list[str]:
        return [line for doctor in self.doctors for line in doctor.outside]


def in_words(doctor: OfDoctor) -> str:
    """Say what was changed for a doctor."""
    parts = [
        _counted("moved ", (doctor.slots, "slot"), (doctor.appointments, "appointment"), (doctor.holds, "hold")),
        _counted("laid anew ", (doctor.openings, "opening")),
    ]
    return f"{doctor.doctor}: {'; '.join(part for part in parts if part)}"


def _counted(verb: str, *counts: tuple[int, str]) -> str:
    numbers = [f"{count} {thing}" if count == 1 else f"{count} {thing}s" for count, thing in counts if count]
    return verb + ", ".join(numbers) if numbers else ""


def stays(doctor: str, one: Ahead, reason: str) -> str:
    """Say what of a doctor's could not be moved, and why."""
    people = ", ".join(f"{'hold' if taker.is_held else 'appointment'} {taker.id}" for taker in one.takers)
    slot = f"slot {one.slot_id} ({people})" if people else f"slot {one.slot_id}"
    what = people if one.times.is_computed else slot
    return f"{what} of {doctor}, {_shown(one.times)}, stays at {one.times.starts_at:%Y-%m-%d %H:%M} UTC: {reason}"


def is_outside(doctor: str, row: Row[Any]) -> str:
    """Say which appointment of a doctor's is outside of the hours."""
    what = f"appointment {row.id} of {doctor}, {_shown(row)}, at {row.starts_at:%Y-%m-%d %H:%M} UTC"
    return f"{what}, is outside of the hours."


def _shown(times: Times | Row[Any]) -> str:
    return f"{times.wall_start:%Y-%m-%d %H:%M} to {times.wall_end:%H:%M} ({times.time_zone})"

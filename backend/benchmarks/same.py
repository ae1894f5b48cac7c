"""Check that the yardstick gives the same answers as the product: otherwise it would do another work."""

from __future__ import annotations

import json
import sys
from typing import Any

from benchmarks.measure import System
from benchmarks.scenarios import BOOKINGS
from benchmarks.stock import CHANGING

READS = (
    "list free slots",
    "list doctors",
    "my appointments",
    "doctor's appointments",
    "who am I",
    "list computed times",
)
WRITES = ("book", "cancel", "book a computed time", "move", "cancel a computed time", "hold", "release")
# What differs even if both do the same.
OWN = ("appointment_id", "hold_id", "held_until", "revision")
SHOWN = 1000


def same_answers(lean: System, ours: System) -> None:
    """Exit unless both answer alike, ids of new appointments aside, and leave everything as it was."""
    said = [_answers(system) for system in (lean, ours)]
    for scenario, answer in said[0].items():
        if answer != said[1][scenario]:
            answers = (str(each)[:SHOWN] for each in (answer, said[1][scenario]))
            sys.exit("\n".join((f"the yardstick and the product answer differently to {scenario}:", *answers)))


def _answers(system: System) -> dict[str, Any]:
    """Return the answer of each scenario; what is booked or held is free again afterwards."""
    answers = {scenario: _answer(system, scenario) for scenario in (*READS, *WRITES)}
    # The second change of a doctor's hours takes back the first.
    later = system.next_change
    system.next_change = CHANGING
    answers["change of hours"] = _answer(system, "change of hours")
    system.next_change = 0
    _answer(system, "change of hours")
    system.next_change = later
    return answers


def _answer(system: System, scenario: str) -> Any:
    [body] = system.bodies(system.requests(scenario, 1))
    said = json.loads(body)
    if scenario in BOOKINGS:
        system.booked = [booked._replace(number=said[BOOKINGS[scenario]]) for booked in system.booked]
    return {name: value for name, value in said.items() if name not in OWN}

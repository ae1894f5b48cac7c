"""Check that the yardstick gives the same answers as the product: otherwise it would do another work."""

from __future__ import annotations

import json
import sys
from typing import Any

from benchmarks.measure import System

READS = ("list free slots", "list doctors", "my appointments", "doctor's appointments", "who am I")


def same_answers(lean: System, ours: System) -> None:
    """Exit unless both answer alike, ids of new appointments aside."""
    said = [_answers(system) for system in (lean, ours)]
    for scenario, answer in said[0].items():
        if answer != said[1][scenario]:
            sys.exit(f"the yardstick and the product answer differently to {scenario}:\n{answer}\n{said[1][scenario]}")


def _answers(system: System) -> dict[str, Any]:
    """Return the answer of each scenario; the booked slot is free again afterwards."""
    answers = {scenario: _answer(system, scenario) for scenario in READS}
    answers["book"] = _answer(system, "book")
    system.booked = [(answers["book"].pop("appointment_id"), patient) for _, patient in system.booked]
    return answers | {"cancel": _answer(system, "cancel")}


def _answer(system: System, scenario: str) -> Any:
    [body] = system.bodies(system.requests(scenario, 1))
    return json.loads(body)

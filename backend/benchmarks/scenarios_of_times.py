"""The scenarios of computed times, and of the hours that they follow from."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from benchmarks import load
from benchmarks.clinic_hours import LISTED_DAYS, RUN, ZONE, weekly_hours
from benchmarks.stock import CHANGING, TIMED, Stock, today
from src.domain.minutes import time_of_day
from src.schemas.hours import WEEKDAYS

if TYPE_CHECKING:
    from benchmarks.measure import System

# By so many minutes each change of hours ends the days earlier, and the next one by more, until it starts again.
MINUTES_LESS, CHANGES = 5, 12
MINUTES_OF_A_HOLD = 10


class Booked(NamedTuple):
    """An appointment or a hold of the last block, its patient, and the computed time that it can be moved to."""

    number: int
    patient: int
    elsewhere: int = 0


def list_times(system: System, stock: Stock, count: int) -> list[bytes]:
    """List two weeks of the times of a visit type."""
    first, last = today() + timedelta(days=1), today() + timedelta(days=LISTED_DAYS)
    return [
        load.request(
            "GET",
            f"/patient/doctors/{stock.timed[i]}/availability?visit_type={i + 1}&from={first}&until={last}",
            system.token(stock.first_patient + i, "patient"),
        )
        for i in range(min(count, TIMED))
    ]


def _post(system: System, patient: int, path: str, **body: int) -> bytes:
    return load.request("POST", path, system.token(patient, "patient"), json.dumps(body).encode())


def book_times(system: System, stock: Stock, count: int) -> list[bytes]:
    """Book the system's next times, not one patient after the other, and note who may move and cancel them."""
    first = system.next_time
    system.next_time += count
    times = [stock.time(number) for number in sorted(range(first, first + count), key=lambda number: number % RUN)]
    system.booked = [Booked(0, patient, elsewhere) for _, elsewhere, patient in times]
    return [_post(system, patient, "/appointments", slot_id=slot) for slot, _, patient in times]


def move(system: System, _stock: Stock, _count: int) -> list[bytes]:
    """Move what was booked to other times of the same doctor."""
    return [
        _post(system, booked.patient, f"/appointments/{booked.number}/reschedule", slot_id=booked.elsewhere)
        for booked in system.booked
    ]


def hold(system: System, stock: Stock, count: int) -> list[bytes]:
    """Hold times of all doctors in turn, each for another patient."""
    first = system.next_time
    system.next_time += count
    numbers = sorted(range(first, first + count), key=lambda number: number % RUN)
    system.booked = [Booked(0, stock.holder(number)) for number in numbers]
    return [
        _post(system, stock.holder(number), "/holds", slot_id=stock.time(number)[0], minutes=MINUTES_OF_A_HOLD)
        for number in numbers
    ]


def release(system: System, _stock: Stock, _count: int) -> list[bytes]:
    """Release what was held."""
    return [
        load.request("DELETE", f"/holds/{held.number}", system.token(held.patient, "patient")) for held in system.booked
    ]


def change_hours(system: System, stock: Stock, count: int) -> list[bytes]:
    """Let doctors end all their days at another time, so that some appointments lie outside of the hours."""
    requests: list[bytes] = []
    for number in range(system.next_change, system.next_change + count):
        doctor = stock.changing[number % CHANGING]
        less = number // CHANGING % CHANGES * MINUTES_LESS
        weekly = [
            {"weekday": WEEKDAYS[row.weekday], "from": time_of_day(row.from_time), "until": time_of_day(row.until_time)}
            for row in weekly_hours(doctor, less)
        ]
        body = json.dumps({"time_zone": ZONE, "weekly": weekly}).encode()
        requests.append(load.request("PUT", "/doctor/hours", system.token(doctor, "doctor"), body))
    system.next_change += count
    return requests

"""The scenarios: which requests a block of each consists of.

A scenario is a function of a system, its stock and the number of requests that the block will have. It returns up to
that many requests; a shorter list is repeated.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from benchmarks import load
from benchmarks import scenarios_of_times as times
from benchmarks.scenarios_of_times import Booked
from benchmarks.stock import BUSY, PASSWORD, PATIENTS, Stock, email

if TYPE_CHECKING:
    from benchmarks.measure import System

Scenario = Callable[["System", Stock, int], list[bytes]]
# Enough different callers, so that no memory of the last request helps.
CALLERS = 200
# Which requests of twenty are what, in the scenario `a busy day`; the others list free slots.
LOG_IN, BOOKING = 0, 10
DOCTORS, MINE, WHO = (2, 6, 12, 16), (4, 14), (8, 18)


def _get(path: str, system: System, user_id: int, role: str = "patient") -> bytes:
    return load.request("GET", path, system.token(user_id, role))


def _patient(stock: Stock, number: int) -> int:
    return stock.first_patient + number % (PATIENTS - BUSY)


def _by_patients(path: str) -> Scenario:
    def requests(system: System, stock: Stock, count: int) -> list[bytes]:
        return [_get(path, system, _patient(stock, i)) for i in range(min(count, CALLERS))]

    return requests


def _free_slots_of(system: System, stock: Stock, number: int) -> bytes:
    return _get(f"/patient/doctors/{1 + number % stock.read}/availability", system, _patient(stock, number))


def _free_slots(system: System, stock: Stock, count: int) -> list[bytes]:
    return [_free_slots_of(system, stock, i) for i in range(min(count, CALLERS))]


def _my_appointments(system: System, stock: Stock, _count: int) -> list[bytes]:
    return [_get("/appointments/my", system, stock.busy_patient(doctor)) for doctor in stock.busy]


def _doctors_appointments(system: System, stock: Stock, _count: int) -> list[bytes]:
    return [_get("/appointments/doctor", system, doctor, "doctor") for doctor in stock.busy]


def _booking(system: System, stock: Stock, *, keyed: bool) -> bytes:
    """Return a request that books the system's next slot, and note who may cancel it."""
    slot, patient = stock.slot(system.next_slot)
    system.next_slot += 1
    system.booked.append(Booked(0, patient))
    body = json.dumps({"slot_id": slot}).encode()
    key = f"slot-{slot}-{system.next_slot}" if keyed else ""
    return load.request("POST", "/appointments", system.token(patient, "patient"), body, key)


def _book(system: System, stock: Stock, count: int) -> list[bytes]:
    system.booked = []
    return [_booking(system, stock, keyed=False) for _ in range(count)]


def _book_with_a_key(system: System, stock: Stock, count: int) -> list[bytes]:
    system.booked = []
    return [_booking(system, stock, keyed=True) for _ in range(count)]


def _cancel(system: System, _stock: Stock, _count: int) -> list[bytes]:
    return [
        load.request("POST", f"/appointments/{booked.number}/cancel", system.token(booked.patient, "patient"))
        for booked in system.booked
    ]


def _log_in_of(stock: Stock, number: int) -> bytes:
    body = {"email": email(_patient(stock, number)), "password": PASSWORD}
    return load.request("POST", "/auth/login", "", json.dumps(body).encode())


def log_ins(_system: System, stock: Stock, count: int) -> list[bytes]:
    """Log patients in."""
    return [_log_in_of(stock, i) for i in range(count)]


def busy_day(system: System, stock: Stock, count: int) -> list[bytes]:
    """Mix what people do: of twenty requests one is a log-in and one books with a key."""
    requests: list[bytes] = []
    for i in range(count):
        kind, patient = i % 20, _patient(stock, i)
        if kind == LOG_IN:
            requests.append(_log_in_of(stock, i))
        elif kind == BOOKING:
            requests.append(_booking(system, stock, keyed=True))
        elif kind in DOCTORS:
            requests.append(_get("/patient/doctors", system, patient))
        elif kind in MINE:
            requests.append(_get("/appointments/my", system, stock.busy_patient(stock.busy[i % BUSY])))
        elif kind in WHO:
            requests.append(_get("/auth/me", system, patient))
        else:
            requests.append(_free_slots_of(system, stock, i))
    return requests


def _last_page_of_doctors(system: System, stock: Stock, count: int) -> list[bytes]:
    return _by_patients(f"/patient/doctors?page={-(-stock.doctors // 10)}")(system, stock, count)


def _page_of_history(system: System, stock: Stock, _count: int) -> list[bytes]:
    return [_get("/appointments/my?limit=20", system, stock.old_patient)]


def _dashboard_over_history(system: System, stock: Stock, _count: int) -> list[bytes]:
    return [_get("/patient/dashboard", system, stock.old_patient)]


SCENARIOS: dict[str, Scenario] = {
    "list free slots": _free_slots,
    "list doctors": _by_patients("/patient/doctors"),
    "my appointments": _my_appointments,
    "doctor's appointments": _doctors_appointments,
    "who am I": _by_patients("/auth/me"),
    "book": _book,
    "cancel": _cancel,
}
# What there is only where visits follow from hours. Each one that books or holds comes before those that end this.
OF_TIMES: dict[str, Scenario] = {
    "list computed times": times.list_times,
    "book a computed time": times.book_times,
    "move": times.move,
    "cancel a computed time": _cancel,
    "hold": times.hold,
    "release": times.release,
    "change of hours": times.change_hours,
}
# These the yardstick does not have.
OURS_ONLY: dict[str, Scenario] = {"book with a key": _book_with_a_key}
# What finds times of many doctors. It reads all of them, so it is measured only if it is named: in a clinic of 10,000
# doctors a search takes half a second.
SEARCHES: dict[str, Scenario] = {
    "search": _by_patients("/slots"),
    "search in the morning": _by_patients("/slots?part_of_day=morning"),
    "search of a visit type": _by_patients("/slots?visit_type=consultation"),
    "doctors with their next times": _by_patients("/patient/doctors?next_available=true&limit=100"),
}
BUSY_DAY = "a busy day"
# The scenarios of `./bench --growth`.
GROWING: dict[str, Scenario] = {
    "list free slots": _free_slots,
    "list doctors": _by_patients("/patient/doctors"),
    "last page of doctors": _last_page_of_doctors,
    "page of a long history": _page_of_history,
    "dashboard over a long history": _dashboard_over_history,
    "book": _book,
    "cancel": _cancel,
    **{name: scenario for name, scenario in OF_TIMES.items() if name != "change of hours"},
}
ALL = {**SCENARIOS, **OF_TIMES, **OURS_ONLY, **SEARCHES, **GROWING, BUSY_DAY: busy_day, "log in": log_ins}
# The field with the number of what was booked or held.
BOOKINGS = {
    "book": "appointment_id",
    "book with a key": "appointment_id",
    "book a computed time": "appointment_id",
    "hold": "hold_id",
}
# The expected statuses of each scenario, 200 if it is not here; any other status makes the run void.
EXPECTED = {**{name: {201} for name in BOOKINGS}, BUSY_DAY: {200, 201}}

"""Withdrawing times while others book what overlaps them and the doctor withdraws slots: no 5xx, nothing is left."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from apiflask import APIFlask

from tests.people import DAY, Api, Doctor, hours
from tests.races.crowd import Call, Crowd, at_once, booking, count, statuses

pytestmark = pytest.mark.unguarded
# Each overlaps one or two of the times.
SLOTS = (("10:15", "10:45"), ("09:45", "10:15"), ("10:45", "11:15"), ("09:15", "09:45"))


def asking(app: APIFlask, doctor: Doctor, method: str, path: str, body: Any = None) -> Call:
    own, token = app.test_client(), {"Authorization": f"Bearer {doctor.token}"}
    return lambda: own.open(path, method=method, json=body, headers=token)


def test_nothing_that_overlaps_withdrawn_times_is_booked(app: APIFlask, api: Api, crowd: Crowd) -> None:
    doctor, patients, others = api.doctor(), crowd(len(SLOTS)), crowd(len(SLOTS))
    doctor.set_hours(hours("tuesday", "09:00", "11:00"))
    times = [time["slot_id"] for time in patients[0].times(doctor, until=DAY)]
    booked = [patient.book(slot_id) for patient, slot_id in zip(patients, times, strict=True)]
    slots = [doctor.publish(*slot) for slot in SLOTS]
    cancel = {"withdraw": True}
    answers = at_once([
        *(asking(app, doctor, "POST", f"/appointments/{number}/cancel", cancel) for number in booked),
        *(booking(replace(one, client=app.test_client()), slot_id) for one, slot_id in zip(others, slots, strict=True)),
        *(asking(app, doctor, "DELETE", f"/doctor/availability/{slot_id}") for slot_id in slots),
    ])  # fmt: skip
    assert statuses(answers[:4]) == {200: 4}
    assert set(statuses(answers[4:8])) <= {404, 409}
    assert set(statuses(answers[8:])) <= {200, 404}
    assert count(app, "SELECT count(*) FROM availability_slots WHERE status <> 'withdrawn'") == 0
    assert patients[0].times(doctor, until=DAY) == []

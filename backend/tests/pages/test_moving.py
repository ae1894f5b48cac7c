"""Moving one's own appointment: to which time, whether it suits, and what happens when the time has gone."""

from __future__ import annotations

import pytest

from tests.conftest import ON_BOTH, StillClock
from tests.offered import TUESDAY, first_id
from tests.pages.conftest import Reader
from tests.people import Api, Doctor, Patient, hours

pytestmark = ON_BOTH


@pytest.fixture
def doctor(api: Api) -> Doctor:
    doctor = api.doctor("Dr. Fenna Quill")
    doctor.set_hours(hours("tuesday", "09:00", "12:00"))
    return doctor


@pytest.fixture
def ada(api: Api, reader: Reader) -> Patient:
    ada = api.patient("Ada Sample")
    reader.log_in(ada)
    return ada


def starts(page: str) -> list[str]:
    return [line.rpartition(">")[2] for line in page.replace("<small>", "</a>").split("</a>") if 'class="chip"' in line]


def test_a_patient_moves_an_appointment(reader: Reader, doctor: Doctor, ada: Patient) -> None:
    mine = ada.book(first_id(ada, doctor))
    path = f"/my/{mine}/move"
    assert f'href="{path}"' in reader.read(f"/my/{mine}")
    target = ada.times(doctor, from_=TUESDAY)[1]["slot_id"]
    assert f'href="{path}/{target}">10:00</a>' in reader.read(path)
    page = reader.read(f"{path}/{target}")
    assert "Tuesday 5 March 2030, 09:00" in page
    moved = reader.send(f"{path}/{target}")
    assert (moved.status_code, moved.headers["Location"]) == (303, f"/my/{mine}")
    proof = reader.read(f"/my/{mine}")
    assert "The appointment is moved." in proof
    assert "Moved by Ada Sample" in proof
    assert "Before: Tuesday 5 March 2030, 09:00, Dr. Fenna Quill" in proof


def test_the_own_time_blocks_nothing_but_is_not_offered_itself(reader: Reader, doctor: Doctor, ada: Patient) -> None:
    long = doctor.add_visit_type("Long", 60, step=30)
    mine = ada.book(first_id(ada, doctor, long))
    other_than_mine = ada.times(doctor, visit_type=long, until=TUESDAY)
    assert other_than_mine[0]["start_time"] == "10:00"
    offered = starts(reader.read(f"/my/{mine}/move?day={TUESDAY}&visit_type={long}"))
    assert offered[-4:] == ["09:30", "10:00", "10:30", "11:00"]
    # By default it is the visit type of the appointment.
    assert starts(reader.read(f"/my/{mine}/move?day={TUESDAY}")) == offered
    # Half an hour earlier, which overlaps the own time.
    target = other_than_mine[0]["slot_id"] - 30
    assert "Does this suit you?" in reader.read(f"/my/{mine}/move/{target}")
    assert reader.send(f"/my/{mine}/move/{target}").status_code == 303


def test_who_lost_the_race_keeps_the_appointment_and_sees_the_nearest_times(
    api: Api, reader: Reader, doctor: Doctor, ada: Patient
) -> None:
    mine = ada.book(first_id(ada, doctor))
    target, nearest = (time["slot_id"] for time in ada.times(doctor, from_=TUESDAY)[:2])
    api.patient().book(target)
    lost = reader.post(f"/my/{mine}/move/{target}", key="of-the-page")
    assert lost.status_code == 409
    assert "this time has just gone" in lost.text
    assert "Your appointment is where it was." in lost.text
    assert f'href="/my/{mine}/move/{nearest}"' in lost.text


def test_a_published_slot_is_moved_too(reader: Reader, ada: Patient, api: Api) -> None:
    doctor = api.doctor()
    mine = ada.book(doctor.publish("09:00", "09:30"))
    later = doctor.publish("10:00", "10:30")
    assert starts(reader.read(f"/my/{mine}/move")) == ["10:00"]
    assert reader.send(f"/my/{mine}/move/{later}").status_code == 303


def test_the_next_day_may_be_free_only_for_who_moves_the_appointment(
    reader: Reader, doctor: Doctor, ada: Patient
) -> None:
    long = doctor.add_visit_type("Long", 60, step=30, most_per_day=1)
    doctor.set_hours(hours("tuesday", "09:00", "10:30", visit_types=[long]))
    mine = ada.book(first_id(ada, doctor, long))
    page = reader.read(f"/my/{mine}/move?day=2030-03-04")
    assert "The next day with free times: Tuesday 5 March 2030" in page
    assert starts(reader.read(f"/my/{mine}/move?day={TUESDAY}"))[-1] == "09:30"


def test_when_it_is_too_late_the_page_says_until_when_it_was_possible(
    reader: Reader, doctor: Doctor, ada: Patient, clock: StillClock
) -> None:
    assert doctor.put("/doctor/policies", {"cancellation_notice": 120}).status_code == 200
    mine = ada.book(first_id(ada, doctor))
    target = ada.times(doctor, from_=TUESDAY)[3]["slot_id"]
    path = f"/my/{mine}/move/{target}"
    key = {"key": "of-the-page"}
    clock.forward(hours=24)
    words = "You could cancel or move this appointment until Tuesday 5 March 2030, 07:00."
    for page in (f"/my/{mine}", f"/my/{mine}/move", f"/my/{mine}/cancel", path):
        assert words in reader.read(page)
    refused = reader.post(path, **key)
    assert refused.status_code == 409
    assert words in refused.text


def test_somebody_elses_appointment_and_a_slot_of_another_doctor_are_not_shown(
    api: Api, reader: Reader, doctor: Doctor, ada: Patient
) -> None:
    ben = api.patient()
    foreign = ben.book(first_id(ben, doctor))
    assert reader.open(f"/my/{foreign}/move").status_code == 403
    mine = ada.book(first_id(ada, doctor))
    assert reader.open(f"/my/{mine}/move/{api.doctor().publish()}").status_code == 404

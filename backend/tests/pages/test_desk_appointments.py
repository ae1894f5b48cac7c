"""One appointment as its doctor reads it, notes something about it, moves it and cancels it."""

from __future__ import annotations

import pytest

from tests.conftest import StillClock
from tests.pages.conftest import Reader
from tests.pages.test_week import words
from tests.people import DAY, Api, Doctor, Patient, hours


@pytest.fixture
def doctor(api: Api, reader: Reader) -> Doctor:
    doctor = api.doctor("Dr. Fenna Quill")
    reader.log_in(doctor)
    return doctor


@pytest.fixture
def ada(api: Api) -> Patient:
    return api.patient("Ada Sample")


def details(doctor: Doctor, appointment_id: int) -> dict[str, object]:
    return doctor.get(f"/appointments/{appointment_id}").get_json()


def test_an_appointment_is_shown_with_its_history(doctor: Doctor, ada: Patient, reader: Reader) -> None:
    number = ada.book(doctor.publish("09:00", "09:30"))
    ada.move(number, doctor.publish("11:00", "11:30"))
    shown = words(reader.read(f"/desk/appointments/{number}"))
    for text in (
        "Ada Sample",
        "11:00 -11:30",
        "booked Monday 4 March 2030, 08:00 · Ada Sample",
        "moved Monday 4 March 2030, 08:00 · Ada Sample before: Tuesday 5 March 2030, 09:00, Dr. Fenna Quill",
    ):
        assert text in shown


def test_a_note_is_written_changed_and_deleted(doctor: Doctor, ada: Patient, reader: Reader) -> None:
    number = ada.book(doctor.publish())
    path = f"/desk/appointments/{number}"
    saved = reader.send(path, note="Brings X-rays.\r\nAsk about sleep.")
    assert (saved.status_code, saved.headers["Location"]) == (303, path)
    page = reader.read(path)
    assert "The note is saved." in page
    assert ">Brings X-rays. Ask about sleep.</textarea>" in page
    assert reader.send(path, note=" ").status_code == 303
    assert details(doctor, number)["note"] is None


def test_a_note_that_is_too_long_is_refused_and_kept_in_its_field(doctor: Doctor, ada: Patient, reader: Reader) -> None:
    path = f"/desk/appointments/{ada.book(doctor.publish())}"
    refused = reader.send(path, note="x" * 1001)
    assert refused.status_code == 400
    assert f">{'x' * 1001}</textarea>" in refused.text


def test_a_doctor_cancels_with_a_reason_and_comes_back_to_that_week(
    doctor: Doctor, ada: Patient, reader: Reader
) -> None:
    number = ada.book(doctor.publish(date="2030-04-09"))
    path = f"/desk/appointments/{number}"
    assert "Cancel this appointment?" in reader.read(f"{path}/cancel")
    cancelled = reader.send(f"{path}/cancel", reason="I am ill.")
    assert (cancelled.status_code, cancelled.headers["Location"]) == (303, f"{path}/week")
    week = reader.open(f"{path}/week").headers["Location"]
    assert week == "/desk?from=2030-04-09&day=2030-04-09"
    page = reader.read(week)
    assert "The appointment is cancelled." in page
    assert "09:00 free" in words(page)
    assert "Reason: I am ill." in words(reader.read(path))
    assert "can no longer be cancelled" in reader.read(f"{path}/cancel")


def test_a_doctor_cancels_and_keeps_the_time_from_being_offered(doctor: Doctor, ada: Patient, reader: Reader) -> None:
    number = ada.book(doctor.publish())
    assert reader.send(f"/desk/appointments/{number}/cancel", withdraw="yes").status_code == 303
    assert ada.free(doctor) == []


def test_a_doctor_moves_an_appointment_to_a_free_time(doctor: Doctor, ada: Patient, reader: Reader) -> None:
    number, later = ada.book(doctor.publish()), doctor.publish("11:00", "11:30", "2030-03-06")
    path = f"/desk/appointments/{number}"
    assert f'href="{path}/move/{later}">11:00</a>' in reader.read(f"{path}/move")
    asked = words(reader.read(f"{path}/move/{later}"))
    assert "Wednesday 6 March 2030" in asked
    assert "Until now Tuesday 5 March 2030, 09:00" in asked
    moved = reader.send(f"{path}/move/{later}")
    assert (moved.status_code, moved.headers["Location"]) == (303, path)
    assert "The appointment is moved." in reader.read(path)
    assert details(doctor, number)["date"] == "2030-03-06"


def test_the_times_for_a_move_are_those_of_the_same_visit_type(doctor: Doctor, ada: Patient, reader: Reader) -> None:
    doctor.set_hours(hours("tuesday", "09:00", "12:00"))
    kind = doctor.add_visit_type("Long visit", 60)
    first, *others = ada.times(doctor, visit_type=kind)
    number = ada.book(first["slot_id"])
    page = reader.read(f"/desk/appointments/{number}/move")
    assert f"/move/{others[0]['slot_id']}" in page
    assert f"from={DAY}" not in page
    assert "visit_type=" in page


def test_a_time_that_has_gone_cannot_be_moved_to(doctor: Doctor, ada: Patient, api: Api, reader: Reader) -> None:
    number, later = ada.book(doctor.publish()), doctor.publish("11:00", "11:30")
    path = f"/desk/appointments/{number}/move/{later}"
    reader.read(path)
    api.patient().book(later)
    refused = reader.send(path)
    assert refused.status_code == 409
    assert "this time has just gone" in reader.read(path)
    assert details(doctor, number)["start_time"] == "09:00"


def test_what_is_over_can_be_neither_moved_nor_cancelled(
    doctor: Doctor, ada: Patient, reader: Reader, clock: StillClock
) -> None:
    number = ada.book(doctor.publish())
    clock.forward(days=2)
    reader.log_in(doctor)
    page = reader.read(f"/desk/appointments/{number}")
    assert "This appointment is over." in page
    assert f'href="/desk/appointments/{number}/move"' not in page
    assert "can no longer be moved" in reader.read(f"/desk/appointments/{number}/move")
    assert reader.send(f"/desk/appointments/{number}/cancel").status_code == 409


@pytest.mark.parametrize("page", ["", "/week", "/cancel", "/move", "/move/1"])
def test_appointments_of_other_doctors_are_not_shown(
    doctor: Doctor, ada: Patient, api: Api, reader: Reader, page: str
) -> None:
    number = ada.book(api.doctor("Dr. Imani Lark").publish())
    assert reader.open(f"/desk/appointments/{number}{page}").status_code == 403
    assert reader.open(f"/desk/appointments/999{page}").status_code == 404


@pytest.mark.parametrize(("language", "name"), [("en", "A former patient"), ("de", "Gelöschtes Konto")])
def test_a_patient_who_has_left_has_no_name(
    doctor: Doctor, ada: Patient, reader: Reader, clock: StillClock, language: str, name: str
) -> None:
    number = ada.book(doctor.publish())
    clock.forward(days=1, hours=1, minutes=10)
    assert ada.delete("/patient/account").status_code == 200
    headers = {"Accept-Language": language}
    shown = reader.open(f"/desk/appointments/{number}", headers=headers).text
    assert f"<h1>{name}</h1>" in shown
    assert f"· {name}<" in shown
    for page in ("/desk", "/desk/day"):
        assert f">{name}</a>" in reader.open(page, headers=headers).text

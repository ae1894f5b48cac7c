"""From the list of doctors to the appointment, as a browser without JavaScript sends it."""

from __future__ import annotations

from tests.conftest import ON_BOTH
from tests.pages.conftest import Reader
from tests.people import CODE, PASSWORD, Api

pytestmark = ON_BOTH


def test_a_visitor_sees_doctors_and_their_times(api: Api, reader: Reader) -> None:
    doctor = api.doctor("Dr. Fenna Quill", specialization="Cardiology")
    slot_id = doctor.publish("09:00", "09:30")
    assert f'href="/book/{doctor.doctor_id}/{slot_id}"' in reader.read("/book")
    page = reader.read(f"/book/{doctor.doctor_id}")
    assert "Cardiology" in page
    assert f'href="/book/{doctor.doctor_id}/{slot_id}">09:00</a>' in page
    assert f'/log-in?next=/book/{doctor.doctor_id}/{slot_id}"' in reader.read(f"/book/{doctor.doctor_id}/{slot_id}")


def test_a_patient_books_and_gets_the_proof(api: Api, reader: Reader) -> None:
    doctor, ada = api.doctor("Dr. Fenna Quill"), api.patient("Ada Sample")
    path = f"/book/{doctor.doctor_id}/{doctor.publish('09:00', '09:30')}"
    reader.log_in(ada)
    booked = reader.send(path)
    [mine] = ada.get("/appointments/my").get_json()["data"]
    assert (booked.status_code, booked.headers["Location"]) == (303, f"/my/{mine['appointment_id']}")
    proof = reader.read(booked.headers["Location"])
    assert "Your appointment is booked." in proof
    for fact in ("Tuesday 5 March 2030", "09:00", "Dr. Fenna Quill", "Ada Sample"):
        assert fact in proof
    assert "Your appointment is booked." not in reader.read(booked.headers["Location"])


def test_a_double_click_books_once_and_leads_to_the_same_proof(api: Api, reader: Reader) -> None:
    doctor, ada = api.doctor(), api.patient()
    path = f"/book/{doctor.doctor_id}/{doctor.publish()}"
    reader.log_in(ada)
    first, second = (reader.post(path, key="one-click") for _ in range(2))
    assert (first.status_code, first.headers["Location"]) == (second.status_code, second.headers["Location"])
    assert len(ada.get("/appointments/my").get_json()["data"]) == 1


def test_who_lost_the_race_sees_the_nearest_times(api: Api, reader: Reader) -> None:
    doctor, ada, ben = api.doctor(), api.patient(), api.patient()
    wanted, before, after = (doctor.publish(f"{hour}:00", f"{hour}:30") for hour in ("10", "09", "11"))
    reader.log_in(ada)
    path = f"/book/{doctor.doctor_id}/{wanted}"
    assert "Does this suit you?" in reader.read(path)
    ben.book(wanted)
    lost = reader.send(path)
    assert lost.status_code == 409
    assert "this time has just gone" in lost.text
    for slot_id in (before, after):
        assert f'href="/book/{doctor.doctor_id}/{slot_id}"' in lost.text


def test_the_chosen_time_survives_a_log_in_and_is_held(api: Api, reader: Reader) -> None:
    doctor, ada, ben = api.doctor(), api.patient(), api.patient()
    slot_id = doctor.publish()
    path = f"/book/{doctor.doctor_id}/{slot_id}"
    logged_in = reader.send(f"/log-in?next={path}", email=ada.email, password=PASSWORD)
    assert (logged_in.status_code, logged_in.headers["Location"]) == (303, path)
    assert ben.post("/appointments", {"slot_id": slot_id}).status_code == 409
    assert reader.send(path).status_code == 303


def test_a_new_patient_registers_on_the_way(api: Api, reader: Reader) -> None:
    doctor = api.doctor()
    path = f"/book/{doctor.doctor_id}/{doctor.publish()}"
    new = {"name": "Cleo Example", "email": "cleo@people.example", "password": PASSWORD}
    registered = reader.send(f"/register?next={path}", **new)
    assert (registered.status_code, registered.headers["Location"]) == (303, path)
    assert reader.send(path).status_code == 303


def test_an_expired_session_leads_to_the_log_in_and_back(api: Api, reader: Reader) -> None:
    doctor, ada = api.doctor(), api.patient()
    path = f"/book/{doctor.doctor_id}/{doctor.publish()}"
    reader.log_in(ada)
    assert ada.post("/auth/logout-everywhere").status_code == 200
    answer = reader.send(path)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/log-in?next={path.replace('/', '%2F')}")
    assert reader.client.get_cookie("session") is None


def test_an_unknown_doctor_and_a_foreign_slot_are_pages_too(api: Api, reader: Reader) -> None:
    one, other = api.doctor(), api.doctor()
    for path in ("/book/999", f"/book/{other.doctor_id}/{one.publish()}", f"/book/{one.doctor_id}/999"):
        answer = reader.open(path)
        assert (answer.status_code, answer.mimetype) == (404, "text/html")


def test_a_doctor_registers_with_the_code_of_the_clinic(reader: Reader) -> None:
    new = {"name": "Dr. Signe Vale", "email": "signe@people.example", "password": PASSWORD}
    wrong = reader.send("/register", **new, invitation_code="a guess")
    assert wrong.status_code == 403
    assert "The invitation code is wrong." in wrong.text
    assert reader.send("/register", **new, invitation_code=CODE).headers["Location"] == "/home"
    assert reader.open("/home").headers["Location"] == "/desk"


def test_who_goes_back_after_booking_is_led_to_the_appointment(api: Api, reader: Reader) -> None:
    doctor, ada = api.doctor(), api.patient()
    path = f"/book/{doctor.doctor_id}/{doctor.publish()}"
    reader.log_in(ada)
    proof = reader.send(path).headers["Location"]
    page = reader.read(path)
    assert "You have booked this time" in page
    assert f'href="{proof}"' in page
    assert "has just gone" not in page


def test_the_way_through_the_log_in_says_that_the_time_is_not_lost(api: Api, reader: Reader) -> None:
    doctor = api.doctor()
    path = f"/book/{doctor.doctor_id}/{doctor.publish()}"
    for page in ("/log-in", "/register"):
        assert "is not lost" in reader.read(f"{page}?next={path}")
        assert "is not lost" not in reader.read(page)

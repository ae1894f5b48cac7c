"""POST /appointments."""

from __future__ import annotations

from tests.conftest import StillClock
from tests.people import DAY, Api, Deliver, error_of

PATH = "/appointments"


def test_a_patient_books_a_slot(api: Api) -> None:
    doctor, ada = api.doctor(), api.patient()
    answer = ada.post(PATH, {"slot_id": doctor.publish()})
    assert answer.status_code == 201
    body = answer.get_json()
    assert set(body) == {"message", "appointment_id"}
    assert type(body["appointment_id"]) is int
    assert answer.headers["Location"] == f"/appointments/{body['appointment_id']}"
    shown = ada.get(answer.headers["Location"])
    assert shown.status_code == 200
    assert shown.get_json()["appointment_id"] == body["appointment_id"]


def test_a_slot_may_be_named_by_a_string_of_digits(api: Api) -> None:
    doctor, ada = api.doctor(), api.patient()
    slot_id = doctor.publish()
    assert ada.post(PATH, {"slot_id": str(slot_id)}).status_code == 201
    assert ada.free(doctor) == []


def test_one_confirmation_goes_to_the_patient(api: Api, deliver: Deliver) -> None:
    doctor, ada = api.doctor("Dr. Fenna Quill", specialization="Cardiology"), api.patient("Ada Sample")
    ada.book(doctor.publish("09:00", "09:30"))
    [mail] = deliver()
    assert mail.to == ada.email
    for fact in ("Ada Sample", "Dr. Fenna Quill", "Cardiology", "5 March 2030", "09:00", "09:30", "UTC"):
        assert fact in mail.text
        assert fact in mail.html
    assert deliver() == [mail]


def test_names_are_escaped_in_the_html_part(api: Api, deliver: Deliver) -> None:
    doctor = api.doctor("Dr. <img/src=x> Quill", specialization="<script>alert(1)</script>")
    ada = api.patient("Ada & <b>Co</b> Sample")
    ada.book(doctor.publish())
    [mail] = deliver()
    assert "<script>" not in mail.html
    assert "<img" not in mail.html
    assert "Ada &amp; &lt;b&gt;Co&lt;/b&gt;" in mail.html
    assert "Ada & <b>Co</b>" in mail.text
    assert "\n" not in mail.subject


def test_a_taken_slot_is_a_conflict(api: Api, deliver: Deliver) -> None:
    doctor, ada, ben = api.doctor(), api.patient(), api.patient("Ben Sample")
    slot_id = doctor.publish()
    ada.book(slot_id)
    for patient in (ben, ada):
        answer = patient.post(PATH, {"slot_id": slot_id})
        assert answer.status_code == 409
        assert "already booked" in error_of(answer)
    assert ben.get("/appointments/my").get_json()["data"] == []
    assert [mail.to for mail in deliver()] == [ada.email]


def test_a_past_slot_is_a_conflict(api: Api, clock: StillClock) -> None:
    doctor, ada = api.doctor(), api.patient()
    slot_id = doctor.publish("09:00", "09:30", "2030-03-04")
    clock.forward(hours=1)
    for _ in range(2):
        answer = ada.post(PATH, {"slot_id": slot_id})
        assert answer.status_code == 409
        assert "already begun" in error_of(answer)
        clock.forward(hours=5)


def test_two_appointments_at_one_time_are_a_conflict(api: Api, deliver: Deliver) -> None:
    quill, stem, ada, ben = api.doctor("Dr. Quill"), api.doctor("Dr. Stem"), api.patient(), api.patient("Ben Sample")
    first = ada.book(quill.publish("09:00", "10:00"))
    overlapping = stem.publish("09:30", "10:30")
    answer = ada.post(PATH, {"slot_id": overlapping})
    assert answer.status_code == 409
    assert "already have an appointment" in error_of(answer)
    # The refused booking changed nothing.
    assert [slot["slot_id"] for slot in ben.free(stem)] == [overlapping]
    assert len(ada.get("/appointments/my").get_json()["data"]) == 1
    assert len(deliver()) == 1
    assert ada.cancel(first).status_code == 200
    ada.book(overlapping)


def test_appointments_may_touch(api: Api) -> None:
    quill, stem, ada = api.doctor("Dr. Quill"), api.doctor("Dr. Stem"), api.patient()
    ada.book(quill.publish("09:00", "09:30"))
    ada.book(stem.publish("09:30", "10:00"))
    ada.book(stem.publish("08:30", "09:00"))


def test_an_overlap_is_one_of_instants_whatever_the_zones(api: Api) -> None:
    berlin = api.doctor("Dr. Marrow", time_zone="Europe/Berlin")
    new_york = api.doctor("Dr. Lark", time_zone="America/New_York")
    ada = api.patient()
    ada.book(berlin.publish("15:00", "16:00", "2030-07-01"))
    assert ada.post(PATH, {"slot_id": new_york.publish("09:30", "10:30", "2030-07-01")}).status_code == 409
    ada.book(new_york.publish("15:00", "16:00", "2030-07-01"))


def test_an_unknown_slot_is_not_found(api: Api) -> None:
    ada = api.patient()
    for slot_id in (1, 999, 2**31 - 1, 2**31, 2**32, 2**53 + 1, 2**63 - 1, str(2**31), str(2**63 - 1)):
        answer = ada.post(PATH, {"slot_id": slot_id})
        assert answer.status_code == 404
        assert "no such appointment slot" in error_of(answer)


def test_a_withdrawn_slot_is_not_found(api: Api, clock: StillClock) -> None:
    doctor, ada = api.doctor(), api.patient()
    slots = [doctor.publish("09:00", "09:30", "2030-03-04"), doctor.publish(), doctor.publish("10:00", "10:30")]
    ada.book(slots[1])
    clock.forward(hours=2)
    assert doctor.delete("/doctor/account").status_code == 200
    for slot_id in slots:
        answer = ada.post(PATH, {"slot_id": slot_id})
        assert answer.status_code == 404
        assert "no such appointment slot" in error_of(answer)


def test_a_cancelled_slot_can_be_booked_again_and_all_history_stays(api: Api) -> None:
    doctor, ada, ben = api.doctor(), api.patient("Ada Sample"), api.patient("Ben Sample")
    slot_id = doctor.publish()
    booked = []
    for patient in (ada, ben, ada):
        booked.append(patient.book(slot_id))
        assert patient.cancel(booked[-1]).status_code == 200
    booked.append(ben.book(slot_id))
    assert len(set(booked)) == 4
    theirs = doctor.get("/appointments/doctor").get_json()["data"]
    assert [(row["appointment_id"], row["patient_name"], row["status"]) for row in theirs] == [
        (booked[3], "Ben Sample", "booked"),
        (booked[2], "Ada Sample", "cancelled"),
        (booked[1], "Ben Sample", "cancelled"),
        (booked[0], "Ada Sample", "cancelled"),
    ]
    mine = ada.get("/appointments/my").get_json()["data"]
    assert [(row["appointment_id"], row["status"]) for row in mine] == [
        (booked[2], "cancelled"),
        (booked[0], "cancelled"),
    ]


def test_unknown_fields_are_ignored(api: Api) -> None:
    doctor, ada, ben = api.doctor(), api.patient(), api.patient("Ben Sample")
    body = {"slot_id": doctor.publish(), "patient_id": ben.id, "status": "cancelled", "date": "2031-01-01"}
    assert ada.post(PATH, body | {"appointment_id": 77}).status_code == 201
    [mine] = ada.get("/appointments/my").get_json()["data"]
    assert (mine["status"], mine["date"]) == ("booked", DAY)
    assert ben.get("/appointments/my").get_json()["data"] == []


def test_a_missing_slot_id_is_named(api: Api) -> None:
    answer = api.patient().post(PATH, {})
    assert answer.status_code == 400
    assert error_of(answer) == "slot_id is missing."

"""POST /appointments/<id>/cancel."""

from __future__ import annotations

import pytest

from tests.conftest import StillClock
from tests.people import Api, Deliver, error_of, refusal


def test_its_patient_cancels(api: Api) -> None:
    doctor, ada = api.doctor(), api.patient()
    appointment_id = ada.book(doctor.publish())
    answer = ada.cancel(appointment_id)
    assert answer.status_code == 200
    assert set(answer.get_json()) == {"message"}
    for path, person in (("/appointments/my", ada), ("/appointments/doctor", doctor)):
        [row] = person.get(path).get_json()["data"]
        assert (row["appointment_id"], row["status"]) == (appointment_id, "cancelled")


def test_its_doctor_cancels(api: Api) -> None:
    doctor, ada = api.doctor(), api.patient()
    appointment_id = ada.book(doctor.publish())
    assert doctor.post(f"/appointments/{appointment_id}/cancel").status_code == 200
    [row] = ada.get("/appointments/my").get_json()["data"]
    assert row["status"] == "cancelled"


def test_the_slot_is_free_again_at_once(api: Api) -> None:
    doctor, ada, ben = api.doctor(), api.patient(), api.patient("Ben Sample")
    slot_id = doctor.publish()
    for cancel_as in (ada, doctor):
        appointment_id = ada.book(slot_id)
        assert ben.free(doctor) == []
        assert cancel_as.post(f"/appointments/{appointment_id}/cancel").status_code == 200
        assert [slot["slot_id"] for slot in ben.free(doctor)] == [slot_id]
    ben.book(slot_id)


def test_both_get_one_mail_that_says_who_cancelled(api: Api, deliver: Deliver) -> None:
    doctor, ada = api.doctor("Dr. Fenna Quill"), api.patient("Ada Sample")
    first, second = ada.book(doctor.publish("09:00", "09:30")), ada.book(doctor.publish("10:00", "10:30"))
    sent = len(deliver())
    assert ada.cancel(first).status_code == 200
    by_patient = deliver()[sent:]
    assert doctor.post(f"/appointments/{second}/cancel").status_code == 200
    by_doctor = deliver()[sent + 2 :]
    for mails, who, by in (
        (by_patient, ada, "the patient, Ada Sample"),
        (by_doctor, doctor, "the doctor, Dr. Fenna Quill"),
    ):
        assert sorted(mail.to for mail in mails) == sorted([ada.email, doctor.email])
        for mail in mails:
            news = "You cancelled this appointment." if mail.to == who.email else f"was cancelled by {by}."
            assert news in mail.text
            assert news in mail.html
            assert "5 March 2030" in mail.text
            assert "UTC" in mail.text


def test_a_cancelled_appointment_cannot_be_cancelled_again(api: Api, deliver: Deliver) -> None:
    doctor, ada = api.doctor(), api.patient()
    appointment_id = ada.book(doctor.publish())
    assert ada.cancel(appointment_id).status_code == 200
    sent = deliver()
    for person in (ada, doctor):
        answer = person.post(f"/appointments/{appointment_id}/cancel")
        assert answer.status_code == 409
        assert "already cancelled" in error_of(answer)
    assert deliver() == sent


def test_cancelling_the_old_appointment_does_not_touch_the_new_one(api: Api) -> None:
    doctor, ada, ben = api.doctor(), api.patient(), api.patient("Ben Sample")
    slot_id = doctor.publish()
    old = ada.book(slot_id)
    assert ada.cancel(old).status_code == 200
    ben.book(slot_id)
    assert ada.cancel(old).status_code == 409
    assert ada.free(doctor) == []
    [row] = ben.get("/appointments/my").get_json()["data"]
    assert row["status"] == "booked"


def test_what_has_begun_cannot_be_cancelled(api: Api, clock: StillClock) -> None:
    doctor, ada = api.doctor(), api.patient()
    early = ada.book(doctor.publish("09:00", "09:30", "2030-03-04"))
    late = ada.book(doctor.publish("09:30", "10:00", "2030-03-04"))
    clock.forward(minutes=59, seconds=59)
    assert ada.cancel(early).status_code == 200
    clock.forward(minutes=30, seconds=1)
    for _ in range(2):
        for person in (ada, doctor):
            answer = person.post(f"/appointments/{late}/cancel")
            assert answer.status_code == 409
            assert "already begun" in error_of(answer)
        clock.forward(hours=2)
    assert ada.get("/appointments/my").get_json()["data"][0]["status"] == "completed"


@pytest.mark.parametrize("who", ["patient", "doctor"])
def test_a_late_cancel_is_refused_once_the_other_person_has_left(
    api: Api, clock: StillClock, deliver: Deliver, who: str
) -> None:
    """The cancel has arrived before the start, and has waited until the other person left after the start."""
    doctor, ada = api.doctor(), api.patient()
    appointment_id = ada.book(doctor.publish("09:00", "09:30", "2030-03-04"))
    late, leaver, path = (ada, doctor, "/doctor/account") if who == "patient" else (doctor, ada, "/patient/account")
    sent = deliver()
    clock.forward(hours=1)
    assert leaver.delete(path).status_code == 200
    clock.forward(seconds=-1)
    answer = late.post(f"/appointments/{appointment_id}/cancel", {"reason": "I am ill."})
    assert refusal(answer) == (409, "already-begun")
    assert deliver() == sent


def test_anybody_else_is_refused_whatever_the_state_of_the_appointment(api: Api, clock: StillClock) -> None:
    doctor, ada = api.doctor("Dr. Quill"), api.patient()
    ahead, cancelled = ada.book(doctor.publish("09:00", "09:30")), ada.book(doctor.publish("10:00", "10:30"))
    assert ada.cancel(cancelled).status_code == 200
    strangers = (api.doctor("Dr. Stem"), api.patient("Ben Sample"))
    for days in (0, 3):
        clock.forward(days=days)
        for stranger in strangers:
            for appointment_id in (ahead, cancelled):
                answer = stranger.post(f"/appointments/{appointment_id}/cancel")
                assert answer.status_code == 403
                assert "not your appointment" in error_of(answer)
    assert ada.get(f"/appointments/{ahead}").get_json()["status"] == "completed"


def test_an_account_id_is_not_taken_for_a_doctor_id(api: Api) -> None:
    ada = api.patient()
    doctor = api.doctor()
    appointment_id = ada.book(doctor.publish())
    # The account id of Ada and the doctor id of the doctor are the same number.
    assert ada.id == doctor.doctor_id
    ben = api.patient("Ben Sample")
    assert ben.post(f"/appointments/{appointment_id}/cancel").status_code == 403
    assert doctor.post(f"/appointments/{appointment_id}/cancel").status_code == 200


def test_an_unknown_appointment_is_not_found(api: Api) -> None:
    for person in (api.doctor(), api.patient()):
        for appointment_id in (1, 2**31, 2**63 - 1):
            answer = person.post(f"/appointments/{appointment_id}/cancel")
            assert answer.status_code == 404
            assert "no such appointment" in error_of(answer)


def test_a_patient_who_cancels_leaves_nothing_on_the_dashboards(api: Api) -> None:
    doctor, ada = api.doctor(), api.patient()
    assert ada.cancel(ada.book(doctor.publish())).status_code == 200
    assert ada.get("/patient/dashboard").get_json()["next_appointment"] is None
    board = doctor.get("/doctor/dashboard").get_json()
    assert (board["next_appointment"], board["free_slots"], board["booked_slots"]) == (None, 1, 0)

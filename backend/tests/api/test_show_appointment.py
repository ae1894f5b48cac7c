"""GET /appointments/<id>."""

from __future__ import annotations

from tests.conftest import StillClock
from tests.people import DAY, Api, error_of


def test_both_parties_see_the_appointment(api: Api) -> None:
    doctor, ada = api.doctor("Dr. Fenna Quill"), api.patient("Ada Sample")
    appointment_id = ada.book(doctor.publish("09:00", "09:30"))
    for person in (doctor, ada):
        answer = person.get(f"/appointments/{appointment_id}")
        assert answer.status_code == 200
        assert answer.get_json() == {
            "appointment_id": appointment_id,
            "doctor_name": "Dr. Fenna Quill",
            "patient_name": "Ada Sample",
            "date": DAY,
            "start_time": "09:00",
            "end_time": "09:30",
            "starts_at": "2030-03-05T09:00:00+00:00",
            "ends_at": "2030-03-05T09:30:00+00:00",
            "time_zone": "UTC",
            "status": "booked",
            "visit_type": None,
            "place": None,
            "can_cancel": True,
            "can_move": True,
            "reason": None,
            "note": None,
            "patient_email": ada.email if person is doctor else None,
            "patient_phone": None,
            "history": [
                {"event": "booked", "at": "2030-03-04T08:00:00+00:00", "by": "Ada Sample", "reason": None, "was": None}
            ],
            "revision": 1,
        }


def test_its_history_says_who_did_what_and_when(api: Api, clock: StillClock) -> None:
    doctor, ada = api.doctor("Dr. Fenna Quill", time_zone="Asia/Tokyo"), api.patient("Ada Sample")
    appointment_id = ada.book(doctor.publish())
    clock.forward(minutes=90)
    assert doctor.post(f"/appointments/{appointment_id}/cancel").status_code == 200
    shown = ada.get(f"/appointments/{appointment_id}").get_json()
    assert shown["status"] == "cancelled"
    assert shown["history"] == [
        {"event": "booked", "at": "2030-03-04T08:00:00+00:00", "by": "Ada Sample", "reason": None, "was": None},
        {"event": "cancelled", "at": "2030-03-04T09:30:00+00:00", "by": "Dr. Fenna Quill", "reason": None, "was": None},
    ]


def test_a_rebooked_slot_does_not_change_the_history(api: Api) -> None:
    doctor, ada, ben = api.doctor(), api.patient("Ada Sample"), api.patient("Ben Sample")
    slot_id = doctor.publish()
    first = ada.book(slot_id)
    assert ada.cancel(first).status_code == 200
    before = ada.get(f"/appointments/{first}").get_json()
    second = ben.book(slot_id)
    assert ada.get(f"/appointments/{first}").get_json() == before
    assert len(ben.get(f"/appointments/{second}").get_json()["history"]) == 1


def test_the_status_moves_with_the_clock(api: Api, clock: StillClock) -> None:
    doctor, ada = api.doctor(), api.patient()
    appointment_id = ada.book(doctor.publish("09:00", "09:30", "2030-03-04"))
    seen = []
    for _ in range(4):
        seen.append(ada.get(f"/appointments/{appointment_id}").get_json()["status"])
        clock.forward(minutes=30)
    assert seen == ["booked", "booked", "in_progress", "completed"]


def test_the_doctor_sees_how_to_reach_the_patient_and_nobody_else_does(api: Api) -> None:
    doctor, ada = api.doctor(), api.patient()
    path = f"/appointments/{ada.book(doctor.publish())}"
    assert ada.patch("/auth/me", {"phone": "+49 30 23125123"}).status_code == 200
    shown, own = doctor.get(path).get_json(), ada.get(path).get_json()
    assert (shown["patient_email"], shown["patient_phone"]) == (ada.email, "+493023125123")
    assert (own["patient_email"], own["patient_phone"]) == (None, None)
    assert ada.delete("/patient/account").status_code == 200
    shown = doctor.get(path).get_json()
    assert (shown["patient_email"], shown["patient_phone"]) == (None, None)


def test_others_are_refused(api: Api) -> None:
    doctor, ada = api.doctor("Dr. Quill"), api.patient()
    appointment_id = ada.book(doctor.publish())
    for stranger in (api.doctor("Dr. Stem"), api.patient("Ben Sample")):
        answer = stranger.get(f"/appointments/{appointment_id}")
        assert answer.status_code == 403
        assert "not your appointment" in error_of(answer)


def test_an_unknown_appointment_is_not_found(api: Api) -> None:
    for person in (api.doctor(), api.patient()):
        for appointment_id in (1, 2**31, 2**63 - 1):
            answer = person.get(f"/appointments/{appointment_id}")
            assert answer.status_code == 404
            assert "no such appointment" in error_of(answer)

"""GET /doctor/dashboard."""

from __future__ import annotations

from tests.conftest import StillClock
from tests.people import Api, hours

PATH = "/doctor/dashboard"
TODAY = "2030-03-04"


def test_a_new_doctor_is_greeted_and_has_nothing_to_do(api: Api) -> None:
    answer = api.doctor("Dr. Fenna Quill").get(PATH)
    assert answer.status_code == 200
    body = answer.get_json()
    assert "Dr. Fenna Quill" in body.pop("message")
    assert body == {"appointments_today": [], "next_appointment": None, "free_slots": 0, "booked_slots": 0}


def test_it_shows_today_the_next_appointment_and_counts(api: Api) -> None:
    doctor, ada = api.doctor(), api.patient("Ada Sample")
    today = ada.book(doctor.publish("09:00", "09:30", TODAY))
    later = ada.book(doctor.publish("23:00", "23:59", TODAY))
    ada.book(doctor.publish("09:00", "09:30", "2030-03-05"))
    doctor.publish("10:00", "10:30", TODAY)
    doctor.publish("10:00", "10:30", "2030-04-01")
    cancelled = ada.book(doctor.publish("08:10", "08:20", TODAY))
    assert ada.cancel(cancelled).status_code == 200
    body = doctor.get(PATH).get_json()
    assert [row["appointment_id"] for row in body["appointments_today"]] == [today, later]
    assert body["next_appointment"] == body["appointments_today"][0]
    assert body["next_appointment"] == {
        "appointment_id": today,
        "patient_name": "Ada Sample",
        "date": TODAY,
        "start_time": "09:00",
        "end_time": "09:30",
        "starts_at": "2030-03-04T09:00:00+00:00",
        "ends_at": "2030-03-04T09:30:00+00:00",
        "time_zone": "UTC",
        "visit_type": None,
        "place": None,
        "can_cancel": True,
        "can_move": True,
        "reason": None,
        "status": "booked",
    }
    assert (body["free_slots"], body["booked_slots"]) == (3, 3)


def test_what_has_begun_is_today_but_no_longer_next(api: Api, clock: StillClock) -> None:
    doctor, ada = api.doctor(), api.patient()
    first = ada.book(doctor.publish("09:00", "09:30", TODAY))
    second = ada.book(doctor.publish("10:00", "10:30", TODAY))
    doctor.publish("08:30", "09:00", TODAY)
    clock.forward(hours=1)
    body = doctor.get(PATH).get_json()
    assert [(row["appointment_id"], row["status"]) for row in body["appointments_today"]] == [
        (first, "in_progress"),
        (second, "booked"),
    ]
    assert body["next_appointment"]["appointment_id"] == second
    assert (body["free_slots"], body["booked_slots"]) == (0, 1)
    clock.forward(hours=16)
    body = doctor.get(PATH).get_json()
    assert (body["appointments_today"], body["next_appointment"]) == ([], None)


def test_today_is_the_day_of_the_doctors_own_zone(api: Api) -> None:
    # It is 08:00 UTC: 17:00 in Tokyo, and still yesterday in Los Angeles only before 08:00.
    tokyo, hawaii = api.doctor("Dr. Stem", time_zone="Asia/Tokyo"), api.doctor("Dr. Palm", time_zone="Pacific/Honolulu")
    ada, ben = api.patient(), api.patient("Ben Sample")
    evening = ada.book(tokyo.publish("23:00", "23:30", "2030-03-04"))
    ada.book(tokyo.publish("00:30", "01:00", "2030-03-05"))
    # In Honolulu it is 22:00 on the third.
    night = ben.book(hawaii.publish("23:00", "23:30", "2030-03-03"))
    ben.book(hawaii.publish("00:30", "01:00", "2030-03-04"))
    assert [row["appointment_id"] for row in tokyo.get(PATH).get_json()["appointments_today"]] == [evening]
    assert [row["appointment_id"] for row in hawaii.get(PATH).get_json()["appointments_today"]] == [night]


def test_a_group_is_shown_in_the_order_of_its_bookings(api: Api) -> None:
    doctor, ada, ben = api.doctor(), api.patient(), api.patient()
    group = doctor.add_visit_type("Group", minutes=60, capacity=3)
    doctor.set_hours(hours("monday", "09:00", "12:00", visit_types=[group]))
    nine, *_, eleven = ada.times(doctor, from_=TODAY, until=TODAY, visit_type=group)
    # The first appointment comes to the group last: PostgreSQL finds the second one before it.
    first, second = ada.book(nine["slot_id"]), ben.book(eleven["slot_id"])
    assert ada.move(first, eleven["slot_id"]).status_code == 200
    body = doctor.get(PATH).get_json()
    assert [row["appointment_id"] for row in body["appointments_today"]] == [first, second]
    assert body["next_appointment"]["appointment_id"] == first


def test_another_doctors_day_is_not_shown(api: Api) -> None:
    quill, stem, ada = api.doctor("Dr. Quill"), api.doctor("Dr. Stem"), api.patient()
    ada.book(quill.publish("09:00", "09:30", TODAY))
    quill.publish("10:00", "10:30", TODAY)
    body = stem.get(PATH).get_json()
    assert body["appointments_today"] == []
    assert body["next_appointment"] is None
    assert (body["free_slots"], body["booked_slots"]) == (0, 0)

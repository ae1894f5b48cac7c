"""GET /appointments/doctor."""

from __future__ import annotations

from flask.testing import FlaskClient

from tests.conftest import StillClock
from tests.people import DAY, Api, error_of

PATH = "/appointments/doctor"


def test_a_new_doctor_has_none(api: Api) -> None:
    answer = api.doctor().get(PATH)
    assert answer.status_code == 200
    assert answer.get_json() == {"data": [], "next_cursor": None}


def test_an_appointment_is_listed_whole(api: Api) -> None:
    doctor, ada = api.doctor(), api.patient("Ada Sample")
    appointment_id = ada.book(doctor.publish("09:00", "09:30"))
    assert doctor.get(PATH).get_json() == {
        "data": [
            {
                "appointment_id": appointment_id,
                "patient_name": "Ada Sample",
                "date": DAY,
                "start_time": "09:00",
                "end_time": "09:30",
                "starts_at": "2030-03-05T09:00:00+00:00",
                "ends_at": "2030-03-05T09:30:00+00:00",
                "time_zone": "UTC",
                "status": "booked",
            }
        ],
        "next_cursor": None,
    }


def test_patients_addresses_are_not_told(api: Api) -> None:
    doctor, ada = api.doctor(), api.patient()
    ada.book(doctor.publish())
    assert b"@" not in doctor.get(PATH).data


def test_cancelled_ones_stay_and_the_newest_booking_comes_first(api: Api) -> None:
    doctor, ada, ben = api.doctor(), api.patient("Ada Sample"), api.patient("Ben Sample")
    slot_id = doctor.publish("11:00", "11:30")
    first = ada.book(slot_id)
    assert ada.cancel(first).status_code == 200
    second, third = ben.book(slot_id), ada.book(doctor.publish("09:00", "09:30"))
    rows = doctor.get(PATH).get_json()["data"]
    assert [(row["appointment_id"], row["patient_name"], row["status"]) for row in rows] == [
        (third, "Ada Sample", "booked"),
        (second, "Ben Sample", "booked"),
        (first, "Ada Sample", "cancelled"),
    ]


def test_the_status_moves_with_the_clock(api: Api, clock: StillClock) -> None:
    doctor, ada = api.doctor(), api.patient()
    ada.book(doctor.publish("09:00", "09:30", "2030-03-04"))
    seen = []
    for _ in range(4):
        [row] = doctor.get(PATH).get_json()["data"]
        seen.append(row["status"])
        clock.forward(minutes=30)
    assert seen == ["booked", "booked", "in_progress", "completed"]


def test_pages_go_on_at_the_cursor(api: Api) -> None:
    doctor, other, ada = api.doctor("Dr. Quill"), api.doctor("Dr. Stem"), api.patient()
    booked = []
    for hour in range(9, 13):
        booked.append(ada.book(doctor.publish(f"{hour:02}:00", f"{hour:02}:30")))
        ada.book(other.publish(f"{hour:02}:30", f"{hour:02}:45"))
    first = doctor.get(f"{PATH}?limit=3").get_json()
    second = doctor.get(f"{PATH}?limit=3&cursor={first['next_cursor']}").get_json()
    assert [row["appointment_id"] for row in first["data"] + second["data"]] == booked[::-1]
    assert (len(second["data"]), second["next_cursor"]) == (1, None)
    whole = doctor.get(f"{PATH}?limit=4").get_json()
    assert (len(whole["data"]), whole["next_cursor"]) == (4, None)


def test_a_limit_out_of_range_is_refused(api: Api) -> None:
    doctor = api.doctor()
    for limit in ("0", "1001", "-5"):
        answer = doctor.get(f"{PATH}?limit={limit}")
        assert answer.status_code == 400
        assert error_of(answer).startswith("limit")


def test_other_doctors_appointments_are_not_shown(api: Api) -> None:
    quill, stem, ada = api.doctor("Dr. Quill"), api.doctor("Dr. Stem"), api.patient()
    ada.book(quill.publish())
    assert stem.get(PATH).get_json()["data"] == []


def test_strangers_are_refused(client: FlaskClient) -> None:
    answer = client.get(PATH)
    assert answer.status_code == 401
    error_of(answer)


def test_patients_are_refused(api: Api) -> None:
    answer = api.patient().get(PATH)
    assert answer.status_code == 403
    assert "Only doctors" in error_of(answer)

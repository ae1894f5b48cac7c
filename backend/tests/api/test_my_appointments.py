"""GET /appointments/my."""

from __future__ import annotations

from flask.testing import FlaskClient

from tests.conftest import StillClock
from tests.people import DAY, Api, error_of

PATH = "/appointments/my"


def test_a_new_patient_has_none(api: Api) -> None:
    answer = api.patient().get(PATH)
    assert answer.status_code == 200
    assert answer.get_json() == {"data": [], "next_cursor": None}


def test_an_appointment_is_listed_whole(api: Api) -> None:
    doctor, ada = api.doctor("Dr. Fenna Quill"), api.patient()
    appointment_id = ada.book(doctor.publish("09:00", "09:30"))
    assert ada.get(PATH).get_json() == {
        "data": [
            {
                "appointment_id": appointment_id,
                "doctor_name": "Dr. Fenna Quill",
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


def test_the_status_moves_with_the_clock(api: Api, clock: StillClock) -> None:
    doctor, ada = api.doctor(), api.patient()
    ada.book(doctor.publish("09:00", "09:30", "2030-03-04"))
    assert ada.cancel(ada.book(doctor.publish("09:30", "10:00", "2030-03-04"))).status_code == 200

    def statuses() -> list[str]:
        return [row["status"] for row in ada.get(PATH).get_json()["data"]]

    assert statuses() == ["cancelled", "booked"]
    clock.forward(minutes=59, seconds=59)
    assert statuses() == ["cancelled", "booked"]
    clock.forward(seconds=1)
    assert statuses() == ["cancelled", "in_progress"]
    clock.forward(minutes=29, seconds=59)
    assert statuses() == ["cancelled", "in_progress"]
    clock.forward(seconds=1)
    assert statuses() == ["cancelled", "completed"]
    clock.forward(days=3650)
    assert statuses() == ["cancelled", "completed"]


def test_booked_is_said_if_and_only_if_it_can_be_cancelled(api: Api, clock: StillClock) -> None:
    doctor, ada = api.doctor(), api.patient()
    for start, end in (("08:30", "09:00"), ("09:00", "09:30"), ("09:30", "10:00"), ("10:00", "10:30")):
        ada.book(doctor.publish(start, end, "2030-03-04"))
    assert ada.cancel(1).status_code == 200
    clock.forward(hours=1)
    for row in ada.get(PATH).get_json()["data"]:
        cancelled = ada.cancel(row["appointment_id"]).status_code == 200
        assert cancelled == (row["status"] == "booked"), row


def test_the_newest_booking_comes_first_whatever_its_time(api: Api) -> None:
    doctor, ada = api.doctor(), api.patient()
    booked = [ada.book(doctor.publish(start, f"{start[:3]}30")) for start in ("11:00", "09:00", "12:00", "10:00")]
    assert [row["appointment_id"] for row in ada.get(PATH).get_json()["data"]] == booked[::-1]


def test_pages_go_on_at_the_cursor(api: Api) -> None:
    doctor, ada = api.doctor(), api.patient()
    booked = [ada.book(doctor.publish(f"{hour:02}:00", f"{hour:02}:30")) for hour in range(9, 14)]
    assert ada.cancel(booked[2]).status_code == 200
    for limit in (1, 2, 3, 4, 5, 1000):
        seen: list[int] = []
        url = f"{PATH}?limit={limit}"
        for _ in range(6):
            body = ada.get(url).get_json()
            assert len(body["data"]) <= limit
            seen += [row["appointment_id"] for row in body["data"]]
            if body["next_cursor"] is None:
                break
            url = f"{PATH}?limit={limit}&cursor={body['next_cursor']}"
        assert seen == booked[::-1]


def test_a_booking_made_meanwhile_shifts_no_page(api: Api) -> None:
    doctor, ada = api.doctor(), api.patient()
    booked = [ada.book(doctor.publish(f"{hour:02}:00", f"{hour:02}:30")) for hour in range(9, 13)]
    first = ada.get(f"{PATH}?limit=2").get_json()
    ada.book(doctor.publish("15:00", "15:30"))
    second = ada.get(f"{PATH}?limit=2&cursor={first['next_cursor']}").get_json()
    assert [row["appointment_id"] for row in first["data"] + second["data"]] == booked[::-1]
    assert second["next_cursor"] is None


def test_a_cursor_past_the_end_is_an_empty_page(api: Api) -> None:
    doctor, ada = api.doctor(), api.patient()
    booked = ada.book(doctor.publish())
    assert ada.get(f"{PATH}?cursor={booked}").get_json() == {"data": [], "next_cursor": None}
    assert len(ada.get(f"{PATH}?cursor={2**63 - 1}").get_json()["data"]) == 1


def test_a_limit_out_of_range_is_refused(api: Api) -> None:
    ada = api.patient()
    for limit in ("0", "1001", "-5"):
        answer = ada.get(f"{PATH}?limit={limit}")
        assert answer.status_code == 400
        assert error_of(answer).startswith("limit")


def test_other_patients_appointments_are_not_shown(api: Api) -> None:
    doctor, ada, ben = api.doctor(), api.patient(), api.patient("Ben Sample")
    ada.book(doctor.publish())
    assert ben.get(PATH).get_json()["data"] == []
    assert ben.get(f"{PATH}?cursor=1000").get_json()["data"] == []


def test_strangers_are_refused(client: FlaskClient) -> None:
    answer = client.get(PATH)
    assert answer.status_code == 401
    error_of(answer)


def test_doctors_are_refused(api: Api) -> None:
    answer = api.doctor().get(PATH)
    assert answer.status_code == 403
    assert "Only patients" in error_of(answer)

"""POST /doctor/availability."""

from __future__ import annotations

from werkzeug.test import TestResponse

from tests.conftest import StillClock
from tests.people import DAY, Api, Doctor, error_of

PATH = "/doctor/availability"

KEPT = [
    ("Europe/Berlin", "2030-03-30", "02:30", "03:00", "2030-03-30T02:30:00+01:00", "2030-03-30T03:00:00+01:00"),
    ("Europe/Berlin", "2030-03-31", "01:30", "03:00", "2030-03-31T01:30:00+01:00", "2030-03-31T03:00:00+02:00"),
    ("Europe/Berlin", "2030-03-31", "09:00", "09:30", "2030-03-31T09:00:00+02:00", "2030-03-31T09:30:00+02:00"),
    ("Europe/Berlin", "2030-10-27", "01:30", "03:00", "2030-10-27T01:30:00+02:00", "2030-10-27T03:00:00+01:00"),
    ("America/New_York", "2030-11-03", "09:00", "09:30", "2030-11-03T09:00:00-05:00", "2030-11-03T09:30:00-05:00"),
    ("Asia/Kolkata", "2030-07-01", "09:00", "09:30", "2030-07-01T09:00:00+05:30", "2030-07-01T09:30:00+05:30"),
    (
        "Pacific/Kiritimati",
        "2030-07-01",
        "00:05",
        "00:10",
        "2030-07-01T00:05:00+14:00",
        "2030-07-01T00:10:00+14:00",
    ),
    (
        "Australia/Lord_Howe",
        "2030-10-06",
        "02:30",
        "03:00",
        "2030-10-06T02:30:00+11:00",
        "2030-10-06T03:00:00+11:00",
    ),
]
REFUSED = [
    ("Europe/Berlin", "2030-03-31", "02:30", "04:00", "02:30 does not exist"),
    ("Europe/Berlin", "2030-03-31", "01:00", "02:00", "02:00 does not exist"),
    ("Europe/Berlin", "2030-10-27", "02:30", "04:00", "02:30 comes twice"),
    ("Europe/Berlin", "2030-10-27", "01:00", "02:59", "02:59 comes twice"),
    ("America/New_York", "2030-03-10", "02:00", "03:30", "02:00 does not exist"),
    ("America/New_York", "2030-11-03", "01:00", "03:30", "01:00 comes twice"),
    ("Australia/Lord_Howe", "2030-10-06", "02:15", "03:00", "02:15 does not exist"),
    ("Australia/Lord_Howe", "2030-04-07", "01:45", "03:00", "01:45 comes twice"),
]
REFUSED_ON_THE_NEXT_DAY = [
    ("Europe/Berlin", "2030-03-30", "22:00", "02:30", "02:30 does not exist on 2030-03-31"),
    ("Europe/Berlin", "2030-10-26", "22:00", "02:30", "02:30 comes twice on 2030-10-27"),
    # In Havana the clocks go forward at midnight, so no clock ever shows 00:00 at the end of the day before.
    ("America/Havana", "2030-03-09", "22:00", "24:00", "00:00 does not exist on 2030-03-10"),
]
# Zone, date, start and end as they are published, the end as it is shown, and the instants.
OVER_MIDNIGHT = [
    ("UTC", DAY, "23:30", "00:00", "00:00", "2030-03-05T23:30:00+00:00", "2030-03-06T00:00:00+00:00"),
    ("UTC", DAY, "23:30", "24:00", "00:00", "2030-03-05T23:30:00+00:00", "2030-03-06T00:00:00+00:00"),
    ("UTC", DAY, "08:00", "00:00", "00:00", "2030-03-05T08:00:00+00:00", "2030-03-06T00:00:00+00:00"),
    ("UTC", DAY, "22:00", "02:00", "02:00", "2030-03-05T22:00:00+00:00", "2030-03-06T02:00:00+00:00"),
    ("UTC", DAY, "22:00", "10:00", "10:00", "2030-03-05T22:00:00+00:00", "2030-03-06T10:00:00+00:00"),
    ("UTC", "2030-12-31", "23:59", "00:01", "00:01", "2030-12-31T23:59:00+00:00", "2031-01-01T00:01:00+00:00"),
    # Twelve hours on the clock, eleven and thirteen in fact.
    (
        "Europe/Berlin",
        "2030-03-30",
        "20:00",
        "08:00",
        "08:00",
        "2030-03-30T20:00:00+01:00",
        "2030-03-31T08:00:00+02:00",
    ),
    (
        "Europe/Berlin",
        "2030-10-26",
        "20:00",
        "08:00",
        "08:00",
        "2030-10-26T20:00:00+02:00",
        "2030-10-27T08:00:00+01:00",
    ),
]


def publish(doctor: Doctor, start: str, end: str, date: str = DAY) -> TestResponse:
    return doctor.post(PATH, {"date": date, "start_time": start, "end_time": end})


def test_a_doctor_publishes_a_slot(api: Api) -> None:
    doctor = api.doctor()
    answer = publish(doctor, "09:00", "09:30")
    assert answer.status_code == 201
    body = answer.get_json()
    assert set(body) == {"message", "slot_id"}
    assert type(body["slot_id"]) is int
    [offered] = api.patient().free(doctor)
    assert offered == {
        "slot_id": body["slot_id"],
        "date": DAY,
        "start_time": "09:00",
        "end_time": "09:30",
        "starts_at": "2030-03-05T09:00:00+00:00",
        "ends_at": "2030-03-05T09:30:00+00:00",
        "time_zone": "UTC",
        "visit_type_id": None,
        "seats_left": None,
        "place": None,
    }


def test_an_overlap_with_an_own_slot_is_a_conflict(api: Api) -> None:
    doctor = api.doctor()
    doctor.publish("09:00", "10:00")
    for span in ("09:00-10:00", "09:15-09:45", "08:00-09:01", "09:59-10:30", "08:00-11:00"):
        answer = publish(doctor, *span.split("-"))
        assert answer.status_code == 409, span
        assert "overlaps" in error_of(answer)
    assert len(api.patient().free(doctor)) == 1


def test_an_overlap_with_a_booked_slot_is_a_conflict_too(api: Api) -> None:
    doctor, ada = api.doctor(), api.patient()
    appointment_id = ada.book(doctor.publish("09:00", "10:00"))
    assert publish(doctor, "09:30", "10:30").status_code == 409
    assert ada.cancel(appointment_id).status_code == 200
    assert publish(doctor, "09:30", "10:30").status_code == 409


def test_slots_may_touch(api: Api) -> None:
    doctor = api.doctor()
    for start, end in (("09:00", "09:30"), ("09:30", "10:00"), ("08:30", "09:00")):
        assert publish(doctor, start, end).status_code == 201
    assert publish(doctor, "09:00", "09:30", "2030-03-06").status_code == 201


def test_two_doctors_may_publish_the_same_time(api: Api) -> None:
    for name in ("Dr. Quill", "Dr. Stem"):
        assert publish(api.doctor(name), "09:00", "09:30").status_code == 201


def test_an_overlap_is_one_of_instants_whatever_the_zones(api: Api) -> None:
    doctor = api.doctor(time_zone="Europe/Berlin")
    doctor.publish("09:00", "10:00", "2030-07-01")
    assert doctor.post("/doctor/profile", {"time_zone": "America/New_York"}).status_code == 200
    assert publish(doctor, "03:30", "04:30", "2030-07-01").status_code == 409
    assert publish(doctor, "09:00", "10:00", "2030-07-01").status_code == 201


def test_the_past_cannot_be_published(api: Api) -> None:
    doctor = api.doctor()
    for date, start, end in (
        ("2030-03-04", "08:00", "08:30"),
        ("2030-03-04", "07:59", "08:30"),
        ("2030-03-04", "00:00", "23:59"),
        ("2030-03-03", "09:00", "09:30"),
        ("1999-12-31", "09:00", "09:30"),
        ("0001-01-01", "09:00", "09:30"),
    ):
        answer = publish(doctor, start, end, date)
        assert answer.status_code == 400, (date, start)
        assert "future" in error_of(answer)


def test_the_next_minute_can_be_published(api: Api) -> None:
    assert publish(api.doctor(), "08:01", "08:02", "2030-03-04").status_code == 201


def test_the_past_is_judged_in_the_doctors_own_zone(api: Api) -> None:
    # 08:00 UTC is 03:00 in New York and 17:00 in Tokyo.
    assert publish(api.doctor(time_zone="America/New_York"), "04:00", "05:00", "2030-03-04").status_code == 201
    assert publish(api.doctor(time_zone="Asia/Tokyo"), "16:00", "18:00", "2030-03-04").status_code == 400


def test_more_than_ten_years_ahead_is_refused(api: Api) -> None:
    doctor = api.doctor()
    assert publish(doctor, "09:00", "09:30", "2040-03-03").status_code == 201
    for date in ("2040-03-06", "2041-01-01", "9999-12-31"):
        answer = publish(doctor, "09:00", "09:30", date)
        assert answer.status_code == 400
        assert "ten years" in error_of(answer)


def test_the_end_is_after_the_start(api: Api) -> None:
    doctor = api.doctor()
    for span in ("09:00-09:00", "09:30-09:00", "10:00-09:30", "22:00-10:01", "12:01-00:02", "00:00-00:00"):
        answer = publish(doctor, *span.split("-"))
        assert answer.status_code == 400, span
        assert "after the start" in error_of(answer)


def test_a_slot_may_last_the_whole_day(api: Api) -> None:
    for end, ends_at in (("23:59", f"{DAY}T23:59:00+00:00"), ("24:00", "2030-03-06T00:00:00+00:00")):
        doctor = api.doctor()
        assert publish(doctor, "00:00", end).status_code == 201
        [offered] = api.patient().free(doctor)
        assert (offered["starts_at"], offered["ends_at"]) == (f"{DAY}T00:00:00+00:00", ends_at)


def test_a_slot_may_last_until_midnight_and_over_it(api: Api) -> None:
    for zone, day, start, end, shown_end, starts_at, ends_at in OVER_MIDNIGHT:
        doctor, ada = api.doctor(time_zone=zone), api.patient()
        appointment_id = ada.book(doctor.publish(start, end, day))
        [mine] = ada.get("/appointments/my").get_json()["data"]
        for shown in (mine, ada.get(f"/appointments/{appointment_id}").get_json()):
            assert (shown["date"], shown["start_time"], shown["end_time"]) == (day, start, shown_end), start
            assert (shown["starts_at"], shown["ends_at"]) == (starts_at, ends_at)


def test_a_slot_over_midnight_meets_the_slots_of_both_days(api: Api) -> None:
    doctor = api.doctor()
    doctor.publish("22:00", "02:00")
    for date, start, end, status in (
        (DAY, "23:00", "24:00", 409),
        ("2030-03-06", "01:30", "02:30", 409),
        ("2030-03-06", "00:00", "24:00", 409),
        ("2030-03-06", "02:00", "02:30", 201),
        (DAY, "21:30", "22:00", 201),
    ):
        assert publish(doctor, start, end, date).status_code == status, (date, start)


def test_a_slot_does_not_start_at_the_end_of_a_day(api: Api) -> None:
    for end in ("00:30", "24:00"):
        answer = publish(api.doctor(), "24:00", end)
        assert answer.status_code == 400
        assert "start_time" in error_of(answer)


def test_midnight_after_the_last_day_of_the_calendar_is_refused(api: Api) -> None:
    for end in ("24:00", "00:00", "02:00"):
        assert publish(api.doctor(), "22:00", end, "9999-12-31").status_code == 400


def test_wall_clock_times_come_back_as_given(api: Api) -> None:
    for zone, date, start, end, starts_at, ends_at in KEPT:
        doctor, ada = api.doctor(time_zone=zone), api.patient()
        slot_id = doctor.publish(start, end, date)
        [offered] = ada.free(doctor)
        appointment_id = ada.book(slot_id)
        [mine] = ada.get("/appointments/my").get_json()["data"]
        [theirs] = doctor.get("/appointments/doctor").get_json()["data"]
        for shown in (offered, mine, theirs, ada.get(f"/appointments/{appointment_id}").get_json()):
            assert (shown["date"], shown["start_time"], shown["end_time"]) == (date, start, end), zone
            assert (shown["starts_at"], shown["ends_at"], shown["time_zone"]) == (starts_at, ends_at, zone)


def test_times_that_the_clocks_skip_or_show_twice_are_refused(api: Api) -> None:
    for zone, date, start, end, said in REFUSED:
        doctor = api.doctor(time_zone=zone)
        answer = publish(doctor, start, end, date)
        assert answer.status_code == 400, (zone, date, start)
        sentence = error_of(answer)
        assert said in sentence
        assert date in sentence
        assert zone in sentence
        assert api.patient().free(doctor) == []


def test_an_end_that_the_clocks_of_the_next_day_skip_or_show_twice_is_refused(api: Api) -> None:
    for zone, date, start, end, said in REFUSED_ON_THE_NEXT_DAY:
        answer = publish(api.doctor(time_zone=zone), start, end, date)
        assert answer.status_code == 400, (zone, date, start)
        assert said in error_of(answer)


def test_a_slot_that_is_past_cannot_be_published_again(api: Api, clock: StillClock) -> None:
    doctor = api.doctor()
    doctor.publish("09:00", "09:30")
    clock.forward(days=2)
    assert publish(doctor, "09:00", "09:30").status_code == 400


def test_unknown_fields_are_ignored(api: Api) -> None:
    doctor, other = api.doctor("Dr. Quill"), api.doctor("Dr. Stem")
    body = {
        "date": DAY,
        "start_time": "09:00",
        "end_time": "09:30",
        "doctor_id": other.doctor_id,
        "time_zone": "Asia/Tokyo",
    }
    assert doctor.post(PATH, body | {"status": "withdrawn", "slot_id": 77}).status_code == 201
    ada = api.patient()
    [offered] = ada.free(doctor)
    assert offered["time_zone"] == "UTC"
    assert ada.free(other) == []


def test_a_missing_field_is_named(api: Api) -> None:
    doctor = api.doctor()
    whole = {"date": DAY, "start_time": "09:00", "end_time": "09:30"}
    for field in whole:
        answer = doctor.post(PATH, {name: whole[name] for name in whole if name != field})
        assert answer.status_code == 400
        assert error_of(answer) == f"{field} is missing."

"""Computed times: offered by GET /patient/doctors/<id>/availability, and booked by POST /appointments."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.conftest import StillClock
from tests.offered import TUESDAY, day_of, first_id
from tests.people import KEY, Api, Deliver, Doctor, Patient, error_of, hours, refusal

WEDNESDAY, NEXT_TUESDAY = "2030-03-06", "2030-03-12"
DAY_OF_MINUTES = 1440


def starts(times: list[dict[str, object]]) -> list[object]:
    return [time["start_time"] for time in times]


def test_hours_make_times_of_the_first_visit_type_for_four_weeks(api: Api, doctor: Doctor) -> None:
    times = api.patient().free(doctor)
    assert starts(times[:4]) == ["09:00", "09:30", "10:00", "10:30"]
    assert {time["date"] for time in times} == {"2030-03-05", "2030-03-12", "2030-03-19", "2030-03-26"}
    [kind] = {time["visit_type_id"] for time in times}
    assert times[0] == {
        "slot_id": times[0]["slot_id"],
        "date": TUESDAY,
        "start_time": "09:00",
        "end_time": "09:30",
        "starts_at": "2030-03-05T09:00:00+00:00",
        "ends_at": "2030-03-05T09:30:00+00:00",
        "time_zone": "UTC",
        "visit_type_id": kind,
        "seats_left": None,
        "place": None,
    }
    assert all(2**32 <= time["slot_id"] < 2**53 for time in times)


def test_a_time_is_booked_by_its_id_and_no_longer_offered(api: Api, doctor: Doctor, deliver: Deliver) -> None:
    ada = api.patient("Ada Sample")
    second = ada.free(doctor)[1]
    appointment_id = ada.book(second["slot_id"])
    assert starts(ada.free(doctor)[:3]) == ["09:00", "10:00", "10:30"]
    [listed] = ada.get("/appointments/my").get_json()["data"]
    assert (listed["appointment_id"], listed["start_time"], listed["status"]) == (appointment_id, "09:30", "booked")
    assert listed["visit_type"] == "Consultation"
    [mail] = deliver()
    assert "09:30 to 10:00" in mail.text
    assert "Consultation" in mail.text

    taken = api.patient("Ben Placeholder").post("/appointments", {"slot_id": second["slot_id"]})
    assert taken.status_code == 409
    assert error_of(taken) == "This slot is already booked."

    assert ada.cancel(appointment_id).status_code == 200
    assert starts(ada.free(doctor)[:4]) == ["09:00", "09:30", "10:00", "10:30"]
    assert ada.book(second["slot_id"]) != appointment_id


def test_what_is_not_offered_says_why(api: Api, doctor: Doctor, clock: StillClock) -> None:
    ada = api.patient()
    slot_id = ada.free(doctor)[0]["slot_id"]

    def refused(minutes: int) -> tuple[int, str]:
        return why_not(ada, slot_id + minutes)

    assert refused(-30) == (409, "slot-not-offered")
    assert refused(5) == (409, "slot-not-offered")
    assert refused(-24 * 60) == (409, "slot-not-offered")
    assert refused(-48 * 60) == (409, "slot-past")
    assert refused(70 * 7 * 24 * 60) == (409, "too-far-ahead")
    assert refused(2**24) == (404, "slot-not-found")
    clock.forward(days=1, hours=1)
    assert refused(0) == (409, "slot-past")


def test_breaks_are_gaps(api: Api) -> None:
    doctor, ada = api.doctor(), api.patient()
    doctor.set_hours(hours("tuesday", "09:00", "10:15"), hours("tuesday", "11:00", "12:00"))
    assert day_of(ada, doctor) == ["09:00", "09:30", "11:00", "11:30"]
    doctor.close(TUESDAY, **{"from": "11:10", "until": "11:20"})
    # What is left of the hours has a grid of its own.
    assert day_of(ada, doctor) == ["09:00", "09:30", "11:20"]


def test_visits_do_not_begin_in_a_break_nor_last_into_it(api: Api) -> None:
    doctor, ada = api.doctor(), api.patient()
    doctor.set_hours(hours("tuesday", "09:00", "10:00"), hours("tuesday", "10:30", "11:00"))
    long = doctor.add_visit_type(minutes=45, step=15)
    assert day_of(ada, doctor, long) == ["09:00", "09:15"]
    late = first_id(ada, doctor, long) + 30
    assert why_not(ada, late) == (409, "slot-not-offered")


def test_buffers_of_both_visits_add_up_in_both_directions(api: Api, doctor: Doctor) -> None:
    ada, ben = api.patient(), api.patient("Ben Sample")
    kind = doctor.add_visit_type(minutes=30, step=5, buffer_before=5, buffer_after=10)
    ada.book(first_id(ada, doctor, kind) + 45)  # 09:45 to 10:15
    free = day_of(ben, doctor, kind)
    assert free == ["09:00", "10:30"]
    for minutes in (5, 10, 70, 85):
        assert why_not(ben, first_id(ben, doctor, kind) + minutes) == (409, "slot-taken")
    ben.book(first_id(ben, doctor, kind) + 90)
    # Visits without buffers keep those of the others.
    assert day_of(ben, doctor) == ["09:00"]
    short = doctor.add_visit_type("Injection", minutes=5)
    assert day_of(ada, doctor, short) == [f"09:{minute:02}" for minute in range(0, 40, 5)]


def test_buffers_count_against_visits_and_not_against_hours(api: Api, doctor: Doctor) -> None:
    ada = api.patient()
    kind = doctor.add_visit_type(minutes=60, buffer_before=480, buffer_after=480)
    assert day_of(ada, doctor, kind) == ["09:00", "10:00"]
    ada.book(first_id(ada, doctor, kind))
    assert day_of(ada, doctor, kind) == []
    assert day_of(ada, doctor, kind, "2030-03-12") == ["09:00", "10:00"]


def test_visits_begin_at_every_step_also_after_an_appointment(api: Api, doctor: Doctor) -> None:
    ada, ben = api.patient(), api.patient("Ben Sample")
    kind = doctor.add_visit_type(minutes=25, step=20)
    assert day_of(ada, doctor, kind) == ["09:00", "09:20", "09:40", "10:00", "10:20"]
    ada.book(first_id(ada, doctor, kind) + 20)
    assert day_of(ben, doctor, kind) == ["10:00", "10:20"]
    assert why_not(ben, first_id(ben, doctor, kind) + 1) == (409, "slot-not-offered")


def test_a_time_can_be_booked_until_the_minimum_notice_and_not_a_second_later(
    api: Api, doctor: Doctor, clock: StillClock
) -> None:
    ada, ben = api.patient(), api.patient("Ben Sample")
    kind = doctor.add_visit_type(minutes=30, minimum_notice=120)
    first = first_id(ada, doctor, kind)
    clock.forward(hours=23)
    ada, ben = again(api, ada), again(api, ben)
    assert day_of(ada, doctor, kind) == ["09:00", "09:30", "10:00", "10:30"]
    assert ada.cancel(ada.book(first)).status_code == 200
    clock.forward(seconds=1)
    assert day_of(ben, doctor, kind) == ["09:30", "10:00", "10:30"]
    assert why_not(ben, first) == (409, "notice-too-short")
    # The notice is that of the visit type.
    assert day_of(ben, doctor) == ["09:00", "09:30", "10:00", "10:30"]


def test_a_time_can_be_booked_from_the_horizon_on_and_not_a_minute_earlier(
    api: Api, doctor: Doctor, clock: StillClock
) -> None:
    ada = api.patient()
    kind = doctor.add_visit_type(minutes=30, horizon=7)
    first = first_id(ada, doctor, kind)
    assert starts(ada.times(doctor, visit_type=kind)) == ["09:00", "09:30", "10:00", "10:30"]
    next_week = first + 7 * DAY_OF_MINUTES
    clock.forward(days=1, minutes=59, seconds=59)
    ada = again(api, ada)
    assert why_not(ada, next_week) == (409, "too-far-ahead")
    assert day_of(ada, doctor, kind, NEXT_TUESDAY) == []
    clock.forward(seconds=1)
    assert day_of(ada, doctor, kind, NEXT_TUESDAY) == ["09:00"]
    assert why_not(ada, next_week + 30) == (409, "too-far-ahead")
    ada.book(next_week)


def test_a_day_has_no_more_visits_of_a_type_than_its_limit(api: Api, doctor: Doctor, clock: StillClock) -> None:
    ada, ben, cleo = api.patient(), api.patient("Ben Sample"), api.patient("Cleo Sample")
    kind = doctor.add_visit_type(minutes=30, most_per_day=2)
    first = first_id(ada, doctor, kind)
    appointment_id = ada.book(first)
    ben.hold(first + 30, minutes=5)
    assert day_of(cleo, doctor, kind) == []
    assert why_not(cleo, first + 60) == (409, "day-full")
    assert why_not(cleo, first) == (409, "day-full")
    # Other days and other types are not full, nor is the day for whoever holds one of its visits.
    assert day_of(cleo, doctor, kind, NEXT_TUESDAY) == ["09:00", "09:30", "10:00", "10:30"]
    assert day_of(cleo, doctor) == ["10:00", "10:30"]
    assert day_of(ben, doctor, kind) == ["09:30", "10:00", "10:30"]

    clock.forward(minutes=5)
    assert day_of(cleo, doctor, kind) == ["09:30", "10:00", "10:30"]
    cleo.book(first + 60)
    assert why_not(ben, first + 30) == (409, "day-full")
    assert ada.cancel(appointment_id).status_code == 200
    assert day_of(ben, doctor, kind) == ["09:00", "09:30", "10:30"]
    ben.book(first)
    assert day_of(ada, doctor, kind) == []


def test_a_limit_counts_the_days_of_the_doctors_zone(api: Api) -> None:
    doctor, ada, ben = api.doctor(time_zone="Pacific/Auckland"), api.patient(), api.patient("Ben Sample")
    kind = doctor.add_visit_type(minutes=60, most_per_day=1)
    doctor.set_hours(hours("tuesday", "11:00", "15:00", visit_types=[kind]), time_zone="Pacific/Auckland")
    ada.book(first_id(ada, doctor, kind))  # 22:00 on Monday in UTC
    assert why_not(ben, first_id(ben, doctor, kind, NEXT_TUESDAY) - 7 * DAY_OF_MINUTES + 180) == (
        409,
        "day-full",
    )


def test_three_patients_share_a_group_visit_and_a_fourth_does_not(api: Api, doctor: Doctor) -> None:
    ada, ben, cleo, dora = (api.patient(f"{name} Sample") for name in ("Ada", "Ben", "Cleo", "Dora"))
    kind = doctor.add_visit_type("Class", minutes=60, capacity=3)

    def seats_left(patient: Patient) -> list[tuple[str, int]]:
        times = patient.times(doctor, visit_type=kind, until=TUESDAY)
        return [(time["start_time"], time["seats_left"]) for time in times]

    first = first_id(ada, doctor, kind)
    assert seats_left(dora) == [("09:00", 3), ("10:00", 3)]
    appointment_id = ada.book(first)
    assert seats_left(dora) == [("09:00", 2), ("10:00", 3)]
    assert why_not(ada, first) == (409, "patient-busy")
    ben.book(first)
    assert seats_left(dora) == [("09:00", 1), ("10:00", 3)]
    cleo.book(first)
    assert seats_left(dora) == [("10:00", 3)]
    assert why_not(dora, first) == (409, "slot-taken")
    # The group takes the time once, and visits of other types do not fit in.
    assert day_of(dora, doctor) == ["10:00", "10:30"]
    assert ada.cancel(appointment_id).status_code == 200
    assert seats_left(dora) == [("09:00", 1), ("10:00", 3)]
    dora.book(first)
    assert why_not(ada, first) == (409, "slot-taken")
    assert {row["visit_type"] for row in doctor.get("/appointments/doctor").get_json()["data"]} == {"Class"}


def test_a_visit_that_was_booked_alone_stays_alone_when_visits_get_more_seats(api: Api, doctor: Doctor) -> None:
    ada, ben = api.patient("Ada Sample"), api.patient("Ben Sample")
    kind = doctor.add_visit_type(minutes=60)
    first = first_id(ada, doctor, kind)
    appointment_id = ada.book(first)
    change(doctor, kind, minutes=60, capacity=4)
    assert day_of(ben, doctor, kind) == ["10:00"]
    assert why_not(ben, first) == (409, "slot-taken")
    at = {"at": f"{TUESDAY}T09:00", "visit_type": kind}
    explained = doctor.get("/doctor/availability/explain", query_string=at).get_json()
    assert [reason["code"] for reason in explained["reasons"]] == ["taken"]
    assert ada.cancel(appointment_id).status_code == 200
    ben.book(first)
    assert [time["seats_left"] for time in ada.times(doctor, visit_type=kind, until=TUESDAY)] == [3, 4]


def test_what_staff_book_is_neither_listed_nor_bookable_by_patients(api: Api, doctor: Doctor) -> None:
    ada = api.patient()
    kind = doctor.add_visit_type(minutes=30)
    first = first_id(ada, doctor, kind)
    change(doctor, kind, booked_by="staff")
    assert ada.get(path_of(doctor), query_string={"visit_type": kind}).status_code == 404
    assert kind not in {row["id"] for row in ada.get(f"/patient/doctors/{doctor.doctor_id}/visit-types").json["data"]}
    assert why_not(ada, first) == (404, "slot-not-found")
    assert ada.post("/holds", {"slot_id": first, "minutes": 5}).status_code == 404


def test_the_default_type_is_the_one_that_the_doctor_chose(api: Api, doctor: Doctor) -> None:
    ada = api.patient()
    consultation = ada.free(doctor)[0]["visit_type_id"]
    chosen = doctor.add_visit_type(minutes=60, is_default=True)
    assert {time["visit_type_id"] for time in ada.free(doctor)} == {chosen}
    change(doctor, chosen, minutes=60)
    assert {time["visit_type_id"] for time in ada.free(doctor)} == {consultation}
    change(doctor, chosen, minutes=60, is_default=True)
    assert doctor.delete(f"/doctor/visit-types/{chosen}").status_code == 200
    assert {time["visit_type_id"] for time in ada.free(doctor)} == {consultation}
    change(doctor, consultation, capacity=2)
    # Clients that name no type know no groups.
    assert ada.free(doctor) == []
    assert day_of(ada, doctor, consultation) == ["09:00", "09:30", "10:00", "10:30"]


def test_from_and_until_are_days_of_the_doctors_zone(api: Api) -> None:
    doctor, ada = api.doctor(time_zone="Asia/Tokyo"), api.patient()
    doctor.set_hours(hours("tuesday", "00:00", "01:00"), hours("wednesday", "00:00", "01:00"), time_zone="Asia/Tokyo")
    assert day_of(ada, doctor) == ["00:00", "00:30"]
    until = ada.times(doctor, until="2030-03-06")
    assert [(time["date"], time["start_time"]) for time in until] == [
        (TUESDAY, "00:00"),
        (TUESDAY, "00:30"),
        ("2030-03-06", "00:00"),
        ("2030-03-06", "00:30"),
    ]
    assert ada.times(doctor, from_="2030-03-06", until="2030-03-06") == until[2:]
    assert ada.times(doctor, until="2030-03-03") == []


def test_from_and_until_reach_beyond_four_weeks_and_any_year(api: Api, doctor: Doctor) -> None:
    ada = api.patient()
    everything = ada.times(doctor, until="2030-12-31")
    assert (everything[0]["date"], everything[-1]["date"]) == (TUESDAY, "2030-04-23")
    assert len(everything) == 8 * 4
    assert ada.times(doctor, from_="2030-04-02", until="2030-12-31") == everything[-16:]
    assert ada.times(doctor, from_="2030-04-02") == everything[-16:]
    assert ada.times(doctor, from_="0001-01-01") == everything[:16]
    for days in ({"from_": "0001-01-01", "until": "9999-12-31"}, {"until": "9999-12-31"}):
        assert ada.times(doctor, **days) == everything
    doctor.publish("08:00", "08:30")
    for day in ("0001-01-01", "2019-12-31", "2030-03-03"):
        assert ada.times(doctor, until=day) == []
    for zone in ("Pacific/Kiritimati", "Pacific/Niue"):
        far = api.doctor(time_zone=zone)
        assert ada.times(far, from_="0001-01-01", until="9999-12-31") == []
        assert ada.times(far, from_="9999-12-31") == []


def test_pages_are_complete_and_without_repeats(api: Api, doctor: Doctor) -> None:
    ada = api.patient()
    mixed = [
        doctor.publish("08:00", "08:30"),
        doctor.publish("09:00", "09:30"),
        doctor.publish("10:10", "10:20"),
        doctor.publish("09:30", "09:40", NEXT_TUESDAY),
        doctor.publish("09:00", "09:30", "2031-01-01"),
    ]
    at_once = ada.free(doctor)
    assert [time["slot_id"] for time in at_once if time["visit_type_id"] is None] == mixed
    assert len(at_once) == 16 + len(mixed)
    [kind] = {time["visit_type_id"] for time in at_once} - {None}
    alone = [time for time in at_once if time["visit_type_id"] == kind]
    for limit in (1, 3, 4, 20):
        assert pages(ada, doctor, limit=limit) == at_once
        assert pages(ada, doctor, limit=limit, visit_type=kind) == alone


def test_a_page_goes_on_where_the_one_before_ended_whatever_is_booked_meanwhile(api: Api, doctor: Doctor) -> None:
    ada, ben = api.patient(), api.patient("Ben Sample")
    page = ada.get(path_of(doctor), query_string={"limit": 2}).get_json()
    ben.book(page["data"][1]["slot_id"])
    following = ada.times(doctor, limit=2, cursor=page["next_cursor"])
    assert starts(following) == ["10:00", "10:30"]


def test_a_bad_value_is_named(api: Api, doctor: Doctor) -> None:
    ada = api.patient()
    for field, values in {
        "visit_type": ["0", "one", str(2**63)],
        "limit": ["0", "2001"],
        "from": ["2030-02-30"],
        "until": ["tomorrow"],
        "cursor": ["5", "1-2-3", f"{10**8}-1"],
    }.items():
        for value in values:
            answer = ada.get(path_of(doctor), query_string={field: value})
            assert answer.status_code == 400
            assert error_of(answer).startswith(field)
    answer = ada.get(path_of(doctor), query_string={"from": "2030-03-06", "until": TUESDAY})
    assert error_of(answer) == "until must not be before from."


def test_a_type_that_the_doctor_does_not_offer_is_not_found(api: Api, doctor: Doctor) -> None:
    other, ada = api.doctor("Dr. Stem"), api.patient()
    other.set_hours(hours("tuesday", "09:00", "11:00"))
    of_other = other.add_visit_type()
    retired = doctor.add_visit_type()
    slot_id = first_id(ada, doctor, retired)
    appointment_id = ada.book(slot_id)
    assert doctor.delete(f"/doctor/visit-types/{retired}").status_code == 200
    for kind in (999, of_other, retired, 2**63 - 1):
        answer = ada.get(path_of(doctor), query_string={"visit_type": kind})
        assert answer.status_code == 404
        assert error_of(answer) == "There is no such visit type."
    assert ada.get(path_of(other), query_string={"visit_type": retired}).status_code == 404
    for time in (slot_id, slot_id + 30):
        assert why_not(api.patient("Ben Sample"), time) == (404, "slot-not-found")
    # Appointments of a retired type stay, and keep its name.
    shown = ada.get(f"/appointments/{appointment_id}").get_json()
    assert (shown["status"], shown["visit_type"]) == ("booked", "Checkup")
    assert ada.cancel(appointment_id).status_code == 200


def test_a_new_length_makes_new_ids_and_leaves_appointments(api: Api, doctor: Doctor) -> None:
    ada, ben = api.patient(), api.patient("Ben Sample")
    kind = doctor.add_visit_type(minutes=30)
    old = first_id(ada, doctor, kind)
    appointment_id = ada.book(old)
    change(doctor, kind, minutes=60)
    assert why_not(ben, old + 30) == (404, "slot-not-found")
    assert why_not(ada, old) == (404, "slot-not-found")
    # The grid is that of the hours, whatever is booked.
    assert day_of(ben, doctor, kind) == ["10:00"]
    ben.book(first_id(ben, doctor, kind))
    shown = ada.get(f"/appointments/{appointment_id}").get_json()
    assert (shown["start_time"], shown["end_time"]) == ("09:00", "09:30")
    assert ada.cancel(appointment_id).status_code == 200
    assert day_of(ada, doctor, kind) == ["09:00"]


def test_a_new_name_place_or_limit_keeps_the_ids(api: Api, doctor: Doctor) -> None:
    ada = api.patient()
    kind = doctor.add_visit_type(minutes=30)
    old = first_id(ada, doctor, kind)
    change(doctor, kind, name="Long talk", place="Room 2", most_per_day=1, minimum_notice=60)
    listed = ada.times(doctor, visit_type=kind)[0]
    assert (listed["slot_id"], listed["place"]) == (old, "Room 2")
    ada.book(old)


def test_a_slot_and_a_time_that_overlap_withdraw_each_other(api: Api, doctor: Doctor) -> None:
    ada, ben = api.patient(), api.patient("Ben Sample")
    slot_id = doctor.publish("09:15", "09:45")
    listed = {time["start_time"]: time["slot_id"] for time in ada.times(doctor, until=TUESDAY)}
    nine, half_past = listed["09:00"], listed["09:30"]
    appointment_id = ada.book(half_past)
    assert slot_id not in {time["slot_id"] for time in ben.free(doctor)}
    assert day_of(ben, doctor) == ["09:00", "10:00", "10:30"]
    assert why_not(ben, slot_id) == (409, "slot-taken")
    assert ada.cancel(appointment_id).status_code == 200
    appointment_id = ben.book(slot_id)
    assert day_of(ada, doctor) == ["10:00", "10:30"]
    for time in (nine, half_past):
        assert why_not(ada, time) == (409, "slot-taken")
    assert ben.cancel(appointment_id).status_code == 200
    assert day_of(ada, doctor) == ["09:00", "09:15", "09:30", "10:00", "10:30"]


def test_a_visit_may_last_over_midnight_if_the_hours_go_on(api: Api) -> None:
    doctor, ada, ben = api.doctor(), api.patient(), api.patient("Ben Sample")
    kind = doctor.add_visit_type(minutes=90, step=30, most_per_day=1)
    doctor.set_hours(hours("tuesday", "22:00", "24:00"), hours("wednesday", "00:00", "02:00"))
    assert day_of(ada, doctor, kind) == ["22:00", "22:30", "23:00", "23:30"]
    assert day_of(ada, doctor, kind, WEDNESDAY) == ["00:00", "00:30"]
    late = first_id(ada, doctor, kind) + 90
    listed = ada.times(doctor, visit_type=kind)[3]
    assert (listed["date"], listed["start_time"], listed["end_time"]) == (TUESDAY, "23:30", "01:00")
    ada.book(late)
    # It is one of Tuesday's, and takes what it takes of Wednesday.
    assert day_of(ben, doctor, kind) == []
    assert day_of(ben, doctor, kind, WEDNESDAY) == []
    assert day_of(ben, doctor, None, WEDNESDAY) == ["01:00", "01:30"]


def test_no_visit_lasts_over_midnight_if_the_hours_go_on_elsewhere(api: Api) -> None:
    doctor, ada = api.doctor(), api.patient()
    kind = doctor.add_visit_type(minutes=90, step=30)
    doctor.set_hours(hours("tuesday", "22:00", "24:00"), hours("wednesday", "00:00", "02:00", place="Room 2"))
    assert day_of(ada, doctor, kind) == ["22:00", "22:30"]


def test_times_of_other_zones_are_on_the_doctors_clock(api: Api, deliver: Deliver) -> None:
    doctor, ada = api.doctor(time_zone="Asia/Kathmandu"), api.patient()
    doctor.set_hours(hours("tuesday", "09:00", "10:00"), time_zone="Asia/Kathmandu")
    first = ada.free(doctor)[0]
    assert (first["start_time"], first["starts_at"], first["time_zone"]) == (
        "09:00",
        "2030-03-05T09:00:00+05:45",
        "Asia/Kathmandu",
    )
    ada.book(first["slot_id"])
    [listed] = ada.get("/appointments/my").get_json()["data"]
    assert {name: listed[name] for name in first if name in listed} == {
        name: first[name] for name in first if name in listed
    }
    assert "09:00 to 09:30 (Asia/Kathmandu)" in deliver()[0].text


@pytest.mark.parametrize(
    ("days", "day", "times"),
    [
        # The clocks go from 02:00 to 03:00.
        (0, "2030-03-31", ["01:00+01:00", "01:30+01:00", "03:00+02:00", "03:30+02:00"]),
        # The clocks go from 03:00 back to 02:00; what they show twice is open once.
        (220, "2030-10-27", ["01:00+02:00", "01:30+02:00", "02:00+02:00", "02:30+02:00", "03:00+01:00", "03:30+01:00"]),
    ],
)
def test_times_on_the_days_when_the_clocks_change(
    api: Api, clock: StillClock, days: int, day: str, times: list[str]
) -> None:
    clock.forward(days=days)
    doctor, ada = api.doctor(time_zone="Europe/Berlin"), api.patient()
    doctor.set_hours(hours("sunday", "01:00", "04:00"), time_zone="Europe/Berlin")
    listed = ada.times(doctor, from_=day, until=day)
    assert [time["starts_at"] for time in listed] == [f"{day}T{at[:5]}:00{at[5:]}" for at in times]
    for time in listed:
        appointment_id = ada.book(time["slot_id"])
        shown = ada.get(f"/appointments/{appointment_id}").get_json()
        assert (shown["starts_at"], shown["ends_at"]) == (time["starts_at"], time["ends_at"])
    assert ada.times(doctor, from_=day, until=day) == []


def test_a_visit_lasts_as_long_as_its_type_says_when_the_clocks_change(api: Api) -> None:
    doctor, ada = api.doctor(time_zone="Europe/Berlin"), api.patient()
    kind = doctor.add_visit_type(minutes=60, step=30)
    doctor.set_hours(hours("sunday", "01:00", "04:00"), time_zone="Europe/Berlin")
    listed = ada.times(doctor, visit_type=kind, from_="2030-03-31", until="2030-03-31")
    assert [(time["start_time"], time["end_time"]) for time in listed] == [
        ("01:00", "03:00"),
        ("01:30", "03:30"),
        ("03:00", "04:00"),
    ]


def test_the_place_is_that_of_the_type_or_else_of_the_hours(api: Api, deliver: Deliver) -> None:
    doctor, ada = api.doctor(), api.patient()
    by_phone = doctor.add_visit_type("Call", minutes=30, place="By phone")
    doctor.set_hours(hours("tuesday", "09:00", "10:00", place="Room 7"), hours("wednesday", "09:00", "10:00"))
    doctor.open("2030-03-07", "09:00", "10:00", place="Ward 3")
    for kind, places in (
        (None, ["Room 7", "Room 7", None, None, "Ward 3", "Ward 3"]),
        (by_phone, ["By phone"] * 6),
    ):
        query = {} if kind is None else {"visit_type": kind}
        times = ada.times(doctor, until="2030-03-08", **query)
        assert [time["place"] for time in times] == places
    for time in (ada.times(doctor)[0], ada.times(doctor, visit_type=by_phone)[1]):
        appointment_id = ada.book(time["slot_id"])
        assert ada.get(f"/appointments/{appointment_id}").get_json()["place"] == time["place"]
        assert ada.get("/appointments/my").get_json()["data"][0]["place"] == time["place"]
        assert doctor.get("/appointments/doctor").get_json()["data"][0]["place"] == time["place"]
        mail = deliver()[-1]
        assert f"Place:          {time['place']}\n" in mail.text
        assert time["place"] in mail.html
    # A room that changes later does not move what is booked.
    change(doctor, by_phone, name="Call", place="By video")
    assert ada.get(f"/appointments/{appointment_id}").get_json()["place"] == "By phone"
    ada.book(ada.times(doctor, from_="2030-03-06")[0]["slot_id"])
    assert "Place:" not in deliver()[-1].text


def test_the_times_of_a_deleted_doctor_are_not_found(api: Api, doctor: Doctor, deliver: Deliver) -> None:
    ada = api.patient()
    times = ada.free(doctor)
    appointment_id = ada.book(times[0]["slot_id"])
    ada.hold(times[1]["slot_id"])
    assert doctor.delete("/doctor/account").status_code == 200
    for query in ({}, {"visit_type": times[0]["visit_type_id"]}, {"from": TUESDAY}, {"limit": 1}):
        answer = ada.get(path_of(doctor), query_string=query)
        assert answer.status_code == 404
        assert error_of(answer) == "There is no such doctor."
    for time in times[:3]:
        assert why_not(ada, time["slot_id"]) == (404, "slot-not-found")
    assert ada.get(f"/appointments/{appointment_id}").get_json()["status"] == "cancelled"
    assert [mail.subject.partition(":")[0] for mail in deliver()] == ["Appointment booked", "Appointment cancelled"]


@pytest.mark.parametrize("held", [False, True])
def test_a_repeated_booking_of_a_time_is_answered_the_same(
    api: Api, doctor: Doctor, deliver: Deliver, *, held: bool
) -> None:
    ada = api.patient()
    slot_id = ada.free(doctor)[0]["slot_id"]
    hold_id = ada.hold(slot_id) if held else None
    first, second = (ada.post("/appointments", {"slot_id": slot_id}, headers=KEY) for _ in range(2))
    assert first.status_code == second.status_code == 201
    assert first.data == second.data
    assert first.headers["Location"] == second.headers["Location"]
    assert hold_id in {None, first.get_json()["appointment_id"]}
    assert len(ada.get("/appointments/my").get_json()["data"]) == 1
    assert len(deliver()) == 1


@pytest.mark.parametrize("held", [False, True])
def test_a_repeated_refusal_of_a_time_is_answered_the_same(api: Api, doctor: Doctor, *, held: bool) -> None:
    ada, ben = api.patient(), api.patient("Ben Sample")
    times = ada.free(doctor)
    appointment_id = ben.book(times[0]["slot_id"])
    if held:
        ada.hold(times[1]["slot_id"])
    body = {"slot_id": times[0]["slot_id"]}
    first = ada.post("/appointments", body, headers=KEY)
    assert ben.cancel(appointment_id).status_code == 200
    second = ada.post("/appointments", body, headers=KEY)
    assert (first.status_code, first.data) == (second.status_code, second.data)
    assert first.status_code == 409
    assert ada.post("/appointments", body).status_code == 201


def test_two_visits_of_a_patient_at_one_time_are_a_conflict(api: Api, doctor: Doctor) -> None:
    other, ada = api.doctor("Dr. Stem"), api.patient()
    other.set_hours(hours("tuesday", "09:15", "11:00"))
    ada.book(ada.free(doctor)[0]["slot_id"])
    times = ada.free(other)
    assert why_not(ada, times[0]["slot_id"]) == (409, "patient-busy")
    ada.book(times[1]["slot_id"])
    # Her own appointments do not change what is offered to her.
    assert starts(ada.free(other)[:2]) == ["09:15", "10:15"]


def test_what_is_offered_is_what_can_be_booked(api: Api, doctor: Doctor) -> None:
    ada = api.patient()
    kind = doctor.add_visit_type(minutes=20, step=10, buffer_before=5, buffer_after=10)
    first = first_id(ada, doctor, kind)
    for minutes, booker in ((30, "Ben Sample"), (80, "Cleo Sample")):
        api.patient(booker).book(first + minutes)
    offered = {time["slot_id"] for time in ada.times(doctor, visit_type=kind, until=TUESDAY)}
    for slot_id in range(first - 10, first + 130, 5):
        answer = ada.post("/appointments", {"slot_id": slot_id})
        assert (answer.status_code == 201) == (slot_id in offered), slot_id - first
        if answer.status_code == 201:
            assert ada.cancel(answer.get_json()["appointment_id"]).status_code == 200


def path_of(doctor: Doctor) -> str:
    return f"/patient/doctors/{doctor.doctor_id}/availability"


def why_not(patient: Patient, slot_id: int) -> tuple[int, str]:
    """Return the status and the kind of problem with which the booking is refused."""
    return refusal(patient.post("/appointments", {"slot_id": slot_id}))


def change(doctor: Doctor, visit_type_id: int, **fields: object) -> None:
    body = {"name": "Checkup", "minutes": 30, **fields}
    assert doctor.put(f"/doctor/visit-types/{visit_type_id}", body).status_code == 200


def pages(patient: Patient, doctor: Doctor, **query: object) -> list[dict[str, object]]:
    """Return what all pages list, one after the other."""
    listed: list[dict[str, object]] = []
    more: dict[str, str] = {}
    while True:
        page = patient.get(path_of(doctor), query_string=query | more).get_json()
        assert len(page["data"]) == query["limit"] or page["next_cursor"] is None
        listed += page["data"]
        if page["next_cursor"] is None:
            return listed
        more = {"cursor": page["next_cursor"]}


def again(api: Api, patient: Patient) -> Patient:
    """Log in again: the clock has moved further than a token lasts."""
    return replace(patient, token=api.log_in(patient.email).get_json()["access_token"])

"""POST /holds and DELETE /holds/<id>."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.conftest import StillClock
from tests.offered import TUESDAY, day_of, first_id
from tests.people import KEY, Api, Deliver, Doctor, Patient, error_of, hours, refusal

PATH = "/holds"


def test_a_held_time_is_offered_to_its_owner_only(doctor: Doctor, ada: Patient, ben: Patient) -> None:
    slot_id = first_id(ada, doctor)
    answer = hold(ada, slot_id, minutes=15)
    assert answer.status_code == 201
    hold_id = answer.get_json()["hold_id"]
    assert answer.get_json() == {
        "message": "The time is held for you.",
        "hold_id": hold_id,
        "held_until": "2030-03-04T08:15:00+00:00",
    }
    assert answer.headers["Location"] == f"/holds/{hold_id}"
    assert day_of(ada, doctor) == ["09:00", "09:30", "10:00", "10:30"]
    assert day_of(ben, doctor) == ["09:30", "10:00", "10:30"]
    assert refusal(hold(ben, slot_id)) == (409, "slot-taken")
    assert refusal(book(ben, slot_id)) == (409, "slot-taken")
    ada.book(slot_id)


def test_booking_turns_the_hold_into_the_appointment(
    doctor: Doctor, ada: Patient, ben: Patient, deliver: Deliver, clock: StillClock
) -> None:
    slot_id = first_id(ada, doctor)
    hold_id = ada.hold(slot_id)
    assert deliver() == []
    clock.forward(minutes=5)
    assert ada.book(slot_id) == hold_id
    [mail] = deliver()
    assert mail.to == ada.email
    shown = ada.get(f"/appointments/{hold_id}").get_json()
    [booked] = shown["history"]
    assert (booked["event"], booked["at"], booked["by"]) == ("booked", "2030-03-04T08:05:00+00:00", "Ada Sample")
    clock.forward(minutes=30)
    assert ada.get("/appointments/my").get_json()["data"][0]["status"] == "booked"
    assert refusal(book(ben, slot_id)) == (409, "slot-taken")
    assert refusal(ada.delete(f"{PATH}/{hold_id}")) == (404, "hold-not-found")


def test_a_released_time_is_free_at_once(doctor: Doctor, ada: Patient, ben: Patient, clock: StillClock) -> None:
    slot_id = first_id(ada, doctor)
    hold_id = ada.hold(slot_id, minutes=1)
    for stranger in (ben, doctor):
        assert stranger.delete(f"{PATH}/{hold_id}").status_code == (404 if stranger is ben else 403)
    answer = ada.delete(f"{PATH}/{hold_id}")
    assert answer.status_code == 200
    assert answer.get_json() == {"message": "The hold is released."}
    for gone in (hold_id, 999, 2**63 - 1):
        assert refusal(ada.delete(f"{PATH}/{gone}")) == (404, "hold-not-found")
    expired = ada.hold(slot_id, minutes=1)
    clock.forward(minutes=2)
    assert ada.delete(f"{PATH}/{expired}").status_code == 200
    ben.book(slot_id)


def test_a_hold_is_no_appointment(doctor: Doctor, ada: Patient, ben: Patient, clock: StillClock) -> None:
    slot_id = first_id(ada, doctor)
    assert ada.cancel(ada.book(slot_id + 90)).status_code == 200
    people = ((ada, "/appointments/my", "/patient/dashboard"), (doctor, "/appointments/doctor", "/doctor/dashboard"))
    queries = ({}, {"order": "starts_at"}, {"status": "booked"}, {"from": TUESDAY}, {"status": "completed"})

    def shown() -> list[object]:
        lists = [person.get(path, query_string=query).get_json() for person, path, _ in people for query in queries]
        dashboards = [person.get(path).get_json() for person, _, path in people]
        closure = {"kind": "closed", "first_day": TUESDAY}
        affected = doctor.post("/doctor/exceptions", closure, query_string={"dry_run": "true"}).get_json()["affected"]
        return [lists, dashboards, affected]

    before = shown()
    hold_id = ada.hold(slot_id)
    assert shown() == before
    for person in (ada, ben, doctor):
        for answer in (
            person.get(f"/appointments/{hold_id}"),
            person.post(f"/appointments/{hold_id}/cancel"),
            person.post(f"/appointments/{hold_id}/reschedule", {"slot_id": slot_id + 30}),
        ):
            assert refusal(answer) == (404, "appointment-not-found")
    clock.forward(hours=1)
    assert shown() == before


def test_a_published_slot_can_be_held(api: Api, ada: Patient, ben: Patient) -> None:
    doctor = api.doctor()
    slot_id, other = doctor.publish("09:00", "09:30"), doctor.publish("10:00", "10:30")
    hold_id = ada.hold(slot_id)
    assert [time["slot_id"] for time in ada.free(doctor)] == [slot_id, other]
    assert [time["slot_id"] for time in ben.free(doctor)] == [other]
    assert refusal(book(ben, slot_id)) == (409, "slot-taken")
    assert refusal(hold(ben, slot_id)) == (409, "slot-taken")
    appointment_id = ben.book(other)
    assert refusal(ben.move(appointment_id, slot_id)) == (409, "slot-taken")
    assert doctor.get("/doctor/dashboard").get_json()["booked_slots"] == 1
    assert ada.book(slot_id) == hold_id
    assert doctor.get("/doctor/dashboard").get_json()["booked_slots"] == 2
    assert ada.cancel(hold_id).status_code == 200
    assert ben.move(appointment_id, slot_id).status_code == 200


def test_a_doctor_withdraws_a_slot_that_is_held(api: Api, ada: Patient) -> None:
    doctor = api.doctor()
    slot_id = doctor.publish()
    hold_id = ada.hold(slot_id)
    assert doctor.delete(f"/doctor/availability/{slot_id}").status_code == 200
    for answer in (book(ada, slot_id), hold(ada, slot_id)):
        assert refusal(answer) == (404, "slot-not-found")
    assert ada.free(doctor) == []
    assert ada.delete(f"{PATH}/{hold_id}").status_code == 200


def test_a_held_slot_and_a_time_that_overlap_exclude_each_other(doctor: Doctor, ada: Patient, ben: Patient) -> None:
    slot_id = doctor.publish("09:15", "09:45")
    time = first_id(ben, doctor)
    hold_id = ada.hold(slot_id)
    assert day_of(ben, doctor) == ["10:00", "10:30"]
    assert refusal(book(ben, time)) == (409, "slot-taken")
    # What the owner holds does not stop her from taking another time; then nobody needs the hold.
    ada.book(time)
    assert refusal(ada.delete(f"{PATH}/{hold_id}")) == (404, "hold-not-found")
    assert book(ada, slot_id).status_code == 409
    assert refusal(book(ben, slot_id)) == (409, "slot-taken")


def test_a_time_that_is_held_before_the_notice_can_be_booked_within(
    api: Api, doctor: Doctor, clock: StillClock
) -> None:
    kind = doctor.add_visit_type(minutes=30, minimum_notice=60 * 24 + 50)
    ada, ben = api.patient("Ada Sample"), api.patient("Ben Sample")
    slot_id = first_id(ada, doctor, kind)
    clock.forward(minutes=10)
    ada.hold(slot_id, minutes=10)
    clock.forward(minutes=9)
    assert refusal(book(ben, slot_id)) == (409, "notice-too-short")
    assert ada.book(slot_id)


def test_a_patient_moves_to_a_held_time_within_the_notice(api: Api, doctor: Doctor, clock: StillClock) -> None:
    kind = doctor.add_visit_type(minutes=30, minimum_notice=60 * 24 + 50)
    ada, ben = api.patient("Ada Sample"), api.patient("Ben Sample")
    slot_id = first_id(ada, doctor, kind)
    week = 7 * 1440
    of_ada, of_ben = ada.book(slot_id + week), ben.book(slot_id + week + 30)
    clock.forward(minutes=10)
    ada.hold(slot_id, minutes=10)
    clock.forward(minutes=9)
    assert refusal(ben.move(of_ben, slot_id)) == (409, "notice-too-short")
    assert ada.move(of_ada, slot_id).status_code == 200
    assert ada.get("/auth/me/export").get_json()["holds"] == []


def test_a_held_time_is_booked_with_the_place_and_clocks_that_are_offered_then(doctor: Doctor, ada: Patient) -> None:
    slot_id = first_id(ada, doctor)
    ada.hold(slot_id)
    assert doctor.post("/doctor/profile", {"time_zone": "Europe/Berlin"}).status_code == 200
    doctor.set_hours(hours("tuesday", "09:00", "12:00", place="New street 1"), time_zone="Europe/Berlin")
    [listed] = [time for time in ada.times(doctor, from_=TUESDAY) if time["slot_id"] == slot_id]
    assert (listed["place"], listed["start_time"]) == ("New street 1", "10:00")
    ada.book(slot_id)
    [mine] = ada.get("/appointments/my").get_json()["data"]
    shown = ("place", "date", "start_time", "end_time", "starts_at", "ends_at", "time_zone")
    assert [mine[name] for name in shown] == [listed[name] for name in shown]


def test_a_hold_does_not_keep_a_time_that_has_begun(api: Api, ada: Patient, clock: StillClock) -> None:
    doctor = api.doctor()
    doctor.set_hours(hours("monday", "08:10", "09:10"))
    slot_id = ada.free(doctor)[0]["slot_id"]
    ada.hold(slot_id, minutes=15)
    clock.forward(minutes=10)
    for answer in (book(ada, slot_id), hold(ada, slot_id)):
        assert refusal(answer) == (409, "slot-past")


def test_a_held_time_of_hours_that_were_closed_meanwhile_is_refused(doctor: Doctor, ada: Patient) -> None:
    slot_id = first_id(ada, doctor)
    hold_id = ada.hold(slot_id)
    closure = doctor.close(TUESDAY)
    for answer in (book(ada, slot_id), hold(ada, slot_id)):
        assert refusal(answer) == (409, "slot-not-offered")
    assert doctor.delete(f"/doctor/exceptions/{closure}").status_code == 200
    # The refusal did not cost the hold.
    assert ada.book(slot_id) == hold_id


def test_a_refused_booking_does_not_cost_the_hold(api: Api, doctor: Doctor, ada: Patient, ben: Patient) -> None:
    other = api.doctor("Dr. Stem")
    slot_id = first_id(ada, doctor)
    hold_id = ada.hold(slot_id)
    appointment_id = ada.book(other.publish("09:00", "09:30"))
    for headers in ({}, KEY, KEY):
        assert refusal(ada.post("/appointments", {"slot_id": slot_id}, headers=headers)) == (409, "patient-busy")
    ben.book(slot_id + 60)
    assert refusal(book(ada, slot_id + 60)) == (409, "slot-taken")
    assert refusal(book(ben, slot_id)) == (409, "slot-taken")
    assert ada.cancel(appointment_id).status_code == 200
    assert ada.book(slot_id) == hold_id


def test_nobody_holds_a_time_at_which_they_are_busy(api: Api, doctor: Doctor, ada: Patient) -> None:
    other = api.doctor("Dr. Stem")
    ada.book(other.publish("09:00", "09:30"))
    assert refusal(hold(ada, first_id(ada, doctor))) == (409, "patient-busy")
    ada.hold(first_id(ada, doctor) + 30)


def test_a_hold_ends_at_the_instant_that_it_names(
    doctor: Doctor, ada: Patient, ben: Patient, clock: StillClock
) -> None:
    slot_id = first_id(ada, doctor)
    hold_id = ada.hold(slot_id, minutes=2)
    clock.forward(minutes=1, seconds=59, milliseconds=999)
    assert refusal(hold(ben, slot_id)) == (409, "slot-taken")
    assert "09:00" not in day_of(ben, doctor)
    clock.forward(milliseconds=1)
    assert "09:00" in day_of(ben, doctor)
    assert ben.book(slot_id) != hold_id
    assert refusal(book(ada, slot_id)) == (409, "slot-taken")
    assert refusal(ada.delete(f"{PATH}/{hold_id}")) == (404, "hold-not-found")


def test_an_expired_hold_excludes_nothing(doctor: Doctor, ada: Patient, ben: Patient, clock: StillClock) -> None:
    slot_id = first_id(ada, doctor)
    published = doctor.publish("10:00", "10:30")
    for held in (slot_id, slot_id + 30, published):
        ada.hold(held, minutes=1)
    clock.forward(minutes=1)
    appointment_id = ben.book(slot_id)
    assert ben.move(appointment_id, slot_id + 30).status_code == 200
    assert ben.move(appointment_id, published).status_code == 200
    ben.hold(slot_id)


def test_an_expired_hold_is_of_no_use_to_its_owner(api: Api, doctor: Doctor, ada: Patient, clock: StillClock) -> None:
    kind = doctor.add_visit_type(minutes=30, minimum_notice=60 * 24 + 50)
    slot_id = first_id(ada, doctor, kind)
    clock.forward(minutes=10)
    ada.hold(slot_id, minutes=1)
    clock.forward(minutes=1)
    assert refusal(book(ada, slot_id)) == (409, "notice-too-short")


def test_whoever_holds_a_time_again_holds_it_longer_from_now_on(
    doctor: Doctor, ada: Patient, ben: Patient, clock: StillClock
) -> None:
    slot_id = first_id(ada, doctor)
    first = hold(ada, slot_id, minutes=5).get_json()
    clock.forward(minutes=4)
    second = hold(ada, slot_id, minutes=3)
    assert second.status_code == 201
    assert second.get_json() == first | {"held_until": "2030-03-04T08:07:00+00:00"}
    clock.forward(minutes=2)
    assert refusal(book(ben, slot_id)) == (409, "slot-taken")
    # Also shorter.
    assert hold(ada, slot_id, minutes=1).get_json()["held_until"] == "2030-03-04T08:07:00+00:00"
    clock.forward(minutes=1)
    ben.book(slot_id)


def test_a_time_is_held_for_30_minutes_at_the_longest(
    doctor: Doctor, ada: Patient, ben: Patient, clock: StillClock
) -> None:
    slot_id = first_id(ada, doctor)
    hold_id = ada.hold(slot_id, minutes=15)
    clock.forward(minutes=14)
    assert hold(ada, slot_id, minutes=15).get_json()["held_until"] == "2030-03-04T08:29:00+00:00"
    clock.forward(minutes=14)
    answer = hold(ada, slot_id, minutes=15)
    assert answer.get_json() | {"message": ""} == {
        "message": "",
        "hold_id": hold_id,
        "held_until": "2030-03-04T08:30:00+00:00",
    }
    answer = hold(ada, slot_id, minutes=15)
    assert refusal(answer) == (409, "held-longest")
    assert "30 minutes" in error_of(answer)
    # A shorter hold is possible, and the refusal did not cost the hold.
    assert hold(ada, slot_id, minutes=1).get_json()["held_until"] == "2030-03-04T08:29:00+00:00"
    assert refusal(book(ben, slot_id)) == (409, "slot-taken")
    clock.forward(minutes=1)
    ben.book(slot_id)


def test_a_time_that_is_held_the_longest_can_be_booked(doctor: Doctor, ada: Patient, clock: StillClock) -> None:
    slot_id = first_id(ada, doctor)
    hold_id = ada.hold(slot_id, minutes=15)
    clock.forward(minutes=14)
    ada.hold(slot_id, minutes=15)
    clock.forward(minutes=14)
    ada.hold(slot_id, minutes=15)
    clock.forward(minutes=1, seconds=59)
    assert ada.book(slot_id) == hold_id


def test_a_patient_holds_three_times_and_no_fourth(
    api: Api, doctor: Doctor, ada: Patient, ben: Patient, clock: StillClock
) -> None:
    slot_id = first_id(ada, doctor)
    other = api.doctor("Dr. Stem").publish("15:00", "15:30")
    held = [ada.hold(slot_id, minutes=2), ada.hold(slot_id + 30), ada.hold(slot_id + 60)]
    assert len(set(held)) == 3
    assert day_of(ben, doctor) == ["10:30"]
    for fourth in (slot_id + 90, other):
        answer = hold(ada, fourth)
        assert refusal(answer) == (409, "too-many-holds")
    # Longer is not one more, and others may hold as many.
    assert ada.hold(slot_id, minutes=2) == held[0]
    ben.hold(other)
    assert ada.delete(f"{PATH}/{held[1]}").status_code == 200
    ada.hold(slot_id + 90)
    assert refusal(hold(ada, slot_id + 30)) == (409, "too-many-holds")
    clock.forward(minutes=2)
    ada.hold(slot_id + 30)
    # What is booked is held no longer.
    assert ada.book(slot_id + 60) == held[2]
    ada.hold(slot_id)


def test_a_hold_that_a_new_one_excludes_ends(doctor: Doctor, ada: Patient) -> None:
    long = doctor.add_visit_type("Long talk", minutes=60)
    limited = doctor.add_visit_type("Checkup", minutes=30, most_per_day=1)
    short = first_id(ada, doctor)
    first = ada.hold(short)
    second = ada.hold(first_id(ada, doctor, long))
    assert refusal(ada.delete(f"{PATH}/{first}")) == (404, "hold-not-found")
    third = ada.hold(first_id(ada, doctor, limited) + 60)
    fourth = ada.hold(first_id(ada, doctor, limited) + 90)
    assert refusal(ada.delete(f"{PATH}/{third}")) == (404, "hold-not-found")
    for kept in (second, fourth):
        assert ada.delete(f"{PATH}/{kept}").status_code == 200


def test_booking_another_time_keeps_what_is_held_beside(doctor: Doctor, ada: Patient, ben: Patient) -> None:
    slot_id = first_id(ada, doctor)
    hold_id = ada.hold(slot_id)
    ada.book(slot_id + 60)
    assert refusal(book(ben, slot_id)) == (409, "slot-taken")
    assert ada.book(slot_id) == hold_id


def test_a_hold_is_kept_beside_another_of_the_day_if_the_limit_leaves_both(
    doctor: Doctor, ada: Patient, ben: Patient
) -> None:
    kind = doctor.add_visit_type("Checkup", minutes=30, most_per_day=3)
    slot_id = first_id(ada, doctor, kind)
    held = [ada.hold(slot_id), ada.hold(slot_id + 60)]
    for taken in (slot_id, slot_id + 60):
        assert refusal(book(ben, taken)) == (409, "slot-taken")
    appointment_id = ada.book(slot_id + 90)
    assert refusal(book(ben, slot_id + 30)) == (409, "day-full")
    assert [ada.book(slot_id), ada.book(slot_id + 60)] == held
    assert ada.cancel(appointment_id).status_code == 200
    # The place that is free again is the third, between two that are taken.
    ben.hold(slot_id + 30)
    assert refusal(book(ada, slot_id + 90)) == (409, "day-full")


def test_a_move_keeps_a_hold_of_the_day_if_the_limit_leaves_both(doctor: Doctor, ada: Patient, ben: Patient) -> None:
    kind = doctor.add_visit_type("Checkup", minutes=30, most_per_day=2)
    slot_id = first_id(ada, doctor, kind)
    appointment_id = ada.book(slot_id + 7 * 24 * 60)
    hold_id = ada.hold(slot_id)
    assert ada.move(appointment_id, slot_id + 60).status_code == 200
    assert refusal(book(ben, slot_id)) in ((409, "slot-taken"), (409, "day-full"))
    assert ada.book(slot_id) == hold_id


def test_of_two_holds_that_a_new_one_could_exclude_the_overlapping_one_ends(doctor: Doctor, ada: Patient) -> None:
    kind = doctor.add_visit_type("Checkup", minutes=30, step=15, most_per_day=2)
    slot_id = first_id(ada, doctor, kind)
    first, second = ada.hold(slot_id), ada.hold(slot_id + 60)
    ada.book(slot_id + 75)
    assert refusal(ada.delete(f"{PATH}/{second}")) == (404, "hold-not-found")
    assert ada.book(slot_id) == first


def test_a_held_time_obeys_the_limit_of_its_day_that_came_meanwhile(doctor: Doctor, ada: Patient, ben: Patient) -> None:
    kind = doctor.add_visit_type("Checkup", minutes=30)
    slot_id = first_id(ada, doctor, kind)
    hold_id = ada.hold(slot_id)
    change = {"name": "Checkup", "minutes": 30, "most_per_day": 1}
    assert doctor.put(f"/doctor/visit-types/{kind}", change).status_code == 200
    appointment_id = ada.book(slot_id + 60)
    for answer in (book(ada, slot_id), hold(ada, slot_id)):
        assert refusal(answer) == (409, "day-full")
    assert ada.cancel(appointment_id).status_code == 200
    assert ada.book(slot_id) == hold_id
    # It takes the place of the day.
    assert refusal(book(ben, slot_id + 60)) == (409, "day-full")
    assert ada.cancel(hold_id).status_code == 200
    ben.book(slot_id + 60)


def test_of_two_held_times_the_one_that_is_booked_is_kept_under_a_lower_limit(doctor: Doctor, ada: Patient) -> None:
    kind = doctor.add_visit_type("Checkup", minutes=30, most_per_day=2)
    slot_id = first_id(ada, doctor, kind)
    first, second = ada.hold(slot_id), ada.hold(slot_id + 60)
    change = {"name": "Checkup", "minutes": 30, "most_per_day": 1}
    assert doctor.put(f"/doctor/visit-types/{kind}", change).status_code == 200
    assert ada.book(slot_id + 60) == second
    assert refusal(ada.delete(f"{PATH}/{first}")) == (404, "hold-not-found")
    assert refusal(book(ada, slot_id)) == (409, "day-full")


def test_a_seat_of_a_group_can_be_held(api: Api, doctor: Doctor, ada: Patient, ben: Patient, clock: StillClock) -> None:
    cleo = api.patient("Cleo Sample")
    kind = doctor.add_visit_type("Class", minutes=60, capacity=2)

    def seats_left(patient: Patient) -> list[int]:
        times = patient.times(doctor, visit_type=kind, until=TUESDAY)
        return [time["seats_left"] for time in times if time["start_time"] == "09:00"]

    slot_id = first_id(ada, doctor, kind)
    appointment_id = ben.book(slot_id)
    hold_id = ada.hold(slot_id, minutes=5)
    assert [seats_left(patient) for patient in (ada, ben, cleo)] == [[1], [], []]
    assert refusal(book(cleo, slot_id)) == (409, "slot-taken")
    assert ben.cancel(appointment_id).status_code == 200
    assert [seats_left(patient) for patient in (ada, ben, cleo)] == [[2], [1], [1]]
    # The first seat is free, and she gets the second, which she holds.
    assert ada.book(slot_id) == hold_id
    cleo.book(slot_id)
    assert refusal(book(ben, slot_id)) == (409, "slot-taken")


def test_the_holds_of_a_deleted_doctors_times_are_gone(api: Api, doctor: Doctor, ada: Patient) -> None:
    other = api.doctor("Dr. Stem")
    held = [ada.hold(first_id(ada, doctor)), ada.hold(doctor.publish("07:00", "07:30"))]
    assert doctor.delete("/doctor/account").status_code == 200
    for hold_id in held:
        assert refusal(ada.delete(f"{PATH}/{hold_id}")) == (404, "hold-not-found")
    for hour in (9, 10, 11):
        ada.hold(other.publish(f"{hour:02}:00", f"{hour:02}:30"))


def test_what_cannot_be_booked_cannot_be_held(doctor: Doctor, ada: Patient, ben: Patient) -> None:
    slot_id = first_id(ada, doctor)
    ben.book(slot_id)
    day = 24 * 60
    for wanted, problem in (
        (slot_id, (409, "slot-taken")),
        (slot_id + 35, (409, "slot-not-offered")),
        (slot_id - 2 * day, (409, "slot-past")),
        (slot_id + 70 * 7 * day, (409, "too-far-ahead")),
        (slot_id + 2**24, (404, "slot-not-found")),
        (1, (404, "slot-not-found")),
        (2**63 - 1, (404, "slot-not-found")),
    ):
        answer = hold(ada, wanted)
        assert refusal(answer) == problem, wanted - slot_id
    assert hold(ada, str(slot_id + 30)).status_code == 201


def test_a_hold_lasts_a_whole_number_of_minutes_from_1_to_15(doctor: Doctor, ada: Patient) -> None:
    slot_id = first_id(ada, doctor)
    for body in ({}, {"minutes": None}, {"minutes": 0}, {"minutes": 16}, {"minutes": "5"}, {"minutes": 1.5}):
        answer = ada.post(PATH, {"slot_id": slot_id, **body})
        assert answer.status_code == 400
        assert error_of(answer).startswith("minutes")
    assert ada.post(PATH, {"minutes": 5}).status_code == 400
    assert doctor.post(PATH, {"slot_id": slot_id, "minutes": 5}).status_code == 403
    for minutes in (1, 15):
        assert hold(ada, slot_id, minutes).status_code == 201


def test_a_repeated_hold_is_answered_the_same_and_not_extended(
    doctor: Doctor, ada: Patient, ben: Patient, clock: StillClock
) -> None:
    body = {"slot_id": first_id(ada, doctor), "minutes": 2}
    first = ada.post(PATH, body, headers=KEY)
    clock.forward(minutes=1)
    second = ada.post(PATH, body, headers=KEY)
    assert (first.status_code, first.data) == (second.status_code, second.data)
    assert first.headers["Location"] == second.headers["Location"]
    clock.forward(minutes=1)
    ben.book(body["slot_id"])


@pytest.mark.parametrize("change", [{"minutes": 45}, {"step": 15}, {"booked_by": "staff"}, None])
def test_a_held_time_that_patients_cannot_book_any_more_is_not_found(
    doctor: Doctor, ada: Patient, change: dict[str, Any] | None
) -> None:
    kind = doctor.add_visit_type(minutes=30)
    slot_id = first_id(ada, doctor, kind)
    hold_id = ada.hold(slot_id)
    path = f"/doctor/visit-types/{kind}"
    changed = doctor.delete(path) if change is None else doctor.put(path, {"name": "Checkup", "minutes": 30} | change)
    assert changed.status_code == 200
    for answer in (book(ada, slot_id), hold(ada, slot_id)):
        assert refusal(answer) == (404, "slot-not-found")
    assert ada.delete(f"{PATH}/{hold_id}").status_code == 200


def hold(patient: Patient, slot_id: int | str, minutes: int = 10) -> TestResponse:
    return patient.post(PATH, {"slot_id": slot_id, "minutes": minutes})


def book(patient: Patient, slot_id: int) -> TestResponse:
    return patient.post("/appointments", {"slot_id": slot_id})

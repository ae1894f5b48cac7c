"""POST /appointments/<id>/reschedule."""

from __future__ import annotations

import pytest

from tests.conftest import StillClock
from tests.offered import TUESDAY, day_of, first_id
from tests.people import KEY, Api, Deliver, Doctor, Patient, error_of, hours, refusal


def test_a_patient_moves_an_appointment(doctor: Doctor, ada: Patient, ben: Patient, clock: StillClock) -> None:
    nine = first_id(ada, doctor)
    appointment_id = ada.book(nine)
    before = ada.get(f"/appointments/{appointment_id}").get_json()
    clock.forward(minutes=5)
    answer = ada.move(appointment_id, nine + 60)
    assert answer.status_code == 200
    assert answer.get_json() == {"message": "The appointment is moved."}
    after = ada.get(f"/appointments/{appointment_id}").get_json()
    assert after | {"patient_email": ada.email} == doctor.get(f"/appointments/{appointment_id}").get_json()
    assert after["revision"] > before["revision"]
    assert (after["start_time"], after["end_time"], after["status"]) == ("10:00", "10:30", "booked")
    span = ("date", "start_time", "end_time", "starts_at", "ends_at", "time_zone", "doctor_name")
    assert after["history"] == [
        {"event": "booked", "at": "2030-03-04T08:00:00+00:00", "by": "Ada Sample", "reason": None, "was": None},
        {
            "event": "rescheduled",
            "at": "2030-03-04T08:05:00+00:00",
            "by": "Ada Sample",
            "reason": None,
            "was": {name: before[name] for name in span},
        },
    ]
    assert day_of(ben, doctor) == ["09:00", "09:30", "10:30"]
    for person, path in ((ada, "/appointments/my"), (doctor, "/appointments/doctor")):
        [listed] = person.get(path).get_json()["data"]
        assert (listed["appointment_id"], listed["start_time"]) == (appointment_id, "10:00")


def test_a_published_slot_is_free_again_when_its_appointment_moves_to_a_time(
    doctor: Doctor, ada: Patient, ben: Patient
) -> None:
    slot_id = doctor.publish("15:00", "15:30")
    time = first_id(ada, doctor)
    appointment_id = ada.book(slot_id)
    assert ada.move(appointment_id, time).status_code == 200
    assert ada.get(f"/appointments/{appointment_id}").get_json()["visit_type"] == "Consultation"
    assert slots(doctor) == (1, 1)
    assert day_of(ben, doctor) == ["09:30", "10:00", "10:30", "15:00"]
    ben.book(slot_id)


def test_a_published_slot_is_booked_when_an_appointment_moves_there(doctor: Doctor, ada: Patient, ben: Patient) -> None:
    slot_id = doctor.publish("15:00", "15:30")
    time = first_id(ada, doctor)
    appointment_id = ada.book(time)
    assert ada.move(appointment_id, slot_id).status_code == 200
    assert ada.get(f"/appointments/{appointment_id}").get_json()["visit_type"] is None
    assert slots(doctor) == (0, 1)
    assert refusal(doctor.delete(f"/doctor/availability/{slot_id}")) == (409, "slot-taken")
    assert day_of(ben, doctor) == ["09:00", "09:30", "10:00", "10:30"]
    assert ada.cancel(appointment_id).status_code == 200
    assert slots(doctor) == (1, 0)


def test_an_appointment_moves_between_published_slots(api: Api, ada: Patient, ben: Patient) -> None:
    doctor = api.doctor()
    first, second = doctor.publish("09:00", "09:30"), doctor.publish("10:00", "10:30")
    appointment_id = ada.book(second)
    assert ada.move(appointment_id, first).status_code == 200
    assert [time["slot_id"] for time in ben.free(doctor)] == [second]
    ben.book(second)
    assert refusal(ada.move(appointment_id, second)) == (409, "slot-taken")
    assert slots(doctor) == (0, 2)


def test_an_appointment_may_move_to_a_time_that_overlaps_its_own(doctor: Doctor, ada: Patient, ben: Patient) -> None:
    kind = doctor.add_visit_type(minutes=60, step=15, buffer_before=15)
    nine = first_id(ada, doctor, kind)
    appointment_id = ada.book(nine)
    for minutes in (15, 45, 30):
        assert ada.move(appointment_id, nine + minutes).status_code == 200
    assert refusal(ben.post("/appointments", {"slot_id": nine})) == (409, "slot-taken")
    slot_id = doctor.publish("09:40", "10:20")
    assert ada.move(appointment_id, slot_id).status_code == 200
    assert ada.move(appointment_id, nine).status_code == 200


def test_a_move_takes_a_seat_of_a_group_and_gives_one_back(api: Api, doctor: Doctor, ada: Patient) -> None:
    kind = doctor.add_visit_type("Class", minutes=60, capacity=2)
    nine = first_id(ada, doctor, kind)
    others = [api.patient(f"{name} Sample") for name in ("Ben", "Cleo")]
    of_others = [other.book(nine) for other in others]
    appointment_id = ada.book(nine + 60)

    def seats_left() -> dict[str, int]:
        times = ada.times(doctor, visit_type=kind, until=TUESDAY)
        return {time["start_time"]: time["seats_left"] for time in times}

    assert refusal(ada.move(appointment_id, nine)) == (409, "slot-taken")
    assert others[0].move(of_others[0], nine + 60).status_code == 200
    assert seats_left() == {"09:00": 1}
    assert refusal(others[1].move(of_others[1], nine + 60)) == (409, "slot-taken")
    assert ada.move(appointment_id, nine).status_code == 200
    assert seats_left() == {"10:00": 1}
    assert ada.cancel(appointment_id).status_code == 200
    assert seats_left() == {"09:00": 1, "10:00": 1}


def test_an_appointment_does_not_count_against_the_limit_of_its_own_day(
    doctor: Doctor, ada: Patient, ben: Patient
) -> None:
    kind = doctor.add_visit_type(minutes=30, most_per_day=1)
    nine, week = first_id(ada, doctor, kind), 7 * 24 * 60
    appointment_id = ada.book(nine)
    assert ada.move(appointment_id, nine + 60).status_code == 200
    assert refusal(ben.post("/appointments", {"slot_id": nine})) == (409, "day-full")
    of_ben = ben.book(nine + week)
    assert refusal(ben.move(of_ben, nine)) == (409, "day-full")
    assert refusal(ada.move(appointment_id, nine + week + 30)) == (409, "day-full")
    assert ada.move(appointment_id, nine + 2 * week).status_code == 200
    assert ben.move(of_ben, nine).status_code == 200


def test_a_confirmation_is_sent_until_the_new_end(
    doctor: Doctor, ada: Patient, deliver: Deliver, clock: StillClock
) -> None:
    nine = first_id(ada, doctor)
    appointment_id = ada.book(nine)
    assert ada.move(appointment_id, nine + 7 * 1440).status_code == 200
    # The old time is over, the new one is not.
    clock.forward(days=3)
    assert [mail.subject.split(":")[0] for mail in deliver() if mail.to == ada.email] == [
        "Appointment booked",
        "Appointment moved",
    ]


def test_a_patient_moves_to_another_doctor_and_all_three_know(
    api: Api, doctor: Doctor, ada: Patient, deliver: Deliver
) -> None:
    stem = api.doctor("Dr. Stem", time_zone="Europe/Berlin")
    stem.set_hours(hours("wednesday", "14:00", "15:00", place="Room 7"), time_zone="Europe/Berlin")
    appointment_id = ada.book(first_id(ada, doctor))
    sent = len(deliver())
    assert ada.move(appointment_id, ada.free(stem)[0]["slot_id"]).status_code == 200
    [mine] = ada.get("/appointments/my").get_json()["data"]
    assert (mine["doctor_name"], mine["date"], mine["start_time"], mine["place"], mine["time_zone"]) == (
        "Dr. Stem",
        "2030-03-06",
        "14:00",
        "Room 7",
        "Europe/Berlin",
    )
    assert doctor.get("/appointments/doctor").get_json()["data"] == []
    assert doctor.get("/doctor/dashboard").get_json()["next_appointment"] is None
    assert stem.get("/doctor/dashboard").get_json()["next_appointment"]["appointment_id"] == appointment_id
    assert [row["patient_name"] for row in stem.get("/appointments/doctor").get_json()["data"]] == ["Ada Sample"]
    shown = stem.get(f"/appointments/{appointment_id}").get_json()
    assert shown["history"][1]["was"]["doctor_name"] == "Dr. Fenna Quill"
    assert doctor.get(f"/appointments/{appointment_id}").status_code == 403
    assert refusal(doctor.post(f"/appointments/{appointment_id}/cancel")) == (403, "not-your-appointment")

    mails = deliver()[sent:]
    assert sorted(mail.to for mail in mails) == sorted([ada.email, doctor.email, stem.email])
    for mail in mails:
        assert mail.subject == "Appointment moved: Dr. Stem, Wednesday, 6 March 2030"
        news = "You moved this appointment" if mail.to == ada.email else "was moved to another time by the patient, Ada"
        for text in (mail.text, mail.html):
            assert news in text
            assert "14:00 to 14:30" in text
            assert "Dr. Fenna Quill, Tuesday, 5 March 2030, 09:00 to 09:30 (UTC)" in text
            assert "Room 7" in text
    assert stem.post(f"/appointments/{appointment_id}/cancel").status_code == 200
    assert sorted(mail.to for mail in deliver()[sent + 3 :]) == sorted([ada.email, stem.email])
    assert [time["start_time"] for time in ada.free(stem)[:2]] == ["14:00", "14:30"]


def test_each_party_gets_one_mail_that_names_the_old_time_and_the_new(
    doctor: Doctor, ada: Patient, deliver: Deliver
) -> None:
    nine = first_id(ada, doctor)
    appointment_id = ada.book(nine)
    sent = len(deliver())
    for number, (mover, by) in enumerate(((ada, "the patient, Ada Sample"), (doctor, "the doctor, Dr. Fenna Quill"))):
        old, new = ("09:00 to 09:30", "09:30 to 10:00") if mover is ada else ("09:30 to 10:00", "10:00 to 10:30")
        assert mover.move(appointment_id, nine + 30 * (number + 1)).status_code == 200
        mails = deliver()[sent + 2 * number :]
        assert sorted(mail.to for mail in mails) == sorted([ada.email, doctor.email])
        for mail in mails:
            assert mail.subject == "Appointment moved: Dr. Fenna Quill, Tuesday, 5 March 2030"
            mine = mail.to == mover.email
            news = "You moved this" if mine else f"This appointment was moved to another time by {by}."
            assert news in mail.text
            assert f"Time:           {new} (UTC)\n" in mail.text
            assert f"Before:         Tuesday, 5 March 2030, {old} (UTC)\n" in mail.text
            assert old in mail.html


def test_a_doctor_moves_without_notice_and_horizon(api: Api, doctor: Doctor, ada: Patient) -> None:
    kind = doctor.add_visit_type(minutes=30, minimum_notice=60 * 24, horizon=7)
    appointment_id = ada.book(first_id(ada, doctor, kind))
    extra = first_id(ada, doctor, kind)
    doctor.open("2030-03-04", "09:00", "10:00")
    soon, far = extra - 24 * 60 - 30, extra + 14 * 24 * 60
    for slot_id, problem in ((soon, "notice-too-short"), (far, "too-far-ahead")):
        assert refusal(ada.move(appointment_id, slot_id)) == (409, problem)
        answer = doctor.move(appointment_id, slot_id)
        assert answer.status_code == 200
    assert ada.get(f"/appointments/{appointment_id}").get_json()["date"] == "2030-03-19"
    assert refusal(doctor.move(appointment_id, extra - 48 * 60)) == (409, "slot-past")
    assert refusal(doctor.move(appointment_id, extra + 5)) == (409, "slot-not-offered")


def test_a_doctor_moves_to_visits_that_staff_book(doctor: Doctor, ada: Patient) -> None:
    kind = doctor.add_visit_type("Checkup", minutes=30)
    time = first_id(ada, doctor, kind)
    body = {"name": "Checkup", "minutes": 30, "booked_by": "staff"}
    assert doctor.put(f"/doctor/visit-types/{kind}", body).status_code == 200
    appointment_id = ada.book(first_id(ada, doctor) + 60)
    assert refusal(ada.move(appointment_id, time)) == (404, "slot-not-found")
    assert doctor.move(appointment_id, time).status_code == 200
    assert ada.get(f"/appointments/{appointment_id}").get_json()["visit_type"] == "Checkup"


def test_only_its_patient_and_its_doctor_move_an_appointment(
    api: Api, doctor: Doctor, ada: Patient, ben: Patient
) -> None:
    stem = api.doctor("Dr. Stem")
    foreign = stem.publish()
    nine = first_id(ada, doctor)
    appointment_id = ada.book(nine)
    for stranger, slot_id in ((ben, nine + 30), (stem, foreign)):
        answer = stranger.move(appointment_id, slot_id)
        assert refusal(answer) == (403, "not-your-appointment")
    assert refusal(doctor.move(appointment_id, foreign)) == (403, "not-your-time")
    assert slots(stem) == (1, 0)
    assert api.client.post(f"/appointments/{appointment_id}/reschedule", json={"slot_id": nine}).status_code == 401


def test_unknown_things_are_not_found(doctor: Doctor, ada: Patient) -> None:
    nine = first_id(ada, doctor)
    withdrawn = doctor.publish("15:00", "15:30")
    assert doctor.delete(f"/doctor/availability/{withdrawn}").status_code == 200
    appointment_id = ada.book(nine)
    for person in (ada, doctor):
        for unknown in (999, 2**63 - 1):
            assert refusal(person.move(unknown, nine + 30)) == (404, "appointment-not-found")
        for slot_id in (999, withdrawn, nine + 2**24, 2**63 - 1):
            assert refusal(person.move(appointment_id, slot_id)) == (404, "slot-not-found")
    for body in ({}, {"slot_id": 0}, {"slot_id": None}):
        answer = ada.post(f"/appointments/{appointment_id}/reschedule", body)
        assert answer.status_code == 400
        assert error_of(answer).startswith("slot_id")


def test_a_deleted_doctors_times_are_not_found(api: Api, doctor: Doctor, ada: Patient) -> None:
    stem = api.doctor("Dr. Stem")
    stem.set_hours(hours("tuesday", "09:00", "11:00"))
    gone = (first_id(ada, stem), stem.publish("15:00", "15:30"))
    assert stem.delete("/doctor/account").status_code == 200
    appointment_id = ada.book(first_id(ada, doctor))
    for slot_id in gone:
        assert refusal(ada.move(appointment_id, slot_id)) == (404, "slot-not-found")


def test_what_is_cancelled_or_has_begun_is_not_moved(api: Api, ada: Patient, clock: StillClock) -> None:
    doctor = api.doctor()
    doctor.set_hours(hours("monday", "09:00", "11:00"))
    nine = first_id(ada, doctor, day="2030-03-04")
    cancelled, begun = ada.book(nine), ada.book(nine + 30)
    assert ada.cancel(cancelled).status_code == 200
    for person in (ada, doctor):
        for wanted in (nine, nine + 60):
            assert refusal(person.move(cancelled, wanted)) == (409, "already-cancelled")
    clock.forward(hours=1, minutes=29, seconds=59)
    assert ada.move(begun, nine + 60).status_code == 200
    clock.forward(minutes=30, seconds=1)
    for person in (ada, doctor):
        assert refusal(person.move(begun, nine + 90)) == (409, "already-begun")


@pytest.mark.parametrize("who", ["patient", "doctor"])
def test_a_late_move_is_refused_once_the_other_person_has_left(
    api: Api, doctor: Doctor, ada: Patient, clock: StillClock, deliver: Deliver, who: str
) -> None:
    """The move has arrived before the start, and has waited until the other person left after the start."""
    old = api.doctor("Dr. Stem")
    appointment_id, own = ada.book(old.publish("09:00", "09:30", "2030-03-04")), old.publish("15:00", "15:30")
    late, wanted = (ada, first_id(ada, doctor)) if who == "patient" else (old, own)
    leaver, path = (old, "/doctor/account") if who == "patient" else (ada, "/patient/account")
    sent = deliver()
    clock.forward(hours=1)
    assert leaver.delete(path).status_code == 200
    clock.forward(seconds=-1)
    assert refusal(late.move(appointment_id, wanted)) == (409, "already-begun")
    assert deliver() == sent


def test_a_refused_move_leaves_the_old_time(
    api: Api, doctor: Doctor, ada: Patient, ben: Patient, deliver: Deliver, clock: StillClock
) -> None:
    nine, stem = first_id(ada, doctor), api.doctor("Dr. Stem")
    slot_id = doctor.publish("15:00", "15:30")
    appointment_id = ada.book(nine)
    ben.book(nine + 30)
    ben.hold(nine + 60)
    ben.book(slot_id)
    ada.book(stem.publish("10:30", "11:00"))
    before, sent = everything(ada, appointment_id), deliver()
    for wanted, problem in (
        (nine, "same-time"),
        (nine + 30, "slot-taken"),
        (nine + 60, "slot-taken"),
        (slot_id, "slot-taken"),
        (nine + 90, "patient-busy"),
        (nine + 120, "slot-not-offered"),
        (nine + 30 * 7 * 24 * 60, "too-far-ahead"),
    ):
        assert refusal(ada.move(appointment_id, wanted)) == (409, problem)
        assert refusal(ada.move(appointment_id, wanted, headers={"Idempotency-Key": f"{wanted}"})) == (409, problem)
    assert everything(ada, appointment_id) == before
    assert deliver() == sent
    clock.forward(minutes=10)
    assert ada.move(appointment_id, nine + 60).status_code == 200


def test_a_patient_who_is_busy_is_not_moved_by_the_doctor_either(api: Api, doctor: Doctor, ada: Patient) -> None:
    nine, stem = first_id(ada, doctor), api.doctor("Dr. Stem")
    appointment_id = ada.book(nine)
    ada.book(stem.publish("10:15", "10:45"))
    for person, whose in ((ada, "You already have"), (doctor, "The patient already has")):
        for wanted in (nine + 60, nine + 90):
            answer = person.move(appointment_id, wanted)
            assert refusal(answer) == (409, "patient-busy")
            assert error_of(answer) == f"{whose} an appointment at that time."
    assert doctor.move(appointment_id, nine + 30).status_code == 200


def test_a_held_time_that_the_appointment_moves_to_is_held_no_longer(
    doctor: Doctor, ada: Patient, ben: Patient
) -> None:
    nine = first_id(ada, doctor)
    appointment_id = ada.book(nine)
    held, beside = ada.hold(nine + 30), ada.hold(nine + 90)
    assert ada.move(appointment_id, nine + 30).status_code == 200
    assert ada.delete(f"/holds/{held}").status_code == 404
    assert refusal(ben.post("/appointments", {"slot_id": nine + 90})) == (409, "slot-taken")
    assert ada.delete(f"/holds/{beside}").status_code == 200
    ben.book(nine)


def test_a_move_of_what_was_changed_meanwhile_is_refused(doctor: Doctor, ada: Patient) -> None:
    nine = first_id(ada, doctor)
    appointment_id = ada.book(nine)
    path = f"/appointments/{appointment_id}"
    seen = ada.get(path).headers["ETag"]
    assert ada.move(appointment_id, nine + 30, headers={"If-Match": seen}).status_code == 200
    for tag in (seen, '"other"', f"W/{seen}"):
        answer = ada.move(appointment_id, nine + 60, headers={"If-Match": tag})
        assert refusal(answer) == (412, "appointment-outdated")
    now = doctor.get(path).headers["ETag"]
    assert now != seen
    assert doctor.move(appointment_id, nine + 60, headers={"If-Match": f'"other", {now}'}).status_code == 200
    assert ada.move(appointment_id, nine + 90, headers={"If-Match": "*"}).status_code == 200
    seen = ada.get(path).headers["ETag"]
    assert ada.cancel(appointment_id).status_code == 200
    assert refusal(ada.move(appointment_id, nine, headers={"If-Match": seen})) == (412, "appointment-outdated")


def test_a_repeated_move_is_answered_the_same_and_done_once(doctor: Doctor, ada: Patient, deliver: Deliver) -> None:
    nine = first_id(ada, doctor)
    appointment_id = ada.book(nine)
    first, second = (ada.move(appointment_id, nine + 30, headers=KEY) for _ in range(2))
    assert first.status_code == second.status_code == 200
    assert first.data == second.data
    assert len(ada.get(f"/appointments/{appointment_id}").get_json()["history"]) == 2
    assert len(deliver()) == 1 + 2
    assert refusal(ada.move(appointment_id, nine + 30)) == (409, "same-time")


def test_a_move_whose_answer_was_lost_is_repeated_with_the_newest_tag(doctor: Doctor, ada: Patient) -> None:
    nine = first_id(ada, doctor)
    appointment_id = ada.book(nine)
    for _ in range(2):
        tag = ada.get(f"/appointments/{appointment_id}").headers["ETag"]
        assert ada.move(appointment_id, nine + 30, headers=KEY | {"If-Match": tag}).status_code == 200
    assert len(ada.get(f"/appointments/{appointment_id}").get_json()["history"]) == 2


def test_a_cancel_after_a_move_frees_the_new_time(doctor: Doctor, ada: Patient, ben: Patient) -> None:
    slot_id = doctor.publish("15:00", "15:30")
    nine = first_id(ada, doctor)
    appointment_id = ada.book(slot_id)
    assert ada.move(appointment_id, nine).status_code == 200
    of_ben = ben.book(slot_id)
    assert ada.cancel(appointment_id).status_code == 200
    assert slots(doctor) == (0, 1)
    assert day_of(ada, doctor) == ["09:00", "09:30", "10:00", "10:30"]
    assert ben.get(f"/appointments/{of_ben}").get_json()["status"] == "booked"


def test_a_moved_appointment_is_reported_outside_of_new_hours(doctor: Doctor, ada: Patient) -> None:
    nine = first_id(ada, doctor)
    appointment_id = ada.book(nine)
    assert ada.move(appointment_id, nine + 90).status_code == 200
    affected = doctor.set_hours(hours("tuesday", "09:00", "10:00"))["affected"]
    assert [(row["appointment_id"], row["start_time"]) for row in affected] == [(appointment_id, "10:30")]
    assert ada.move(appointment_id, nine + 30).status_code == 200
    assert doctor.set_hours(hours("tuesday", "09:00", "10:00"))["affected"] == []


def test_an_appointment_of_an_old_length_moves_to_the_new_one(doctor: Doctor, ada: Patient) -> None:
    kind = doctor.add_visit_type(minutes=30)
    appointment_id = ada.book(first_id(ada, doctor, kind))
    assert doctor.put(f"/doctor/visit-types/{kind}", {"name": "Checkup", "minutes": 60}).status_code == 200
    ten = first_id(ada, doctor, kind)
    assert ada.move(appointment_id, ten).status_code == 200
    assert ada.move(appointment_id, ten - 60).status_code == 200
    shown = ada.get(f"/appointments/{appointment_id}").get_json()
    assert (shown["start_time"], shown["end_time"]) == ("09:00", "10:00")


def slots(doctor: Doctor) -> tuple[int, int]:
    """Return how many published slots ahead are free, and how many are booked."""
    shown = doctor.get("/doctor/dashboard").get_json()
    return shown["free_slots"], shown["booked_slots"]


def everything(patient: Patient, appointment_id: int) -> list[object]:
    return [patient.get(path).get_json() for path in (f"/appointments/{appointment_id}", "/appointments/my")]

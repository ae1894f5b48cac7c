"""The same Idempotency-Key and request: the same answer, the work done once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from apiflask import APIFlask
from flask import Response
from sqlalchemy import text

from src.database.transaction import transaction
from src.errors_of_appointments import ChangedMeanwhile, SlotTaken
from src.tasks.purge import purge_expired
from src.web.idempotency import answer_once
from tests.conftest import NOW, StillClock
from tests.people import DAY, KEY, Api, Deliver, error_of

SLOT = {"date": DAY, "start_time": "09:00", "end_time": "09:30"}


def test_a_repeated_booking_is_answered_the_same_and_done_once(api: Api, deliver: Deliver) -> None:
    doctor, patient = api.doctor(), api.patient()
    slot_id = doctor.publish()

    first = patient.post("/appointments", {"slot_id": slot_id}, headers=KEY)
    again = patient.post("/appointments", {"slot_id": slot_id}, headers=KEY)

    assert first.status_code == again.status_code == 201
    assert first.data == again.data
    assert first.headers["Location"] == again.headers["Location"]
    assert len(patient.get("/appointments/my").get_json()["data"]) == 1
    assert len(deliver()) == 1


def test_a_repeated_cancel_is_answered_200_again_and_only_under_its_key(api: Api) -> None:
    patient = api.patient()
    path = f"/appointments/{patient.book(api.doctor().publish())}/cancel"
    assert patient.post(path, headers=KEY).status_code == 200
    assert patient.post(path, headers=KEY).status_code == 200
    assert patient.post(path).status_code == 409


def test_conflicts_and_unknown_things_are_answered_the_same_again(api: Api) -> None:
    doctor, patient, other = api.doctor(), api.patient(), api.patient()
    slot_id = doctor.publish()
    appointment_id = other.book(slot_id)
    refused = patient.post("/appointments", {"slot_id": slot_id}, headers=KEY)
    unknown = patient.post("/appointments", {"slot_id": 999_999}, headers={"Idempotency-Key": "unknown"})
    other.cancel(appointment_id)

    assert refused.status_code == 409
    assert patient.post("/appointments", {"slot_id": slot_id}, headers=KEY).data == refused.data
    assert unknown.status_code == 404
    again = patient.post("/appointments", {"slot_id": 999_999}, headers={"Idempotency-Key": "unknown"})
    assert error_of(again) == error_of(unknown)
    assert patient.post("/appointments", {"slot_id": slot_id}).status_code == 201


def test_a_refused_overlap_leaves_nothing_behind(api: Api) -> None:
    doctor = api.doctor()
    doctor.publish("09:00", "10:00")
    for _ in range(2):
        answer = doctor.post("/doctor/availability", SLOT, headers=KEY)
        assert answer.status_code == 409
        assert "overlaps" in error_of(answer)


def test_a_refusal_after_a_write_undoes_the_write_and_is_kept(app: APIFlask, api: Api) -> None:
    user_id, settings = api.patient("Ada Sample").id, app.extensions["settings"]
    with app.test_request_context("/appointments", method="POST"), transaction(writes=True) as db:

        def work() -> Response:
            db.execute(text("UPDATE users SET name = 'changed'"))
            raise SlotTaken

        refused = answer_once(db, user_id, "a key", NOW, settings, work, one_statement=False)
    assert refused.status_code == 409
    with app.app_context(), transaction(writes=False) as db:
        assert db.scalars(text("SELECT name FROM users")).all() == ["Ada Sample"]
        assert db.scalars(text("SELECT status FROM idempotent_answers")).all() == [409]


def test_a_refusal_that_asks_to_try_again_leaves_the_key_free(app: APIFlask, api: Api) -> None:
    user_id, settings = api.patient().id, app.extensions["settings"]

    def work() -> Response:
        raise ChangedMeanwhile

    with (
        app.test_request_context("/appointments", method="POST"),
        pytest.raises(ChangedMeanwhile),
        transaction(writes=True) as db,
    ):
        answer_once(db, user_id, "a key", NOW, settings, work, one_statement=False)
    with app.app_context(), transaction(writes=False) as db:
        assert db.execute(text("SELECT count(*) FROM idempotent_answers")).scalar_one() == 0


def test_bad_input_leaves_the_key_free(api: Api) -> None:
    doctor = api.doctor()
    assert doctor.post("/doctor/availability", SLOT | {"date": "2030-02-30"}, headers=KEY).status_code == 400
    assert doctor.post("/doctor/availability", SLOT, headers=KEY).status_code == 201


def test_the_key_of_another_request_is_422(api: Api) -> None:
    doctor = api.doctor()
    assert doctor.post("/doctor/availability", SLOT, headers=KEY).status_code == 201
    for path, body in (("/doctor/availability", SLOT | {"date": "2030-03-06"}), ("/doctor/profile", {})):
        answer = doctor.post(path, body, headers=KEY)
        assert answer.status_code == 422
        error_of(answer)


def test_keys_belong_to_their_user(api: Api) -> None:
    one, two = api.doctor(), api.doctor()
    assert one.post("/doctor/availability", SLOT, headers=KEY).status_code == 201
    assert two.post("/doctor/availability", SLOT, headers=KEY).status_code == 201


def test_a_quoted_key_is_the_same_as_a_bare_one(api: Api) -> None:
    doctor = api.doctor()
    bare = doctor.post("/doctor/availability", SLOT, headers={"Idempotency-Key": "abc"})
    quoted = doctor.post("/doctor/availability", SLOT, headers={"Idempotency-Key": '"abc"'})
    assert (bare.status_code, bare.data) == (quoted.status_code, quoted.data)


@pytest.mark.parametrize("key", ["", '""', "x" * 256, '"open', "two words", "\xe4", '"' + "x" * 256 + '"'])
def test_a_malformed_key_is_400(api: Api, key: str) -> None:
    answer = api.doctor().post("/doctor/availability", SLOT, headers={"Idempotency-Key": key})
    assert answer.status_code == 400
    assert "Idempotency-Key" in error_of(answer)


def test_the_longest_key_is_taken(api: Api) -> None:
    answer = api.doctor().post("/doctor/availability", SLOT, headers={"Idempotency-Key": "x" * 255})
    assert answer.status_code == 201


def test_of_eight_at_once_one_works_and_all_are_answered_alike(app: APIFlask, api: Api, deliver: Deliver) -> None:
    doctor, patient = api.doctor(), api.patient()
    slot_id = doctor.publish()
    gate = threading.Barrier(8)

    def book(_: int) -> tuple[int, bytes]:
        mine = replace(patient, client=app.test_client())
        gate.wait(timeout=20)
        answer = mine.post("/appointments", {"slot_id": slot_id}, headers=KEY)
        return answer.status_code, answer.data

    with ThreadPoolExecutor(max_workers=8) as pool:
        answers = set(pool.map(book, range(8)))

    assert len(answers) == 1
    assert answers.pop()[0] == 201
    assert len(deliver()) == 1


def test_after_24_hours_the_key_is_free_again(app: APIFlask, api: Api, clock: StillClock) -> None:
    patient, doctor = api.patient(), api.doctor()
    path = f"/appointments/{patient.book(doctor.publish('09:00', '09:30', '2030-04-01'))}/cancel"
    assert patient.post(path, headers=KEY).status_code == 200
    clock.forward(hours=25)
    # The token has expired too; the same person logs in again.
    patient.token = api.log_in(patient.email).get_json()["access_token"]
    assert patient.post(path, headers=KEY).status_code == 409


def test_what_is_kept_of_a_request_cannot_be_read(app: APIFlask, api: Api, clock: StillClock) -> None:
    doctor = api.doctor()
    doctor.post("/doctor/profile", {"designation": "Dr. Unmistakable"}, headers=KEY)
    with app.app_context(), transaction(writes=False) as db:
        [row] = db.execute(text("SELECT request_hash FROM idempotent_answers"))
    assert len(row.request_hash) == 64
    clock.forward(hours=25)
    with app.app_context():
        purge_expired(transaction, clock(), app.extensions["settings"])
        with transaction(writes=False) as db:
            assert db.execute(text("SELECT count(*) FROM idempotent_answers")).scalar_one() == 0


def test_an_answer_with_a_token_is_never_kept(app: APIFlask, api: Api) -> None:
    patient = api.patient()
    body = {"current_password": "password123", "new_password": "another password"}
    assert patient.post("/auth/password", body, headers=KEY).status_code == 200
    with app.app_context(), transaction(writes=False) as db:
        assert db.execute(text("SELECT count(*) FROM idempotent_answers")).scalar_one() == 0

"""Each error's example in the OpenAPI document is the answer that a client gets."""

from __future__ import annotations

from typing import Any

from tests.calls import JSON, Clinic
from tests.conftest import MakeApp, StillClock
from tests.openapi import Document
from tests.people import PASSWORD

ALL_FIELDS_WRONG = "limit=x&from=x&until=x&status=x&order=x&cursor=x"
ALL_DOCTORS_WRONG = "page=%00&limit=%00&name=%00&specialization=%00&visit_type=%00&next_available=%00"
KEY = {"Idempotency-Key": "the-first-key"}


def test_every_error_that_is_provoked_is_among_the_examples(clinic: Clinic, clock: StillClock) -> None:
    document = Document(clinic.api.client)
    doctor, patient, api = clinic.doctor, clinic.patient, clinic.api
    taken, begun = doctor.publish("11:00", "11:30"), doctor.publish("12:00", "12:30", "2030-03-04")
    api.patient("Ben Placeholder").book(taken)
    other = api.doctor("Koji Stem")
    same_time = other.publish("09:10", "09:40")
    wrong_password = {"current_password": "wrong", "new_password": PASSWORD}
    no_profile = {"designation": 1, "specialization": 1, "time_zone": 1}
    day = {"date": "2030-03-05", "start_time": "09:15", "end_time": "09:45"}

    provoked: list[tuple[str, int, Any]] = [
        ("appointment.book", 409, patient.post("/appointments", {"slot_id": taken})),
        ("appointment.book", 409, patient.post("/appointments", {"slot_id": same_time})),
        ("appointment.book", 404, patient.post("/appointments", {"slot_id": 999})),
        ("appointment.book", 400, patient.post("/appointments", {})),
        ("appointment.book", 400, patient.post("/appointments", [])),
        ("appointment.book", 400, patient.post("/appointments", data="{", content_type=JSON)),
        ("appointment.book", 400, patient.post("/appointments", {"slot_id": 1}, headers={"Idempotency-Key": ""})),
        ("appointment.book", 401, api.client.post("/appointments", json={"slot_id": 1})),
        ("appointment.book", 403, doctor.post("/appointments", {"slot_id": 1})),
        ("appointment.book", 413, patient.post("/appointments", data=b"x" * 1024 * 1025, content_type=JSON)),
        ("appointment.book", 415, patient.post("/appointments", data="slot_id=1")),
        ("appointment.show", 403, other.get(f"/appointments/{clinic.appointment_id}")),
        ("appointment.show", 404, patient.get("/appointments/999")),
        ("appointment.show", 404, patient.get("/appointments/0")),
        ("appointment.list_mine", 400, patient.get(f"/appointments/my?{ALL_FIELDS_WRONG}")),
        ("patient.list_doctors", 400, patient.get(f"/patient/doctors?{ALL_DOCTORS_WRONG}")),
        ("auth.me", 413, patient.get("/auth/me", data=b"x" * 1024 * 1025)),
        ("auth.log_in", 401, api.log_in(patient.email, "not the password")),
        ("auth.log_in", 400, api.client.post("/auth/login", json={})),
        ("auth.register", 400, api.register(role="doctor")),
        ("auth.register", 400, api.client.post("/auth/register", json={})),
        ("auth.register", 403, api.register(role="doctor", invitation_code="wrong")),
        ("auth.register", 409, api.register(email=patient.email)),
        ("session.change_password", 403, patient.post("/auth/password", wrong_password)),
        ("availability.publish", 400, doctor.post("/doctor/availability", {})),
        ("availability.publish", 400, doctor.post("/doctor/availability", day | {"date": "2030-03-03"})),
        ("availability.publish", 409, doctor.post("/doctor/availability", day)),
        ("availability.withdraw", 409, doctor.delete(f"/doctor/availability/{taken}")),
        ("availability.free_slots", 404, patient.get("/patient/doctors/999/availability")),
        ("doctor.update_profile", 400, doctor.post("/doctor/profile", no_profile)),
    ]  # fmt: skip
    cancel = f"/appointments/{clinic.appointment_id}/cancel"
    assert patient.post(cancel, headers=KEY).status_code == 200
    provoked += [
        ("appointment.cancel", 409, patient.post(cancel)),
        ("appointment.cancel", 422, patient.post("/appointments/999/cancel", headers=KEY)),
    ]
    clock.forward(hours=5)
    provoked.append(("appointment.book", 409, patient.post("/appointments", {"slot_id": begun})))

    for name, status, answer in provoked:
        assert answer.status_code == status, (name, answer.get_json())
        assert answer.get_json() in document.examples(name, status), name


def test_a_database_that_is_away_is_among_the_examples(make_app: MakeApp) -> None:
    client = make_app(database_url="postgresql://nobody@127.0.0.1:1/nothing").test_client()
    document = Document(client)
    answer = client.get("/health")
    assert answer.status_code == 503
    assert answer.get_json() in document.examples("service.health", 503)
    for name in ("service.live", "service.home"):
        assert "503" not in document.operations[name]["responses"]
    assert client.get("/health/live").status_code == client.get("/").status_code == 200

"""Test users of the API, with a method for each call that they make."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from src.database.transaction import transaction
from src.models.doctor import NEW_DESIGNATION, NEW_SPECIALIZATION
from src.repositories import doctor_repository as doctors
from src.repositories import user_repository as users
from src.schemas.fields import email_key
from src.services.mail import Mail
from src.utils.security import hash_password, issue_token

Deliver = Callable[[], list[Mail]]

CODE = "DOC2024SECRET"
PASSWORD = "password123"
DAY = "2030-03-05"
KEY = {"Idempotency-Key": "a-key-of-the-tests"}


@dataclass
class Person:
    """Somebody who has an account and is logged in."""

    client: FlaskClient
    name: str
    email: str
    id: int
    token: str

    def call(self, method: str, path: str, **options: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.token}", **options.pop("headers", {})}
        return self.client.open(path, method=method, headers=headers, **options)

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.call("GET", path, **options)

    def post(self, path: str, json: Any = None, **options: Any) -> TestResponse:
        if json is not None:
            options["json"] = json
        return self.call("POST", path, **options)

    def put(self, path: str, json: Any, **options: Any) -> TestResponse:
        return self.call("PUT", path, json=json, **options)

    def patch(self, path: str, json: Any, **options: Any) -> TestResponse:
        return self.call("PATCH", path, json=json, **options)

    def delete(self, path: str, **options: Any) -> TestResponse:
        return self.call("DELETE", path, **options)

    def move(self, appointment_id: int, slot_id: int, **options: Any) -> TestResponse:
        return self.post(f"/appointments/{appointment_id}/reschedule", {"slot_id": slot_id}, **options)


@dataclass
class Doctor(Person):
    """A doctor; paths name the doctor by `doctor_id`."""

    doctor_id: int = 0

    def publish(self, start: str = "09:00", end: str = "09:30", date: str = DAY) -> int:
        answer = self.post("/doctor/availability", {"date": date, "start_time": start, "end_time": end})
        assert answer.status_code == 201, answer.get_json()
        return answer.get_json()["slot_id"]

    def add_visit_type(self, name: str = "Checkup", minutes: int = 30, **fields: Any) -> int:
        answer = self.post("/doctor/visit-types", {"name": name, "minutes": minutes, **fields})
        assert answer.status_code == 201, answer.get_json()
        return answer.get_json()["visit_type_id"]

    def visit_types(self) -> list[dict[str, Any]]:
        return self.get("/doctor/visit-types").get_json()["data"]

    def time_zone(self) -> str:
        return self.get("/doctor/profile").get_json()["time_zone"]

    def set_hours(self, *weekly: dict[str, Any], time_zone: str = "UTC") -> dict[str, Any]:
        """Replace the weekly hours, each made by `hours`, and return the answer."""
        answer = self.put("/doctor/hours", {"time_zone": time_zone, "weekly": list(weekly)})
        assert answer.status_code == 200, answer.get_json()
        return answer.get_json()

    def close(self, first_day: str, **fields: Any) -> int:
        return self.except_hours("closed", first_day, **fields)["id"]

    def open(self, first_day: str, begin: str, until: str, **fields: Any) -> int:
        return self.except_hours("extra", first_day, **{"from": begin, "until": until}, **fields)["id"]

    def except_hours(self, kind: str, first_day: str, **fields: Any) -> dict[str, Any]:
        answer = self.post("/doctor/exceptions", {"kind": kind, "first_day": first_day, **fields})
        assert answer.status_code == 201, answer.get_json()
        return answer.get_json()


def hours(weekday: str = "monday", begin: str = "09:00", until: str = "17:00", **fields: Any) -> dict[str, Any]:
    """Return a row of weekly hours."""
    return {"weekday": weekday, "from": begin, "until": until, **fields}


@dataclass
class Patient(Person):
    def book(self, slot_id: int) -> int:
        answer = self.post("/appointments", {"slot_id": slot_id})
        assert answer.status_code == 201, answer.get_json()
        return answer.get_json()["appointment_id"]

    def free(self, doctor: Doctor) -> list[dict[str, Any]]:
        answer = self.get(f"/patient/doctors/{doctor.doctor_id}/availability")
        assert answer.status_code == 200, answer.get_json()
        return answer.get_json()["data"]

    def hold(self, slot_id: int, minutes: int = 10) -> int:
        answer = self.post("/holds", {"slot_id": slot_id, "minutes": minutes})
        assert answer.status_code == 201, answer.get_json()
        return answer.get_json()["hold_id"]

    def times(self, doctor: Doctor, **query: Any) -> list[dict[str, Any]]:
        """Return what `free` returns, for the query; `from_` is its `from`."""
        parameters = {name.rstrip("_"): value for name, value in query.items()}
        answer = self.get(f"/patient/doctors/{doctor.doctor_id}/availability", query_string=parameters)
        assert answer.status_code == 200, answer.get_json()
        return answer.get_json()["data"]

    def cancel(self, appointment_id: int) -> TestResponse:
        return self.post(f"/appointments/{appointment_id}/cancel")


@dataclass
class Api:
    """Registers people, each with their own email address, and logs them in."""

    client: FlaskClient
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def register(self, **fields: Any) -> TestResponse:
        number = next(self.numbers)
        defaults = {
            "name": f"Person {number}",
            "email": f"person{number}@people.example",
            "password": PASSWORD,
            "role": "patient",
            "invitation_code": "",
        }
        return self.client.post("/auth/register", json=defaults | fields)

    def log_in(self, email: str, password: str = PASSWORD) -> TestResponse:
        return self.client.post("/auth/login", json={"email": email, "password": password})

    def register_patient(self) -> Patient:
        """Register a patient and log in, by the calls."""
        name, email = "Ada Sample", f"ada{next(self.numbers)}@people.example"
        registered = self.register(name=name, email=email)
        assert registered.status_code == 201, registered.get_json()
        token = self.log_in(email).get_json()["access_token"]
        return Patient(client=self.client, name=name, email=email, id=registered.get_json()["id"], token=token)

    def doctor(self, name: str = "Dr. Fenna Quill", **profile: Any) -> Doctor:
        doctor = Doctor(**self._person(name, "doctor"))
        if profile:
            assert doctor.post("/doctor/profile", profile).status_code == 200
        return doctor

    def patient(self, name: str = "Ada Sample") -> Patient:
        return Patient(**self._person(name, "patient"))

    def _person(self, name: str, role: Literal["doctor", "patient"]) -> dict[str, Any]:
        """Add what a registration adds, and issue a token, without the calls: they take five times as long."""
        email = f"{name.rsplit(maxsplit=1)[-1].lower()}{next(self.numbers)}@people.example"
        app = self.client.application
        settings, now = app.extensions["settings"], app.extensions["clock"]()
        with app.app_context(), transaction(writes=True) as db:
            user_id = users.add(
                db,
                name=name,
                email=email,
                email_key=email_key(email),
                password_hash=hash_password(PASSWORD, settings),
                role=role,
                now=now,
            )
            assert user_id is not None
            person = {"client": self.client, "name": name, "email": email, "id": user_id}
            if role == "doctor":
                person["doctor_id"] = doctors.add(db, user_id, NEW_DESIGNATION, NEW_SPECIALIZATION, now)
            person["token"] = issue_token(user_id, role, 0, timedelta(hours=settings.jwt_access_token_hours))
        return person


def error_of(answer: TestResponse) -> str:
    """Check that an error answer is problem+json as documented, and return its sentence."""
    assert answer.mimetype == "application/problem+json", (answer.status_code, answer.data)
    problem = answer.get_json()
    sentence = problem["error"]
    assert isinstance(sentence, str)
    assert problem["status"] == answer.status_code
    assert sentence.endswith(".")
    for leak in ("Traceback", "sqlalchemy", "psycopg", "sqlite", "pydantic", "SELECT", "INSERT"):
        assert leak.lower() not in sentence.lower()
    if answer.status_code == 401:
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    return sentence


def refusal(answer: TestResponse) -> tuple[int, str]:
    """Return the status and the kind of problem of a refusal."""
    error_of(answer)
    return answer.status_code, answer.get_json()["type"].rpartition(":")[2]

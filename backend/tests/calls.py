"""One row for every call of the API: the tests in tests/api/every_call and others read it, and no list beside it.

To add a call, add its row to ROUTES in app.py and one row to CALLS: the name of the route, who may make the call, and a
good body or query if it needs one. The tests then try whom it lets in, bad bodies, fields, queries and paths, other
methods, CORS and Idempotency-Keys. Method, path, status and fields are read from the route and its schemas, bad values
from the types of the fields (tests/hostile.py); `bad` adds values that are bad for this call alone. `{appointment_id}`
in a path is filled from `Clinic.appointment_id`: a path with a new kind of id needs a new attribute of Clinic. Many
calls share one clinic, so a call that uses something up, like a slot, has one of its own there.

These tests believe the route and its schemas, so they cannot see a limit, a required field or a success status that is
wrong there: the call's own test file says what those must be.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from apiflask import APIFlask
from sqlalchemy import select
from werkzeug.test import TestResponse

from app import ROUTES
from src.context import Caller, Doctor, Patient
from src.database.transaction import transaction
from src.models import Base
from src.web.routes import Route, Signature
from tests import people
from tests.factors import Factor, begin, set_up
from tests.mail_tokens import confirmation_token_of, guest_token_of, reset_token_of
from tests.people import CODE, DAY, PASSWORD, Api, Person, error_of
from tests.refreshing import refreshable

JSON = "application/json"
OUR_ORIGIN = "http://localhost:5173"
LONGEST_SENTENCE = 200
_ROUTES_BY_NAME = {route.name: route for route in ROUTES}

Who = tuple[type[Caller], ...]
NOBODY: Who = ()
USERS: Who = (Patient, Doctor)
PATIENTS: Who = (Patient,)
DOCTORS: Who = (Doctor,)


@dataclass
class Clinic:
    """A doctor with a free slot and an appointment, its patient, and what else good calls refer to."""

    app: APIFlask
    api: Api
    doctor: people.Doctor
    patient: people.Patient
    doctor_id: int
    # For paths: a slot that nobody books; the calls that are tried may withdraw it.
    slot_id: int
    slot_to_book: int
    appointment_id: int
    # For paths, too: these the calls may retire and delete.
    visit_type_id: int
    exception_id: int
    hold_id: int
    slot_to_hold: int
    slot_to_move_to: int
    affected_id: int
    # Whoever was newly registered for a call that needs a caller of its own.
    newcomer: Person | None = None
    factor: Factor | None = None

    @classmethod
    def open(cls, app: APIFlask, api: Api) -> Clinic:
        doctor, patient = api.doctor(), api.patient()
        appointment_id = patient.book(doctor.publish("09:00", "09:30"))
        slot_id, slot_to_book = doctor.publish("10:00", "10:30"), doctor.publish("22:00", "22:30")
        affected_id = patient.book(doctor.publish("12:00", "12:30", "2030-03-21"))
        doctor.close("2030-03-21")
        visit_type_id, exception_id = doctor.add_visit_type("Checkup"), doctor.close("2030-03-20")
        return cls(
            app,
            api,
            doctor,
            patient,
            doctor.doctor_id,
            slot_id,
            slot_to_book,
            appointment_id,
            visit_type_id,
            exception_id,
            patient.hold(doctor.publish("06:00", "06:30", "2030-03-06")),
            doctor.publish("07:00", "07:30", "2030-03-06"),
            doctor.publish("08:00", "08:30", "2030-03-06"),
            affected_id,
        )

    @property
    def people(self) -> dict[type[Caller], Person]:
        """One person of each role."""
        return {Doctor: self.doctor, Patient: self.patient}

    def reset_token(self) -> str:
        """Return the token of a mail to somebody who has forgotten the password."""
        return reset_token_of(self.app, self.api.patient())

    def refresh_token(self) -> str:
        return refreshable(self.api, self.patient.email).get_json()["refresh_token"]

    def guest(self) -> dict[str, str]:
        email = f"guest{next(self.api.numbers)}@people.example"
        return {"name": "Ada Sample", "email": email, "phone": "+493023125123"}

    def guest_token(self) -> str:
        """Return the token of a mail that begins the session of a guest."""
        return guest_token_of(self.app, f"guest{next(self.api.numbers)}@people.example")

    def confirmation_token(self) -> str:
        """Return the token of a mail that confirms the address of somebody."""
        return confirmation_token_of(self.app, self.api.patient())

    def code_of_newcomer(self, *, is_on: bool) -> str:
        """Return a good code of the newcomer, whose second factor is then begun, or on."""
        if self.newcomer is None:
            return "000000"
        clock = self.app.extensions["clock"]
        if self.factor is None or self.factor.person is not self.newcomer:
            self.factor = set_up(self.newcomer, clock) if is_on else begin(self.newcomer, clock)
        return self.factor.codes[0] if is_on else self.factor.otp()

    def caller(self, call: Call) -> Person | None:
        """Return somebody who may make the call: None when nobody needs to log in."""
        return self.member(call, call.who[0]) if call.who else None

    def member(self, call: Call, role: type[Caller]) -> Person:
        """Return somebody of this role, newly registered if the call needs a caller of its own."""
        if call.ends_session or call.needs_newcomer:
            self.newcomer = {Doctor: self.api.doctor, Patient: self.api.patient}[role]()
            return self.newcomer
        return self.people[role]

    def ask(self, method: str, path: str, person: Person | None = None, **options: Any) -> TestResponse:
        """Send a request as a browser does that shows a page of another origin."""
        browser = {"Origin": OUR_ORIGIN, "Accept": "text/html"}
        token = {"Authorization": f"Bearer {person.token}"} if person else {}
        headers = browser | token | options.pop("headers", {})
        return self.api.client.open(path, method=method, headers=headers, **options)

    def send(self, call: Call, person: Person | None, **options: Any) -> TestResponse:
        """Make a call as this person with what the options say, without a body unless they bring one."""
        return self.ask(call.method, call.path_in(self), person, **options)

    def make(self, call: Call, person: Person | None, headers: dict[str, str] | None = None) -> TestResponse:
        """Make a call rightly, with the good body and query of its row."""
        options = {"query_string": call.query, **self.body_of(call)}
        return self.send(call, person, headers={"Accept": JSON} | (headers or {}), **options)

    def body_of(self, call: Call) -> dict[str, Any]:
        """Return the good body of the call as an option of `ask`, which is empty if the call reads no body."""
        return {"json": call.good_body(self)} if call.signature.body else {}

    def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return everything that the database holds."""
        with self.app.app_context(), transaction(writes=False) as db:
            return {
                table.name: sorted((tuple(row) for row in db.execute(select(table))), key=repr)
                for table in Base.metadata.sorted_tables
            }

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """Check that nothing in the database changes meanwhile."""
        before = self.rows()
        yield
        assert self.rows() == before


@dataclass(frozen=True)
class Call:
    """What the tests must know of a call beyond its route."""

    name: str
    # The roles that may make the call: a statement of its own beside the route's access, which it is to check.
    who: Who
    body: dict[str, Any] | Callable[[Clinic], dict[str, Any]] = field(default_factory=dict)
    # The parameters that a good query must have.
    query: dict[str, str] = field(default_factory=dict)
    # Values of fields that their types allow.
    bad: dict[str, list[Any]] = field(default_factory=dict)
    # The caller's token is dead after the call, so that each call needs a caller of its own.
    ends_session: bool = False
    # The good body is made for a newly registered caller.
    needs_newcomer: bool = False
    # How many statements a read sends to the database, the one that looks up the caller not counted.
    statements: int = 1
    # How many more for a doctor.
    more_for_doctors: int = 0

    @property
    def route(self) -> Route:
        return _ROUTES_BY_NAME[self.name]

    @property
    def method(self) -> str:
        return self.route.method

    @property
    def path(self) -> str:
        """The path as the OpenAPI document writes it: with {appointment_id}."""
        return re.sub(r"<\w+:(\w+)>", r"{\1}", self.route.path)

    @property
    def ids(self) -> list[str]:
        return re.findall(r"{(\w+)}", self.path)

    @property
    def signature(self) -> Signature:
        return self.route.signature

    def path_in(self, clinic: Clinic, **ids: str) -> str:
        return self.path.format_map(vars(clinic) | ids)

    def good_body(self, clinic: Clinic) -> dict[str, Any]:
        return self.body(clinic) if callable(self.body) else self.body


def with_both_factors(clinic: Clinic) -> dict[str, str]:
    return {"current_password": PASSWORD, "otp": clinic.code_of_newcomer(is_on=True)}


CALLS = [
    Call("service.home", NOBODY, statements=0),
    Call("service.health", NOBODY, statements=2),
    Call("service.live", NOBODY, statements=0),
    Call("service.ready", NOBODY, statements=4),
    Call("service.development_outbox", NOBODY),
    Call(
        "auth.register",
        NOBODY,
        body=lambda clinic: {
            "name": "Ben Sample",
            "email": f"ben{next(clinic.api.numbers)}@people.example",
            "password": PASSWORD,
            "role": "doctor",
            "invitation_code": CODE,
        },
        bad={"invitation_code": [None, "", " "]},
    ),
    Call("auth.log_in", NOBODY, body=lambda clinic: {"email": clinic.patient.email, "password": PASSWORD}),
    Call("session.refresh", NOBODY, body=lambda clinic: {"refresh_token": clinic.refresh_token()}),
    Call("auth.me", USERS, statements=0),
    Call("auth.export", USERS, statements=8, more_for_doctors=7),
    Call("auth.change", USERS, body={"name": "Ada Renamed", "phone": "+49 30 23125123", "language": "de"}),
    Call("session.log_out", USERS, ends_session=True),
    Call("session.log_out_everywhere", USERS, ends_session=True),
    Call(
        "session.change_password",
        USERS,
        body={"current_password": PASSWORD, "new_password": "another password"},
        ends_session=True,
    ),
    Call("email.confirm", NOBODY, body=lambda clinic: {"token": clinic.confirmation_token()}),
    Call("email.resend", USERS),
    Call("guest.ask", NOBODY, body=lambda clinic: clinic.guest()),
    Call("guest.confirm", NOBODY, body=lambda clinic: {"token": clinic.guest_token()}),
    Call("password.forgot", NOBODY, body=lambda clinic: {"email": clinic.patient.email}),
    Call("password.reset", NOBODY, body=lambda clinic: {"token": clinic.reset_token(), "password": PASSWORD}),
    Call("second_factor.show", USERS),
    Call("second_factor.begin", USERS, body={"current_password": PASSWORD}),
    Call(
        "second_factor.confirm",
        USERS,
        body=lambda clinic: {"otp": clinic.code_of_newcomer(is_on=False)},
        needs_newcomer=True,
    ),
    Call("second_factor.turn_off", USERS, body=with_both_factors, needs_newcomer=True),
    Call("second_factor.renew_recovery_codes", USERS, body=with_both_factors, needs_newcomer=True),
    Call("doctor.dashboard", DOCTORS, statements=3),
    Call("doctor.schedule", DOCTORS, statements=5),
    Call("doctor.profile", DOCTORS),
    Call(
        "doctor.update_profile",
        DOCTORS,
        body={"designation": "Prof.", "specialization": "Cardiology", "time_zone": "Europe/Berlin"},
    ),
    Call("doctor.delete_account", DOCTORS, ends_session=True),
    Call(
        "availability.publish",
        DOCTORS,
        body={"date": DAY, "start_time": "15:00", "end_time": "15:30"},
        bad={
            "date": ["0001-01-01", "1970-01-01", "2030-03-03", "2041-01-01", "9999-12-31"],
            "start_time": ["15:30", "15:31", "23:59"],
            "end_time": ["15:00", "14:59", "03:01"],
        },
    ),
    Call("availability.list_own", DOCTORS),
    Call("availability.withdraw", DOCTORS),
    # Of 10:00, when the clinic's doctor has a free slot, no hours and no holds.
    Call("availability.explain", DOCTORS, query={"at": f"{DAY}T10:00"}, statements=5),
    Call("visit_type.list", DOCTORS),
    Call("visit_type.add", DOCTORS, body={"name": "Vaccination", "minutes": 10}, bad={"is_default": [1]}),
    Call("visit_type.replace", DOCTORS, body={"name": "Checkup", "minutes": 45}),
    Call("visit_type.retire", DOCTORS),
    Call("hours.show", DOCTORS),
    Call(
        "hours.replace",
        DOCTORS,
        # Another call changes the zone.
        body=lambda clinic: {"time_zone": clinic.doctor.time_zone(), "weekly": [people.hours()]},
        bad={"time_zone": ["Europe/Vienna"]},
    ),
    Call("exception.list", DOCTORS),
    Call(
        "exception.add",
        DOCTORS,
        body={"kind": "extra", "first_day": DAY, "from": "18:00", "until": "20:00"},
        bad={
            "first_day": ["0001-01-01", "2030-03-03"],
            "last_day": ["2030-03-04", "2031-03-07", "9999-12-31"],
            "from": [None, "20:00"],
            "until": [None, "18:00", "17:59"],
            "visit_types": [[999]],
        },
    ),
    Call("exception.delete", DOCTORS),
    Call("policy.show", DOCTORS),
    Call("policy.replace", DOCTORS, body={"cancellation_notice": 1440, "most_ahead": 3}),
    Call("appointment.list_affected", DOCTORS, statements=4),
    Call(
        "appointment.cancel_affected",
        DOCTORS,
        body=lambda clinic: {"appointment_ids": [clinic.affected_id]},
        bad={"appointment_ids": [[1] * 2, ["1", 1]]},
    ),
    Call("patient.dashboard", PATIENTS, statements=3),
    Call("patient.delete_account", PATIENTS, ends_session=True),
    Call("patient.list_doctors", PATIENTS),
    Call("patient.show_doctor", PATIENTS),
    Call("availability.free_slots", PATIENTS),
    Call("visit_type.list_for_patients", PATIENTS),
    Call("slot.search", USERS),
    Call("appointment.book", PATIENTS, body=lambda clinic: {"slot_id": clinic.slot_to_book}),
    Call("appointment.list_mine", PATIENTS),
    Call("appointment.list_doctors", DOCTORS),
    Call("appointment.show", USERS, statements=2),
    Call(
        "appointment.reschedule",
        USERS,
        body=lambda clinic: {"slot_id": clinic.slot_to_move_to},
    ),
    Call("hold.hold", PATIENTS, body=lambda clinic: {"slot_id": clinic.slot_to_hold, "minutes": 10}),
    Call("appointment.note", DOCTORS, body={"note": "Brings last year's results."}),
    Call("hold.release", PATIENTS),
    Call("appointment.cancel", USERS, body={"reason": "The doctor is ill."}),
]


def refused(answer: TestResponse, status: int, case: object) -> str:
    """Check that a request is refused as the contract says, readable for the page that sent it; return the sentence."""
    assert answer.status_code == status, (case, answer.status_code, answer.data[:300])
    sentence = error_of(answer)
    assert "\n" not in sentence, case
    assert 10 < len(sentence) < LONGEST_SENTENCE, (case, sentence)
    assert "Location" not in answer.headers, case
    assert answer.headers["Access-Control-Allow-Origin"] == OUR_ORIGIN, case
    return sentence

"""Random sequences of everything that users do, compared with a model after each step, on both databases.

The model is plain Python. It implements the documented behaviour independently of the product, and every list that the
API returns must match it.
"""

from __future__ import annotations

import contextlib
import itertools
import re
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from functools import cache
from typing import Any, Literal, cast
from zoneinfo import ZoneInfo

from apiflask import APIFlask
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool
from werkzeug.test import TestResponse

from src.database.transaction import transaction
from src.services.mail import Mail, MailDelayed, MailRefused
from src.services.memory_mailer import MemoryMailer
from src.tasks.delivery import deliver_due
from tests.conftest import AT_ONCE, NOW, TABLES, MakeApp, StillClock
from tests.people import CODE, PASSWORD, error_of

# Two zones that change their clocks on different days, one that changes them by half an hour, one that never does.
ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"]
# The days on which their clocks change.
CHANGES = [date(2030, month, day) for month, day in ((3, 10), (3, 31), (4, 7), (10, 6), (10, 27), (11, 3))]
HOURS = (0, 1, 2, 3, 8, 9, 22, 23)
MIDNIGHT = time(0)
DAY_MINUTES = 24 * 60
LEASE = timedelta(seconds=60)
KEPT = timedelta(hours=24)
UNKNOWN = 987_654_321
NUMBER = re.compile(r"\d+")
MOST_PEOPLE = 4

Outcome = Literal["accepted", "delayed", "refused", "accepted unheard", "killed"]


# --- the model ---


@dataclass(eq=False)
class Person:
    """Somebody who registered. The API must accept the tokens in `living` and refuse those in `dead`."""

    id: int
    name: str
    email: str
    role: Literal["doctor", "patient"]
    zone: str = "UTC"
    doctor_id: int = 0
    gone: bool = False
    living: list[str] = field(default_factory=list)
    dead: list[str] = field(default_factory=list)

    def __repr__(self) -> str:
        return f"<{self.name}>"

    def end_sessions(self) -> None:
        self.dead += self.living
        self.living.clear()


@dataclass(eq=False)
class Slot:
    """A published slot, with the date and times as the doctor entered them."""

    id: int
    doctor: Person
    zone: str
    date: str
    start: str
    end: str
    starts_at: datetime
    ends_at: datetime
    withdrawn: bool = False

    def __repr__(self) -> str:
        return f"<slot {self.id}: {self.doctor.name} {self.date} {self.start}-{self.end} {self.zone}>"

    def overlaps(self, other: Slot) -> bool:
        return self.starts_at < other.ends_at and other.starts_at < self.ends_at


@dataclass(eq=False)
class Appointment:
    """A booking, which stays in the lists even if it is cancelled."""

    id: int
    slot: Slot
    patient: Person
    cancelled: bool = False

    def __repr__(self) -> str:
        return f"<appointment {self.id}: {self.patient.name} in {self.slot!r}>"

    def shown_status(self, now: datetime) -> str:
        if self.cancelled:
            return "cancelled"
        if now < self.slot.starts_at:
            return "booked"
        return "in_progress" if now < self.slot.ends_at else "completed"


@dataclass(eq=False)
class OwedMail:
    """A mail that must be sent; mails of one appointment to one recipient must be sent in order."""

    event: Literal["booked", "cancelled"]
    appointment: Appointment
    recipient: Person
    address: str
    due: datetime
    state: Literal["waiting", "sent", "dropped", "set aside"] = "waiting"

    def is_useless(self, now: datetime) -> bool:
        return self.event == "booked" and self.appointment.slot.ends_at <= now


@dataclass(frozen=True, eq=False)
class Answered:
    """A request with an Idempotency-Key, and its answer."""

    person: Person
    key: str
    method: str
    path: str
    body: dict[str, Any] | None
    status: int
    said: bytes
    at: datetime

    def __repr__(self) -> str:
        return f"<{self.method} {self.path} {self.body} of {self.person.name}: {self.status}>"


@cache
def readings(day: date, at: time, zone: str) -> list[datetime]:
    """Return all instants at which clocks in the zone show this time: none in a gap, two in a fold.

    It tries offsets and does not use `fold`, to be independent of the product's code.
    """
    wall = datetime.combine(day, at)
    near = [(wall.replace(tzinfo=timezone.utc) + timedelta(hours=hours)) for hours in range(-26, 27)]
    offsets = {cast("timedelta", instant.astimezone(ZoneInfo(zone)).utcoffset()) for instant in near}
    instants = {wall.replace(tzinfo=timezone.utc) - offset for offset in offsets}
    return sorted(one for one in instants if one.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == wall)


# --- the outside world ---


class Killed(BaseException):
    """The worker dies in the middle of sending."""


class Provider(MemoryMailer):
    """A provider that accepts each key once and checks that a key's mail never changes.

    Its first answers are those of `outcomes`; after them it accepts everything.
    """

    def __init__(self) -> None:
        super().__init__()
        self.outcomes: deque[Outcome] = deque()
        self.tried: list[tuple[str, Outcome]] = []
        self.accepted: dict[str, Mail] = {}
        self.seen: dict[str, Mail] = {}

    def send(self, mail: Mail, key: str) -> None:
        outcome = self.outcomes.popleft() if self.outcomes else "accepted"
        self.tried.append((key, outcome))
        assert self.seen.setdefault(key, mail) == mail, "one key, two different mails"
        if outcome in {"accepted", "accepted unheard"} and key not in self.accepted:
            self.accepted[key] = mail
            super().send(mail, key)
        if outcome in {"delayed", "accepted unheard"}:
            raise MailDelayed("later", retry_after=90)
        if outcome == "refused":
            raise MailRefused("never")
        if outcome == "killed":
            raise Killed


# --- what is drawn ---


def one_of(name: str) -> st.SearchStrategy[Any]:
    """Draw from the machine's list of this name."""
    return st.runner().flatmap(lambda machine: st.sampled_from(getattr(machine, name)))


def some(name: str) -> Any:
    """Apply a rule only while the machine's list of this name is not empty."""
    return precondition(lambda machine: bool(getattr(machine, name)))


STARTS = st.builds(lambda hour, quarter: time(hour, quarter * 15), st.sampled_from(HOURS), st.integers(0, 3))
# Minutes on the clock: also over midnight, and too many for that.
LENGTHS = st.sampled_from([30, 15, 60, 90, 180, 0, -15, 12 * 60, 12 * 60 + 15])
KEYED = st.booleans()
OUTCOMES = st.sampled_from(list(cast("tuple[Outcome, ...]", Outcome.__args__)))  # type: ignore[attr-defined]


class Clinic(RuleBasedStateMachine):
    """Makes each call on the product and applies it to the model."""

    def __init__(self, app: APIFlask, clock: StillClock, done: Counter[str]) -> None:
        super().__init__()
        self.app, self.clock, self.client = app, clock, app.test_client()
        self.provider = Provider()
        self.numbers: Iterator[int] = itertools.count(1)
        self.people: list[Person] = []
        self.slots: list[Slot] = []
        self.appointments: list[Appointment] = []
        self.mails: list[OwedMail] = []
        self.answered: list[Answered] = []
        self.done: Counter[str] = done
        clock.now = NOW
        empty(app)

    # Lists that rules draw from.

    @property
    def now(self) -> datetime:
        return self.clock.now

    @property
    def present(self) -> list[Person]:
        return [person for person in self.people if not person.gone]

    @property
    def doctors(self) -> list[Person]:
        return [person for person in self.present if person.role == "doctor"]

    @property
    def patients(self) -> list[Person]:
        return [person for person in self.present if person.role == "patient"]

    @property
    def repeatable(self) -> list[Answered]:
        return [answered for answered in self.answered if self.now - answered.at < KEPT]

    @property
    def days(self) -> list[date]:
        today = self.now.date()
        near = [today + timedelta(days=days) for days in (1, 0, 2, -1, 4000)]
        return [day for day in CHANGES if day > today] + near

    @property
    def free(self) -> list[Slot]:
        """The slots that can be booked, by a patient who is not busy then."""
        return [one for one in self.slots if not one.withdrawn and one.starts_at > self.now and not self.active(one)]

    @property
    def booked(self) -> list[Appointment]:
        """The appointments that can be cancelled."""
        return [one for one in self.appointments if one.shown_status(self.now) == "booked"]

    @property
    def bounds(self) -> list[datetime]:
        return sorted({edge for slot in self.slots for edge in (slot.starts_at, slot.ends_at) if edge > self.now})

    # Rules: what users do.

    def call(self, token: str | None, method: str, path: str, body: Any = None, key: str | None = None) -> TestResponse:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        if key is not None:
            headers["Idempotency-Key"] = key
        return self.client.open(path, method=method, json=body, headers=headers)

    def ask(self, person: Person, path: str) -> Any:
        answer = self.call(self.session(person), "GET", path)
        assert answer.status_code == 200, (path, answer.get_json())
        return answer.get_json()

    def session(self, person: Person) -> str:
        if not person.living:
            self.log_in(person)
        return person.living[-1]

    def log_in(self, person: Person) -> None:
        answer = self.call(None, "POST", "/auth/login", {"email": person.email, "password": PASSWORD})
        assert answer.status_code == 200, answer.get_json()
        person.living.append(answer.get_json()["access_token"])

    def write(
        self, person: Person, method: str, path: str, body: dict[str, Any] | None, *, keyed: bool, expect: int
    ) -> Any:
        key = f"key {next(self.numbers)}" if keyed else None
        header = None if key is None else f'"{key}"'
        answer = self.call(self.session(person), method, path, body, header)
        self.done[f"{method} {NUMBER.sub('<id>', path)} {expect}"] += 1
        assert answer.status_code == expect, (method, path, body, answer.get_json())
        if answer.status_code >= 400:
            error_of(answer)
        if header is not None and answer.status_code in {200, 201, 404, 409}:
            said = (answer.status_code, answer.data, self.now)
            self.answered.append(Answered(person, header, method, path, body, *said))
        return answer.get_json()

    @initialize(zones=st.lists(st.sampled_from(ZONES), min_size=2, max_size=2), keyed=KEYED)
    def open_the_clinic(self, zones: list[str], keyed: bool) -> None:  # noqa: FBT001 - drawn by name
        """Begin with appointments: Hypothesis leaves out many rules in each sequence, publishing and booking too."""
        for zone in zones:
            self.somebody_registers("doctor")
            doctor = self.doctors[-1]
            self.a_doctor_moves(doctor, zone)
            for days, hour, length in ((2, 23, 60), (1, 22, 240), (2, 8, 60)):
                self.a_doctor_publishes(doctor, NOW.date() + timedelta(days=days), time(hour), length, keyed)
            self.somebody_registers("patient")
            self.a_patient_books(self.patients[-1], self.slots[-1], keyed)

    @precondition(lambda self: len(self.people) < 2 * MOST_PEOPLE)
    @rule(role=st.sampled_from(["patient", "doctor"]))
    def somebody_registers(self, role: Literal["doctor", "patient"]) -> None:
        number = next(self.numbers)
        name, email = f"Person {number}", f"Person{number}@people.example"
        fields = {"name": name, "email": email, "password": PASSWORD, "role": role, "invitation_code": CODE}
        answer = self.call(None, "POST", "/auth/register", fields)
        assert answer.status_code == 201, answer.get_json()
        person = Person(answer.get_json()["id"], name, email, role)
        self.people.append(person)
        if role == "doctor":
            person.doctor_id = self.ask(person, "/doctor/profile")["doctor_id"]

    @some("people")
    @rule(person=one_of("people"))
    def somebody_registers_again(self, person: Person) -> None:
        """An address that has an account is refused in upper case too; after a deletion it can be registered again."""
        fields = {"name": "Again", "email": person.email.upper(), "password": PASSWORD, "role": "patient"}
        taken = any(other.email.lower() == person.email.lower() for other in self.present)
        if not taken and len(self.people) >= 2 * MOST_PEOPLE:
            return
        answer = self.call(None, "POST", "/auth/register", fields)
        assert answer.status_code == (409 if taken else 201), answer.get_json()
        if not taken:
            self.people.append(Person(answer.get_json()["id"], "Again", person.email.upper(), "patient"))

    @rule()
    def somebody_asks_in_vain(self) -> None:
        """Everything that is refused in any state, in one rule, so that most steps do something."""
        for code in (None, "", "wrong"):
            self.somebody_pretends_to_be_a_doctor(code)
        for person in self.present[:2]:
            self.write(person, "POST", f"/appointments/{UNKNOWN}/cancel", None, keyed=False, expect=404)
        for patient in self.patients[:1]:
            self.write(patient, "POST", "/appointments", {"slot_id": UNKNOWN}, keyed=True, expect=404)
            self.write(patient, "DELETE", f"/doctor/availability/{UNKNOWN}", None, keyed=False, expect=403)
        for doctor in self.doctors[:1]:
            self.write(doctor, "DELETE", f"/doctor/availability/{UNKNOWN}", None, keyed=False, expect=404)
            self.write(doctor, "POST", "/appointments", {"slot_id": self.slots[0].id}, keyed=False, expect=403)

    def somebody_pretends_to_be_a_doctor(self, code: str | None) -> None:
        fields = {"name": "Quack", "email": "quack@people.example", "password": PASSWORD, "role": "doctor"}
        answer = self.call(None, "POST", "/auth/register", fields | {"invitation_code": code})
        assert answer.status_code == (403 if code else 400), answer.get_json()

    @rule(person=one_of("people"), right=st.booleans())
    def somebody_logs_in(self, person: Person, right: bool) -> None:  # noqa: FBT001 - drawn by name
        known = {other.email.lower(): other for other in self.present}.get(person.email.lower())
        password = PASSWORD if right else "not the password"
        answer = self.call(None, "POST", "/auth/login", {"email": person.email.swapcase(), "password": password})
        assert answer.status_code == (200 if known and right else 401), answer.get_json()
        if known and right:
            known.living.append(answer.get_json()["access_token"])

    @rule(person=one_of("present"), everywhere=st.booleans())
    def somebody_logs_out(self, person: Person, everywhere: bool) -> None:  # noqa: FBT001 - drawn by name
        token = self.session(person)
        answer = self.call(token, "POST", "/auth/logout-everywhere" if everywhere else "/auth/logout")
        assert answer.status_code == 200, answer.get_json()
        if everywhere:
            person.end_sessions()
        else:
            person.living.remove(token)
            person.dead.append(token)

    @some("doctors")
    @rule(doctor=one_of("doctors"), zone=st.sampled_from(ZONES))
    def a_doctor_moves(self, doctor: Person, zone: str) -> None:
        answer = self.call(self.session(doctor), "POST", "/doctor/profile", {"time_zone": zone})
        assert answer.status_code == 200, answer.get_json()
        doctor.zone = zone

    @some("doctors")
    @rule(doctor=one_of("doctors"), day=one_of("days"), start=STARTS, length=LENGTHS, keyed=KEYED)
    def a_doctor_publishes(self, doctor: Person, day: date, start: time, length: int, keyed: bool) -> None:  # noqa: FBT001
        end = (datetime.combine(day, start) + timedelta(minutes=length)).time()
        typed = {"date": day.isoformat(), "start_time": f"{start:%H:%M}", "end_time": f"{end:%H:%M}"}
        shown = list(typed.values())
        if end == MIDNIGHT < start and keyed:
            typed["end_time"] = "24:00"
        end_day = day if start < end else day + timedelta(days=1)
        begins, stops = readings(day, start, doctor.zone), readings(end_day, end, doctor.zone)
        over_midnight = end <= start and end != MIDNIGHT
        possible = start != end and not (over_midnight and length % DAY_MINUTES > DAY_MINUTES / 2)
        expect = 400
        if possible and len(begins) == len(stops) == 1 and self.now < begins[0] < self.now + timedelta(days=3650):
            wanted = Slot(0, doctor, doctor.zone, *shown, begins[0], stops[0])
            own = [slot for slot in self.slots if slot.doctor is doctor and not slot.withdrawn]
            expect = 409 if any(wanted.overlaps(slot) for slot in own) else 201
        said = self.write(doctor, "POST", "/doctor/availability", typed, keyed=keyed, expect=expect)
        if expect == 201:
            self.slots.append(Slot(said["slot_id"], doctor, doctor.zone, *shown, begins[0], stops[0]))
            self.done["a slot over midnight"] += over_midnight
            self.done["a slot until midnight"] += end == MIDNIGHT

    @some("slots")
    @some("patients")
    @rule(patient=one_of("patients"), slot=one_of("slots"), keyed=KEYED)
    def a_patient_books(self, patient: Person, slot: Slot, keyed: bool) -> None:  # noqa: FBT001 - drawn by name
        if slot.withdrawn:
            expect = 404
        elif slot.starts_at <= self.now or self.active(slot) or self.is_busy(patient, slot):
            expect = 409
        else:
            expect = 201
        said = self.write(patient, "POST", "/appointments", {"slot_id": slot.id}, keyed=keyed, expect=expect)
        if expect == 201:
            self.appointments.append(Appointment(said["appointment_id"], slot, patient))
            self.expect_mail("booked", self.appointments[-1], patient)

    @some("free")
    @some("patients")
    @rule(patient=one_of("patients"), slot=one_of("free"), keyed=KEYED)
    def a_patient_books_a_free_slot(self, patient: Person, slot: Slot, keyed: bool) -> None:  # noqa: FBT001
        self.a_patient_books(patient, slot, keyed)

    @some("slots")
    @some("doctors")
    @rule(doctor=one_of("doctors"), slot=one_of("slots"), own=st.booleans(), keyed=KEYED)
    def a_doctor_withdraws(self, doctor: Person, slot: Slot, own: bool, keyed: bool) -> None:  # noqa: FBT001
        if own and not slot.doctor.gone:
            doctor = slot.doctor
        if slot.doctor is not doctor or slot.withdrawn:
            expect = 404
        else:
            expect = 409 if slot.starts_at <= self.now or self.active(slot) else 200
        self.write(doctor, "DELETE", f"/doctor/availability/{slot.id}", None, keyed=keyed, expect=expect)
        slot.withdrawn = slot.withdrawn or expect == 200

    @some("appointments")
    @rule(
        appointment=one_of("appointments"),
        who=st.sampled_from(["patient", "doctor", "anybody"]),
        data=st.data(),
        keyed=KEYED,
    )
    def somebody_cancels(self, appointment: Appointment, who: str, data: st.DataObject, keyed: bool) -> None:  # noqa: FBT001
        slot, parties = appointment.slot, {"patient": appointment.patient, "doctor": appointment.slot.doctor}
        person = parties[who] if who in parties else data.draw(st.sampled_from(self.present))
        if person.gone:
            return
        if person not in parties.values():
            expect = 403
        else:
            expect = 409 if appointment.cancelled or slot.starts_at <= self.now else 200
        self.write(person, "POST", f"/appointments/{appointment.id}/cancel", None, keyed=keyed, expect=expect)
        if expect == 200:
            appointment.cancelled = True
            self.expect_mail("cancelled", appointment, appointment.patient)
            self.expect_mail("cancelled", appointment, slot.doctor)

    @some("booked")
    @rule(appointment=one_of("booked"), who=st.sampled_from(["patient", "doctor"]), data=st.data(), keyed=KEYED)
    def a_party_cancels(self, appointment: Appointment, who: str, data: st.DataObject, keyed: bool) -> None:  # noqa: FBT001
        self.somebody_cancels(appointment, who, data, keyed)

    @some("doctors")
    @rule(doctor=one_of("doctors"))
    def a_doctor_leaves(self, doctor: Person) -> None:
        self.write(doctor, "DELETE", "/doctor/account", None, keyed=False, expect=200)
        doctor.gone = True
        doctor.end_sessions()
        for slot in self.slots:
            slot.withdrawn = slot.withdrawn or slot.doctor is doctor
        for appointment in self.appointments:
            if appointment.slot.doctor is doctor and appointment.shown_status(self.now) == "booked":
                appointment.cancelled = True
                self.expect_mail("cancelled", appointment, appointment.patient)

    @some("repeatable")
    @rule(first=one_of("repeatable"))
    def somebody_sends_it_again(self, first: Answered) -> None:
        """A repeated request gets the same bytes; the invariants check that it changes nothing."""
        if first.person.gone:
            answer = self.call(first.person.dead[-1], first.method, first.path, first.body, first.key)
            assert answer.status_code == 401
            return
        answer = self.call(self.session(first.person), first.method, first.path, first.body, first.key)
        assert (answer.status_code, answer.data) == (first.status, first.said)

    @some("repeatable")
    @rule(first=one_of("repeatable"))
    def somebody_takes_a_key_for_another_request(self, first: Answered) -> None:
        if not first.person.gone:
            path = f"/appointments/{UNKNOWN}/cancel"
            answer = self.call(self.session(first.person), "POST", path, None, first.key)
            assert answer.status_code == 422, answer.get_json()

    @rule(minutes=st.sampled_from([1, 30, 60, 24 * 60]))
    def time_passes(self, minutes: int) -> None:
        self.clock.forward(minutes=minutes)

    @some("bounds")
    @rule(instant=one_of("bounds"), early=st.booleans())
    def time_passes_to_the_edge_of_a_slot(self, instant: datetime, early: bool) -> None:  # noqa: FBT001 - drawn by name
        self.clock.now = max(self.now, instant - timedelta(seconds=1) if early else instant)

    @some("mails")
    @rule(minutes=st.sampled_from([1, 30, 24 * 60]), outcomes=st.lists(OUTCOMES, max_size=2))
    def the_worker_delivers_later(self, minutes: int, outcomes: list[Outcome]) -> None:
        """Deliver after the pauses and leases of earlier attempts."""
        self.time_passes(minutes)
        self.the_worker_delivers(outcomes)

    @some("mails")
    @rule(outcomes=st.lists(OUTCOMES, min_size=1, max_size=4))
    def the_worker_delivers(self, outcomes: list[Outcome]) -> None:
        """Deliver until no mail is due. The first calls to the provider have the drawn outcomes, later ones succeed."""
        self.provider.outcomes = deque(outcomes)
        self.provider.tried.clear()
        for owed in self.may_go():
            if owed.is_useless(self.now):
                owed.state = "dropped"
        found = True
        while found:
            with self.app.app_context(), contextlib.suppress(Killed):
                found = deliver_due(transaction, self.provider, self.clock, self.app.extensions["settings"], AT_ONCE)
        for key, outcome in self.provider.tried:
            self.was_tried(key, outcome)
        assert self.may_go() == [], "a due mail was not sent"

    @rule()
    def people_look_at_their_dashboards(self) -> None:
        for patient in self.patients:
            own = [one for one in self.appointments if one.patient is patient]
            ahead = sorted(
                (one for one in own if one.shown_status(self.now) == "booked"), key=lambda one: one.slot.starts_at
            )
            shown = self.ask(patient, "/patient/dashboard")
            assert (shown["appointments_ahead"], shown["appointments_total"]) == (len(ahead), len(own))
            assert shown["next_appointment"] == (self.listed(ahead[0], "doctor_name") if ahead else None)
        for doctor in self.doctors:
            own = [slot for slot in self.slots if slot.doctor is doctor and not slot.withdrawn]
            offered = [slot for slot in own if slot.starts_at > self.now]
            taken = [slot for slot in offered if self.active(slot)]
            shown = self.ask(doctor, "/doctor/dashboard")
            assert (shown["free_slots"], shown["booked_slots"]) == (len(offered) - len(taken), len(taken))

    # Invariants: what must be true after every step.

    @invariant()
    def lists_tell_the_whole_history(self) -> None:
        newest_first = sorted(self.appointments, key=lambda one: one.id, reverse=True)
        for patient in self.patients:
            expected = [self.listed(one, "doctor_name") for one in newest_first if one.patient is patient]
            assert self.ask(patient, "/appointments/my")["data"] == expected
        for doctor in self.doctors:
            expected = [self.listed(one, "patient_name") for one in newest_first if one.slot.doctor is doctor]
            assert self.ask(doctor, "/appointments/doctor")["data"] == expected

    @invariant()
    def offered_is_what_can_be_booked(self) -> None:
        if not self.patients:
            return
        patient = self.patients[0]
        for doctor in (person for person in self.people if person.role == "doctor"):
            path = f"/patient/doctors/{doctor.doctor_id}/availability"
            if doctor.gone:
                assert self.call(self.session(patient), "GET", path).status_code == 404
                continue
            free = [
                {"slot_id": slot.id, **clock_of(slot)}
                for slot in sorted(self.slots, key=lambda slot: slot.starts_at)
                if slot.doctor is doctor and not slot.withdrawn and slot.starts_at > self.now and not self.active(slot)
            ]
            assert self.ask(patient, path)["data"] == free

    @invariant()
    def patients_find_the_doctors_who_are_there(self) -> None:
        if self.patients:
            found = self.ask(self.patients[0], "/patient/doctors?limit=100")
            ids = [doctor.doctor_id for doctor in self.doctors]
            assert ([one["id"] for one in found["data"]], found["total"]) == (ids, len(ids))

    @invariant()
    def nobody_is_in_two_places_at_once(self) -> None:
        active = [one for one in self.appointments if not one.cancelled]
        for one, other in itertools.combinations(active, 2):
            if one.patient is other.patient or one.slot.doctor is other.slot.doctor:
                assert not one.slot.overlaps(other.slot), (one, other)

    @invariant()
    def ended_sessions_stay_ended(self) -> None:
        for person in self.people:
            for token in person.dead[-2:]:
                error_of(answer := self.call(token, "GET", "/auth/me"))
                assert answer.status_code == 401

    @invariant()
    def one_mail_per_event_and_recipient(self) -> None:
        """The outbox has exactly the model's mails, in the same states; addresses of deleted accounts are erased."""
        rows = self.query(
            "SELECT e.event, o.appointment_id, o.recipient_id, o.recipient, o.status FROM outbox o"
            " JOIN appointment_events e ON e.id = o.event_id ORDER BY o.id"
        )
        word = {"waiting": "waiting", "sent": "sent", "dropped": "dropped", "set aside": "set_aside"}
        expected = [
            (
                owed.event,
                owed.appointment.id,
                owed.recipient.id,
                None if owed.recipient.gone and owed.state != "waiting" else owed.address,
                word[owed.state],
            )
            for owed in self.mails
        ]
        assert sorted(rows, key=str) == sorted(expected, key=str)

    # Queries of the model.

    def active(self, slot: Slot) -> bool:
        return any(one.slot is slot and not one.cancelled for one in self.appointments)

    def is_busy(self, patient: Person, slot: Slot) -> bool:
        own = (one.slot for one in self.appointments if one.patient is patient and not one.cancelled)
        return any(slot.overlaps(other) for other in own)

    def listed(self, one: Appointment, other: Literal["doctor_name", "patient_name"]) -> dict[str, Any]:
        name = one.slot.doctor.name if other == "doctor_name" else one.patient.name
        status = one.shown_status(self.now)
        return {"appointment_id": one.id, other: name, "status": status, **clock_of(one.slot)}

    def expect_mail(self, event: Literal["booked", "cancelled"], about: Appointment, to: Person) -> None:
        self.mails.append(OwedMail(event, about, to, to.email, due=self.now))

    def may_go(self) -> list[OwedMail]:
        """Return the due mails, except those that must wait for an earlier mail of their appointment and recipient."""
        first: dict[tuple[int, int], OwedMail] = {}
        for owed in self.mails:
            if owed.state == "waiting" and not owed.is_useless(self.now):
                first.setdefault((owed.appointment.id, owed.recipient.id), owed)
        useless = [one for one in self.mails if one.state == "waiting" and one.is_useless(self.now)]
        return [owed for owed in (*first.values(), *useless) if owed.due <= self.now]

    def was_tried(self, key: str, outcome: Outcome) -> None:
        [(event, appointment_id, recipient_id)] = self.query(
            "SELECT e.event, o.appointment_id, o.recipient_id FROM outbox o"
            " JOIN appointment_events e ON e.id = o.event_id WHERE o.key = :key",
            key=key,
        )
        [owed] = [
            one
            for one in self.may_go()
            if (one.event, one.appointment.id, one.recipient.id) == (event, appointment_id, recipient_id)
        ]
        self.done[f"mail {outcome}"] += 1
        mail, slot = self.provider.seen[key], owed.appointment.slot
        assert mail.to == owed.address
        assert owed.event in mail.subject
        for fact in (slot.doctor.name, owed.appointment.patient.name, slot.start, slot.end, slot.zone):
            assert fact in mail.text, fact
        assert ("the next day" in mail.text) == (slot.end <= slot.start)
        if outcome == "accepted":
            owed.state = "sent"
        elif outcome == "refused":
            owed.state = "set aside"
        elif outcome == "killed":
            owed.due = self.now + LEASE
        else:
            owed.due = self.now + timedelta(seconds=90)

    def query(self, sql: str, **values: Any) -> list[tuple[Any, ...]]:
        with self.app.app_context(), transaction(writes=False) as db:
            return [tuple(row) for row in db.execute(text(sql), values)]


def clock_of(slot: Slot) -> dict[str, str]:
    zone = ZoneInfo(slot.zone)
    return {
        "date": slot.date,
        "start_time": slot.start,
        "end_time": slot.end,
        "starts_at": slot.starts_at.astimezone(zone).isoformat(),
        "ends_at": slot.ends_at.astimezone(zone).isoformat(),
        "time_zone": slot.zone,
    }


def empty(app: APIFlask) -> None:
    """Delete all rows, in the order of TABLES, which respects foreign keys."""
    engine = create_engine(app.extensions["settings"].database_url, poolclass=NullPool)
    with engine.begin() as connection:
        for table in TABLES:
            connection.execute(text(f"DELETE FROM {table}"))


def test_the_product_matches_the_model_after_any_sequence_of_calls(make_app: MakeApp, clock: StillClock) -> None:
    # Throttling has tests of its own, so it is off here.
    app = make_app(
        login_failures_per_account=1_000_000,
        login_failures_per_address=1_000_000,
        invitation_failures_per_address=1_000_000,
    )
    done: Counter[str] = Counter()
    run_state_machine_as_test(
        lambda: Clinic(app, clock, done),
        settings=settings(
            max_examples=12,
            stateful_step_count=25,
            deadline=None,
            # The same steps in every run, so that `./test` gives everybody the same result.
            derandomize=True,
            database=None,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        ),
    )
    # The sequences must reach the states that the invariants are about.
    wanted = {
        "POST /doctor/availability 201": 25,
        "a slot over midnight": 10,
        "a slot until midnight": 10,
        "POST /appointments 201": 20,
        "POST /appointments 409": 2,
        "POST /appointments/<id>/cancel 200": 3,
        "POST /appointments/<id>/cancel 409": 1,
        "DELETE /doctor/availability/<id> 200": 1,
        "DELETE /doctor/account 200": 1,
        "mail accepted": 5,
    }
    assert {what: done[what] for what, least in wanted.items() if done[what] < least} == {}, done
    assert sum(done[f"mail {outcome}"] for outcome in ("accepted unheard", "delayed", "refused", "killed")) >= 5, done

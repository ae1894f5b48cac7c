"""Random sequences of everything that users do, compared with a model after each step, on both databases.

The model is plain Python. It implements the documented behaviour independently of the product, and every list that the
API returns must match it. What can be booked, oracle.py decides.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import re
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
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
from src.models.user import FORMER_PATIENT
from src.services.mail import Mail, MailDelayed, MailRefused
from src.services.memory_mailer import MemoryMailer
from src.tasks.delivery import deliver_due
from tests.conftest import AT_ONCE, NOW, TABLES, MakeApp, StillClock
from tests.people import CODE, PASSWORD, error_of
from tests.properties import oracle
from tests.properties.oracle import Hours, Kind, Shape, Target, Visit, instant, minute_at

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
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
FIRST_TYPE = Shape(30, 0, 0, 30)
# What the clinic allows patients: the notice in minutes, appointments ahead in all and with one doctor, and changes.
NOTICE, MOST_AHEAD, MOST_WITH_DOCTOR, CHANGES_PER_HOUR = 30, 6, 4, 8
HOUR = timedelta(hours=1)
RESETS = timedelta(minutes=30)

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
    practice: oracle.Doctor | None = None
    # A doctor's own policies, and when a patient booked, moved and cancelled.
    notice: int | None = None
    most_ahead: int | None = None
    changes: list[datetime] = field(default_factory=list)
    password: str = PASSWORD
    # How often all sessions have ended.
    epoch: int = 0
    gone: bool = False
    living: list[str] = field(default_factory=list)
    dead: list[str] = field(default_factory=list)

    def __repr__(self) -> str:
        return f"<{self.name}>"

    @property
    def hours(self) -> oracle.Doctor:
        """What the oracle knows of a doctor."""
        assert self.practice is not None
        return self.practice

    def end_sessions(self) -> None:
        self.dead += self.living
        self.living.clear()
        self.epoch += 1


@dataclass(eq=False)
class Slot:
    """A published slot, with the date and times as the doctor entered them; or a computed time, which has a kind."""

    id: int
    doctor: Person
    zone: str
    date: str
    start: str
    end: str
    starts_at: datetime
    ends_at: datetime
    kind: Kind | None = None
    place: str | None = None
    withdrawn: bool = False

    def __repr__(self) -> str:
        return f"<slot {self.id}: {self.doctor.name} {self.date} {self.start}-{self.end} {self.zone}>"

    @property
    def target(self) -> Target:
        begin, until = minute_at(self.starts_at), minute_at(self.ends_at)
        before, after = (self.kind.shapes[self.id // 2**24][1:3]) if self.kind else (0, 0)
        busy = range(begin - before, until + after)
        return Target(self.id, self.doctor.hours, begin, until, busy, self.kind)

    @property
    def unknown(self) -> bool:
        """Whether it cannot be booked any more, whatever its time."""
        if self.doctor.gone or self.kind is None:
            return self.withdrawn
        return self.id // 2**24 != self.kind.version

    def overlaps(self, other: Slot) -> bool:
        return self.starts_at < other.ends_at and other.starts_at < self.ends_at


@dataclass(eq=False)
class Appointment:
    """A booking, which stays in the lists even if it is cancelled."""

    id: int
    slot: Slot
    patient: Person
    visit: Visit
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

    event: Literal["booked", "cancelled", "rescheduled"]
    appointment: Appointment
    slot: Slot
    was: Slot | None
    recipient: Person
    address: str
    due: datetime
    reason: str | None = None
    # What the first attempt called the patient; later ones say the same.
    patient_name: str | None = None
    state: Literal["waiting", "sent", "dropped", "set aside"] = "waiting"

    def is_useless(self, now: datetime) -> bool:
        return self.event == "booked" and self.slot.ends_at <= now


@dataclass(frozen=True, eq=False)
class ResetToken:
    """A token that a mail brought; it works once, and until the sessions of the account end for another reason."""

    text: str
    person: Person
    epoch: int
    until: datetime

    def works(self, now: datetime) -> bool:
        return not self.person.gone and self.person.epoch == self.epoch and now < self.until


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
OPEN = st.tuples(
    st.integers(0, 6),
    st.sampled_from([(0, 180), (60, 240), (540, 660), (1320, 1440), (0, 60)]),
    st.sampled_from([None, None, "Ward"]),
)
ROWS = st.lists(OPEN, min_size=1, max_size=3, unique_by=lambda row: row[0])
REASONS = st.sampled_from([None, None, "I am away."])
KINDS = st.builds(
    Kind,
    st.builds(
        Shape,
        st.sampled_from([30, 30, 45]),
        st.sampled_from([0, 0, 15]),
        st.sampled_from([0, 0, 10]),
        st.sampled_from([30, 45]),
    ),
    notice=st.sampled_from([0, 0, 60]),
    horizon=st.sampled_from([7, 3]),
    most_per_day=st.sampled_from([None, None, 1, 2]),
    seats=st.sampled_from([1, 1, 2]),
    by_staff=st.just(False),
    place=st.sampled_from([None, None, "Surgery"]),
)
# Which of the offered times, and by how many minutes beside it.
NTH, BESIDE = st.integers(0, 9), st.sampled_from([0, 0, 0, 0, 15, -30])
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
        self.model = oracle.World(NOW)
        self.appointments: list[Appointment] = []
        self.mails: list[OwedMail] = []
        self.answered: list[Answered] = []
        self.tokens: list[ResetToken] = []
        # How often each account got a new password.
        self.new_passwords: Counter[int] = Counter()
        # The names of those who have left.
        self.erased: list[str] = []
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
    def world(self) -> oracle.World:
        self.model.now = self.now
        return self.model

    @property
    def free(self) -> list[Slot]:
        """The slots that can be booked, by a patient who is not busy then and holds nothing."""
        return [one for one in self.slots if self.world.is_slot_free(self.world.slot(one.id), 0)]

    @property
    def open_doctors(self) -> list[Person]:
        """The doctors who have hours."""
        return [doctor for doctor in self.doctors if doctor.hours.hours]

    @property
    def held(self) -> list[Visit]:
        return [visit for visit in self.world.visits if self.world.is_held(visit)]

    @property
    def booked(self) -> list[Appointment]:
        """The appointments that can be cancelled."""
        return [one for one in self.appointments if one.shown_status(self.now) == "booked"]

    @property
    def bounds(self) -> list[datetime]:
        edges = {edge for slot in self.slots for edge in (slot.starts_at, slot.ends_at)}
        edges |= {instant(edge) for visit in self.model.visits for edge in (visit.begin, visit.until)}
        edges |= {visit.held_until for visit in self.held if visit.held_until is not None}
        return sorted(edge for edge in edges if edge > self.now)

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
        answer = self.call(None, "POST", "/auth/login", {"email": person.email, "password": person.password})
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
            for slot in (self.slots[-3], self.slots[-1]):
                self.move(self.appointments[-1], doctor, slot, keyed)
            self.a_doctor_changes_the_visit_type(
                doctor, Kind(FIRST_TYPE, 0, 7, None, 1, by_staff=False, place=None), keyed
            )
            self.a_doctor_opens(doctor, [(2, (540, 660), None), (6, (0, 180), "Ward")], keyed)
            self.a_patient_takes_a_time(self.patients[-1], doctor, 0, 0, keyed)
            self.a_patient_moves_to_a_time(self.appointments[-1], keyed)
            for then in ("releases it", "books it"):
                self.a_patient_holds(self.patients[-1], doctor, 1, 0, 15, published=False, then=then)
            self.a_doctor_withdraws(doctor, self.slots[-2], own=True, keyed=keyed)
            self.policies_bind_patients(doctor, self.patients[-1], keyed)
            self.overlapping_times_are_withdrawn(doctor, self.patients[-1], keyed)
        self.another_patient_forgets_the_password_and_leaves(self.doctors[-1], keyed)

    def a_patient_moves_to_a_time(self, appointment: Appointment, keyed: bool) -> None:  # noqa: FBT001
        patient, doctor = appointment.patient, appointment.slot.doctor
        if (new := self.some_time(doctor, patient, 3, 0, appointment.visit)) is not None:
            self.move(appointment, patient, new, keyed)

    def another_patient_forgets_the_password_and_leaves(self, doctor: Person, keyed: bool) -> None:  # noqa: FBT001
        self.somebody_registers("patient")
        patient = self.patients[-1]
        self.a_patient_takes_a_time(patient, doctor, -1, 0, keyed)
        # The first patient has this slot.
        self.a_patient_holds(patient, doctor, 2, 0, 15, published=True, then="nothing")
        self.somebody_has_an_old_password(patient, "resets it")
        self.a_patient_leaves(patient)

    def policies_bind_patients(self, doctor: Person, patient: Person, keyed: bool) -> None:  # noqa: FBT001
        self.a_doctor_sets_policies(doctor, 30 * DAY_MINUTES, 1, keyed)
        self.a_patient_books(patient, self.slots[-3], keyed)
        self.cancel(self.appointments[-1], patient, None, withdraw=False, keyed=keyed)
        self.a_doctor_sets_policies(doctor, None, None, keyed)

    def overlapping_times_are_withdrawn(self, doctor: Person, patient: Person, keyed: bool) -> None:  # noqa: FBT001
        """Withdraw a slot in the hours, then a computed time that a slot overlaps."""
        for is_published in (True, False):
            if (wanted := self.some_time(doctor, patient, -1, 0)) is not None:
                self.a_doctor_publishes_at(wanted, keyed)
                self.a_patient_books(patient, self.slots[-1] if is_published else wanted, keyed)
                self.cancel(self.appointments[-1], doctor, None, withdraw=True, keyed=keyed)

    def a_doctor_publishes_at(self, slot: Slot, keyed: bool) -> None:  # noqa: FBT001
        """Publish a slot that begins with this one, where the doctor's clocks show it then."""
        start, _ = self.clocks(slot.doctor, slot)
        self.a_doctor_publishes(slot.doctor, start.date(), start.time(), 15, keyed)

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
            kind = Kind(FIRST_TYPE, 0, 56, None, 1, by_staff=False, place=None)
            kind.id = self.ask(person, "/doctor/visit-types")["data"][0]["id"]
            person.practice = oracle.Doctor(person.doctor_id, person.id, "UTC", kinds=[kind])
            self.model.doctors.append(person.practice)
            self.note_version(kind)

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
        password = known.password if known and right else "not the password"
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

    @rule(person=one_of("present"), how=st.sampled_from(["changes it", "guesses", "forgets it", "resets it"]))
    def somebody_has_an_old_password(self, person: Person, how: str) -> None:
        """Change it, or forget it: the mail comes at once, and its token is used twice now, or perhaps later."""
        if how in {"changes it", "guesses"}:
            self.change_password(person, right=how == "changes it")
            return
        answer = self.call(None, "POST", "/auth/password/forgot", {"email": person.email.swapcase()})
        assert answer.status_code == 200, answer.get_json()
        self.the_worker_delivers([])
        mails = [mail for mail in self.provider.accepted.values() if is_of_reset(mail) and mail.to == person.email]
        [token] = re.findall(r"^[\w-]{32}$", mails[-1].text, re.MULTILINE)
        self.tokens.append(ResetToken(token, person, person.epoch, self.now + RESETS))
        for _ in range(2 if how == "resets it" else 0):
            self.somebody_uses_a_token(self.tokens[-1])

    @some("tokens")
    @rule(token=one_of("tokens"))
    def somebody_uses_a_token(self, token: ResetToken) -> None:
        password, expect = f"password {next(self.numbers)}", 200 if token.works(self.now) else 400
        answer = self.call(None, "POST", "/auth/password/reset", {"token": token.text, "password": password})
        assert answer.status_code == expect, answer.get_json()
        self.done[f"a reset {expect}"] += 1
        if expect == 200:
            token.person.end_sessions()
            self.has_password(token.person, password)

    def change_password(self, person: Person, *, right: bool) -> None:
        new, current = f"password {next(self.numbers)}", person.password if right else "not the password"
        body = {"current_password": current, "new_password": new}
        answer = self.call(self.session(person), "POST", "/auth/password", body)
        assert answer.status_code == (200 if right else 403), answer.get_json()
        self.done[f"POST /auth/password {answer.status_code}"] += 1
        if right:
            person.end_sessions()
            person.living.append(answer.get_json()["access_token"])
            self.has_password(person, new)

    def has_password(self, person: Person, password: str) -> None:
        """Find out that the new password opens and the old one does not."""
        self.new_passwords[person.id] += 1
        old, person.password = person.password, password
        self.log_in(person)
        answer = self.call(None, "POST", "/auth/login", {"email": person.email, "password": old})
        assert answer.status_code == 401, answer.get_json()

    @some("doctors")
    @rule(doctor=one_of("doctors"), zone=st.sampled_from(ZONES))
    def a_doctor_moves(self, doctor: Person, zone: str) -> None:
        answer = self.call(self.session(doctor), "POST", "/doctor/profile", {"time_zone": zone})
        assert answer.status_code == 200, answer.get_json()
        if doctor.zone != zone:
            doctor.zone = doctor.hours.zone = zone
            doctor.hours.lay(self.now)

    @some("doctors")
    @rule(doctor=one_of("doctors"), rows=ROWS, keyed=KEYED)
    def a_doctor_opens(self, doctor: Person, rows: list[tuple[int, tuple[int, int], str | None]], keyed: bool) -> None:  # noqa: FBT001
        weekly = [
            {"weekday": WEEKDAYS[day], "from": clock(begin), "until": clock(until), "place": place}
            for day, (begin, until), place in rows
        ]
        body = {"time_zone": doctor.zone, "weekly": weekly}
        self.write(doctor, "PUT", "/doctor/hours", body, keyed=keyed, expect=200)
        doctor.hours.hours = [Hours(day, *times, None, None, None, place) for day, times, place in rows]
        doctor.hours.lay(self.now)

    @some("doctors")
    @rule(doctor=one_of("doctors"), wanted=KINDS, keyed=KEYED)
    def a_doctor_changes_the_visit_type(self, doctor: Person, wanted: Kind, keyed: bool) -> None:  # noqa: FBT001
        [kind] = doctor.hours.kinds
        kind.shape, kind.notice, kind.horizon, kind.seats = wanted.shape, wanted.notice, wanted.horizon, wanted.seats
        kind.most_per_day, kind.place = wanted.most_per_day, wanted.place
        minutes, before, after, step = kind.shape
        body = {
            "name": "Consultation",
            "minutes": minutes,
            "buffer_before": before,
            "buffer_after": after,
            "step": step,
        }
        body |= {"minimum_notice": kind.notice, "horizon": kind.horizon, "most_per_day": kind.most_per_day}
        body |= {"capacity": kind.seats, "place": kind.place}
        self.write(doctor, "PUT", f"/doctor/visit-types/{kind.id}", body, keyed=keyed, expect=200)
        self.note_version(kind)
        doctor.hours.lay(self.now)

    def note_version(self, kind: Kind) -> None:
        sql = "SELECT max(id) FROM visit_type_versions WHERE visit_type_id = :kind"
        [(kind.version,)] = self.query(sql, kind=kind.id)
        kind.shapes[kind.version] = kind.shape

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
            wanted.id = said["slot_id"]
            self.slots.append(wanted)
            target = wanted.target
            self.model.slots.append(oracle.Slot(wanted.id, doctor.hours, target.begin, target.until))
            self.done["a slot over midnight"] += over_midnight
            self.done["a slot until midnight"] += end == MIDNIGHT

    @some("slots")
    @some("patients")
    @rule(patient=one_of("patients"), slot=one_of("slots"), keyed=KEYED)
    def a_patient_books(self, patient: Person, slot: Slot, keyed: bool) -> None:  # noqa: FBT001 - drawn by name
        target, me = slot.target, patient.id
        hold = self.world.hold_of(target, me)
        limit = self.limit_of(patient, slot.doctor)
        if slot.doctor.gone:
            expect = 404
        elif limit is not None:
            expect = limit
        elif self.world.can_book(target, me):
            expect = 201
        else:
            expect = 404 if slot.unknown else 409
        released, of_day = self.world.released_by(target, me), self.world.of_day(target, me)
        said = self.write(patient, "POST", "/appointments", {"slot_id": slot.id}, keyed=keyed, expect=expect)
        if expect != 201:
            return
        patient.changes.append(self.now)
        number = said["appointment_id"]
        if hold is not None:
            assert number == hold.id
            hold.state, hold.held_until = "booked", None
            hold.day, hold.nth = of_day
            self.model.drop(one for one in released if one is not hold)
            self.done["a hold is booked"] += 1
        else:
            self.model.drop(released)
            hold = visit_at(target, number, me, of_day)
            self.model.visits.append(hold)
        self.done["a computed time is booked"] += slot.kind is not None
        self.appointments.append(Appointment(number, slot, patient, hold))
        self.expect_mail("booked", self.appointments[-1], patient)

    @some("free")
    @some("patients")
    @rule(patient=one_of("patients"), slot=one_of("free"), keyed=KEYED)
    def a_patient_books_a_free_slot(self, patient: Person, slot: Slot, keyed: bool) -> None:  # noqa: FBT001
        self.a_patient_books(patient, slot, keyed)

    @some("open_doctors")
    @some("patients")
    @rule(
        patient=one_of("patients"),
        doctor=one_of("open_doctors"),
        nth=NTH,
        beside=BESIDE,
        keyed=KEYED,
        then=st.sampled_from(["nothing", "patient", "doctor", "closed"]),
        data=st.data(),
    )
    def a_patient_takes_a_time_and_it_is_moved(
        self,
        patient: Person,
        doctor: Person,
        nth: int,
        beside: int,
        keyed: bool,  # noqa: FBT001
        then: str,
        data: st.DataObject,
    ) -> None:
        number = len(self.appointments)
        self.a_patient_takes_a_time(patient, doctor, nth, beside, keyed)
        if len(self.appointments) == number:
            return
        if then == "closed":
            self.cancel(self.appointments[-1], doctor, "I am away.", withdraw=True, keyed=keyed)
        elif then != "nothing":
            self.somebody_moves(self.appointments[-1], then, "time", nth + 1, 0, data, keyed)

    def a_patient_takes_a_time(self, patient: Person, doctor: Person, nth: int, beside: int, keyed: bool) -> None:  # noqa: FBT001
        if (slot := self.some_time(doctor, patient, nth, beside)) is not None:
            self.a_patient_books(patient, slot, keyed)

    @some("open_doctors")
    @some("patients")
    @rule(
        patient=one_of("patients"),
        doctor=one_of("open_doctors"),
        nth=NTH,
        beside=BESIDE,
        minutes=st.sampled_from([1, 15]),
        published=st.booleans(),
        then=st.sampled_from(["books it", "books it", "somebody else books it", "nothing", "waits", "releases it"]),
    )
    def a_patient_holds(
        self,
        patient: Person,
        doctor: Person,
        nth: int,
        beside: int,
        minutes: int,
        published: bool,  # noqa: FBT001
        then: str,
    ) -> None:
        slot = self.slots[nth % len(self.slots)] if published else self.some_time(doctor, patient, nth, beside)
        if slot is None:
            return
        target, me = slot.target, patient.id
        hold = self.world.hold_of(target, me)
        until = self.now + timedelta(minutes=minutes)
        limit = self.limit_of(patient, slot.doctor)
        if slot.doctor.gone:
            expect = 404
        elif limit is not None:
            expect = limit
        elif self.world.can_hold(target, me, until):
            expect = 201
        else:
            expect = 404 if slot.unknown else 409
        released, of_day = self.world.released_by(target, me), self.world.of_day(target, me)
        body = {"slot_id": slot.id, "minutes": minutes}
        said = self.write(patient, "POST", "/holds", body, keyed=False, expect=expect)
        if expect == 201:
            if hold is None:
                self.model.drop(released)
                hold = visit_at(target, said["hold_id"], me, of_day)
                hold.state, hold.held_since = "held", self.now
                self.model.visits.append(hold)
            assert said["hold_id"] == hold.id
            hold.held_until = min(until, oracle.last_end(hold))
            if then == "waits":
                self.clock.forward(minutes=minutes)
            elif then == "releases it":
                self.a_patient_releases(hold, patient, own=True, keyed=False)
            elif then != "nothing":
                self.offered_is_what_can_be_booked()
                who = patient if then == "books it" else self.patients[nth % len(self.patients)]
                self.a_patient_books(who, slot, keyed=False)

    @some("held")
    @some("patients")
    @rule(hold=one_of("held"), patient=one_of("patients"), own=st.booleans(), keyed=KEYED)
    def a_patient_releases(self, hold: Visit, patient: Person, own: bool, keyed: bool) -> None:  # noqa: FBT001
        if own:
            [patient] = [person for person in self.people if person.id == hold.patient]
        expect = 200 if patient.id == hold.patient else 404
        self.write(patient, "DELETE", f"/holds/{hold.id}", None, keyed=keyed, expect=expect)
        if expect == 200:
            self.model.drop([hold])

    @some("booked")
    @rule(
        appointment=one_of("booked"),
        who=st.sampled_from(["patient", "patient", "doctor", "anybody"]),
        to=st.sampled_from(["time", "slot", "time of anybody"]),
        nth=NTH,
        beside=BESIDE,
        data=st.data(),
        keyed=KEYED,
    )
    def somebody_moves(
        self,
        appointment: Appointment,
        who: str,
        to: str,
        nth: int,
        beside: int,
        data: st.DataObject,
        keyed: bool,  # noqa: FBT001
    ) -> None:
        old, patient = appointment.slot, appointment.patient
        person = {"patient": patient, "doctor": old.doctor}.get(who) or data.draw(st.sampled_from(self.present))
        by_staff = person is old.doctor
        doctor = old.doctor
        if to == "time of anybody" and self.doctors:
            doctor = data.draw(st.sampled_from(self.doctors))
        new = self.slots[nth % len(self.slots)]
        if to != "slot":
            new = self.some_time(doctor, patient, nth, beside, appointment.visit, by_staff=by_staff) or new
        self.move(appointment, person, new, keyed)

    def move(self, appointment: Appointment, person: Person, new: Slot, keyed: bool) -> None:  # noqa: FBT001
        old, patient = appointment.slot, appointment.patient
        target = new.target
        expect = self.answer_to_move(appointment, person, new)
        released = self.world.released_by(target, patient.id, appointment.visit)
        of_day = self.world.of_day(target, patient.id, appointment.visit)
        path = f"/appointments/{appointment.id}/reschedule"
        self.write(person, "POST", path, {"slot_id": new.id}, keyed=keyed, expect=expect)
        if expect != 200:
            return
        self.model.drop(released)
        vars(appointment.visit).update(vars(visit_at(target, appointment.id, patient.id, of_day)))
        appointment.slot = new
        if person is patient:
            patient.changes.append(self.now)
        self.done[f"moved to a {'published slot' if new.kind is None else 'computed time'}"] += 1
        self.done[f"moved by a {person.role}"] += 1
        for recipient in dict.fromkeys([patient, new.doctor, old.doctor]):
            self.expect_mail("rescheduled", appointment, recipient, old)

    def answer_to_move(self, appointment: Appointment, person: Person, new: Slot) -> int:
        """Return the status that the person gets for moving the appointment there."""
        old, patient = appointment.slot, appointment.patient
        by_staff = person is old.doctor
        if person not in (patient, old.doctor) or (by_staff and new.doctor is not person):
            return 403
        if new.doctor.gone:
            return 404
        if new.id == old.id or (not by_staff and self.is_too_late(appointment)):
            return 409
        if not by_staff and (limit := self.limit_of(patient, new.doctor, appointment)) is not None:
            return limit
        if new.unknown:
            return 404
        return 200 if self.world.can_move(appointment.visit, new.target, by_staff=by_staff) else 409

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
        self.model.slot(slot.id).is_withdrawn = slot.withdrawn

    @some("appointments")
    @rule(
        appointment=one_of("appointments"),
        who=st.sampled_from(["patient", "doctor", "anybody"]),
        reason=REASONS,
        withdraw=st.booleans(),
        data=st.data(),
        keyed=KEYED,
    )
    def somebody_cancels(
        self,
        appointment: Appointment,
        who: str,
        reason: str | None,
        withdraw: bool,  # noqa: FBT001
        data: st.DataObject,
        keyed: bool,  # noqa: FBT001
    ) -> None:
        parties = {"patient": appointment.patient, "doctor": appointment.slot.doctor}
        person = parties[who] if who in parties else data.draw(st.sampled_from(self.present))
        if not person.gone:
            self.cancel(appointment, person, reason, withdraw=withdraw, keyed=keyed)

    def cancel(
        self, appointment: Appointment, person: Person, reason: str | None, *, withdraw: bool, keyed: bool
    ) -> None:
        slot, is_patient = appointment.slot, person is appointment.patient
        if person not in (appointment.patient, slot.doctor) or (withdraw and is_patient):
            expect = 403
        elif appointment.cancelled or slot.starts_at <= self.now:
            expect = 409
        else:
            expect = 409 if is_patient and self.is_too_late(appointment) else 200
            self.done["too late to cancel"] += expect == 409
        body = {"reason": reason, "withdraw": withdraw} if reason or withdraw else None
        self.write(person, "POST", f"/appointments/{appointment.id}/cancel", body, keyed=keyed, expect=expect)
        if expect != 200:
            return
        self.is_cancelled(appointment, None if is_patient else reason)
        if is_patient:
            person.changes.append(self.now)
        if withdraw:
            self.withdraw(slot)

    def is_cancelled(self, appointment: Appointment, reason: str | None) -> None:
        """Note it; the mails have the reason if the doctor gave it."""
        appointment.cancelled, appointment.visit.state = True, "cancelled"
        for recipient in (appointment.patient, appointment.slot.doctor):
            self.expect_mail("cancelled", appointment, recipient, reason=reason)

    def withdraw(self, slot: Slot) -> None:
        """Note that the published slots there are withdrawn, and the time is closed if the doctor is open then."""
        self.withdraw_slots_at(slot)
        self.done["a cancelled slot is withdrawn"] += slot.kind is None
        doctor = slot.doctor
        if not self.is_open_at(slot):
            return
        start, end = self.clocks(doctor, slot)
        end = max(end, start + timedelta(minutes=1))
        for number in range((end.date() - start.date()).days + 1):
            day = start.date() + timedelta(days=number)
            midnight = datetime.combine(day, MIDNIGHT)
            begin = max((start - midnight) // oracle.MINUTE, 0)
            until = min((end - midnight) // oracle.MINUTE, DAY_MINUTES)
            if begin < until:
                doctor.hours.exceptions.append(oracle.Exceptional(True, day, day, begin, until))
        doctor.hours.lay(self.now)
        self.done[f"a cancelled {'slot' if slot.kind is None else 'time'} is closed"] += 1

    def withdraw_slots_at(self, slot: Slot) -> None:
        """Note that the slot is withdrawn if it is a published one, and the doctor's free ones that overlap it."""
        for other in self.slots:
            if other.doctor is slot.doctor and not other.withdrawn and other.overlaps(slot):
                other.withdrawn = self.model.slot(other.id).is_withdrawn = True
                self.done["a slot beside a cancelled time is withdrawn"] += other.id != slot.id

    def is_open_at(self, slot: Slot) -> bool:
        """Return whether any minute of the slot is in its doctor's hours, which go on after the openings."""
        practice, times = slot.doctor.hours, range(minute_at(slot.starts_at), minute_at(slot.ends_at))
        first, last = sorted(oracle.day_of(at, practice.zone) for at in (slot.starts_at, slot.ends_at))
        there = replace(practice, first_day=first, last_day=last, known={})
        return any(meet(range(one.begin, one.until), times) for kind in practice.kinds for one in there.stretches(kind))

    def clocks(self, doctor: Person, slot: Slot) -> tuple[datetime, datetime]:
        """Return what the clocks of the doctor's present zone show at the start and at the end."""
        start, end = (
            at.astimezone(ZoneInfo(doctor.zone)).replace(tzinfo=None) for at in (slot.starts_at, slot.ends_at)
        )
        return start, end

    @some("booked")
    @rule(
        appointment=one_of("booked"),
        who=st.sampled_from(["patient", "doctor"]),
        reason=REASONS,
        withdraw=st.booleans(),
        data=st.data(),
        keyed=KEYED,
    )
    def a_party_cancels(
        self,
        appointment: Appointment,
        who: str,
        reason: str | None,
        withdraw: bool,  # noqa: FBT001
        data: st.DataObject,
        keyed: bool,  # noqa: FBT001
    ) -> None:
        self.somebody_cancels(appointment, who, reason, withdraw and who == "doctor", data, keyed)

    @some("doctors")
    @rule(
        doctor=one_of("doctors"),
        notice=st.sampled_from([None, 0, 60, 3 * DAY_MINUTES]),
        most_ahead=st.sampled_from([None, None, 1, 2]),
        keyed=KEYED,
    )
    def a_doctor_sets_policies(self, doctor: Person, notice: int | None, most_ahead: int | None, keyed: bool) -> None:  # noqa: FBT001
        body = {"cancellation_notice": notice, "most_ahead": most_ahead}
        said = self.write(doctor, "PUT", "/doctor/policies", body, keyed=keyed, expect=200)
        assert {name: said[name] for name in body} == body
        doctor.notice, doctor.most_ahead = notice, most_ahead

    @some("booked")
    @rule(appointment=one_of("booked"), rows=ROWS, reason=REASONS, most=st.integers(1, 3), keyed=KEYED)
    def a_doctor_changes_the_hours_and_cancels_what_is_affected(
        self,
        appointment: Appointment,
        rows: list[tuple[int, tuple[int, int], str | None]],
        reason: str | None,
        most: int,
        keyed: bool,  # noqa: FBT001
    ) -> None:
        """Cancel some of the affected appointments, and before that try it with one that is not affected."""
        doctor = appointment.slot.doctor
        self.a_doctor_opens(doctor, rows, keyed)
        affected = [one for one in self.booked if one.slot.doctor is doctor and self.is_affected(one)]
        listed = self.ask(doctor, "/doctor/affected")["data"]
        assert {row["appointment_id"] for row in listed} == {one.id for one in affected}
        others = [one.id for one in self.appointments if one not in affected][:1]
        path, ids = "/doctor/affected/cancel", [one.id for one in affected[:most]]
        if others:
            body = {"appointment_ids": [*ids, *others], "reason": reason}
            self.write(doctor, "POST", path, body, keyed=keyed, expect=409)
        if not ids:
            return
        self.write(doctor, "POST", path, {"appointment_ids": ids, "reason": reason}, keyed=keyed, expect=200)
        for one in affected[:most]:
            self.is_cancelled(one, reason)
            self.withdraw_slots_at(one.slot)

    def is_affected(self, appointment: Appointment) -> bool:
        """Return whether it is outside of the hours, or for a published slot, in a closure."""
        slot, visit = appointment.slot, appointment.visit
        practice = slot.doctor.hours
        if visit.kind is None:
            start, end = self.clocks(slot.doctor, slot)
            days = [start.date() + timedelta(days=number) for number in range((end.date() - start.date()).days + 1)]
            return any(
                closed.is_closed
                and closed.first <= day <= closed.last
                and datetime.combine(day, MIDNIGHT) + timedelta(minutes=closed.begin) < end
                and start < datetime.combine(day, MIDNIGHT) + timedelta(minutes=closed.until)
                for closed in practice.exceptions
                for day in days
            )
        # Openings end with the horizon, which may be nearer now. The hours do not.
        today, last = (oracle.day_of(at, practice.zone) for at in (self.now, slot.starts_at))
        longer = replace(practice, first_day=today, last_day=last, known={})
        return not longer.is_open(visit.kind, visit.begin, visit.until)

    @some("doctors")
    @rule(doctor=one_of("doctors"))
    def a_doctor_leaves(self, doctor: Person) -> None:
        self.write(doctor, "DELETE", "/doctor/account", None, keyed=False, expect=200)
        doctor.gone = True
        doctor.end_sessions()
        for slot in self.slots:
            slot.withdrawn = slot.withdrawn or slot.doctor is doctor
            self.model.slot(slot.id).is_withdrawn = slot.withdrawn
        for kind in doctor.hours.kinds:
            kind.is_retired = True
        self.model.drop(
            [visit for visit in self.model.visits if visit.doctor is doctor.hours and visit.state == "held"]
        )
        for appointment in self.appointments:
            if appointment.slot.doctor is doctor and appointment.shown_status(self.now) == "booked":
                appointment.cancelled, appointment.visit.state = True, "cancelled"
                self.expect_mail("cancelled", appointment, appointment.patient)

    @precondition(lambda self: len(self.patients) > 1)
    @rule(patient=one_of("patients"))
    def a_patient_leaves(self, patient: Person) -> None:
        """Doctors are told, without the name, of what is cancelled; mails that were attempted stay as they are."""
        self.write(patient, "DELETE", "/patient/account", None, keyed=False, expect=200)
        self.erased.append(patient.name)
        patient.gone, patient.name = True, FORMER_PATIENT
        patient.end_sessions()
        self.model.drop([visit for visit in self.model.visits if visit.patient == patient.id and visit.state == "held"])
        for owed in self.mails:
            if owed.appointment.patient is patient and owed.state == "waiting" and owed.patient_name is None:
                owed.reason = None
                owed.state = "dropped" if owed.recipient is patient else "waiting"
        for appointment in self.booked:
            if appointment.patient is patient:
                appointment.cancelled, appointment.visit.state = True, "cancelled"
                self.expect_mail("cancelled", appointment, appointment.slot.doctor)
                self.done["cancelled by leaving"] += 1
        self.mails_name_nobody_who_has_left()

    @some("repeatable")
    @rule(first=one_of("repeatable"))
    def somebody_sends_it_again(self, first: Answered) -> None:
        """A repeated request gets the same bytes; the invariants check that it changes nothing."""
        if first.person.gone:
            answer = self.call(first.person.dead[-1], first.method, first.path, first.body, first.key)
            assert answer.status_code == 401
            return
        answer = self.call(self.session(first.person), first.method, first.path, first.body, first.key)
        assert answer.status_code == first.status
        assert answer.data == first.said or answer.get_json() == self.without_leavers(json.loads(first.said))

    def without_leavers(self, said: Any) -> Any:
        """Return an answer as it is kept once patients have left whose appointments it lists."""
        if isinstance(said, list):
            return [self.without_leavers(one) for one in cast("list[Any]", said)]
        if not isinstance(said, dict):
            return said
        known = {name: self.without_leavers(value) for name, value in cast("dict[str, Any]", said).items()}
        left = {one.id for one in self.appointments if one.patient.gone}
        if "patient_name" in known and known.get("appointment_id") in left:
            known["patient_name"] = FORMER_PATIENT
        return known

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
        self.mails_name_nobody_who_has_left()

    def mails_name_nobody_who_has_left(self) -> None:
        """A mail that was attempted and waits is repeated as it was."""
        if self.erased:
            mails = self.query("SELECT facts, text FROM outbox WHERE status <> 'waiting' OR text IS NULL")
            said = set(re.findall(r"Person \d+", str(mails)))
            assert said.isdisjoint(self.erased), (said, self.erased)

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
            free = [slot for slot in own if slot.starts_at > self.now and not self.active(slot)]
            theirs = [one for one in self.appointments if one.slot.doctor is doctor]
            booked = [one for one in theirs if one.shown_status(self.now) == "booked"]
            shown = self.ask(doctor, "/doctor/dashboard")
            assert (shown["free_slots"], shown["booked_slots"]) == (len(free), len(booked))
            yesterday = self.now.date() - timedelta(days=1)
            for first, last in ((yesterday, yesterday + timedelta(days=61)), (self.now.date(), self.now.date())):
                self.look_at_schedule(doctor, first, last)

    def look_at_schedule(self, doctor: Person, first: date, last: date) -> None:
        midnights = (datetime.combine(day, time(), ZoneInfo(doctor.zone)) for day in (first, last + timedelta(days=1)))
        days = range(*(minute_at(midnight.astimezone(timezone.utc)) for midnight in midnights))
        shown = self.ask(doctor, f"/doctor/schedule?from={first}&until={last}")

        slots = [slot for slot in self.slots if slot.doctor is doctor and not slot.withdrawn]
        slots = sorted((slot for slot in slots if meet(slot.target.busy, days)), key=lambda slot: slot.starts_at)
        words = [(slot.id, "booked" if self.active(slot) else "free") for slot in slots]
        assert [(row["slot_id"], row["status"]) for row in shown["published_slots"]] == words
        visits = [visit for visit in self.world.visits if visit.doctor is doctor.hours and meet(visit.busy, days)]
        for name, expected in (
            ("appointments", [visit for visit in visits if visit.state == "booked"]),
            ("holds", [visit for visit in visits if self.world.is_held(visit)]),
        ):
            taken = [(row["slot_id"], row["busy_starts_at"], row["busy_ends_at"]) for row in shown[name]]
            assert sorted((slot_id, minute_of(begin), minute_of(end)) for slot_id, begin, end in taken) == sorted(
                (visit.slot_id, visit.busy.start, visit.busy.stop) for visit in expected
            )
        of_day = {
            (one.begin, one.until, one.place) for kind in doctor.hours.kinds for one in doctor.hours.stretches(kind)
        }
        openings = [(minute_of(row["starts_at"]), minute_of(row["ends_at"]), row["place"]) for row in shown["openings"]]
        assert openings == sorted(one for one in of_day if meet(range(*one[:2]), days))

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
            [kind] = doctor.hours.kinds
            free = [
                {"slot_id": slot.id, **clock_of(slot), "visit_type_id": None, "seats_left": None, "place": None}
                for slot in self.slots
                if slot.doctor is doctor and self.world.is_slot_free(self.world.slot(slot.id), patient.id)
            ]
            times = [
                {
                    "slot_id": kind.slot_id(minute),
                    **clock_of(self.time(doctor, minute)),
                    "visit_type_id": kind.id,
                    "seats_left": offer.seats_left,
                    "place": offer.place,
                }
                for minute, offer in self.world.offered(doctor.hours, kind, patient.id).items()
                if minute < minute_at(self.now) + 28 * DAY_MINUTES
            ]
            # A list that names no visit type never has those for several patients.
            expected = free if kind.seats > 1 else free + times
            expected.sort(key=lambda one: (datetime.fromisoformat(one["starts_at"]), one["slot_id"]))
            assert self.ask(patient, path)["data"] == expected
            if kind.seats > 1:
                assert self.ask(patient, f"{path}?visit_type={kind.id}")["data"] == times

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
                is_shared = one.slot.id == other.slot.id and one.visit.kind is not None
                assert is_shared or not one.slot.overlaps(other.slot), (one, other)
                assert one.patient is not other.patient or one.slot.id != other.slot.id

    @invariant()
    def ended_sessions_stay_ended(self) -> None:
        for person in self.people:
            for token in person.dead[-1:]:
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

    @invariant()
    def one_mail_tells_of_each_new_password(self) -> None:
        told = "SELECT recipient_id, count(*) FROM outbox WHERE template = 'password_changed' GROUP BY recipient_id"
        assert dict(self.query(told)) == self.new_passwords

    @invariant()
    def changes_of_patients_are_numbered(self) -> None:
        rows = self.query(
            "SELECT actor_id, count(*), min(patient_nth), max(patient_nth), count(DISTINCT patient_nth)"
            " FROM appointment_events WHERE patient_nth IS NOT NULL GROUP BY actor_id ORDER BY actor_id"
        )
        numbers = {one.id: len(one.changes) for one in self.people if one.changes}
        assert rows == [(person, number, 1, number, number) for person, number in sorted(numbers.items())]

    # Queries of the model.

    def limit_of(self, patient: Person, doctor: Person, moving: Appointment | None = None) -> int | None:
        """Return the status that refuses one more appointment with the doctor, or a move there, because of a limit."""
        if sum(1 for at in patient.changes if at > self.now - HOUR) >= CHANGES_PER_HOUR:
            self.done["too many changes"] += 1
            return 429
        ahead = [one for one in self.booked if one.patient is patient]
        with_doctor = [one for one in ahead if one.slot.doctor is doctor]
        most = MOST_WITH_DOCTOR if doctor.most_ahead is None else doctor.most_ahead
        if moving is None and len(ahead) >= MOST_AHEAD:
            self.done["too many ahead"] += 1
        elif len(with_doctor) >= most and moving not in with_doctor:
            self.done["too many with a doctor"] += 1
        else:
            return None
        return 409

    def is_too_late(self, appointment: Appointment) -> bool:
        """Return whether its patient can no longer cancel or move it."""
        notice = appointment.slot.doctor.notice
        return self.now > appointment.slot.starts_at - timedelta(minutes=NOTICE if notice is None else notice)

    def active(self, slot: Slot) -> bool:
        return any(one.slot.id == slot.id and not one.cancelled for one in self.appointments)

    def some_time(
        self,
        doctor: Person,
        patient: Person,
        nth: int,
        beside: int,
        moving: Visit | None = None,
        *,
        by_staff: bool = False,
    ) -> Slot | None:
        """Return one of the offered times, or one beside it."""
        [kind] = doctor.hours.kinds
        offered = sorted(self.world.offered(doctor.hours, kind, patient.id, moving, by_staff=by_staff))
        return self.time(doctor, offered[nth % len(offered)] + beside) if offered else None

    def time(self, doctor: Person, minute: int) -> Slot:
        """Return the computed time at this minute, as the clocks of the doctor show it."""
        [kind] = doctor.hours.kinds
        starts_at, ends_at = instant(minute), instant(minute + kind.shape.minutes)
        start, end = (at.astimezone(ZoneInfo(doctor.zone)) for at in (starts_at, ends_at))
        shown = (f"{start:%Y-%m-%d}", f"{start:%H:%M}", f"{end:%H:%M}")
        found = [one for one in doctor.hours.stretches(kind) if one.begin <= minute < one.until]
        place = kind.place or next((one.place for one in found), None)
        return Slot(kind.slot_id(minute), doctor, doctor.zone, *shown, starts_at, ends_at, kind, place)

    def listed(self, one: Appointment, other: Literal["doctor_name", "patient_name"]) -> dict[str, Any]:
        name = one.slot.doctor.name if other == "doctor_name" else one.patient.name
        status = one.shown_status(self.now)
        kind = {"visit_type": one.slot.kind and "Consultation", "place": one.slot.place}
        can_change = status == "booked"
        if other == "patient_name":
            kind["reason"] = None
        elif self.is_too_late(one):
            can_change = False
        can = {"can_cancel": can_change, "can_move": can_change}
        return {"appointment_id": one.id, other: name, "status": status, **can, **kind, **clock_of(one.slot)}

    def expect_mail(
        self,
        event: Literal["booked", "cancelled", "rescheduled"],
        about: Appointment,
        to: Person,
        was: Slot | None = None,
        reason: str | None = None,
    ) -> None:
        self.mails.append(OwedMail(event, about, about.slot, was, to, to.email, due=self.now, reason=reason))

    def may_go(self) -> list[OwedMail]:
        """Return the due mails, except those that must wait for an earlier mail of their appointment and recipient."""
        first: dict[tuple[int, int], OwedMail] = {}
        for owed in self.mails:
            if owed.state == "waiting" and not owed.is_useless(self.now):
                first.setdefault((owed.appointment.id, owed.recipient.id), owed)
        useless = [one for one in self.mails if one.state == "waiting" and one.is_useless(self.now)]
        return [owed for owed in (*first.values(), *useless) if owed.due <= self.now]

    def was_tried(self, key: str, outcome: Outcome) -> None:
        self.done[f"mail {outcome}"] += 1
        if is_about_password(self.provider.seen[key]):
            return
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
        mail, slot = self.provider.seen[key], owed.slot
        assert mail.to == owed.address
        assert ("moved" if owed.event == "rescheduled" else owed.event) in mail.subject
        spans = [slot] if owed.was is None else [slot, owed.was]
        facts = {fact for span in spans for fact in (span.doctor.name, span.start, span.end, span.zone)}
        owed.patient_name = owed.patient_name or owed.appointment.patient.name
        for fact in (owed.patient_name, *facts):
            assert fact in mail.text, fact
        assert re.findall(r"^Reason: +(.+)$", mail.text, re.MULTILINE) == [owed.reason] * bool(owed.reason)
        assert ("the next day" in mail.text) == any(span.end <= span.start for span in spans)
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


def is_of_reset(mail: Mail) -> bool:
    return mail.subject == "Your new password"


def is_about_password(mail: Mail) -> bool:
    return is_of_reset(mail) or mail.subject == "Your password was changed"


def meet(one: range, other: range) -> bool:
    return one.start < other.stop and other.start < one.stop


def minute_of(said: str) -> int:
    return minute_at(datetime.fromisoformat(said))


def clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def visit_at(target: Target, number: int, patient: int, of_day: tuple[date | None, int | None]) -> Visit:
    slot_id, doctor, begin, ends, busy, kind = target
    day, nth = of_day
    seats = 1 if kind is None else kind.seats
    return Visit(number, doctor, patient, slot_id, begin, ends, busy, kind, day, "booked", nth=nth, seats=seats)


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
        registrations_per_hour=1_000_000,
        password_resets_per_hour=1_000_000,
        cancellation_notice_minutes=NOTICE,
        most_appointments_ahead=MOST_AHEAD,
        most_appointments_ahead_per_doctor=MOST_WITH_DOCTOR,
        patient_changes_per_hour=CHANGES_PER_HOUR,
    )
    done: Counter[str] = Counter()
    run_state_machine_as_test(
        lambda: Clinic(app, clock, done),
        settings=settings(
            max_examples=9,
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
        "DELETE /patient/account 200": 9,
        "cancelled by leaving": 8,
        "a reset 200": 8,
        "a reset 400": 9,
        "POST /auth/password 200": 2,
        "mail accepted": 5,
        "a computed time is booked": 20,
        "a hold is booked": 3,
        "POST /holds 201": 5,
        "POST /holds 409": 1,
        "DELETE /holds/<id> 200": 1,
        "POST /appointments/<id>/reschedule 403": 1,
        "POST /appointments/<id>/reschedule 409": 1,
        "moved to a computed time": 3,
        "moved to a published slot": 1,
        "moved by a patient": 2,
        "moved by a doctor": 1,
        "PUT /doctor/policies 200": 3,
        "POST /doctor/affected/cancel 200": 2,
        "POST /doctor/affected/cancel 409": 2,
        "a cancelled slot is withdrawn": 1,
        "a cancelled slot is closed": 12,
        "a cancelled time is closed": 12,
        "a slot beside a cancelled time is withdrawn": 12,
        "too late to cancel": 1,
        "too many with a doctor": 2,
    }
    assert {what: done[what] for what, least in wanted.items() if done[what] < least} == {}, done
    assert sum(done[f"mail {outcome}"] for outcome in ("accepted unheard", "delayed", "refused", "killed")) >= 5, done

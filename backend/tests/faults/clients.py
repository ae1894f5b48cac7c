"""Clients that use the API concurrently, at random from a seed, and record the answers."""

from __future__ import annotations

import http.client
import itertools
import json
import random
import threading
import time
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from src.utils.clock import system_clock
from tests.faults.record import NEVER, Answered, Outcome, Record, SlotOperation, now
from tests.faults.world import Machine, World
from tests.people import PASSWORD
from tests.processes.servers import REAL_SECRETS

SECONDS_TO_ANSWER = 4.0
SECONDS_TO_GIVE_UP = 25.0
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata")
LEAKS = ("Traceback", "sqlalchemy", "psycopg", "SELECT ", "INSERT ")


def ask(
    port: int,
    method: str,
    path: str,
    body: Any = None,
    headers: dict[str, str] | None = None,
    timeout: float = SECONDS_TO_ANSWER,
) -> Answered | None:
    """Send a request once; return None if there was no complete answer."""
    began = now()
    sent = dict(headers or {})
    data = None
    if body is not None:
        data = json.dumps(body)
        sent["Content-Type"] = "application/json"
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request(method, path, data, sent)
        response = connection.getresponse()
        raw = response.read()
        return Answered(response.status, json.loads(raw), response.headers, began, now())
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()


@dataclass
class DoctorOnDuty:
    """A doctor of the campaign; names are unique, so that the checker can tell mails apart."""

    name: str
    zone: str
    token: str
    doctor_id: int
    slots: dict[int, tuple[str, str]] = field(default_factory=dict)
    leaving: bool = False


@dataclass
class Town:
    """The state that all clients share."""

    world: World
    record: Record
    doctors: list[DoctorOnDuty] = field(default_factory=list)
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    lock: threading.Lock = field(default_factory=threading.Lock)
    day: str = field(default_factory=lambda: (system_clock().date() + timedelta(days=30)).isoformat())


class Client:
    """A patient, who sends each request to a random machine and repeats it until it is answered."""

    def __init__(self, town: Town, rng: random.Random) -> None:
        self.town = town
        self.record = town.record
        self.rng = rng
        self.email = f"patient{next(town.numbers)}@people.example"
        self.token = ""
        self.mine: dict[int, tuple[int, DoctorOnDuty]] = {}
        # Appointments that this client has not cancelled; otherwise only the deletion of a doctor cancels them.
        self.active: dict[int, tuple[int, DoctorOnDuty]] = {}

    def run(self, over: threading.Event) -> None:
        self.token = self.join(self.email, "patient")
        deeds = (
            [self.book] * 30 + [self.cancel] * 16 + [self.look] * 16 + [self.double_tap] * 5
            + [self.doctor_cancels] * 6 + [self.end_sessions] * 4 + [self.race_to_register] * 3 + [self.doctor_leaves]
        )  # fmt: skip
        while not over.is_set():
            self.rng.choice(deeds)()

    def machine(self) -> Machine:
        return self.rng.choice(self.town.world.machines)

    def once(self, method: str, path: str, body: Any = None, token: str = "", key: str = "") -> Answered | None:
        """Send a request to a machine once, and record an answer that is a violation."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if key:
            headers["Idempotency-Key"] = key
        calm_since = self.town.world.calm_since
        answer = ask(self.machine().port, method, path, body, headers)
        self.record.requests += 1
        if answer is None:
            return None
        self.record.answers += 1
        if answer.status >= 500:
            self.record.server_errors.append((answer.status, answer.ended, path))
            still_calm = calm_since is not None and self.town.world.calm_since == calm_since
            if still_calm and answer.began - calm_since > 1:
                self.record.violation(f"{answer.status} from {method} {path} in calm weather: {answer.body}")
        said = json.dumps(answer.body)
        if any(leak in said for leak in LEAKS):
            self.record.violation(f"an answer of {path} shows what it should not: {said[:300]}")
        return answer

    def until_answered(
        self, method: str, path: str, body: Any = None, token: str = "", key: str = ""
    ) -> Answered | None:
        """Repeat a request until the answer is neither 500 nor 503; return None after SECONDS_TO_GIVE_UP.

        The times of the answer span all attempts.
        """
        began = now()
        while now() - began < SECONDS_TO_GIVE_UP:
            answer = self.once(method, path, body, token, key)
            if answer is not None and answer.status not in {500, 503}:
                return Answered(answer.status, answer.body, answer.headers, began, answer.ended)
            time.sleep(self.rng.uniform(0.02, 0.2))
        return None

    def join(self, email: str, role: str, name: str = "Ada Sample") -> str:
        body = {"name": name, "email": email, "password": PASSWORD, "role": role}
        body["invitation_code"] = REAL_SECRETS["DOCTOR_INVITATION_CODE"] if role == "doctor" else ""
        self.until_answered("POST", "/auth/register", body)
        return self.log_in(email)

    def log_in(self, email: str) -> str:
        answer = self.until_answered("POST", "/auth/login", {"email": email, "password": PASSWORD})
        if answer is None:
            return ""
        if answer.status != 200:
            self.record.violation(f"{email} is registered and cannot log in: {answer.status}")
            return ""
        return str(answer.body["access_token"])

    # Bookings and cancellations.

    def book(self) -> None:
        target = self.some_slot()
        if target is not None:
            self.book_slot(*target, key=uuid.uuid4().hex)

    def book_slot(self, doctor: DoctorOnDuty, slot_id: int, key: str, began: float | None = None) -> None:
        """Book a slot; `began` is the time of the first request with this key, if that was another one."""
        began = now() if began is None else began
        answer = self.until_answered("POST", "/appointments", {"slot_id": slot_id}, self.token, key)
        if answer is None:
            self.record.unanswered.add((self.email, slot_id))
            self.operation(slot_id, "book", began, NEVER, "unknown")
        elif answer.status == 201:
            appointment = answer.body["appointment_id"]
            with self.record.lock:
                self.record.booked[appointment] = (self.email, slot_id)
            self.mine[appointment] = (slot_id, doctor)
            self.expect_no_overlap(slot_id, doctor)
            self.active[appointment] = (slot_id, doctor)
            self.operation(slot_id, "book", began, answer.ended, "done", appointment)
            self.read_own_write(appointment)
        else:
            outcomes: dict[str, Outcome] = {"slot-taken": "taken", "patient-busy": "busy", "slot-not-found": "gone"}
            if answer.kind in outcomes:
                self.operation(slot_id, "book", began, answer.ended, outcomes[answer.kind])
            else:
                self.record.violation(f"a booking was answered {answer.status} {answer.body}")

    def expect_no_overlap(self, slot_id: int, doctor: DoctorOnDuty) -> None:
        start, end = self.span(slot_id, doctor)
        for appointment, (other_slot, other_doctor) in self.active.items():
            other_start, other_end = self.span(other_slot, other_doctor)
            if other_slot != slot_id and start < other_end and other_start < end and not other_doctor.leaving:
                self.record.violation(
                    f"overlapping appointments of one patient: {appointment} and one of slot {slot_id}"
                )

    def span(self, slot_id: int, doctor: DoctorOnDuty) -> tuple[datetime, datetime]:
        start, end = (
            datetime.fromisoformat(f"{self.town.day}T{at}").replace(tzinfo=ZoneInfo(doctor.zone))
            for at in doctor.slots[slot_id]
        )
        return start, end

    def double_tap(self) -> None:
        """Send the same request twice at once: there must be one appointment."""
        target = self.some_slot()
        if target is None:
            return
        doctor, slot_id = target
        key = uuid.uuid4().hex
        answers: list[Answered | None] = []
        ask_again = threading.Thread(
            target=lambda: answers.append(
                self.until_answered("POST", "/appointments", {"slot_id": slot_id}, self.token, key)
            )
        )
        began = now()
        ask_again.start()
        self.book_slot(doctor, slot_id, key, began)
        ask_again.join()
        [second] = answers
        if second is not None and second.status == 201 and second.body["appointment_id"] not in self.mine:
            self.record.violation(f"one key booked two appointments of slot {slot_id}")

    def read_own_write(self, appointment: int) -> None:
        listed = self.once("GET", "/appointments/my?limit=1000", token=self.token)
        if listed is not None and listed.status == 200:
            shown = {row["appointment_id"] for row in listed.body["data"]}
            missing = ({appointment} | self.mine.keys()) - shown
            if missing:
                self.record.violation(
                    f"{self.email} does not see appointments {sorted(missing)} that were acknowledged"
                )

    def cancel(self) -> None:
        if self.mine:
            appointment = self.rng.choice(list(self.mine))
            slot_id, doctor = self.mine[appointment]
            self.cancel_by(self.token, appointment, slot_id, doctor)

    def doctor_cancels(self) -> None:
        if self.mine:
            appointment = self.rng.choice(list(self.mine))
            slot_id, doctor = self.mine[appointment]
            self.cancel_by(doctor.token, appointment, slot_id, doctor)

    def cancel_by(self, token: str, appointment: int, slot_id: int, doctor: DoctorOnDuty) -> None:
        self.active.pop(appointment, None)
        began = now()
        path = f"/appointments/{appointment}/cancel"
        answer = self.until_answered("POST", path, token=token, key=uuid.uuid4().hex)
        if answer is None:
            self.operation(slot_id, "cancel", began, NEVER, "unknown", appointment)
        elif answer.status == 200:
            self.operation(slot_id, "cancel", began, answer.ended, "done", appointment)
        elif answer.status == 409:
            self.operation(slot_id, "cancel", began, answer.ended, "not_active", appointment)
        elif answer.status != 401 or token == self.token or not doctor.leaving:
            self.record.violation(f"a cancel was answered {answer.status} {answer.body}")

    def look(self) -> None:
        """List a doctor's free slots, record which are offered, and check their times."""
        doctor = self.some_doctor()
        if doctor is None:
            return
        with self.town.lock:
            known = dict(doctor.slots)
        answer = self.once("GET", f"/patient/doctors/{doctor.doctor_id}/availability", token=self.token)
        if answer is None or answer.status != 200:
            return
        offered = {row["slot_id"]: row for row in answer.body["data"]}
        for slot_id, (start, end) in known.items():
            seen: Outcome = "free" if slot_id in offered else "not_free"
            self.operation(slot_id, "look", answer.began, answer.ended, seen)
            row = offered.get(slot_id)
            if row and not self.shows(row, doctor, start, end):
                self.record.violation(f"slot {slot_id} was published for {start} and is shown as {row}")

    def shows(self, row: dict[str, str], doctor: DoctorOnDuty, start: str, end: str) -> bool:
        """Say whether a listed slot has this wall clock, and its instant, by the rules of the doctor's zone."""
        published = datetime.fromisoformat(f"{self.town.day}T{start}").replace(tzinfo=ZoneInfo(doctor.zone))
        wall = (row["date"], row["start_time"], row["end_time"])
        return wall == (self.town.day, start, end) and datetime.fromisoformat(row["starts_at"]) == published

    # Sessions and accounts.

    def end_sessions(self) -> None:
        """End one or both sessions of a new patient; every machine must then refuse their tokens."""
        email = f"session{next(self.town.numbers)}@people.example"
        first = self.join(email, "patient")
        second = self.log_in(email)
        if not first or not second:
            return
        path, body, dead = self.rng.choice(
            [
                ("/auth/logout", None, [first]),
                ("/auth/logout-everywhere", None, [first, second]),
                ("/auth/password", {"current_password": PASSWORD, "new_password": PASSWORD + "!"}, [first, second]),
            ]
        )
        answer = self.until_answered("POST", path, body, first)
        if answer is not None and answer.status == 200:
            self.expect_dead(dead, path)

    def expect_dead(self, tokens: list[str], ended_by: str) -> None:
        for token in tokens * 2:
            answer = self.once("GET", "/auth/me", token=token)
            if answer is not None and answer.status == 200:
                self.record.violation(f"a token still opens after {ended_by} was answered")

    def race_to_register(self) -> None:
        """Register one address twice at once, in lower and upper case."""
        email = f"race{next(self.town.numbers)}@people.example"
        answers: list[Answered | None] = []

        def register(spelling: str) -> None:
            body = {"name": "Ada Sample", "email": spelling, "password": PASSWORD, "role": "patient"}
            answers.append(self.once("POST", "/auth/register", body))

        other = threading.Thread(target=register, args=(email.upper(),))
        other.start()
        register(email)
        other.join()
        created = sum(1 for answer in answers if answer is not None and answer.status == 201)
        with self.record.lock:
            self.record.registered[email] = created

    def doctor_leaves(self) -> None:
        with self.town.lock:
            staying = [doctor for doctor in self.town.doctors if not doctor.leaving]
            if len(staying) < 3:
                return
            doctor = self.rng.choice(staying)
            doctor.leaving = True
            slots = list(doctor.slots)
        began = now()
        answer = self.until_answered("DELETE", "/doctor/account", token=doctor.token)
        # A 401 means that an earlier attempt succeeded: the token is no longer valid.
        done = answer is not None and answer.status in {200, 401}
        for slot_id in slots:
            ended, outcome = (answer.ended, "done") if done and answer else (NEVER, "unknown")
            self.operation(slot_id, "withdraw", began, ended, outcome)
        if done:
            self.expect_dead([doctor.token], "the account was deleted")
        with self.town.lock:
            self.town.doctors.remove(doctor)
        self.open_practice(publish=5)

    def open_practice(self, publish: int) -> None:
        """Register a doctor and publish slots; slots of different doctors overlap, so that patients can be busy."""
        number = next(self.town.numbers)
        name, zone = f"Dr. Number {number}", ZONES[number % len(ZONES)]
        token = self.join(f"doctor{number}@people.example", "doctor", name)
        self.until_answered("POST", "/doctor/profile", {"time_zone": zone}, token, uuid.uuid4().hex)
        profile = self.until_answered("GET", "/doctor/profile", token=token)
        if profile is None or profile.status != 200 or profile.body["time_zone"] != zone:
            return
        doctor = DoctorOnDuty(name, zone, token, profile.body["doctor_id"])
        for index in range(publish):
            start, end = f"{10 + index // 2:02}:{index % 2 * 30:02}", f"{10 + index // 2:02}:{index % 2 * 30 + 29:02}"
            body = {"date": self.town.day, "start_time": start, "end_time": end}
            answer = self.until_answered("POST", "/doctor/availability", body, token, uuid.uuid4().hex)
            if answer is not None and answer.status == 201:
                doctor.slots[answer.body["slot_id"]] = (start, end)
            elif answer is not None:
                self.record.violation(f"publishing was answered {answer.status} {answer.body}")
        with self.town.lock:
            self.town.doctors.append(doctor)

    # Helpers.

    def some_doctor(self) -> DoctorOnDuty | None:
        with self.town.lock:
            return self.rng.choice(self.town.doctors) if self.town.doctors else None

    def some_slot(self) -> tuple[DoctorOnDuty, int] | None:
        doctor = self.some_doctor()
        return (doctor, self.rng.choice(list(doctor.slots))) if doctor and doctor.slots else None

    def operation(
        self, slot_id: int, kind: Any, began: float, ended: float, outcome: Outcome, appointment: int | None = None
    ) -> None:
        self.record.operation(slot_id, SlotOperation(kind, began, ended, outcome, appointment, self.email))

"""How the clients of a campaign call the API, and what all of them know."""

from __future__ import annotations

import http.client
import itertools
import json
import random
import threading
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from src.utils.clock import system_clock
from tests.faults.forms import form_of, post
from tests.faults.record import Answered, Record, Stay, now
from tests.faults.world import Machine, World, day_of_visits
from tests.people import PASSWORD
from tests.processes.servers import REAL_SECRETS

SECONDS_TO_ANSWER = 4.0
SECONDS_TO_GIVE_UP = 25.0
MOST_WITHDRAWALS = 4
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
    # The ids of the current versions of the visit types.
    versions: list[int] = field(default_factory=list)
    leaving: bool = False
    # One person changes the hours, and the policies, at a time.
    changes_hours: threading.Lock = field(default_factory=threading.Lock)
    changes_policies: threading.Lock = field(default_factory=threading.Lock)
    # How often a time was withdrawn; there must be some left.
    withdrawals: int = 0


@dataclass
class Town:
    """The state that all clients share."""

    world: World
    record: Record
    doctors: list[DoctorOnDuty] = field(default_factory=list)
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    lock: threading.Lock = field(default_factory=threading.Lock)
    # Times that were just left, released or expired: somebody should be able to book them.
    rumours: list[int] = field(default_factory=list)
    # The time that somebody wanted last.
    wanted: tuple[DoctorOnDuty, int] | None = None
    day: str = field(default_factory=day_of_visits)

    def __post_init__(self) -> None:
        self.record.clock_zero = system_clock() - timedelta(seconds=now())

    def may_withdraw(self, doctor: DoctorOnDuty) -> bool:
        """Return whether the doctor has enough times to withdraw another one."""
        with self.lock:
            return not doctor.leaving and doctor.withdrawals < MOST_WITHDRAWALS

    def held(self) -> list[Stay]:
        """Return the holds that were not released or used, as far as anybody knows."""
        return [stay for stay in self.record.stays if stay.is_hold and stay.of and stay.ended > now()]


class Caller:
    """Somebody who sends each request to a random machine and repeats it until it is answered."""

    def __init__(self, town: Town, rng: random.Random) -> None:
        self.town = town
        self.record = town.record
        self.rng = rng

    def machine(self) -> Machine:
        return self.rng.choice(self.town.world.machines)

    def once(
        self, method: str, path: str, body: Any = None, token: str = "", key: str = "", if_match: str = ""
    ) -> Answered | None:
        """Send a request to a machine once, and record an answer that is a violation."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if key:
            headers["Idempotency-Key"] = key
        if if_match:
            headers["If-Match"] = if_match
        calm_since = self.town.world.calm_since
        by_doctor = any(doctor.token == token for doctor in list(self.town.doctors))
        form = form_of(self.record, method, path, body, key, by_doctor=by_doctor)
        if form is None:
            answer = ask(self.machine().port, method, path, body, headers)
        else:
            answer = post(self.machine().port, form, token, key, SECONDS_TO_ANSWER)
            self.record.forms += answer is not None
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
        self, method: str, path: str, body: Any = None, token: str = "", key: str = "", if_match: str = ""
    ) -> Answered | None:
        """Repeat a request until the answer is neither 500 nor 503; return None after SECONDS_TO_GIVE_UP.

        The times of the answer span all attempts.
        """
        began, attempts = now(), 0
        while now() - began < SECONDS_TO_GIVE_UP:
            answer = self.once(method, path, body, token, key, if_match)
            attempts += 1
            if answer is not None and answer.status not in {500, 503}:
                return Answered(answer.status, answer.body, answer.headers, began, answer.ended, attempts)
            time.sleep(self.rng.uniform(0.02, 0.2))
        return None

    def join(self, email: str, role: str, name: str = "Ada Sample") -> str:
        body = {"name": name, "email": email, "password": PASSWORD, "role": role}
        body["invitation_code"] = REAL_SECRETS["DOCTOR_INVITATION_CODE"] if role == "doctor" else ""
        self.until_answered("POST", "/auth/register", body)
        return self.log_in(email)

    def log_in(self, email: str, password: str = PASSWORD) -> str:
        answer = self.until_answered("POST", "/auth/login", {"email": email, "password": password})
        if answer is None:
            return ""
        if answer.status != 200:
            self.record.violation(f"{email} is registered and cannot log in: {answer.status}")
            return ""
        return str(answer.body["access_token"])

    def some_doctor(self) -> DoctorOnDuty | None:
        with self.town.lock:
            return self.rng.choice(self.town.doctors) if self.town.doctors else None

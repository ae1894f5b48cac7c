"""Clients that use the API concurrently, at random from a seed, and record the answers."""

from __future__ import annotations

import random
import threading
import uuid
from datetime import datetime
from typing import Any

from src.repositories.offered import MINUTES_OF_VERSION
from src.utils.clock import system_clock
from tests.faults.callers import ZONES, Answered, DoctorOnDuty, Town
from tests.faults.companions import Crowd
from tests.faults.leavers import Leaver
from tests.faults.passwords import CHANGE
from tests.faults.record import NEVER, Kind, Known, Place, SlotOperation, now
from tests.faults.visits import HOURS
from tests.people import PASSWORD


class Client(Leaver, Crowd):
    """A patient, and everything else that happens at the same time."""

    def __init__(self, town: Town, rng: random.Random) -> None:
        super().__init__(town, rng)
        # Those who were here before, and may not change anything any more: (address, token).
        self.former: list[tuple[str, str]] = []

    def run(self, over: threading.Event) -> None:
        self.settle()
        # Half of them at the beginning, because a mail needs some time.
        if self.rng.random() < 0.5:
            self.forget_password()
        deeds = (
            [self.book] * 24 + [self.cancel] * 9 + [self.look] * 10 + [self.look_at_times] * 12 + [self.double_tap] * 4
            + [self.book_many] * 8 + [self.crowd_a_day] * 4
            + [self.hold] * 10 + [self.use_hold] * 5 + [self.release] * 2 + [self.let_hold_expire] * 3
            + [self.move] * 12 + [self.pull_both_ways] * 3 + [self.change_hours] * 4
            + [self.withdraw_slot] * 2 + [self.change_policies] * 3 + [self.look_at_affected] * 2
            + [self.cancel_affected] * 6
            + [self.forget_password] * 6 + [self.change_password] * 3 + [self.change_name] * 3 + [self.leave] * 4
            + [self.doctor_cancels] * 8 + [self.end_sessions] * 3 + [self.race_to_register] * 2 + [self.doctor_leaves]
        )  # fmt: skip
        while not over.is_set():
            self.rng.choice(deeds)()
            self.use_mail()
            if not self.may_change:
                self.send_another(over)

    def send_another(self, over: threading.Event) -> None:
        """Leave, or cancel and release what is left, which is never refused, and go on as another patient."""
        if self.rng.random() < 0.5:
            self.leave()
        while not self.may_change and (self.mine or self.holds) and not over.is_set():
            for appointment in list(self.mine):
                self.cancel_by("patient", appointment)
                if appointment in self.mine:
                    self.cancel_by("doctor", appointment)
            self.release()
        if not self.may_change and not over.is_set():
            self.former.append((self.email, self.token))
            self.settle_anew()

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
                (CHANGE, {"current_password": PASSWORD, "new_password": PASSWORD + "!"}, [first, second]),
            ]
        )
        answer = self.until_answered("POST", path, body, first)
        if path == CHANGE:
            self.note_new_password(email, is_sure=answer is not None)
        if answer is not None and answer.status == 200:
            self.expect_dead(dead, path)

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
        self.record.left[doctor.doctor_id] = began
        answer = self.until_answered("DELETE", "/doctor/account", token=doctor.token)
        # A 401 means that an earlier attempt succeeded: the token is no longer valid.
        done = answer is not None and answer.status in {200, 401}
        for slot_id in slots:
            ended, outcome = (answer.ended, "done") if done and answer else (NEVER, "unknown")
            self.operation(slot_id, "leave", began, ended, outcome)
        if done:
            self.expect_dead([doctor.token], "the account was deleted")
        with self.town.lock:
            self.town.doctors.remove(doctor)
        self.open_practice(publish=5)

    def open_practice(self, publish: int) -> None:
        """Register a doctor, add visit types, open hours and publish slots.

        Slots of different doctors overlap, so that patients can be busy. Two slots more lie within the hours. They end
        where the grid goes on, so that it stays the same when they are closed.
        """
        number = next(self.town.numbers)
        name, zone = f"Dr. Number {number}", ZONES[number % len(ZONES)]
        token = self.join(f"doctor{number}@people.example", "doctor", name)
        self.until_answered("POST", "/doctor/profile", {"time_zone": zone}, token, uuid.uuid4().hex)
        profile = self.until_answered("GET", "/doctor/profile", token=token)
        if profile is None or profile.status != 200 or profile.body["time_zone"] != zone:
            return
        doctor = DoctorOnDuty(name, zone, token, profile.body["doctor_id"])
        self.record.zones[doctor.doctor_id], self.record.names[doctor.doctor_id] = zone, name
        hours = [(10 + index // 2, index % 2 * 30) for index in range(publish)]
        mornings = [(f"{hour:02}:{minute:02}", f"{hour:02}:{minute + 29:02}") for hour, minute in hours]
        for start, end in [*mornings, ("14:01", "14:30"), ("16:01", "16:30")]:
            self.publish(doctor, start, end, mixed=start >= "13:00")
        if self.open_hours(doctor):
            with self.town.lock:
                self.town.doctors.append(doctor)

    def publish(self, doctor: DoctorOnDuty, start: str, end: str, *, mixed: bool) -> None:
        body = {"date": self.town.day, "start_time": start, "end_time": end}
        answer = self.until_answered("POST", "/doctor/availability", body, doctor.token, uuid.uuid4().hex)
        if answer is not None and answer.status == 201:
            slot_id = answer.body["slot_id"]
            place = Place(doctor.doctor_id, self.at(doctor.zone, start), self.at(doctor.zone, end))
            self.record.published[slot_id] = Known(slot_id, place)
            if mixed:
                self.record.mixed.add(slot_id)
            doctor.slots[slot_id] = (start, end)
        elif answer is not None:
            self.record.violation(f"publishing was answered {answer.status} {answer.body}")

    def open_hours(self, doctor: DoctorOnDuty) -> bool:
        """Add visit types, open the whole afternoon, and find out the ids of the times."""
        # The times until 15:00 are too close for this one, and those from 15:30 on are not.
        notice = int((self.at(doctor.zone, "15:10") - system_clock()).total_seconds()) // 60
        wanted: list[dict[str, Any]] = [
            {"name": "Surgery", "buffer_before": 10, "buffer_after": 20},
            {"name": "Class", "minutes": 60, "capacity": 3},
            {"name": "Checkup", "most_per_day": 2},
            {"name": "Planned", "minimum_notice": notice},
        ]
        ids = [row["id"] for row in self.visit_types(doctor)]
        for fields in wanted:
            body = {"minutes": 30, "step": 30, **fields}
            answer = self.until_answered("POST", "/doctor/visit-types", body, doctor.token, uuid.uuid4().hex)
            if answer is None or answer.status != 201:
                return False
            ids.append(answer.body["visit_type_id"])
        if len(ids) != len(wanted) + 1 or not self.set_hours(doctor, HOURS[0]):
            return False
        for kind_id, fields in zip(ids, [{"name": "Consultation"}, *wanted], strict=True):
            version = self.version_of(doctor, kind_id)
            if version is None:
                return False
            self.record.kinds[version] = Kind(
                kind_id, doctor.doctor_id, fields["name"], fields.get("minutes", 30), fields.get("buffer_before", 0),
                fields.get("buffer_after", 0), fields.get("capacity", 1), fields.get("most_per_day"),
                fields.get("minimum_notice", 0),
            )  # fmt: skip
            doctor.versions.append(version)
        return True

    def visit_types(self, doctor: DoctorOnDuty) -> list[dict[str, Any]]:
        answer = self.until_answered("GET", "/doctor/visit-types", token=doctor.token)
        return answer.body["data"] if answer is not None and answer.status == 200 else []

    def version_of(self, doctor: DoctorOnDuty, kind_id: int) -> int | None:
        """Return the id of the current version of a visit type, which the ids of its times contain."""
        path = f"/patient/doctors/{doctor.doctor_id}/availability"
        query = f"?from={self.town.day}&until={self.town.day}&visit_type={kind_id}"
        answer = self.until_answered("GET", path + query, token=self.token)
        if answer is None or answer.status != 200 or not answer.body["data"]:
            return None
        return answer.body["data"][-1]["slot_id"] // MINUTES_OF_VERSION

    # The end.

    def read_own_lists(self) -> None:
        """Read the whole lists of this patient and of those before, for the checker."""
        for email, token in [*self.former, (self.email, self.token)]:
            self.read_whole(email, "/appointments/my", token)

    def try_ended_sessions(self) -> None:
        """Try again what was refused: no fault may bring a session back."""
        for token, ended_by in list(self.record.ended_sessions):
            self.try_dead(token, ended_by)

    def read_lists_of_doctors(self) -> None:
        for doctor in self.town.doctors:
            self.read_whole(str(doctor.doctor_id), "/appointments/doctor", doctor.token)

    def read_whole(self, of: str, path: str, token: str) -> None:
        shown: dict[int, tuple[str, datetime]] = {}
        cursor = ""
        while True:
            answer = self.until_answered("GET", f"{path}?limit=1000{cursor}", token=token)
            if answer is None or answer.status != 200:
                return
            for row in answer.body["data"]:
                shown[row["appointment_id"]] = (row["status"], datetime.fromisoformat(row["starts_at"]))
            if answer.body["next_cursor"] is None:
                break
            cursor = f"&cursor={answer.body['next_cursor']}"
        self.record.listed[of] = shown

    def book_expired(self) -> None:
        """Let a hold that is left expire, and book its time: the hold must not be in the way."""
        doctors = {doctor.doctor_id: doctor for doctor in self.town.doctors}
        for held in self.town.held()[:1]:
            began = now()
            if self.expire(held.of or 0):
                held.leave(began, now())
                self.record.operation(held.slot_id, SlotOperation("expire", began, now(), "done", by=held.by))
                doctor = doctors.get(self.record.known(held.slot_id).place.doctor_id)
                if doctor is not None:
                    self.book_slot(doctor, held.slot_id, uuid.uuid4().hex)

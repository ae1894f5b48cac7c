"""A clinic of any size: doctors with a hundred slots each, and patients.

In the order of ids, the first doctors are those whose free slots are listed, then come those who have appointments,
then those whom the benchmark books, then others. The slots of a doctor begin tomorrow, one after another without
breaks. Each doctor begins at another minute, and slots are 15 to 45 minutes long, so that few of two doctors have the
same times.

Last come the doctors with weekly hours, who publish no slots (clinic_hours.py): first those whose times are listed and
booked, then those who change their hours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from functools import cache
from typing import Any

from benchmarks import clinic_hours
from benchmarks.clinic_hours import FIRST_VERSION, RUN, ZONE, bookable_of, slot_id
from config import load_settings
from src.domain.wall_clock import local, wall_clock
from src.utils.security import hash_password

SLOTS_OF_A_DOCTOR = 100
MOST_READ = 200
BUSY = 20
APPOINTMENTS_OF_A_BUSY_DOCTOR = 20
PATIENTS = 1000
LEAST_SLOTS = 10_000
TIMED, CHANGING = 100, 20
# Patients who only hold times.
HOLDERS = 4000
LEAST_PAST = 10_000
# Every patient's.
PASSWORD = "a password of the benchmark"
MINUTES_OF_A_SLOT = (15, 20, 30, 45)
MINUTES_OF_A_DAY = 24 * 60
MINUTES_BETWEEN_DOCTORS = 7
SPAN = "starts_at, ends_at, time_zone, wall_start, wall_end"


def email(user_id: int) -> str:
    """Return the address of an account."""
    return f"p{user_id}@people.example"


def spans(doctor: int, tomorrow: datetime) -> list[tuple[Any, ...]]:
    """Return the values of SPAN of each slot of a doctor."""
    minutes = MINUTES_OF_A_SLOT[doctor % len(MINUTES_OF_A_SLOT)]
    return _spans(doctor * MINUTES_BETWEEN_DOCTORS % MINUTES_OF_A_DAY, minutes, tomorrow)


@cache
def _spans(first_minute: int, minutes: int, tomorrow: datetime) -> list[tuple[Any, ...]]:
    edges = [tomorrow + timedelta(minutes=first_minute + minutes * i) for i in range(SLOTS_OF_A_DOCTOR + 1)]
    walls = [wall_clock(edge, ZONE) for edge in edges]
    return [(*edges[i : i + 2], ZONE, *walls[i : i + 2]) for i in range(SLOTS_OF_A_DOCTOR)]


@cache
def today() -> date:
    """Return the day on which the benchmark began."""
    return local(datetime.now(timezone.utc), ZONE).date()


@dataclass(frozen=True)
class Stock:
    """The clinic's rows: the first accounts are the doctors, whose profiles have the same ids; then come the patients.

    One more patient has `history` cancelled appointments. With `mails`, the outbox also has a thousand sent mails
    about each of these. The doctors with hours have `past` appointments that have ended. Then come patients who hold
    times, and who share that past with the first ones; then one for each doctor with hours, who has the appointments
    ahead.
    """

    slots: int
    history: int = APPOINTMENTS_OF_A_BUSY_DOCTOR
    mails: bool = False
    past: int = LEAST_PAST

    @property
    def publishing(self) -> int:
        """The number of doctors who publish slots."""
        return self.slots // SLOTS_OF_A_DOCTOR

    @property
    def doctors(self) -> int:
        """The number of all doctors."""
        return self.publishing + TIMED + CHANGING

    @property
    def timed(self) -> range:
        """The ids of the doctors whose computed times are listed and booked."""
        return range(self.publishing + 1, self.publishing + TIMED + 1)

    @property
    def changing(self) -> range:
        """The ids of the doctors who change their hours."""
        return range(self.timed.stop, self.timed.stop + CHANGING)

    @property
    def first_patient(self) -> int:
        """The account id of the first patient."""
        return self.doctors + 1

    @property
    def read(self) -> int:
        """How many doctors' free slots are listed."""
        return min(MOST_READ, self.publishing // 5)

    @property
    def busy(self) -> range:
        """The ids of the doctors who have appointments."""
        return range(self.read + 1, self.read + BUSY + 1)

    @property
    def booked_doctors(self) -> int:
        """How many doctors' slots the benchmark books; each of them has a patient of their own."""
        return min(PATIENTS - BUSY, self.publishing - self.busy[-1])

    @property
    def bookable(self) -> int:
        """How many slots the benchmark books."""
        return self.booked_doctors * SLOTS_OF_A_DOCTOR

    def slot(self, number: int) -> tuple[int, int]:
        """Return the ids of a slot that the benchmark books, and of the patient who books it.

        All slots of one doctor are booked by one patient, so that no two of a patient overlap. The next slot is another
        doctor's, because bookings of one patient at the same moment are decided one after the other.
        """
        nth, doctor = divmod(number % self.bookable, self.booked_doctors)
        return (self.busy[-1] + doctor) * SLOTS_OF_A_DOCTOR + nth + 1, self.first_patient + doctor

    @property
    def bookable_times(self) -> int:
        """How many computed times the benchmark books; each has another one that it can be moved to."""
        return TIMED * RUN * (min(len(bookable_of(doctor, today())) for doctor in self.timed) // (2 * RUN))

    def time(self, number: int) -> tuple[int, int, int]:
        """Return the ids of a computed time, of the one it can be moved to, and of the patient who books it.

        The patient's next time is later, until there are RUN of one patient and one doctor.
        """
        run, nth = divmod(number % self.bookable_times, RUN)
        block, doctor = divmod(run, TIMED)
        free = bookable_of(self.timed[doctor], today())
        first = 2 * RUN * block + nth
        ids = [slot_id(FIRST_VERSION + doctor, free[at].minute) for at in (first, first + RUN)]
        return ids[0], ids[1], self.first_patient + run % (PATIENTS - BUSY)

    def holder(self, number: int) -> int:
        """Return who holds a computed time."""
        return self.old_patient + 1 + number % HOLDERS

    def tables(self) -> list[tuple[str, str, Iterator[tuple[Any, ...]], int]]:
        """Return the name, the columns, the rows and the number of rows of each table, one of them twice."""
        now = datetime.now(timezone.utc).replace(microsecond=0)
        tomorrow = (now + timedelta(days=1)).replace(minute=0, second=0)
        password_hash = hash_password(PASSWORD, load_settings())
        people = self.old_patient + HOLDERS + TIMED + CHANGING
        users = (
            (i, f"Dr. Number {i}" if i <= self.doctors else f"Patient Number {i}", email(i),
             email(i), password_hash, "doctor" if i <= self.doctors else "patient", now)
            for i in range(1, people + 1)
        )  # fmt: skip
        last = today() + timedelta(days=clinic_hours.HORIZON + 1)
        doctors = ((i, i, "Dr. med.", "Cardiology", ZONE, last) for i in range(1, self.doctors + 1))

        def slots() -> Iterator[tuple[Any, ...]]:
            number = 0
            for doctor in range(1, self.publishing + 1):
                for index, span in enumerate(spans(doctor, tomorrow)):
                    number += 1
                    booked = doctor in self.busy and index < APPOINTMENTS_OF_A_BUSY_DOCTOR
                    yield number, doctor, *span, "booked" if booked else "free", now

        def appointments() -> Iterator[tuple[Any, ...]]:
            for doctor in self.busy:
                for index in range(APPOINTMENTS_OF_A_BUSY_DOCTOR):
                    slot = (doctor - 1) * SLOTS_OF_A_DOCTOR + index + 1
                    number = (doctor - self.busy[0]) * APPOINTMENTS_OF_A_BUSY_DOCTOR + index + 1
                    yield number, slot, doctor, self.busy_patient(doctor), *spans(doctor, tomorrow)[index], now

        count = BUSY * APPOINTMENTS_OF_A_BUSY_DOCTOR
        hours = range(self.timed.start, self.changing.stop)
        with_hours = clinic_hours.tables(hours, range(1, hours.start), self.old_patient + HOLDERS + 1, today(), now)
        until = "openings_until"
        return [
            ("users", "id, name, email, email_key, password_hash, role, created_at", users, people),
            ("doctors", f"id, user_id, designation, specialization, time_zone, {until}", doctors, self.doctors),
            (
                "availability_slots",
                f"id, doctor_id, {SPAN}, status, created_at",
                slots(),
                self.publishing * SLOTS_OF_A_DOCTOR,
            ),
            ("appointments", f"id, slot_id, doctor_id, patient_id, {SPAN}, booked_at", appointments(), count),
            *with_hours,
        ]

    @property
    def old_patient(self) -> int:
        """The account id of the patient with the history."""
        return self.first_patient + PATIENTS

    def busy_patient(self, doctor: int) -> int:
        """Return the patient who has all the appointments of a busy doctor."""
        return self.first_patient + PATIENTS - BUSY + (doctor - self.busy[0])

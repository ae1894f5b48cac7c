"""Patients who all want the last appointments of one day at once."""

from __future__ import annotations

import random
import threading
import uuid

from tests.faults.callers import DoctorOnDuty, Town
from tests.faults.practice import Practitioner
from tests.faults.visits import GRID, Visitor

COMPANIONS = 2


class Companion(Visitor):
    """A patient who books what a client says, and gives it back."""

    def get_ready(self) -> bool:
        """Join, as somebody new if this patient may not change anything for an hour; return whether that was done."""
        if not self.may_change:
            self.be_somebody_new()
        if not self.token:
            self.token = self.join(self.email, "patient")
        return bool(self.token)

    def give_back(self) -> None:
        """Cancel everything, by the patient, or by the doctor if that is too late for the patient."""
        for actor in ("patient", "doctor"):
            for appointment in list(self.mine):
                self.cancel_by(actor, appointment)


class Crowd(Practitioner):
    """A patient who brings others."""

    def __init__(self, town: Town, rng: random.Random) -> None:
        super().__init__(town, rng)
        self.companions = [Companion(town, random.Random(rng.random())) for _ in range(COMPANIONS)]

    def crowd_a_day(self) -> None:
        """Let this patient and the companions book different times at once, of a type that has a limit for each day."""
        doctor = self.some_doctor()
        limited = [version for version in doctor.versions if self.record.kinds[version].most_per_day] if doctor else []
        if doctor is None or not limited:
            return
        patients = [self, *(one for one in self.companions if one.get_ready())]
        times = [self.computed(doctor, limited[0], at) for at in self.rng.sample(GRID, len(patients))]
        book_at_once(patients, doctor, times)
        for companion in self.companions:
            companion.give_back()


def book_at_once(patients: list[Visitor], doctor: DoctorOnDuty, times: list[int]) -> None:
    threads = [
        threading.Thread(target=patient.book_slot, args=(doctor, slot_id, uuid.uuid4().hex))
        for patient, slot_id in zip(patients, times, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

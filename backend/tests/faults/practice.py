"""What doctors of a campaign do with their own times: withdraw them, change the policies, cancel what is affected."""

from __future__ import annotations

import uuid

from tests.faults.callers import Answered, DoctorOnDuty
from tests.faults.record import NEVER, AffectedLook, Outcome, Policies, Sweep, now
from tests.faults.visits import Visitor

# Nobody can cancel or move in time with the last notice, in minutes.
NOTICES = (None, None, None, 0, 60, 40 * 24 * 60)
MOST_AHEAD = (None, None, None, 1, 2)


class Practitioner(Visitor):
    """A patient, who also acts for doctors."""

    def withdraw_slot(self) -> None:
        """Withdraw a published slot, which must be refused while it is booked, and after it was withdrawn.

        Computed times at its minutes are offered as before.
        """
        doctor = self.some_doctor()
        if doctor is None or not doctor.slots or not self.town.may_withdraw(doctor):
            return
        slot_id = self.rng.choice(list(doctor.slots))
        began = now()
        path = f"/doctor/availability/{slot_id}"
        answer = self.until_answered("DELETE", path, token=doctor.token, key=uuid.uuid4().hex)
        ended, outcome = NEVER, "unknown"
        if answer is not None and not self.has_left(doctor, answer):
            known: dict[str, Outcome] = {"slot-taken": "taken", "slot-not-found": "gone"}
            ended, outcome = answer.ended, "done" if answer.status == 200 else known.get(answer.kind, "unknown")
            if outcome == "unknown":
                self.record.violation(f"a withdrawal was answered {answer.status} {answer.body}")
        self.operation(slot_id, "withdraw", began, ended, outcome)
        if outcome in {"done", "unknown"}:
            with self.town.lock:
                doctor.withdrawals += 1
            self.record.slot_withdrawal(self.record.known(slot_id), began, ended)
            self.rumour(slot_id)

    def has_left(self, doctor: DoctorOnDuty, answer: Answered) -> bool:
        """Return whether the answer says that the doctor has left meanwhile."""
        return answer.status == 401 and doctor.leaving

    def change_policies(self) -> None:
        doctor = self.some_doctor()
        if doctor is None or doctor.leaving or not doctor.changes_policies.acquire(blocking=False):
            return
        notice, most_ahead = self.rng.choice(NOTICES), self.rng.choice(MOST_AHEAD)
        body = {"cancellation_notice": notice, "most_ahead": most_ahead}
        began = now()
        answer = self.until_answered("PUT", "/doctor/policies", body, doctor.token, uuid.uuid4().hex)
        is_known = answer is not None and not self.has_left(doctor, answer)
        if answer is not None and is_known and answer.status != 200:
            self.record.violation(f"a change of policies was answered {answer.status} {answer.body}")
        with self.record.lock:
            ended = answer.ended if answer is not None and is_known else NEVER
            self.record.policies[doctor.doctor_id].append(Policies(notice, most_ahead, began, ended))
        # If it is not known what they are now, nobody changes them any more.
        if is_known:
            doctor.changes_policies.release()

    def look_at_affected(self) -> None:
        doctor = self.some_doctor()
        if doctor is not None:
            self.list_affected(doctor)

    def list_affected(self, doctor: DoctorOnDuty) -> list[int]:
        """Return the appointments that are outside of the doctor's hours, by time."""
        answer = self.until_answered("GET", "/doctor/affected", token=doctor.token)
        if answer is None or self.has_left(doctor, answer):
            return []
        if answer.status != 200:
            self.record.violation(f"the list of affected appointments was answered {answer.status} {answer.body}")
            return []
        listed = [row["appointment_id"] for row in answer.body["data"]]
        with self.record.lock:
            look = AffectedLook(doctor.doctor_id, answer.began, answer.ended, frozenset(listed))
            self.record.affected_looks.append(look)
        return listed

    def cancel_affected(self) -> None:
        """Cancel some of the affected appointments at once, sometimes with one that perhaps is not affected."""
        doctor = self.some_doctor()
        if doctor is None or doctor.leaving:
            return
        listed = self.list_affected(doctor)
        # Mostly several at once.
        if not listed or (len(listed) == 1 and self.rng.random() < 0.6):
            return
        chosen = set(self.rng.sample(listed, min(len(listed), self.rng.choice((1, 3, 6)))))
        if self.mine and self.rng.random() < 0.2:
            chosen.add(self.rng.choice(list(self.mine)))
        reason = f"Sweep {next(self.town.numbers)}."
        with self.record.lock:
            self.record.swept |= chosen
        began = now()
        body = {"appointment_ids": sorted(chosen), "reason": reason}
        answer = self.until_answered("POST", "/doctor/affected/cancel", body, doctor.token, uuid.uuid4().hex)
        ended, outcome = NEVER, "unknown"
        if answer is not None and not self.has_left(doctor, answer):
            ended, outcome = answer.ended, "done" if answer.status == 200 else "refused"
            if answer.status != 200 and answer.kind != "not-affected":
                self.record.violation(f"cancelling what is affected was answered {answer.status} {answer.body}")
        with self.record.lock:
            sweep = Sweep(doctor.doctor_id, frozenset(chosen), reason, began, ended, outcome)
            self.record.sweeps.append(sweep)

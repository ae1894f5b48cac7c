"""What patients and doctors of a campaign do with times: book, hold, move and cancel, and change the hours."""

from __future__ import annotations

import random
import threading
import uuid
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Literal
from zoneinfo import ZoneInfo

from src.domain.minutes import minute_of
from src.models.appointment import FIRST_COMPUTED_SLOT
from src.repositories.offered import MINUTES_OF_VERSION
from tests.faults.callers import SECONDS_TO_GIVE_UP, Answered, Caller, DoctorOnDuty, Town
from tests.faults.expiry import expire
from tests.faults.record import (
    NEVER,
    Change,
    Hours,
    Look,
    Outcome,
    Refused,
    Row,
    SlotOperation,
    Stay,
    now,
)

# What a refused request for a time means for the history of a published slot.
OUTCOME_OF: dict[str, Outcome] = {"slot-taken": "taken", "patient-busy": "busy", "slot-not-found": "gone"}
# The hours of a doctor's day, of which each change takes one: rows of (from, until, for groups only). No two touch.
HOURS = (
    (("13:00", "17:00", False),),
    (("13:00", "17:00", False),),
    (("15:00", "17:00", False),),
    (("13:00", "14:30", False), ("15:30", "17:00", False)),
    (("13:00", "14:00", True), ("14:30", "16:00", False)),
)
GRID = tuple(f"{13 + half // 2}:{half % 2 * 30:02}" for half in range(8))
# How long a hold may still be there after the time for which it was asked.
SECONDS_AROUND = SECONDS_TO_GIVE_UP + 60
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


REASONS = {*OUTCOME_OF, "slot-not-offered", "day-full", "notice-too-short"}
REASONS_OF_RACES = {"same-time", "changed-meanwhile", "already-cancelled", "not-your-appointment", "not-your-time"}
TOO_MANY_CHANGES = "too-many-changes"
# What the policies refuse patients only.
LIMITS = {"too-many-ahead", "too-many-with-doctor", TOO_MANY_CHANGES}
REASONS_FOR_PATIENTS = {*LIMITS, "too-late"}


@dataclass
class Act:
    """A cancellation, or a move to the target, with its answer; `began` is the time of the request."""

    actor: str
    target: tuple[DoctorOnDuty, int] | None
    began: float = NEVER
    answer: Answered | None = None

    @property
    def done(self) -> bool:
        return self.answer is not None and self.answer.status == 200

    @property
    def ended(self) -> float:
        return NEVER if self.answer is None else self.answer.ended


@dataclass
class MyHold:
    id: int
    stay: Stay
    doctor: DoctorOnDuty


class Visitor(Caller):
    """A patient, who also acts for the doctors of the own appointments."""

    def __init__(self, town: Town, rng: random.Random) -> None:
        super().__init__(town, rng)
        self.be_somebody_new()

    def be_somebody_new(self) -> None:
        """Forget everything, and be a patient who has not registered yet."""
        number = next(self.town.numbers)
        # No name is a part of another one, so that the checker can look for each.
        self.email, self.name = f"patient{number}@people.example", f"Ada Sample {number:05}"
        self.token = ""
        # Appointments by id: where they are, and with whom. All others of this patient were cancelled or are in doubt.
        self.mine: dict[int, tuple[Stay, DoctorOnDuty]] = {}
        self.acknowledged: set[int] = set()
        self.holds: dict[int, MyHold] = {}
        # Whether there may be holds that `holds` does not have.
        self.in_doubt = False
        # How many bookings, moves and cancellations of this patient were done, or may have been.
        self.changes = 0
        self.may_change = True

    # Bookings.

    def book(self) -> None:
        target = self.some_time()
        if target is not None:
            self.book_slot(*target, key=uuid.uuid4().hex)

    def book_slot(self, doctor: DoctorOnDuty, slot_id: int, key: str, began: float | None = None) -> None:
        """Book a time; `began` is the time of the first request with this key, if that was another one."""
        began = now() if began is None else began
        held = self.holds.get(slot_id)
        answer = self.until_answered("POST", "/appointments", {"slot_id": slot_id}, self.token, key)
        self.note_booking(doctor, slot_id, answer, began, held)

    def note_booking(
        self, doctor: DoctorOnDuty, slot_id: int, answer: Answered | None, began: float, held: MyHold | None = None
    ) -> None:
        self.changes += answer is None or answer.status == 201
        if answer is None:
            self.record.unanswered.add((self.email, slot_id))
            self.record.stay(Stay(slot_id, self.email, began))
            self.operation(slot_id, "book", began, NEVER, "unknown")
            self.may_lose_holds(doctor, slot_id, began, NEVER)
        elif answer.status == 201:
            appointment = answer.body["appointment_id"]
            with self.record.lock:
                self.record.booked[appointment] = (self.email, slot_id)
            if held is not None and held.stay.sure_until >= answer.ended and held.id != appointment:
                self.record.violation(f"hold {held.id} was booked, and appointment {appointment} is another one")
            stay = self.record.stay(Stay(slot_id, self.email, began, answer.ended, appointment))
            self.record.change(appointment, Change("booked", began, answer.ended, "done", "patient", slot_id))
            self.operation(slot_id, "book", began, answer.ended, "done", appointment)
            self.may_lose_holds(doctor, slot_id, began, answer.ended)
            self.mine[appointment] = (stay, doctor)
            self.acknowledged.add(appointment)
            self.read_own_write(appointment)
            # Others join a group.
            for _ in range(self.record.known(slot_id).capacity - 1):
                self.rumour(slot_id)
        else:
            self.refused("book", doctor, slot_id, answer, began, held)

    def may_lose_holds(self, doctor: DoctorOnDuty, slot_id: int, began: float, ended: float) -> None:
        """Note that a booking, hold or move may have released the holds at the doctor, and used that of the slot."""
        held = self.holds.pop(slot_id, None)
        if held is not None:
            held.stay.leave(began, ended)
        for other in self.holds.values():
            if other.doctor is doctor:
                other.stay.leave(began)

    def refused(
        self,
        kind: Any,
        doctor: DoctorOnDuty,
        slot_id: int,
        answer: Answered,
        began: float,
        held: MyHold | None = None,
        moving: int | None = None,
    ) -> None:
        if answer.kind not in REASONS | LIMITS:
            self.record.violation(f"{kind} of {slot_id} was answered {answer.status} {answer.body}")
            return
        if answer.kind in LIMITS:
            self.record.limited[answer.kind] += 1
        if answer.kind == TOO_MANY_CHANGES:
            self.refused_for_an_hour(answer)
            return
        holding = held is not None and held.stay.surely_spans(began, answer.ended)
        refused = Refused(slot_id, self.email, answer.kind, began, answer.ended, moving, holding)
        with self.record.lock:
            self.record.refused.append(refused)
        if answer.kind in OUTCOME_OF:
            self.operation(slot_id, kind, began, answer.ended, OUTCOME_OF[answer.kind], moving)

    def refused_for_an_hour(self, answer: Answered) -> None:
        self.may_change = False
        if self.changes < self.record.limits.changes_per_hour:
            self.record.violation(f"{self.email} made {self.changes} changes, which are too many: {answer.body}")
        if answer.status != 429 or not 0 < int(answer.headers["Retry-After"]) <= 3600:
            self.record.violation(f"{answer.status} after too many changes, for {answer.headers['Retry-After']} s")

    def book_many(self) -> None:
        """Book several times at once, perhaps of one doctor: together they must not exceed a limit."""
        doctor = self.some_doctor() if self.rng.random() < 0.7 else None
        targets = dict(target[::-1] for target in (self.some_time(doctor) for _ in range(4)) if target is not None)
        targets = {slot_id: of for slot_id, of in targets.items() if slot_id not in self.holds}
        answers: dict[int, Answered | None] = {}

        def ask(slot_id: int) -> None:
            answers[slot_id] = self.ask_to_book(slot_id)

        threads = [threading.Thread(target=ask, args=(slot_id,)) for slot_id in targets]
        began = now()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        # Those that were refused for too many changes come last, when the others are counted.
        for slot_id, answer in sorted(answers.items(), key=lambda one: one[1] is not None and one[1].status == 429):
            self.note_booking(targets[slot_id], slot_id, answer, began)

    def ask_to_book(self, slot_id: int) -> Answered | None:
        return self.until_answered("POST", "/appointments", {"slot_id": slot_id}, self.token, uuid.uuid4().hex)

    def double_tap(self) -> None:
        """Send the same request twice at once: there must be one appointment."""
        target = self.some_time()
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
        if second is not None and second.status == 201 and second.body["appointment_id"] not in self.acknowledged:
            self.record.violation(f"one key booked two appointments of slot {slot_id}")

    def read_own_write(self, appointment: int) -> None:
        listed = self.once("GET", "/appointments/my?limit=1000", token=self.token)
        if listed is not None and listed.status == 200:
            shown = {row["appointment_id"] for row in listed.body["data"]}
            missing = ({appointment} | self.acknowledged) - shown
            if missing:
                self.record.violation(
                    f"{self.email} does not see appointments {sorted(missing)} that were acknowledged"
                )
            held = shown & {hold.id for hold in self.holds.values()}
            if held:
                self.record.violation(f"holds are listed as appointments of {self.email}: {sorted(held)}")

    # Holds.

    def hold(self) -> None:
        target = self.some_time()
        if target is None:
            return
        doctor, slot_id = target
        began, minutes = now(), self.rng.choice((10, 15))
        answer = self.until_answered(
            "POST", "/holds", {"slot_id": slot_id, "minutes": minutes}, self.token, uuid.uuid4().hex
        )
        latest = began + SECONDS_AROUND + minutes * 60
        if answer is None:
            self.in_doubt = True
            self.operation(slot_id, "hold", began, NEVER, "unknown")
            self.may_lose_holds(doctor, slot_id, began, NEVER)
            self.record.stay(Stay(slot_id, self.email, began, is_hold=True, ended=latest))
        elif answer.status == 201:
            self.operation(slot_id, "hold", began, answer.ended, "done")
            # The hold that there was is longer now, or a new one has taken its place.
            before = self.holds.get(slot_id)
            if before is not None and before.stay.surely_spans(began, answer.ended):
                if before.id != answer.body["hold_id"]:
                    self.record.violation(f"hold {before.id} was asked for again and became {answer.body['hold_id']}")
                self.holds.pop(slot_id)
                sure_from, first = before.stay.sure_from, before.stay.began
                before.stay.leave(began, answer.ended)
            else:
                sure_from, first = answer.ended, began
            self.may_lose_holds(doctor, slot_id, began, answer.ended)
            until = began + minutes * 60
            self.operation(slot_id, "expire", until, NEVER, "unknown")
            stay = Stay(slot_id, self.email, first, sure_from, answer.body["hold_id"], True, until, latest)
            self.holds[slot_id] = MyHold(answer.body["hold_id"], self.record.stay(stay), doctor)
            self.record.holds += 1
        elif answer.kind == "too-many-holds":
            if len(self.holds) < 3 and not self.in_doubt:
                self.record.violation(f"{self.email} holds {len(self.holds)} times, which is too many: {answer.body}")
            self.release()
        else:
            self.refused("hold", doctor, slot_id, answer, began, self.holds.get(slot_id))

    def use_hold(self) -> None:
        """Book a time that this patient holds."""
        if self.holds:
            slot_id = self.rng.choice(list(self.holds))
            self.book_slot(self.holds[slot_id].doctor, slot_id, uuid.uuid4().hex)

    def release(self) -> None:
        if not self.holds:
            return
        slot_id = self.rng.choice(list(self.holds))
        held = self.holds.pop(slot_id)
        began = now()
        answer = self.until_answered("DELETE", f"/holds/{held.id}", token=self.token, key=uuid.uuid4().hex)
        if answer is None:
            self.in_doubt = True
            held.stay.leave(began)
            self.operation(slot_id, "release", began, NEVER, "unknown")
            return
        if answer.status == 404 and not held.doctor.leaving and held.stay.surely_spans(began, answer.ended):
            self.record.violation(f"hold {held.id} was lost: {answer.body}")
        elif answer.status not in {200, 404}:
            self.record.violation(f"a release was answered {answer.status} {answer.body}")
        held.stay.leave(began, answer.ended)
        self.operation(slot_id, "release", began, answer.ended, "done" if answer.status == 200 else "none")
        self.rumour(slot_id)

    def let_hold_expire(self) -> None:
        """Set the end of a hold into the past, as no campaign is long enough to wait for it."""
        if not self.holds:
            return
        slot_id = self.rng.choice(list(self.holds))
        held = self.holds.pop(slot_id)
        began = now()
        gone = self.expire(held.id)
        if gone is None:
            self.in_doubt = True
            held.stay.leave(began)
            self.operation(slot_id, "expire", began, NEVER, "unknown")
            return
        if not gone and not held.doctor.leaving and held.stay.surely_spans(began, now()):
            self.record.violation(f"hold {held.id} was lost before it expired")
        held.stay.leave(began, now())
        self.operation(slot_id, "expire", began, now(), "done" if gone else "none")
        self.rumour(slot_id)

    def expire(self, hold_id: int) -> bool | None:
        """Let a hold expire; return False if there is none, and None if that is not known."""
        # No request that is under way has begun a minute ago.
        ago = datetime.fromtimestamp(self.record.instant(now()).timestamp() - 60, timezone.utc)
        return expire(self.town.world.engine, hold_id, ago)

    def rumour(self, slot_id: int) -> None:
        with self.town.lock:
            self.town.rumours = [*self.town.rumours[-7:], slot_id]

    # Moves and cancellations.

    def move(self) -> None:
        """Move an appointment anywhere, or let its doctor move it to another time of the same doctor."""
        if not self.mine:
            return
        appointment = self.rng.choice(list(self.mine))
        if self.rng.random() < 0.5:
            target = self.some_time()
            actor = "patient"
        else:
            target = self.some_time(self.mine[appointment][1])
            actor = "doctor"
        if target is not None:
            self.move_to(appointment, *target, actor)

    def move_to(self, appointment: int, doctor: DoctorOnDuty, slot_id: int, actor: str) -> None:
        old, old_doctor = self.mine[appointment]
        began = now()
        answer = self.ask_to_move(appointment, slot_id, self.token if actor == "patient" else old_doctor.token)
        self.changes += actor == "patient" and (answer is None or answer.status == 200)
        if answer is None:
            self.forget(appointment, began)
            self.record.change(appointment, Change("rescheduled", began, NEVER, "unknown", actor, slot_id))
            self.record.stay(Stay(slot_id, self.email, began, of=appointment))
            self.operation(old.slot_id, "move_out", began, NEVER, "unknown", appointment)
            self.operation(slot_id, "move_in", began, NEVER, "unknown", appointment)
        elif answer.status == 200:
            self.moved(appointment, old, slot_id, doctor, actor, began, answer.ended)
        elif answer.kind == "same-time":
            if slot_id != old.slot_id:
                self.record.violation(f"appointment {appointment} is not at {slot_id}: {answer.body}")
        elif answer.kind == "already-cancelled":
            self.cancelled_by_others(appointment, old, old_doctor, began, answer)
        elif answer.status == 401 and actor == "doctor" and old_doctor.leaving:
            return
        elif answer.kind in REASONS_FOR_PATIENTS and actor == "doctor":
            self.record.violation(f"a move by the doctor was answered {answer.status} {answer.body}")
        elif answer.kind == "too-late":
            self.too_late(old, began, answer)
        else:
            self.refused("move_in", doctor, slot_id, answer, began, None, appointment)

    def ask_to_move(self, appointment: int, slot_id: int, token: str) -> Answered | None:
        path = f"/appointments/{appointment}/reschedule"
        return self.until_answered("POST", path, {"slot_id": slot_id}, token, uuid.uuid4().hex)

    def moved(
        self,
        appointment: int,
        old: Stay,
        slot_id: int,
        doctor: DoctorOnDuty,
        actor: str,
        began: float,
        ended: float,
    ) -> None:
        self.record.change(appointment, Change("rescheduled", began, ended, "done", actor, slot_id))
        old.leave(began, ended)
        stay = self.record.stay(Stay(slot_id, self.email, began, ended, appointment))
        self.operation(old.slot_id, "move_out", began, ended, "done", appointment)
        self.operation(slot_id, "move_in", began, ended, "done", appointment)
        self.may_lose_holds(doctor, slot_id, began, ended)
        self.mine[appointment] = (stay, doctor)
        self.record.moves += 1
        self.rumour(old.slot_id)

    def forget(self, appointment: int, began: float) -> None:
        """Do nothing more with an appointment of which nobody knows where it is."""
        stay, _ = self.mine.pop(appointment)
        stay.leave(began)

    def too_late(self, stay: Stay, began: float, answer: Answered) -> None:
        with self.record.lock:
            self.record.limited["too-late"] += 1
            self.record.refused.append(Refused(stay.slot_id, self.email, "too-late", began, answer.ended))

    def cancelled_by_others(
        self, appointment: int, stay: Stay, doctor: DoctorOnDuty, began: float, answer: Answered
    ) -> None:
        """Note that the doctor has left, or has cancelled the appointment with others."""
        if not doctor.leaving and appointment not in self.record.swept:
            self.record.violation(f"appointment {appointment} is cancelled, and nobody did it: {answer.body}")
        stay.leave(began, answer.ended)
        self.mine.pop(appointment, None)
        self.operation(stay.slot_id, "cancel", began, answer.ended, "not_active", appointment)

    def cancel(self) -> None:
        if self.mine:
            self.cancel_by("patient", self.rng.choice(list(self.mine)))

    def doctor_cancels(self) -> None:
        if self.mine:
            self.cancel_by("doctor", self.rng.choice(list(self.mine)))

    def cancel_by(self, actor: str, appointment: int) -> None:
        """Cancel, sometimes with a reason; a doctor may withdraw the time as well."""
        stay, doctor = self.mine[appointment]
        reason = f"Reason {next(self.town.numbers)}." if self.rng.random() < 0.5 else None
        withdraw = actor == "doctor" and self.rng.random() < 0.6 and self.town.may_withdraw(doctor)
        body = {"reason": reason, "withdraw": withdraw} if reason or withdraw else None
        began = now()
        answer = self.ask_to_cancel(appointment, self.token if actor == "patient" else doctor.token, body)
        self.changes += actor == "patient" and (answer is None or answer.status == 200)
        if answer is None:
            self.forget(appointment, began)
            self.record.change(appointment, Change("cancelled", began, NEVER, "unknown", actor, reason=reason))
            how = "cancel_and_withdraw" if withdraw else "cancel"
            self.operation(stay.slot_id, how, began, NEVER, "unknown", appointment)
            if withdraw:
                self.note_withdrawal(doctor, stay.slot_id, began, NEVER)
        elif answer.status == 200:
            self.cancelled(appointment, stay, actor, began, answer.ended, reason, withdraw=withdraw)
        elif answer.kind == "already-cancelled":
            self.cancelled_by_others(appointment, stay, doctor, began, answer)
        elif answer.kind == "too-late" and actor == "patient":
            self.too_late(stay, began, answer)
        elif answer.status != 401 or actor == "patient" or not doctor.leaving:
            self.record.violation(f"a cancel was answered {answer.status} {answer.body}")

    def ask_to_cancel(self, appointment: int, token: str, body: dict[str, Any] | None = None) -> Answered | None:
        path = f"/appointments/{appointment}/cancel"
        return self.until_answered("POST", path, body, token, uuid.uuid4().hex)

    def note_withdrawal(self, doctor: DoctorOnDuty, slot_id: int, began: float, ended: float) -> None:
        """Note that the doctor does not offer the time of this appointment again."""
        with self.town.lock:
            doctor.withdrawals += 1
        self.record.withdrawal(self.record.known(slot_id), began, ended)

    def cancelled(
        self,
        appointment: int,
        stay: Stay,
        actor: str,
        began: float,
        ended: float,
        reason: str | None = None,
        *,
        withdraw: bool = False,
    ) -> None:
        self.record.change(appointment, Change("cancelled", began, ended, "done", actor, reason=reason))
        stay.leave(began, ended)
        _, doctor = self.mine.pop(appointment)
        how = "cancel_and_withdraw" if withdraw else "cancel"
        self.operation(stay.slot_id, how, began, ended, "done", appointment)
        if withdraw:
            self.note_withdrawal(doctor, stay.slot_id, began, ended)
        if self.rng.random() < 0.2:
            self.cancel_again(appointment, stay, actor)
        self.rumour(stay.slot_id)

    def cancel_again(self, appointment: int, stay: Stay, actor: str) -> None:
        """Cancel what is cancelled, which must be refused."""
        began = now()
        answer = self.ask_to_cancel(appointment, self.token) if actor == "patient" else None
        if answer is not None and answer.status == 200:
            self.record.change(appointment, Change("cancelled", began, answer.ended, "done", actor))
            self.operation(stay.slot_id, "cancel", began, answer.ended, "done", appointment)
        elif answer is not None and answer.kind == "already-cancelled":
            self.operation(stay.slot_id, "cancel", began, answer.ended, "not_active", appointment)

    def pull_both_ways(self) -> None:
        """Let the patient move an appointment while its doctor moves it elsewhere or cancels it."""
        if not self.mine:
            return
        appointment = self.rng.choice(list(self.mine))
        old, doctor = self.mine[appointment]
        target, other = self.some_time(), self.some_time(doctor)
        if target is None or other is None or len({target[1], other[1], old.slot_id}) < 3:
            return
        mine = Act("patient", target)
        theirs = Act("doctor", None if self.rng.random() < 0.5 else other)
        thread = threading.Thread(target=self.act, args=(appointment, theirs, doctor.token))
        thread.start()
        self.act(appointment, mine, self.token)
        thread.join()
        self.note_acts(appointment, [mine, theirs])

    def act(self, appointment: int, act: Act, token: str) -> None:
        act.began = now()
        if act.target is None:
            act.answer = self.ask_to_cancel(appointment, token)
        else:
            act.answer = self.ask_to_move(appointment, act.target[1], token)

    def note_acts(self, appointment: int, acts: list[Act]) -> None:
        """Note what both together did. Whoever was refused saw one of the states, and the answers do not tell which."""
        old, doctor = self.mine[appointment]
        for act in acts:
            if act.answer is not None and act.answer.status != 200:
                left = act.answer.status == 401 and doctor.leaving
                reasons = REASONS | REASONS_OF_RACES | (REASONS_FOR_PATIENTS if act.actor == "patient" else set())
                if not left and act.answer.kind not in reasons:
                    self.record.violation(f"a change by the {act.actor} was answered {act.answer.body}")
        self.changes += sum(1 for act in acts if act.actor == "patient" and (act.answer is None or act.done))
        done = [act for act in acts if act.done]
        if any(act.answer is None for act in acts):
            self.note_perhaps_both(appointment, acts)
        elif len(done) == 1:
            self.note_one(appointment, old, done[0], done[0].began, done[0].ended)
        elif done:
            self.note_both(appointment, acts)

    def note_one(self, appointment: int, old: Stay, act: Act, began: float, ended: float) -> None:
        if act.target is None:
            self.cancelled(appointment, old, act.actor, began, ended)
        else:
            self.moved(appointment, old, act.target[1], act.target[0], act.actor, began, ended)

    def note_both(self, appointment: int, acts: list[Act]) -> None:
        """Note two changes that were both done: the later one tells where the appointment is now."""
        order = acts
        if acts[1].target is not None:
            shown = self.until_answered("GET", f"/appointments/{appointment}", token=self.token)
            is_there = [shown is not None and self.is_where(act, shown) for act in acts]
            if sum(is_there) != 1:
                self.note_perhaps_both(appointment, acts)
                return
            order = acts if is_there[1] else acts[::-1]
        began, ended = min(act.began for act in acts), max(act.ended for act in acts)
        old, _ = self.mine[appointment]
        self.note_one(appointment, old, order[0], began, ended)
        between, _ = self.mine[appointment]
        # It was there for a moment that nobody knows.
        between.sure_from = NEVER
        self.note_one(appointment, between, order[1], began, ended)

    def is_where(self, act: Act, shown: Answered) -> bool:
        assert act.target is not None
        if shown.status != 200 or shown.body["doctor_name"] != act.target[0].name:
            return False
        return datetime.fromisoformat(shown.body["starts_at"]) == self.record.known(act.target[1]).place.starts_at

    def note_perhaps_both(self, appointment: int, acts: list[Act]) -> None:
        """Note changes of which one or both were perhaps done, and leave the appointment alone."""
        old, _ = self.mine[appointment]
        began = min(act.began for act in acts)
        self.forget(appointment, began)
        for act in acts:
            if act.answer is not None and not act.done:
                continue
            kind: Literal["cancelled", "rescheduled"] = "cancelled" if act.target is None else "rescheduled"
            outcome: Outcome = "done" if act.done else "unknown"
            slot_id = act.target[1] if act.target else None
            self.record.change(appointment, Change(kind, act.began, act.ended, outcome, act.actor, slot_id))
            self.operation(old.slot_id, "cancel", began, NEVER, "unknown", appointment)
            if act.target is not None:
                doctor, slot_id = act.target
                self.may_lose_holds(doctor, slot_id, act.began, act.ended)
                self.record.stay(Stay(slot_id, self.email, act.began, of=appointment))
                self.operation(slot_id, "move_in", act.began, NEVER, "unknown", appointment)
                self.operation(slot_id, "cancel", act.began, NEVER, "unknown", appointment)

    # Lists of times.

    def look_at_times(self) -> None:
        """List the times of a visit type, and record which are offered."""
        doctor = self.some_doctor()
        if doctor is None:
            return
        version = self.rng.choice(doctor.versions)
        known = {self.computed(doctor, version, at) for at in GRID}
        answer = self.list_times(doctor, f"&visit_type={self.record.kinds[version].id}")
        if answer is not None:
            self.saw(doctor, answer, known)

    def list_times(self, doctor: DoctorOnDuty, query: str = "") -> Answered | None:
        day = self.town.day
        path = f"/patient/doctors/{doctor.doctor_id}/availability?from={day}&until={day}{query}"
        answer = self.once("GET", path, token=self.token)
        return answer if answer is not None and answer.status == 200 else None

    def saw(self, doctor: DoctorOnDuty, answer: Answered, candidates: set[int]) -> None:
        offered = frozenset(row["slot_id"] for row in answer.body["data"])
        for row in answer.body["data"]:
            if row["slot_id"] >= FIRST_COMPUTED_SLOT:
                place = self.record.known(row["slot_id"]).place
                told = (datetime.fromisoformat(row["starts_at"]), datetime.fromisoformat(row["ends_at"]))
                if told != (place.starts_at, place.ends_at):
                    self.record.violation(f"time {row['slot_id']} is shown as {row}")
        look = Look(doctor.doctor_id, self.email, answer.began, answer.ended, frozenset(candidates), offered)
        with self.record.lock:
            self.record.looks.append(look)

    def look(self) -> None:
        """List a doctor's published slots, record which are offered, and check their times."""
        doctor = self.some_doctor()
        if doctor is None:
            return
        with self.town.lock:
            known = dict(doctor.slots)
        answer = self.list_times(doctor)
        if answer is None:
            return
        offered = {row["slot_id"]: row for row in answer.body["data"]}
        for slot_id, (start, end) in known.items():
            seen: Outcome = "free" if slot_id in offered else "not_free"
            self.operation(slot_id, "look", answer.began, answer.ended, seen)
            row = offered.get(slot_id)
            if row and not self.shows(row, doctor, start, end):
                self.record.violation(f"slot {slot_id} was published for {start} and is shown as {row}")
        default = {self.computed(doctor, doctor.versions[0], at) for at in GRID}
        self.saw(doctor, answer, default | (known.keys() & self.record.mixed))

    def shows(self, row: dict[str, str], doctor: DoctorOnDuty, start: str, end: str) -> bool:
        """Say whether a listed slot has this wall clock, and its instant, by the rules of the doctor's zone."""
        wall = (row["date"], row["start_time"], row["end_time"])
        at = datetime.fromisoformat(row["starts_at"])
        return wall == (self.town.day, start, end) and at == self.at(doctor.zone, start)

    # Hours.

    def change_hours(self) -> None:
        doctor = self.some_doctor()
        if doctor is None or doctor.leaving or not doctor.changes_hours.acquire(blocking=False):
            return
        # If it is not known what they are now, nobody changes them any more.
        if self.set_hours(doctor, self.rng.choice(HOURS)):
            doctor.changes_hours.release()

    def set_hours(self, doctor: DoctorOnDuty, rows: Any) -> bool:
        """Replace the hours with an Idempotency-Key, or with If-Match; return whether they are known then.

        A repetition without a key must not undo a later change, hence the revision.
        """
        groups = [version for version in doctor.versions if self.record.kinds[version].capacity > 1]
        ids = frozenset(self.record.kinds[version].id for version in groups)
        weekday = WEEKDAYS[datetime.fromisoformat(self.town.day).weekday()]
        days = {"weekday": weekday, "valid_from": self.town.day, "valid_until": self.town.day}
        body = {
            "time_zone": doctor.zone,
            "weekly": [
                {**days, "from": start, "until": end, "visit_types": sorted(ids) if for_groups else None}
                for start, end, for_groups in rows
            ],
        }
        changed = tuple(
            Row(self.at(doctor.zone, start), self.at(doctor.zone, end), ids if for_groups else None)
            for start, end, for_groups in rows
        )
        revision = ""
        if self.rng.random() < 0.5:
            shown = self.until_answered("GET", "/doctor/hours", token=doctor.token)
            if shown is None or shown.status != 200:
                return True
            revision = f'"{shown.body["revision"]}"'
        began = now()
        key = "" if revision else uuid.uuid4().hex
        answer = self.until_answered("PUT", "/doctor/hours", body, doctor.token, key, revision)
        if answer is not None and answer.status == 401 and doctor.leaving:
            return False
        affected: frozenset[int] | None = None
        if answer is not None and answer.status == 200:
            affected = frozenset(row["appointment_id"] for row in answer.body["affected"])
        elif answer is not None and not (answer.status == 412 and self.has_hours(doctor, rows)):
            # After 412, an earlier attempt, which got no answer, must have changed them.
            self.record.violation(f"a change of hours was answered {answer.status} {answer.body}")
        with self.record.lock:
            ended = NEVER if answer is None else answer.ended
            self.record.hours[doctor.doctor_id].append(Hours(changed, began, ended, affected))
        return answer is not None

    def has_hours(self, doctor: DoctorOnDuty, rows: Any) -> bool:
        """Return whether the hours are these; True also if the doctor gets no answer."""
        shown = self.until_answered("GET", "/doctor/hours", token=doctor.token)
        if shown is None or shown.status != 200:
            return True
        return {(row["from"], row["until"]) for row in shown.body["weekly"]} == {row[:2] for row in rows}

    # Helpers.

    def at(self, zone: str, clock: str) -> datetime:
        """Return the instant at which this zone's clocks show this time on the campaign's day."""
        return (
            datetime.fromisoformat(f"{self.town.day}T{clock}").replace(tzinfo=ZoneInfo(zone)).astimezone(timezone.utc)
        )

    def computed(self, doctor: DoctorOnDuty, version: int, clock: str) -> int:
        return version * MINUTES_OF_VERSION + minute_of(self.at(doctor.zone, clock))

    def some_time(self, doctor: DoctorOnDuty | None = None) -> tuple[DoctorOnDuty, int] | None:
        """Return a published slot, or a computed time that may be offered.

        Perhaps it is a time that somebody has just left, or that somebody else wants at this moment, or one beside it.
        """
        if doctor is None and self.rng.random() < 0.3:
            with self.town.lock:
                slot_id = self.rng.choice(self.town.rumours) if self.town.rumours else 0
                doctor_id = self.record.known(slot_id).place.doctor_id if slot_id else 0
                for one in self.town.doctors:
                    if one.doctor_id == doctor_id:
                        return one, slot_id
        wanted = self.town.wanted
        if doctor is None and wanted is not None and not wanted[0].leaving and self.rng.random() < 0.3:
            return wanted if self.rng.random() < 0.5 else self.beside(*wanted)
        doctor = doctor or self.some_doctor()
        if doctor is None:
            return None
        if self.rng.random() < 0.4:
            found = (doctor, self.rng.choice(list(doctor.slots))) if doctor.slots else None
        else:
            found = doctor, self.computed(doctor, self.rng.choice(doctor.versions), self.rng.choice(GRID))
        self.town.wanted = found
        return found

    def beside(self, doctor: DoctorOnDuty, slot_id: int) -> tuple[DoctorOnDuty, int]:
        """Return another time of the same visit type, or another published slot."""
        if slot_id < FIRST_COMPUTED_SLOT:
            return doctor, self.rng.choice(list(doctor.slots))
        return doctor, self.computed(doctor, slot_id // MINUTES_OF_VERSION, self.rng.choice(GRID))

    def operation(
        self, slot_id: int, kind: Any, began: float, ended: float, outcome: Outcome, appointment: int | None = None
    ) -> None:
        self.record.operation(slot_id, SlotOperation(kind, began, ended, outcome, appointment, self.email))

"""How patients of a campaign leave: with appointments and holds, while others change the same appointments."""

from __future__ import annotations

import random
import threading

from tests.faults.callers import Answered, Town
from tests.faults.passwords import Forgetful
from tests.faults.record import NEVER, Departure, Outcome, now
from tests.faults.visits import REASONS, REASONS_OF_RACES, Act

LEAVE = "/patient/account"
# How often somebody tries again who books at the same moment.
TRIES = 5


class Leaver(Forgetful):
    """A patient who may leave, and is somebody else then."""

    def __init__(self, town: Town, rng: random.Random) -> None:
        super().__init__(town, rng)
        # How often this client has left.
        self.leavings = 0

    def be_somebody_new(self) -> None:
        super().be_somebody_new()
        self.names = {self.name}

    def change_name(self) -> None:
        """Take another name, which every machine then knows."""
        name = f"Ada Sample {next(self.town.numbers):05}"
        # From now on something may say it, also if there is no answer.
        self.names.add(name)
        answer = self.until_answered("PATCH", "/auth/me", {"name": name}, self.token)
        if answer is None:
            return
        if answer.status != 200:
            self.record.violation(f"a change of the name was answered {answer.status} {answer.body}")
        me = self.once("GET", "/auth/me", token=self.token)
        if me is not None and me.status == 200 and me.body["name"] != name:
            self.record.violation(f"{self.email} is called {me.body['name']} after a change to {name}")

    def leave(self) -> None:
        """Leave, sometimes while the doctor moves or cancels an appointment, or while another one is booked."""
        me = self.until_answered("GET", "/auth/me", token=self.token)
        if me is None or me.status != 200:
            return
        began = now()
        answer = self.rng.choice((self.leave_alone, self.leave_and_book, *[self.leave_while_doctor_acts] * 2))()
        is_gone = answer is not None and (answer.status == 200 or (answer.status == 401 and answer.is_doubtful))
        if answer is not None and not is_gone:
            if answer.kind != "changed-meanwhile":
                self.record.violation(f"{self.email} left, and was answered {answer.status} {answer.body}")
            return
        self.note_departure(me.body["id"], began, answer.ended if answer else NEVER)
        if is_gone:
            self.leavings += 1
            self.expect_dead([self.token], LEAVE)
            self.expect_no_log_in()
        self.settle_anew()

    def leave_alone(self) -> Answered | None:
        answer = self.until_answered("DELETE", LEAVE, token=self.token)
        for _ in range(TRIES):
            if answer is None or answer.kind != "changed-meanwhile":
                break
            answer = self.until_answered("DELETE", LEAVE, token=self.token)
        return answer

    def leave_and_book(self) -> Answered | None:
        target = self.some_time()
        if target is None or target[1] in self.holds:
            return self.leave_alone()
        began, booked = now(), list[Answered | None]()
        booking = threading.Thread(target=lambda: booked.append(self.ask_to_book(target[1])))
        booking.start()
        answer = self.leave_alone()
        booking.join()
        [one] = booked
        # 401 means that the account was gone.
        if one is None or one.status != 401:
            self.note_booking(*target, one, began)
        return answer

    def leave_while_doctor_acts(self) -> Answered | None:
        if not self.mine:
            return self.leave_alone()
        appointment = self.rng.choice(list(self.mine))
        _, doctor = self.mine[appointment]
        act = Act("doctor", self.some_time(doctor) if self.rng.random() < 0.5 else None)
        rival = threading.Thread(target=self.act, args=(appointment, act, doctor.token))
        rival.start()
        answer = self.leave_alone()
        rival.join()
        self.note_rival(appointment, act)
        return answer

    def note_rival(self, appointment: int, act: Act) -> None:
        """Note what the doctor did before the patient had left."""
        old, doctor = self.mine[appointment]
        if act.answer is None:
            self.note_perhaps_both(appointment, [act])
        elif act.done:
            self.note_one(appointment, old, act, act.began, act.ended)
            if act.target is not None:
                # It was there for a moment that nobody knows.
                self.mine[appointment][0].sure_from = NEVER
        elif act.answer.kind not in REASONS | REASONS_OF_RACES and not self.has_left(doctor, act.answer):
            self.record.violation(f"a change by the doctor of who leaves was answered {act.answer.body}")

    def note_departure(self, user_id: int, began: float, ended: float) -> None:
        """Let everything end that the patient had, or perhaps had."""
        outcome: Outcome = "unknown" if ended == NEVER else "done"
        with self.record.lock:
            mine = [stay for stay in self.record.stays if stay.by == self.email]
            changes = [change for stay in mine if stay.of for change in self.record.changes[stay.of]]
            reasons = frozenset(change.reason for change in changes if change.reason)
            names = frozenset({self.email, *self.names})
            self.record.departures[user_id] = Departure(self.email, names, reasons, began, ended, outcome == "done")
        ends = {
            (stay.slot_id, "release" if stay.is_hold else "vacate", None if stay.is_hold else stay.of)
            for stay in mine
            if stay.ended > began
        }
        for stay in mine:
            stay.leave(began, ended)
        for slot_id, kind, appointment in ends:
            self.operation(slot_id, kind, began, ended, outcome, appointment)
            self.rumour(slot_id)

    def expect_no_log_in(self) -> None:
        answer = self.once("POST", "/auth/login", {"email": self.email, "password": self.password})
        if answer is not None and answer.status == 200:
            self.record.violation(f"{self.email} has left and can log in")

"""Random practices: a time is explained as offered if and only if it is listed, and otherwise by all that is wrong.

The oracle (oracle.py) decides minute by minute what is wrong. The practices are those of test_offered_and_bookable.py.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from apiflask import APIFlask

from config import Settings
from src import context
from src.controllers.explanation_controller import explain
from src.database.transaction import transaction
from src.repositories import free_times_repository as free_times
from src.schemas.explanation import ExplainedSlot, Explanation, ExplanationWanted
from tests.properties.oracle import DAY, Doctor, Kind, Visit, instant, minute_at, overlap, showings
from tests.properties.test_offered_and_bookable import DifferenceFound, Practice

ABOUT_HOURS = {"outside_hours", "beyond_hours", "hours_for_other_types", "closed", "clocks_go_back"}
MOST_NAMED = 20
TOKEN = context.TokenClaims(1, 0, "x", datetime.max.replace(tzinfo=timezone.utc))


@dataclass
class Asking(Practice):
    """A practice whose doctors ask why."""

    def compare_explanations(self, number: int) -> None:
        for doctor in self.world.doctors:
            for kind in doctor.kinds:
                minutes = [minute for minute in self.minutes(doctor, kind) if self.is_first_showing(doctor, minute)]
                for minute in self.chance.sample(minutes, min(number, len(minutes))):
                    self.compare_explanation(doctor, kind, minute)
            for slot in self.world.slots:
                if slot.doctor is doctor and self.is_first_showing(doctor, slot.begin):
                    self.compare_slot(doctor, slot.begin)

    def minutes(self, doctor: Doctor, kind: Kind) -> Iterator[int]:
        yield from self.candidates(doctor, kind, self.fresh)
        now = minute_at(self.world.now)
        yield from (now + self.chance.randint(-2000, 12 * 1440) for _ in range(3))
        yield now + self.chance.randint(10 * 1440, 1000 * 1440)

    def is_first_showing(self, doctor: Doctor, minute: int) -> bool:
        return minute in showings(doctor.zone, self.day(doctor, minute))

    def day(self, doctor: Doctor, minute: int) -> Any:
        return instant(minute).astimezone(ZoneInfo(doctor.zone)).date()

    def explained(self, doctor: Doctor, kind: Kind | None, minute: int) -> Explanation:
        actor = context.Doctor(
            TOKEN, doctor.user_id, "Fenna Quill", "x", "doctor", None, None, True, False, doctor.id, doctor.zone
        )
        ctx = context.Context(self.db, self.world.now, actor, Settings.model_construct())
        at = f"{instant(minute).astimezone(ZoneInfo(doctor.zone)):%Y-%m-%dT%H:%M}"
        return explain(ctx, ExplanationWanted.model_validate({"at": at, "visit_type": kind and kind.id}))

    def compare_explanation(self, doctor: Doctor, kind: Kind, minute: int) -> None:
        said = self.explained(doctor, kind, minute)
        codes = [reason.code for reason in said.reasons]
        where = f"{kind} at {minute} is explained by {codes}"
        rows = free_times.list_computed(
            self.db, doctor.id, kind.id, self.fresh, self.world.now, (minute, minute + 1), 1
        )
        listed = next((row.slot_id for row in rows), None)
        if not (said.offered == (listed is not None) == (not codes) and said.slot_id == listed):
            raise DifferenceFound(f"{where}, and listed is {listed}")
        expected, exact = self.expected(doctor, kind, minute)
        about_hours = set(codes) & ABOUT_HOURS
        found = [code for code in codes if code not in ABOUT_HOURS] + ["hours"] * bool(about_hours)
        if sorted(found) != sorted(expected):
            raise DifferenceFound(f"{where}, and not by {expected}")
        params = {
            (reason.code, reason.params.get(name)) for reason in said.reasons for name in ID_OF.get(reason.code, [])
        }
        if params != exact:
            raise DifferenceFound(f"{where}, which names {params}, and not {exact}")
        self.done.update({"explained": 1, "offered": said.offered, **Counter(codes)})
        if said.offered and kind is doctor.default and not self.explained(doctor, None, minute).offered:
            raise DifferenceFound(f"{where}, but not without the type")
        self.compare_changes(doctor, kind, said)

    def expected(self, doctor: Doctor, kind: Kind, minute: int) -> tuple[list[str], set[tuple[str, Any]]]:
        """Return the codes, with one word for all reasons about the hours, and what they name."""
        codes = ["retired"] if kind.is_retired else ["booked_by_staff"] if kind.by_staff else []
        if instant(minute) <= self.world.now:
            return [*codes, "past"], set()
        if kind.is_retired:
            return codes, set()
        in_time = self.world.in_time(kind, by_staff=kind.by_staff)
        codes += ["notice_too_short"] * (minute < in_time.start)
        codes += ["too_far_ahead"] * (minute >= in_time.stop and not kind.by_staff)
        until, day = minute + kind.shape.minutes, self.day(doctor, minute)
        that_day = replace(doctor, first_day=day, last_day=day, known={})
        named: set[tuple[str, Any]] = set()
        if not doctor.is_open(kind, minute, until):
            if not that_day.is_open(kind, minute, until):
                codes.append("hours")
                named |= {("closed", row) for row in self.closures(doctor, minute, until)}
            elif not {"booked_by_staff", "too_far_ahead"} & set(codes):
                codes.append("hours_not_computed")
        more, taking = self.expected_of_others(doctor, that_day, kind, minute)
        return codes + more, named | {("taken", number) for number in taking}

    def expected_of_others(
        self, doctor: Doctor, that_day: Doctor, kind: Kind, minute: int
    ) -> tuple[list[str], list[int | None]]:
        laid = next((one for one in doctor.stretches(kind) if one.begin <= minute < one.until), None)
        stretch = laid or next((one for one in that_day.stretches(kind) if one.begin <= minute < one.until), None)
        counting = [
            one for one in self.world.visits if one.doctor is doctor and self.world.counts(one, self.fresh, None)
        ]
        codes: list[str] = []
        if laid is not None and kind.most_per_day is not None:
            of_day = [one for one in counting if one.kind is kind and one.day == laid.day]
            codes += ["day_full"] * (len(of_day) >= kind.most_per_day)
        sharing = [one for one in counting if one.slot_id == kind.slot_id(minute) and one.seats > 1]
        if kind.seats > 1 and sharing:
            return codes + ["seats_full"] * (len(sharing) >= kind.seats), []
        if stretch is not None and (minute - stretch.begin) % kind.shape.step:
            codes.append("off_grid")
        busy = range(minute - kind.shape.before, minute + kind.shape.minutes + kind.shape.after)
        taking = sorted((one for one in counting if overlap(one.busy, busy)), key=lambda one: (one.busy.start, one.id))
        shown = taking[:MOST_NAMED]
        return codes + ["taken"] * len(shown), [_appointment(one) for one in shown]

    def closures(self, doctor: Doctor, begin: int, until: int) -> Iterator[int]:
        first = self.day(doctor, begin)
        wall = {
            minute: (day, at)
            for n in range(3)
            for day in [first + n * DAY]
            for minute, at in showings(doctor.zone, day).items()
        }
        for row in doctor.exceptions:
            moments = (wall[minute] for minute in range(begin, until) if minute in wall)
            if row.is_closed and any(
                row.first <= day <= row.last and row.begin <= at < row.until for day, at in moments
            ):
                yield row.id

    def compare_changes(self, doctor: Doctor, kind: Kind, said: Explanation) -> None:
        """Compare the times that a reason proposes: there, the reason does not hold any more."""
        for reason in said.reasons:
            for name in PROPOSED.get(reason.code, []):
                proposed = reason.params[name]
                if proposed is None:
                    continue
                minute = minute_at(
                    datetime.fromisoformat(proposed).replace(tzinfo=ZoneInfo(doctor.zone)).astimezone(timezone.utc)
                )
                again = {other.code for other in self.explained(doctor, kind, minute).reasons}
                self.done["proposals"] += 1
                if reason.code in again or (reason.code == "off_grid" and "beyond_hours" in again):
                    raise DifferenceFound(f"{kind}: {reason} proposes {proposed}, where {again}")

    def compare_slot(self, doctor: Doctor, begin: int) -> None:
        said = self.explained(doctor, None, begin).published_slot
        mine = [slot for slot in self.world.slots if slot.doctor is doctor and slot.begin == begin]
        slot = max(mine, key=lambda one: (not one.is_withdrawn, one.id))
        if not isinstance(said, ExplainedSlot) or said.slot_id != slot.id:
            raise DifferenceFound(f"{slot.id} is explained as {said}")
        if not (said.offered == (not said.reasons) == self.world.is_slot_free(slot, self.fresh)):
            raise DifferenceFound(f"{said}, and free is {self.world.is_slot_free(slot, self.fresh)}")
        codes = {reason.code for reason in said.reasons}
        booked = any(one.slot_id == slot.id and one.state == "booked" for one in self.world.visits)
        expected = {"withdrawn": slot.is_withdrawn, "past": instant(begin) <= self.world.now, "booked": booked}
        if {code: code in codes for code in expected} != expected:
            raise DifferenceFound(f"{said}, and not {expected}")
        self.done.update(f"slot {code}" for code in codes or {"offered"})


# What the reasons name, and the times that they propose.
ID_OF = {"taken": ["appointment_id"], "closed": ["exception_id"]}
PROPOSED = {
    "off_grid": ["before", "after"],
    "beyond_hours": ["last"],
    "notice_too_short": ["first"],
    "clocks_go_back": ["latest"],
}


def _appointment(visit: Visit) -> int | None:
    return visit.id if visit.state == "booked" else None


def ask_all(app: APIFlask, seeds: range, *, rounds: int, actions: int, number: int) -> Counter[str]:
    """Let a practice of each seed live and ask, print how much was compared, and fail if there was a difference."""
    done: Counter[str] = Counter()
    found: list[str] = []
    for seed in seeds:
        with app.app_context(), transaction(writes=True) as db:
            practice = Asking(db, random.Random(seed), done)
            try:
                for _ in range(rounds):
                    practice.compare_explanations(number)
                    for _ in range(actions):
                        practice.act()
            except DifferenceFound as difference:
                found.append("\n".join([f"seed {seed}: {difference}", *practice.log[-12:]]))
            finally:
                db.rollback()
    print(f"{len(found)} differences; {dict(done)}", *found, sep="\n\n")
    assert found == []
    return done


def test_a_time_is_explained_as_offered_if_it_is_listed_and_by_all_that_is_wrong_if_not(app: APIFlask) -> None:
    done = ask_all(app, range(2000, 2006), rounds=5, actions=7, number=6)
    wanted = """offered retired booked_by_staff past notice_too_short too_far_ahead outside_hours beyond_hours closed
        off_grid day_full taken proposals"""
    assert [what for what in wanted.split() if not done[what]] == [], done


@pytest.mark.long
@pytest.mark.parametrize("part", range(8))
def test_times_are_explained_in_a_hundred_practices(app: APIFlask, part: int) -> None:
    ask_all(app, range(3000 + part * 12, 3000 + (part + 1) * 12), rounds=8, actions=8, number=6)

"""Random practices: what is listed is what the rules say, and just that can be booked, held and moved to.

A practice is one transaction, which is rolled back, so that hundreds of them take little time. The oracle decides
from the rules (oracle.py), and here both are told the same.
"""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from src.database.constraints import domain_error
from src.database.transaction import transaction
from src.domain.openings import HoursException, WeeklyHours
from src.domain.policies import Policies
from src.domain.refusals import OtherBusy
from src.errors import ClinicError, StepsNeeded
from src.models import DoctorProfile, User, VisitTypeVersion
from src.repositories import availability_repository as slots
from src.repositories import booking_repository as bookings
from src.repositories import booking_statement, booking_steps, booking_targets, holds
from src.repositories import exception_repository as exceptions
from src.repositories import free_times_repository as free_times
from src.repositories import hours_repository as hours
from src.repositories import opening_repository as openings
from src.repositories import visit_type_repository as visit_types
from src.repositories.cancellations import Cancellation
from tests.properties.oracle import (
    DAY,
    MINUTE,
    Doctor,
    Exceptional,
    Hours,
    Kind,
    Shape,
    Slot,
    Target,
    Visit,
    World,
    instant,
    last_end,
    minute_at,
)
from tests.properties.searches import Found, compare_searches

# Zones, and when a practice begins: some days before the clocks change, but for the first two.
BEGINS = [
    ("UTC", datetime(2030, 3, 4, 8, tzinfo=timezone.utc)),
    ("Asia/Kathmandu", datetime(2030, 3, 4, 2, 5, tzinfo=timezone.utc)),
    ("Europe/Berlin", datetime(2030, 3, 29, 14, tzinfo=timezone.utc)),
    ("Europe/Berlin", datetime(2030, 10, 25, 5, 30, tzinfo=timezone.utc)),
    ("America/New_York", datetime(2030, 3, 9, 17, tzinfo=timezone.utc)),
    ("Australia/Lord_Howe", datetime(2030, 4, 5, 23, tzinfo=timezone.utc)),  # by half an hour
    ("Africa/Cairo", datetime(2030, 4, 24, 20, tzinfo=timezone.utc)),  # they skip the first hour of a day
    ("Africa/Cairo", datetime(2030, 10, 30, 6, tzinfo=timezone.utc)),  # they repeat the last hour of a day
]
PATIENTS = 4
PLACES = (None, None, None, "Ward", "Surgery")
FORMS = {"sqlite": ("steps",), "postgresql": ("statement", "steps")}
Result = int | str
Form = Callable[[], Result]

POLICIES = Policies()


class DifferenceFound(Exception):
    """The product does something else than the rules say."""


@dataclass
class Practice:
    """Doctors with random rules in an open transaction, and the same as a World."""

    db: Connection
    chance: random.Random
    done: Counter[str]
    log: list[str] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        zone, begin = self.chance.choice(BEGINS)
        self.world = World(begin + self.chance.choice([0, 0, 1, 30.5]) * timedelta(seconds=1))
        self.people = [self._add_person("patient") for _ in range(PATIENTS + 1)]
        # Somebody whose attempts are all rolled back, so that nothing else is in the way.
        self.fresh = self.people.pop()
        for _ in range(self.chance.choice([1, 1, 2])):
            self._add_doctor(zone)

    # The clinic is set up, and changed.

    def _add_person(self, role: str) -> int:
        address = f"{role}{next(self.numbers)}@people.example"
        fields = {"email": address, "email_key": address, "password_hash": "x", "created_at": self.world.now}
        return self.db.execute(insert(User).values(name=role, role=role, **fields).returning(User.id)).scalar_one()

    def _add_doctor(self, zone: str) -> None:
        user_id = self._add_person("doctor")
        profile = {"user_id": user_id, "designation": "Dr.", "specialization": "Cardiology", "time_zone": zone}
        doctor_id = self.db.execute(insert(DoctorProfile).values(profile).returning(DoctorProfile.id)).scalar_one()
        doctor = Doctor(doctor_id, user_id, zone)
        self.world.doctors.append(doctor)
        for _ in range(self.chance.randint(1, 3)):
            self.add_kind(doctor)
        self.change_hours(doctor)
        for _ in range(self.chance.randint(0, 3)):
            self.add_exception(doctor)
        for _ in range(self.chance.randint(0, 3)):
            self.publish(doctor)
        self.lay(doctor)

    def lay(self, doctor: Doctor) -> None:
        schedule = openings.schedule_of(self.db, doctor.id, doctor.zone, self.world.now)
        openings.lay(self.db, doctor.id, schedule)
        doctor.lay(self.world.now)

    def add_kind(self, doctor: Doctor) -> None:
        kind = self._random_kind()
        kind.id = visit_types.add(self.db, doctor.id, _columns(kind), self.world.now)
        doctor.kinds.append(kind)
        self._note_version(kind)
        self._note_default(doctor, kind)

    def replace_kind(self, doctor: Doctor) -> None:
        kind, new = self.chance.choice(doctor.kinds), self._random_kind()
        shape = kind.shape
        for name in ("notice", "horizon", "most_per_day", "seats", "by_staff", "place", "is_default"):
            setattr(kind, name, getattr(new, name))
        if self.chance.random() < 0.5:
            kind.shape = new.shape
        changed = visit_types.replace(self.db, doctor.id, kind.id, _columns(kind))
        if changed == kind.is_retired:
            raise DifferenceFound(f"changing visit type {kind.id}: {changed}")
        if changed:
            self._note_version(kind)
            self._note_default(doctor, kind)
        else:
            kind.shape = shape
        self.log.append(f"changed {kind}")

    def retire_kind(self, doctor: Doctor) -> None:
        kind = self.chance.choice(doctor.kinds)
        if visit_types.retire(self.db, doctor.id, kind.id, self.world.now):
            hours.drop_visit_type(self.db, doctor.id, kind.id)
            kind.is_retired, kind.is_default = True, False
            doctor.hours = [
                row._replace(kinds=row.kinds and row.kinds - {kind.id})
                for row in doctor.hours
                if row.kinds != {kind.id}
            ]
            doctor.exceptions = [row for row in doctor.exceptions if row.kinds != {kind.id}]
            for row in doctor.exceptions:
                row.kinds = row.kinds and row.kinds - {kind.id}
        self.log.append(f"retired {kind.id}")

    def _random_kind(self) -> Kind:
        choose = self.chance.choice
        minutes = choose([5, 10, 15, 20, 25, 30, 30, 45, 60, 90, self.chance.randint(1, 300), 1440])
        step = choose([minutes, minutes, 5, 10, 15, 30, self.chance.randint(1, 120)])
        shape = Shape(minutes, choose([0, 0, 5, 15, 60]), choose([0, 0, 5, 10, 480]), step)
        seats = choose([1, 1, 1, 2, 3])
        by_staff = self.chance.random() < 0.1
        return Kind(
            shape,
            notice=choose([0, 0, 30, 60, 24 * 60, self.chance.randint(0, 5000)]),
            horizon=choose([1, 2, 3, 4, 7]),
            most_per_day=choose([None, None, 1, 2, 4]),
            seats=seats,
            by_staff=by_staff,
            place=choose(PLACES),
            is_default=seats == 1 and not by_staff and self.chance.random() < 0.2,
        )

    def _note_version(self, kind: Kind) -> None:
        query = select(VisitTypeVersion.id).where(VisitTypeVersion.visit_type_id == kind.id)
        kind.version = max(self.db.scalars(query))
        kind.shapes[kind.version] = kind.shape

    def _note_default(self, doctor: Doctor, kind: Kind) -> None:
        for other in doctor.kinds:
            other.is_default = other.is_default and (other is kind or not kind.is_default)

    def change_hours(self, doctor: Doctor) -> None:
        doctor.hours = [row for weekday in range(7) for row in self._random_hours(doctor, weekday)]
        rows = [WeeklyHours(*row) for row in doctor.hours]
        hours.replace(self.db, doctor.id, rows)
        self.log.append(f"hours of {doctor.id}: {doctor.hours}")

    def _random_hours(self, doctor: Doctor, weekday: int) -> Iterator[Hours]:
        points = self.chance.choice([
            [], [0, 1440], [540, 720, 780, 1020], [480, 700], [0, 180], [1200, 1440], [540, 600, 600, 700],
            sorted(self.chance.sample(range(0, 1441, 5), 4)), sorted(self.chance.sample(range(1441), 2)),
        ])  # fmt: skip
        first_day = self.world.now.date()
        for begin, until in zip(points[::2], points[1::2], strict=True):
            first = first_day + self.chance.randint(-3, 6) * DAY if self.chance.random() < 0.1 else None
            last = first_day + self.chance.randint(6, 9) * DAY if self.chance.random() < 0.1 else None
            yield Hours(weekday, begin, until, first, last, self._some_kinds(doctor, 0.15), self.chance.choice(PLACES))

    def _some_kinds(self, doctor: Doctor, likely: float) -> frozenset[int] | None:
        ids = [kind.id for kind in doctor.living]
        if not ids or self.chance.random() >= likely:
            return None
        return frozenset(self.chance.sample(ids, self.chance.randint(1, len(ids))))

    def add_exception(self, doctor: Doctor) -> None:
        first = self.world.now.date() + self.chance.randint(-1, 6) * DAY
        begin, until = sorted(self.chance.sample(range(0, 1441, self.chance.choice([1, 5, 15])), 2))
        row = Exceptional(
            self.chance.random() < 0.5, first, first + self.chance.choice([0, 0, 1, 4]) * DAY, begin, until
        )
        if not row.is_closed:
            row.kinds, row.place = self._some_kinds(doctor, 0.3), self.chance.choice(PLACES)
        given = HoursException(row.is_closed, row.first, row.last, row.begin, row.until, row.kinds, row.place)
        row.id = exceptions.add(self.db, doctor.id, given, None, self.world.now)
        doctor.exceptions.append(row)
        self.log.append(f"{row}")

    def delete_exception(self, doctor: Doctor) -> None:
        if doctor.exceptions:
            row = self.chance.choice(doctor.exceptions)
            assert exceptions.delete_of_doctor(self.db, row.id, doctor.id)
            doctor.exceptions.remove(row)
            self.log.append(f"deleted {row}")

    def move_to_another_zone(self, doctor: Doctor) -> None:
        doctor.zone = self.chance.choice(BEGINS)[0]
        self.db.execute(update(DoctorProfile).where(DoctorProfile.id == doctor.id).values(time_zone=doctor.zone))
        self.log.append(f"{doctor.id} moved to {doctor.zone}")

    def publish(self, doctor: Doctor) -> None:
        begin = minute_at(self.world.now) + self.chance.choice(
            [self.chance.randint(1, 600), self.chance.randint(1, 7000)]
        )
        begin -= begin % self.chance.choice([1, 5, 30])
        until = begin + self.chance.choice([5, 15, 30, 60, 200])
        own = [slot for slot in self.world.slots if slot.doctor is doctor and not slot.is_withdrawn]
        if instant(begin) <= self.world.now or any(slot.begin < until and begin < slot.until for slot in own):
            return
        walls = {"wall_start": instant(begin).replace(tzinfo=None), "wall_end": instant(until).replace(tzinfo=None)}
        times = {"starts_at": instant(begin), "ends_at": instant(until), "time_zone": "UTC", **walls}
        slot_id = slots.add(self.db, doctor_id=doctor.id, now=self.world.now, **times)
        assert slot_id is not None
        self.world.slots.append(Slot(slot_id, doctor, begin, until))
        self.log.append(f"published {slot_id} of {doctor.id}: {begin}-{until}")

    def withdraw(self, doctor: Doctor) -> None:
        own = [slot for slot in self.world.slots if slot.doctor is doctor and self.world.is_slot_open(slot)]
        if own:
            slot = self.chance.choice(own)
            slots.withdraw(self.db, slot.id)
            slot.is_withdrawn = True
            self.log.append(f"withdrew {slot.id}")

    def change_the_rules(self) -> None:
        doctor = self.chance.choice(self.world.doctors)
        change = self.chance.choices(
            [self.replace_kind, self.change_hours, self.add_exception, self.delete_exception, self.publish,
             self.withdraw, self.retire_kind, self.add_kind, self.move_to_another_zone],
            [6, 3, 4, 3, 4, 2, 1, 1, 1],
        )[0]  # fmt: skip
        change(doctor)
        self.lay(doctor)

    def let_time_pass(self) -> None:
        seconds = self.chance.choice([0, 0, 0.001, 29]) * timedelta(seconds=1)
        moments = [self.world.now + self.chance.choice([1, 5, 14, 60, 700]) * MINUTE + seconds]
        edges = [edge for edge in self.edges_ahead() if self.world.now < edge < self.world.now + DAY / 2]
        if edges:
            moments += [self.chance.choice(edges), self.chance.choice(edges) + seconds]
        self.world.now = self.chance.choice(moments)
        self.log.append(f"now it is {self.world.now}, {minute_at(self.world.now)}")
        # The worker lays openings as days come into reach, sooner or later.
        for doctor in self.world.doctors:
            if self.chance.random() < 0.7:
                self.lay(doctor)
        if self.world.now in edges:
            self.compare_lists()

    def edges_ahead(self) -> Iterator[datetime]:
        """Yield instants at which what is offered may change: something begins or ends, or is late or soon enough."""
        for visit in self.world.visits:
            yield instant(visit.begin)
            if visit.held_until is not None:
                yield visit.held_until
        yield from (instant(slot.begin) for slot in self.world.slots)
        for doctor in self.world.doctors:
            for kind in doctor.kinds:
                offered = sorted(self.world.offered(doctor, kind, self.fresh))
                yield from (instant(minute) - kind.notice * MINUTE for minute in offered[:2])
                yield from (instant(minute + kind.shape.step) - kind.horizon * DAY for minute in offered[-1:])

    # Patients and doctors do something that stays.

    def act(self) -> None:
        action = self.chance.choices(
            [self.book, self.hold, self.move, self.cancel, self.release, self.let_time_pass, self.change_the_rules],
            [9, 4, 4, 2, 1, 3, 3],
        )[0]
        action()

    def book(self) -> None:
        patient = self.chance.choice(self.people)
        target = self.some_target(patient)
        hold = None if target is None else self.world.hold_of(target, patient)
        if target is None:
            return
        expected = self.world.can_book(target, patient)
        of_day, released = self.world.of_day(target, patient), self.world.released_by(target, patient)
        result = self.keep(lambda: self._book(target, patient))
        self.check("book", f"{target} for {patient}", expected, result)
        if isinstance(result, str):
            return
        if hold is not None:
            hold.state, hold.held_until = "booked", None
            hold.day, hold.nth = of_day
            self.world.drop(one for one in released if one is not hold)
            if hold.id != result:
                raise DifferenceFound(f"the hold {hold.id} became {result}")
        else:
            self.world.drop(released)
            self.world.visits.append(_visit(result, target, patient, of_day, "booked"))

    def _book(self, target: Target, patient: int) -> Result:
        """Book as src/web/road.py lets it be booked."""
        arguments = (self.db, target.slot_id, patient, self.world.now, POLICIES)
        try:
            return bookings.book(*arguments, clinic_zone="UTC", in_steps=False)
        except StepsNeeded:
            self.done["left to the steps"] += 1
            return bookings.book(*arguments, clinic_zone="UTC", in_steps=True)

    def hold(self) -> None:
        patient = self.chance.choice(self.people)
        target = self.some_target(patient)
        if target is None:
            return
        held_until = self.world.now + self.chance.randint(1, 15) * MINUTE
        hold, expected = self.world.hold_of(target, patient), self.world.can_hold(target, patient, held_until)
        of_day, released = self.world.of_day(target, patient), self.world.released_by(target, patient)
        result = self.keep(lambda: self._hold(target, patient, held_until))
        self.check("hold", f"{target} for {patient}", expected, result)
        if isinstance(result, str):
            return
        if hold is not None:
            hold.held_until = min(held_until, last_end(hold))
        else:
            self.world.drop(released)
            self.world.visits.append(_visit(result, target, patient, of_day, "held"))
            self.world.visits[-1].held_since, self.world.visits[-1].held_until = self.world.now, held_until

    def _hold(self, target: Target, patient: int, held_until: datetime) -> Result:
        return bookings.hold(self.db, target.slot_id, patient, self.world.now, POLICIES, held_until, clinic_zone="UTC")

    def release(self) -> None:
        held = [visit for visit in self.world.visits if self.world.is_held(visit)]
        if held:
            visit = self.chance.choice(held)
            if not holds.release(self.db, visit.id, visit.patient):
                raise DifferenceFound(f"{visit} is not released")
            self.world.drop([visit])
            self.done["released"] += 1
            self.log.append(f"released {visit.id}")

    def cancel(self) -> None:
        booked = [visit for visit in self.world.visits if visit.state != "held"]
        if booked:
            visit = self.chance.choice(booked)
            actor = self.chance.choice([visit.patient, visit.doctor.user_id])
            cancellation = Cancellation(visit.id, actor, "somebody", self.world.now, 0)
            result = self.keep(lambda: bookings.cancel(self.db, cancellation, in_steps=False))
            self.check("cancel", f"{visit.id} for {actor}", self.world.can_cancel(visit), result)
            if not isinstance(result, str):
                visit.state = "cancelled"

    def move(self) -> None:
        booked = [visit for visit in self.world.visits if visit.state == "booked"]
        if not booked:
            return
        visit, by_staff = self.chance.choice(booked), self.chance.random() < 0.5
        target = self.target_near(visit, by_staff=by_staff)
        if target is None:
            return
        expected = self.world.can_move(visit, target, by_staff=by_staff)
        of_day = self.world.of_day(target, visit.patient, visit)
        released = self.world.released_by(target, visit.patient, visit)
        result = self.keep(lambda: self._move(visit, target, by_staff=by_staff))
        who = "the doctor" if by_staff else "the patient"
        self.check("move", f"{visit.id} to {target} for {who}", expected, result)
        if not isinstance(result, str):
            self.world.drop(released)
            moved = _visit(visit.id, target, visit.patient, of_day, "booked")
            visit.__dict__.update(vars(moved))

    def _move(self, visit: Visit, target: Target, *, by_staff: bool) -> Result:
        actor = visit.doctor.user_id if by_staff else visit.patient
        return bookings.reschedule(
            self.db,
            visit.id,
            target.slot_id,
            actor,
            "somebody",
            self.world.now,
            POLICIES,
            takes=_any_revision,
            clinic_zone="UTC",
        )

    def keep(self, form: Form) -> Result:
        """Return what the form returns, and keep what it wrote, unless it refused."""
        return self._in_savepoint(form, is_kept=True)

    def try_out(self, form: Form) -> Result:
        """Return what the form returns, and roll back what it wrote."""
        return self._in_savepoint(form, is_kept=False)

    def _in_savepoint(self, form: Form, *, is_kept: bool) -> Result:
        savepoint = self.db.begin_nested()
        try:
            result = form()
            if isinstance(result, OtherBusy):
                result = "patient_busy"
        except IntegrityError as error:
            if not isinstance(domain_error(error), ClinicError):
                raise
            result = "constraint"
        if is_kept and not isinstance(result, str):
            savepoint.commit()
        else:
            savepoint.rollback()
        return result

    def check(self, verb: str, what: str, expected: bool, result: Result) -> None:  # noqa: FBT001 - both are compared
        what = f"{verb} {what}"
        refused = isinstance(result, str)
        self.done[f"{verb} {'refused' if refused else 'done'}"] += 1
        self.log.append(f"{what}: {result}")
        if refused is expected or result == "again":
            raise DifferenceFound(f"{what}: {result}, and not {'done' if expected else 'refused'}")

    # Where they do it.

    def some_target(self, patient: int) -> Target | None:
        """Return something that the patient can book, or now and then anything."""
        doctor = self.chance.choice(self.world.doctors)
        mine = [visit for visit in self.world.visits if visit.patient == patient and self.world.is_held(visit)]
        dice = self.chance.random()
        if dice < 0.15 and mine:
            return self.target(self.chance.choice(mine).slot_id)
        if dice < 0.3 and self.world.slots:
            return self.target(self.chance.choice(self.world.slots).id)
        groups = [visit for visit in self.world.visits if visit.kind is not None and visit.kind.seats > 1]
        if dice < 0.5 and groups:
            return self.target(self.chance.choice(groups).slot_id)
        kind = self.chance.choice(doctor.kinds)
        offered = self.world.offered(doctor, kind, patient)
        if dice < 0.85 and offered:
            minutes = sorted(offered)
            # Mostly soon, so that the doctor has little time left.
            return self.target(kind.slot_id(self.chance.choice(minutes[:12] if dice < 0.7 else minutes)))
        candidates = list(self.candidates(doctor, kind, patient))
        return self.target(kind.slot_id(self.chance.choice(candidates))) if candidates else None

    def target_near(self, visit: Visit, *, by_staff: bool) -> Target | None:
        """Return where the visit may be moved to, often a time that overlaps it."""
        doctor = visit.doctor if by_staff or self.chance.random() < 0.8 else self.chance.choice(self.world.doctors)
        kind = visit.kind if visit.kind in doctor.kinds and self.chance.random() < 0.6 else None
        if kind is None and self.world.slots and self.chance.random() < 0.3:
            return self.target(self.chance.choice(self.world.slots).id)
        kind = kind or self.chance.choice(doctor.kinds)
        offered = self.world.offered(doctor, kind, visit.patient, visit, by_staff=by_staff)
        near = sorted(offered, key=lambda minute: abs(minute - visit.begin))[:6]
        away = self.chance.choice([-30, -5, -1, 1, 5, kind.shape.step])
        minute = self.chance.choice(
            [*near, visit.begin, visit.begin + away, *self.chance.sample(sorted(offered), min(len(offered), 2))]
        )
        return self.target(kind.slot_id(minute))

    def target(self, slot_id: int) -> Target:
        version, minute = divmod(slot_id, 2**24)
        if version == 0:
            slot = self.world.slot(slot_id)
            return Target(slot_id, slot.doctor, slot.begin, slot.until, range(slot.begin, slot.until), None)
        for doctor in self.world.doctors:
            for kind in doctor.kinds:
                if version in kind.shapes:
                    minutes, before, after, _ = kind.shapes[version]
                    until = minute + minutes
                    return Target(slot_id, doctor, minute, until, range(minute - before, until + after), kind)
        raise AssertionError(slot_id)

    def candidates(self, doctor: Doctor, kind: Kind, me: int) -> Iterator[int]:
        """Yield minutes at the edges of all rules, and some others."""
        offered = sorted(self.world.offered(doctor, kind, me))
        shape, now = kind.shape, minute_at(self.world.now)
        edges = [now + kind.notice, now, now + kind.horizon * 1440, *offered[:1], *offered[-1:]]
        for visit in self.world.visits:
            if visit.doctor is doctor and visit.state != "cancelled":
                edges += [visit.busy.stop + shape.before, visit.busy.start - shape.minutes - shape.after, visit.begin]
        for begin, until, runs_until, *_ in doctor.stretches(kind):
            if until > now:
                edges += [begin, until, runs_until - shape.minutes, begin + shape.step]
        yield from (edge + self.chance.choice([-1, 0, 0, 1]) for edge in self.chance.sample(edges, min(6, len(edges))))
        yield from self.chance.sample(offered, min(len(offered), 3))
        yield from [visit.begin for visit in self.world.visits if visit.kind is kind][-2:]
        yield from (minute + self.chance.choice([1, -1, 5]) for minute in offered[:1])

    # What is compared.

    def compare_lists(self) -> None:
        for doctor in self.world.doctors:
            for me in (self.fresh, self.chance.choice(self.people)):
                for kind in doctor.kinds:
                    self.compare_list(doctor, kind, kind.id, me)
                self.compare_published(doctor, me)
            if doctor.default is not None:
                self.compare_list(doctor, doctor.default, None, self.fresh)

    @property
    def everything(self) -> tuple[int, int]:
        now = minute_at(self.world.now)
        return now - 1440, now + 20 * 1440

    def compare_list(self, doctor: Doctor, kind: Kind, wanted: int | None, me: int) -> None:
        begin, end = self.everything
        if self.chance.random() < 0.3:
            # Windows that cut openings and visits.
            begin = minute_at(self.world.now) + self.chance.randint(-300, 3000)
            end = begin + self.chance.randint(1, 4000)
        expected = [
            (minute, kind.slot_id(minute), kind.id, offer.seats_left, offer.place)
            for minute, offer in sorted(self.world.offered(doctor, kind, me).items())
            if begin <= minute < end
        ]
        most = 10**6
        rows = free_times.list_computed(self.db, doctor.id, wanted, me, self.world.now, (begin, end), most)
        found = [(row.minute, row.slot_id, row.visit_type_id, row.seats_left, row.place) for row in rows]
        self.done["comparisons"] += 1
        self.done["times"] += len(expected)
        if found != expected:
            differing = sorted(set(found) ^ set(expected))[:5] or "the order, or twice the same"
            raise DifferenceFound(f"the list of {kind} for {me}: {differing}")

    def compare_published(self, doctor: Doctor, me: int) -> None:
        mine = [slot for slot in self.world.slots if slot.doctor is doctor and self.world.is_slot_free(slot, me)]
        rows = free_times.list_published(self.db, doctor.id, me, self.world.now, self.everything, 10**6)
        self.done["comparisons"] += 1
        expected = [slot.id for slot in sorted(mine, key=lambda slot: slot.begin)]
        if [row.id for row in rows] != expected:
            raise DifferenceFound(f"published: {[row.id for row in rows]}, and not {expected}")

    def compare_searches(self) -> None:
        def compare(found: list[Found], expected: list[Found], what: str) -> None:
            self.done["searches"] += 1
            self.done["found by searches"] += len(expected)
            if found != expected:
                raise DifferenceFound(f"{what}: {found}, and not {expected}")

        me = self.chance.choice([self.fresh, self.chance.choice(self.people)])
        compare_searches(self.db, self.world, self.chance, me, compare)

    def compare_attempts(self, number: int) -> None:
        """Try to book, hold and move, offered and not offered, and roll it back."""
        doctor = self.chance.choice(self.world.doctors)
        kind = self.chance.choice(doctor.kinds)
        minutes = list(self.candidates(doctor, kind, self.fresh))
        targets = [
            self.target(kind.slot_id(minute)) for minute in self.chance.sample(minutes, min(number, len(minutes)))
        ]
        old = [version for version in kind.shapes if version != kind.version]
        if old and minutes:
            targets.append(self.target(old[0] * 2**24 + minutes[-1]))
        targets += [self.target(slot.id) for slot in self.world.slots if slot.doctor is doctor][-2:]
        for target in targets:
            self.compare_booking(target)
        booked = [visit for visit in self.world.visits if visit.state == "booked"]
        for visit in booked[-2:]:
            by_staff = self.chance.random() < 0.5
            target = self.target_near(visit, by_staff=by_staff)
            if target is not None:
                result = self.try_out(lambda: self._move(visit, target, by_staff=by_staff))  # noqa: B023 - called at once
                expected = self.world.can_move(visit, target, by_staff=by_staff)
                self.check("try to move", f"{visit.id} to {target}, by_staff={by_staff}", expected, result)

    def compare_booking(self, target: Target) -> None:
        expected = self.world.is_offered(target, self.fresh)
        reasons: set[Result] = set()
        for form in FORMS[self.db.dialect.name]:
            result = self.try_out(lambda: self._book_by(form, target))  # noqa: B023 - called at once
            self.done["attempts"] += 1
            if result == "again" and form == "statement":
                # Only the steps delete expired holds, and find out that an appointment overlaps a published slot.
                is_overlapped = target.kind is None and not expected
                if not is_overlapped and not any(self.is_expired(one, target.doctor) for one in self.world.visits):
                    raise DifferenceFound(f"the statement cannot decide about {target}")
                self.done["left to the steps"] += 1
                continue
            reasons.add(result if isinstance(result, str) else "booked")
            self.done[f"attempt: {result if isinstance(result, str) else 'booked'}"] += 1
            if isinstance(result, str) is expected:
                raise DifferenceFound(f"booking {target} by the {form}: {result}, and offered is {expected}")
        if len(reasons) > 1:
            raise DifferenceFound(f"booking {target}: {reasons}")
        if self.chance.random() < 0.3:
            result = self.try_out(lambda: self._hold(target, self.fresh, self.world.now + MINUTE))
            self.done["attempts"] += 1
            if isinstance(result, str) is expected:
                raise DifferenceFound(f"holding {target}: {result}, and offered is {expected}")

    def _book_by(self, form: str, target: Target) -> Result:
        found = booking_targets.find(self.db, target.slot_id, "UTC")
        assert found is not None
        if form == "steps":
            return booking_steps.book(self.db, found, self.fresh, self.world.now, POLICIES)
        if isinstance(found, booking_targets.PublishedSlot):
            return booking_statement.book_slot(self.db, target.slot_id, self.fresh, self.world.now, POLICIES)
        return booking_statement.book_time(self.db, found, self.fresh, self.world.now, POLICIES)

    def is_expired(self, visit: Visit, doctor: Doctor) -> bool:
        return visit.doctor is doctor and visit.state == "held" and not self.world.is_held(visit)


def _any_revision(_revision: int) -> bool:
    return True


def _visit(number: int, target: Target, patient: int, of_day: tuple[date | None, int | None], state: Any) -> Visit:
    slot_id, doctor, begin, until, busy, kind = target
    day, nth = of_day
    seats = 1 if kind is None else kind.seats
    return Visit(number, doctor, patient, slot_id, begin, until, busy, kind, day, state, nth=nth, seats=seats)


def _columns(kind: Kind) -> dict[str, Any]:
    minutes, before, after, step = kind.shape
    return {
        "name": "Visit",
        "minutes": minutes,
        "buffer_before": before,
        "buffer_after": after,
        "step": step,
        "minimum_notice": kind.notice,
        "horizon": kind.horizon,
        "most_per_day": kind.most_per_day,
        "capacity": kind.seats,
        "booked_by": "staff" if kind.by_staff else "patients",
        "place": kind.place,
        "is_default": kind.is_default,
    }


def live_through(
    app: APIFlask, seed: int, done: Counter[str], *, rounds: int, actions: int, attempts: int
) -> str | None:
    """Let a practice of this seed live through some rounds, and return the first difference."""
    with app.app_context(), transaction(writes=True) as db:
        practice = Practice(db, random.Random(seed), done)
        done["rule sets"] += 1
        try:
            for _ in range(rounds):
                practice.compare_lists()
                practice.compare_searches()
                practice.compare_attempts(attempts)
                for _ in range(actions):
                    practice.act()
        except DifferenceFound as difference:
            return "\n".join([f"seed {seed}: {difference}", *practice.log[-12:]])
        finally:
            db.rollback()
    return None


def live_through_all(app: APIFlask, seeds: range, **length: int) -> Counter[str]:
    """Let a practice of each seed live, print how much was compared, and fail if there was a difference."""
    done: Counter[str] = Counter()
    found = [live_through(app, seed, done, **length) for seed in seeds]
    differences = [difference for difference in found if difference]
    print(f"{len(differences)} differences; {dict(done)}", *differences, sep="\n\n")
    assert differences == []
    return done


def test_what_is_offered_can_be_booked_and_nothing_else(app: APIFlask) -> None:
    done = live_through_all(app, range(8), rounds=5, actions=7, attempts=3)
    # The practices must reach the states that the rules are about.
    refusals = "not_offered day_full slot_past slot_taken too_far_ahead notice_too_short slot_unknown"
    wanted = [f"attempt: {result}" for result in ("booked", *refusals.split())]
    wanted += [f"{verb} {end}" for verb in ("book", "hold", "move", "cancel") for end in ("done", "refused")]
    assert [what for what in wanted if not done[what]] == [], done
    assert done["attempts"] > 140


@pytest.mark.long
@pytest.mark.parametrize("part", range(10))
def test_what_is_offered_can_be_booked_and_nothing_else_in_hundreds_of_practices(app: APIFlask, part: int) -> None:
    seeds = range(1000 + part * 16, 1000 + (part + 1) * 16)
    live_through_all(app, seeds, rounds=8, actions=8, attempts=6)

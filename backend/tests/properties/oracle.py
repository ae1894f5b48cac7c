"""What can be booked of a doctor, decided minute by minute from the documented rules, in plain Python.

It shares no code with the product. Minutes count from 2020-01-01T00:00Z, and `until` is always excluded.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from functools import lru_cache
from itertools import count
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

EPOCH = datetime(2020, 1, 1, tzinfo=timezone.utc)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
CLOSED = "closed"
MOST_HOLDS = 3
LONGEST_HELD = 30 * MINUTE


class Hours(NamedTuple):
    """Hours of one weekday, 0 = Monday, in minutes of the day."""

    weekday: int
    begin: int
    until: int
    first: date | None
    last: date | None
    kinds: frozenset[int] | None
    place: str | None


@dataclass(eq=False)
class Exceptional:
    """Closed or extra hours of each day from `first` to `last`."""

    is_closed: bool
    first: date
    last: date
    begin: int
    until: int
    kinds: frozenset[int] | None = None
    place: str | None = None
    id: int = 0


class Shape(NamedTuple):
    """What a version of a visit type says, in minutes."""

    minutes: int
    before: int
    after: int
    step: int


@dataclass(eq=False)
class Kind:
    """A visit type; `version` is the id of its present version, and `seats` how many patients share a visit."""

    shape: Shape
    notice: int
    horizon: int
    most_per_day: int | None
    seats: int
    by_staff: bool
    place: str | None
    is_default: bool = False
    id: int = 0
    version: int = 0
    is_retired: bool = False
    shapes: dict[int, Shape] = field(default_factory=dict)

    def slot_id(self, minute: int) -> int:
        return self.version * 2**24 + minute


class Stretch(NamedTuple):
    """Minutes of one day at which visits may begin; they may last until `runs_until`."""

    begin: int
    until: int
    runs_until: int
    day: date
    place: str | None


@dataclass(eq=False)
class Doctor:
    """A doctor; there are openings from `first_day` to `last_day`."""

    id: int
    user_id: int
    zone: str
    hours: list[Hours] = field(default_factory=list)
    exceptions: list[Exceptional] = field(default_factory=list)
    kinds: list[Kind] = field(default_factory=list)
    first_day: date = date.max
    last_day: date = date.min
    known: dict[int, list[Stretch]] = field(default_factory=dict, repr=False)

    def __repr__(self) -> str:
        return f"<doctor {self.id}>"

    @property
    def living(self) -> list[Kind]:
        return [kind for kind in self.kinds if not kind.is_retired]

    @property
    def default(self) -> Kind | None:
        """The visit type that a list means that names none."""
        possible = [kind for kind in self.living if kind.seats == 1 and not kind.by_staff]
        return min(possible, key=lambda kind: (not kind.is_default, kind.id), default=None)

    def lay(self, now: datetime) -> None:
        """Let the openings be what follows from the hours now."""
        self.known.clear()
        self.first_day = day_of(now, self.zone)
        horizons = [kind.horizon for kind in self.living]
        self.last_day = self.first_day + (max(horizons) + 1) * DAY if horizons else date.min

    def stretches(self, kind: Kind) -> list[Stretch]:
        if self.last_day < self.first_day:
            return []
        if kind.id not in self.known:
            self.known[kind.id] = list(_stretches(self, kind.id))
        return self.known[kind.id]

    def is_open(self, kind: Kind, begin: int, until: int) -> bool:
        return any(one.begin <= begin < one.until and until <= one.runs_until for one in self.stretches(kind))


@dataclass(eq=False)
class Slot:
    id: int
    doctor: Doctor
    begin: int
    until: int
    is_withdrawn: bool = False


@dataclass(eq=False)
class Visit:
    """An appointment or a hold; `kind` and `day` are None at a published slot."""

    id: int
    doctor: Doctor
    patient: int
    slot_id: int
    begin: int
    until: int
    busy: range
    kind: Kind | None
    day: date | None
    state: Literal["held", "booked", "cancelled"]
    # When a hold began, and when it ends.
    held_since: datetime | None = None
    held_until: datetime | None = None
    # The place among the visits of the kind on that day, if there is a limit.
    nth: int | None = None
    # How many patients shared the visit when it was booked.
    seats: int = 1


class Target(NamedTuple):
    """A published slot, or a computed time that may be offered or not."""

    slot_id: int
    doctor: Doctor
    begin: int
    until: int
    busy: range
    kind: Kind | None


class Offer(NamedTuple):
    seats_left: int | None
    place: str | None
    day: date


@dataclass(eq=False)
class World:
    """All that decides what can be booked."""

    now: datetime
    doctors: list[Doctor] = field(default_factory=list)
    slots: list[Slot] = field(default_factory=list)
    visits: list[Visit] = field(default_factory=list)

    # What is offered.

    def offered(
        self,
        doctor: Doctor,
        kind: Kind,
        me: int,
        moving: Visit | None = None,
        *,
        by_staff: bool = False,
        among: range | None = None,
    ) -> dict[int, Offer]:
        """Return what the patient `me` can book, by minute; staff need no notice and have no horizon."""
        if kind.is_retired or (kind.by_staff and not by_staff):
            return {}
        counting = [visit for visit in self.visits if visit.doctor is doctor and self.counts(visit, me, moving)]
        of_day = Counter(visit.day for visit in counting if visit.kind is kind)
        sharing = Counter(visit.slot_id for visit in counting if visit.seats > 1)
        busy = {minute for visit in counting for minute in visit.busy}
        minutes, before, after, step = kind.shape
        in_time = self.in_time(kind, by_staff=by_staff)
        found: dict[int, Offer] = {}
        for begin, until, runs_until, day, place in doctor.stretches(kind):
            if kind.most_per_day is not None and of_day[day] >= kind.most_per_day:
                continue
            for minute in common(range(begin, until), in_time, among or in_time):
                if minute + minutes > runs_until:
                    break
                seats_taken = sharing[kind.slot_id(minute)] if kind.seats > 1 else 0
                if seats_taken:
                    if seats_taken >= kind.seats:
                        continue
                elif (minute - begin) % step or not busy.isdisjoint(range(minute - before, minute + minutes + after)):
                    continue
                seats_left = kind.seats - seats_taken if kind.seats > 1 else None
                found[minute] = Offer(seats_left, kind.place or place, day)
        return found

    def counts(self, visit: Visit, me: int, moving: Visit | None) -> bool:
        """Return whether the visit takes time that the patient `me` wants."""
        if visit.state == "cancelled" or visit is moving:
            return False
        return visit.state == "booked" or (visit.patient != me and self.is_held(visit))

    def is_held(self, visit: Visit) -> bool:
        return visit.state == "held" and visit.held_until is not None and visit.held_until > self.now

    def in_time(self, kind: Kind, *, by_staff: bool) -> range:
        """Return the minutes that are ahead, and neither too soon nor too far ahead for patients."""
        now = minute_at(self.now)
        if by_staff:
            return range(now + 1, now + 10**6)
        soonest = minute_at(self.now + kind.notice * MINUTE)
        if instant(soonest) < self.now + kind.notice * MINUTE:
            soonest += 1
        return range(max(soonest, now + 1), now + kind.horizon * 1440 + 1)

    def is_slot_free(self, slot: Slot, me: int, moving: Visit | None = None) -> bool:
        if not self.is_slot_open(slot):
            return False
        counting = (visit for visit in self.visits if visit.doctor is slot.doctor and self.counts(visit, me, moving))
        return not any(overlap(visit.busy, range(slot.begin, slot.until)) for visit in counting)

    def is_slot_open(self, slot: Slot) -> bool:
        booked = any(visit.slot_id == slot.id and visit.state == "booked" for visit in self.visits)
        return not (slot.is_withdrawn or booked or instant(slot.begin) <= self.now)

    # What can be done.

    def can_book(self, target: Target, patient: int) -> bool:
        if self.is_busy(target, patient):
            return False
        if self.hold_of(target, patient):
            return self.is_still_open(target, patient)
        return self.is_offered(target, patient)

    def can_hold(self, target: Target, patient: int, until: datetime) -> bool:
        hold = self.hold_of(target, patient)
        if hold:
            ends_longest = hold.held_until == last_end(hold)
            return self.is_still_open(target, patient) and not (ends_longest and until > last_end(hold))
        if self.is_busy(target, patient) or not self.is_offered(target, patient):
            return False
        released = self.released_by(target, patient)
        return len([visit for visit in self.held_by(patient) if visit not in released]) < MOST_HOLDS

    def can_move(self, visit: Visit, target: Target, *, by_staff: bool) -> bool:
        if visit.state != "booked" or instant(visit.begin) <= self.now or target.slot_id == visit.slot_id:
            return False
        if by_staff and target.doctor is not visit.doctor:
            return False
        if self.is_busy(target, visit.patient, visit):
            return False
        return self.is_offered(target, visit.patient, visit, by_staff=by_staff)

    def can_cancel(self, visit: Visit) -> bool:
        return visit.state == "booked" and instant(visit.begin) > self.now

    def is_offered(self, target: Target, me: int, moving: Visit | None = None, *, by_staff: bool = False) -> bool:
        if target.kind is None:
            return self.is_slot_free(self.slot(target.slot_id), me, moving)
        if target.slot_id != target.kind.slot_id(target.begin):
            return False
        only = range(target.begin, target.begin + 1)
        return bool(self.offered(target.doctor, target.kind, me, moving, by_staff=by_staff, among=only))

    def is_still_open(self, target: Target, me: int) -> bool:
        """Return whether somebody who holds the time can book it: notice, horizon and grid do not matter any more."""
        kind = target.kind
        if kind is None:
            return self.is_slot_open(self.slot(target.slot_id))
        if kind.is_retired or kind.by_staff or target.slot_id != kind.slot_id(target.begin):
            return False
        day = self.day_of(target)
        of_day = [one for one in self.visits if (one.kind, one.day) == (kind, day) and self.counts(one, me, None)]
        is_full = kind.most_per_day is not None and len(of_day) >= kind.most_per_day
        return (
            target.doctor.is_open(kind, target.begin, target.until) and instant(target.begin) > self.now and not is_full
        )

    def is_busy(self, target: Target, patient: int, moving: Visit | None = None) -> bool:
        mine = (one for one in self.visits if one.patient == patient and one.state == "booked" and one is not moving)
        return any(overlap(range(one.begin, one.until), range(target.begin, target.until)) for one in mine)

    def hold_of(self, target: Target, patient: int) -> Visit | None:
        return next((one for one in self.held_by(patient) if one.slot_id == target.slot_id), None)

    def released_by(self, target: Target, patient: int, moving: Visit | None = None) -> list[Visit]:
        """Return the patient's holds that exclude an appointment or a hold at the target, which replaces them."""
        day, nth = self.of_day(target, patient, moving)
        return [
            one
            for one in self.held_by(patient)
            if self.is_overlapped(one, target)
            or (nth is not None and (one.kind, one.day, one.nth) == (target.kind, day, nth))
        ]

    def of_day(self, target: Target, patient: int, moving: Visit | None = None) -> tuple[date | None, int | None]:
        """Return the day of a visit of the patient's at the target, and its place if there is a limit.

        It is the smallest free one, beside the patient's holds if they leave one.
        """
        day = self.day_of(target)
        if target.kind is None or target.kind.most_per_day is None:
            return day, None
        others = [one for one in self.visits if one.doctor is target.doctor and self.counts(one, patient, moving)]
        beside = [one for one in self.held_by(patient) if not self.is_overlapped(one, target)]
        for visits in ([*others, *beside], others):
            taken = {one.nth for one in visits if (one.kind, one.day) == (target.kind, day)}
            nth = next(number for number in count(1) if number not in taken)
            if nth <= target.kind.most_per_day:
                break
        return day, nth

    def held_by(self, patient: int) -> list[Visit]:
        return [one for one in self.visits if one.patient == patient and self.is_held(one)]

    def is_overlapped(self, hold: Visit, target: Target) -> bool:
        return hold.doctor is target.doctor and overlap(hold.busy, target.busy)

    def day_of(self, target: Target) -> date | None:
        if target.kind is None:
            return None
        of_kind = target.doctor.stretches(target.kind)
        return next((one.day for one in of_kind if one.begin <= target.begin < one.until), None)

    def slot(self, slot_id: int) -> Slot:
        return next(slot for slot in self.slots if slot.id == slot_id)

    def drop(self, visits: Iterable[Visit]) -> None:
        gone = set(visits)
        self.visits = [visit for visit in self.visits if visit not in gone]


def last_end(hold: Visit) -> datetime:
    """Return until when the hold can be held at the latest."""
    assert hold.held_since is not None
    return hold.held_since + LONGEST_HELD


def overlap(one: range, other: range) -> bool:
    return one.start < other.stop and other.start < one.stop


def common(*ranges: range) -> range:
    return range(max(one.start for one in ranges), min(one.stop for one in ranges))


def instant(minute: int) -> datetime:
    return EPOCH + minute * MINUTE


def minute_at(at: datetime) -> int:
    return (at - EPOCH) // MINUTE


# The clocks and the hours.


@lru_cache(maxsize=2048)
def showings(zone: str, day: date) -> dict[int, int]:
    """Return the minute of the day that the clocks show at each minute of it; what they show again is left out."""
    clock = ZoneInfo(zone)
    middle = minute_at(datetime.combine(day, time(12), timezone.utc))
    found: dict[int, int] = {}
    seen: set[int] = set()
    # No zone is so far from UTC that a day begins or ends outside of these two.
    for minute in range(middle - 1440, middle + 1440):
        wall = instant(minute).astimezone(clock)
        minute_of_day = wall.hour * 60 + wall.minute
        if wall.date() == day and minute_of_day not in seen:
            seen.add(minute_of_day)
            found[minute] = minute_of_day
    return found


def day_of(at: datetime, zone: str) -> date:
    return at.astimezone(ZoneInfo(zone)).date()


def _stretches(doctor: Doctor, kind_id: int) -> Iterator[Stretch]:
    place_at: dict[int, tuple[date, str | None]] = {}
    # A visit of the last day may end two days later.
    for number in range((doctor.last_day - doctor.first_day).days + 3):
        day = doctor.first_day + number * DAY
        places = _places(doctor, day, kind_id)
        if places is not None:
            for minute, minute_of_day in showings(doctor.zone, day).items():
                if places[minute_of_day] != CLOSED:
                    place_at[minute] = day, places[minute_of_day]
    for minute, (day, place) in place_at.items():
        if day <= doctor.last_day and place_at.get(minute - 1) != (day, place):
            until = minute
            while place_at.get(until) == (day, place):
                until += 1
            runs_until = until
            while runs_until < until + 1440 and runs_until in place_at and place_at[runs_until][1] == place:
                runs_until += 1
            yield Stretch(minute, until, runs_until, day, place)


def _places(doctor: Doctor, day: date, kind_id: int) -> list[str | None] | None:
    """Return where visits of the type are possible at each minute of the day; None if they are not at all."""
    weekly = [
        row for row in doctor.hours if row.weekday == day.weekday() and (row.first or day) <= day <= (row.last or day)
    ]
    exceptions = [row for row in doctor.exceptions if row.first <= day <= row.last]
    extra = [row for row in exceptions if not row.is_closed]
    rows = [row for row in (*weekly, *extra) if row.kinds is None or kind_id in row.kinds]
    if not rows:
        return None
    places: list[str | None] = [CLOSED] * 1440
    for row in rows:
        for minute in range(row.begin, row.until):
            places[minute] = row.place
    for row in exceptions:
        if row.is_closed:
            for minute in range(row.begin, row.until):
                places[minute] = CLOSED
    return places

"""The requests and answers of a campaign, with their times, as the clients record them for the checker."""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

from src.domain.minutes import instant_of_minute
from src.models.appointment import FIRST_COMPUTED_SLOT
from src.repositories.offered import MINUTES_OF_VERSION

Outcome = Literal["done", "taken", "busy", "gone", "not_active", "none", "free", "not_free", "unknown"]
NEVER = float("inf")


@dataclass(frozen=True)
class SlotOperation:
    """A request that changed or listed a slot, between two times of the monotonic clock in seconds.

    `unknown` means that there was no answer: it took effect once at any time after `began`, or never. An appointment
    that is moved is booked at one slot (`move_in`) and cancelled at the other (`move_out`). `expire` is the fault that
    ends a hold before its time. A doctor who leaves withdraws a slot in any state. A patient who leaves frees it
    (`vacate`), if the appointment is still there.
    """

    kind: Literal[
        "book", "cancel", "cancel_and_withdraw", "withdraw", "leave", "look", "hold", "release", "expire", "move_in",
        "move_out", "vacate",
    ]  # fmt: skip
    began: float
    ended: float
    outcome: Outcome
    appointment: int | None = None
    by: str = ""


class Place(NamedTuple):
    """Where and when a visit is; the instants are UTC."""

    doctor_id: int
    starts_at: datetime
    ends_at: datetime

    def overlaps(self, other: Place) -> bool:
        """Return whether the doctor would be in two places."""
        is_theirs = self.doctor_id == other.doctor_id
        return is_theirs and self.starts_at < other.ends_at and other.starts_at < self.ends_at


@dataclass(frozen=True)
class Kind:
    """A visit type, as its doctor made it."""

    id: int
    doctor_id: int
    name: str
    minutes: int
    before: int = 0
    after: int = 0
    capacity: int = 1
    most_per_day: int | None = None
    notice: int = 0


@dataclass(frozen=True)
class Known:
    """What can be booked under a `slot_id`: `kind` is None for a published slot."""

    slot_id: int
    place: Place
    kind: Kind | None = None

    @property
    def busy(self) -> tuple[datetime, datetime]:
        """The time that the visit takes of the doctor's."""
        before, after = (self.kind.before, self.kind.after) if self.kind else (0, 0)
        return self.place.starts_at - timedelta(minutes=before), self.place.ends_at + timedelta(minutes=after)

    def excludes(self, other: Known) -> bool:
        """Return whether one doctor cannot have visits at both; seats of a group are told apart elsewhere."""
        if self.place.doctor_id != other.place.doctor_id or (self.slot_id == other.slot_id and self.capacity > 1):
            return False
        (begin, end), (other_begin, other_end) = self.busy, other.busy
        return begin < other_end and other_begin < end

    def overlaps(self, other: Known) -> bool:
        """Return whether a patient would be in two places."""
        return self.place.starts_at < other.place.ends_at and other.place.starts_at < self.place.ends_at

    @property
    def capacity(self) -> int:
        return self.kind.capacity if self.kind else 1


@dataclass(eq=False)
class Stay:
    """That an appointment or a hold is at a time: surely between two instants, and possibly between two others.

    `of` is the id of the appointment or hold, or None if no answer told it.
    """

    slot_id: int
    by: str
    began: float
    sure_from: float = NEVER
    of: int | None = None
    is_hold: bool = False
    sure_until: float = NEVER
    ended: float = NEVER

    def leave(self, began: float, ended: float = NEVER) -> None:
        """Note a request that ends the stay, if it is `ended`, or may end it."""
        self.sure_until, self.ended = min(self.sure_until, began), min(self.ended, ended)

    def may_be(self, began: float, ended: float) -> bool:
        """Return whether the stay possibly has a moment in common with this interval."""
        return self.began <= ended and began <= self.ended

    def surely_spans(self, began: float, ended: float) -> bool:
        return self.sure_from <= began and ended <= self.sure_until


@dataclass(frozen=True)
class Change:
    """A request that books, moves or cancels an appointment: `slot_id` is where it is then."""

    kind: Literal["booked", "rescheduled", "cancelled"]
    began: float
    ended: float
    outcome: Outcome
    by: str
    slot_id: int | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Refused:
    """A refused request for a time: `why` is the last part of the problem's type."""

    slot_id: int
    by: str
    why: str
    began: float
    ended: float
    # The appointment that was to be moved; its own stay is no reason.
    moving: int | None = None
    # The patient surely held this very time.
    holding: bool = False


@dataclass(frozen=True)
class Look:
    """A list of the times of one visit type, or of the published slots among computed times."""

    doctor_id: int
    by: str
    began: float
    ended: float
    candidates: frozenset[int]
    offered: frozenset[int]


class Row(NamedTuple):
    """Hours of the campaign's day, for the visit types with these ids, or for all."""

    begin: datetime
    end: datetime
    types: frozenset[int] | None = None


@dataclass(frozen=True)
class Hours:
    """A change of a doctor's hours that was done, or one without an answer, which has no `affected`."""

    rows: tuple[Row, ...]
    began: float
    ended: float
    affected: frozenset[int] | None = None

    def has(self, known: Known) -> bool:
        assert known.kind is not None
        return any(
            row.begin <= known.place.starts_at < row.end
            and known.place.ends_at <= row.end
            and (row.types is None or known.kind.id in row.types)
            for row in self.rows
        )


@dataclass(frozen=True)
class Limits:
    """What the clinic of a campaign allows its patients; `notice` is in minutes."""

    notice: int = 0
    most_ahead: int = 4
    most_with_doctor: int = 3
    changes_per_hour: int = 16


@dataclass(frozen=True)
class Policies:
    """What a doctor allows from a request on that was done, or had no answer; None is as the clinic says."""

    notice: int | None
    most_ahead: int | None
    began: float
    ended: float


@dataclass(frozen=True)
class Withdrawal:
    """That nobody gets a published slot any more, or a stretch of a doctor's computed times if there is no `slot_id`.

    `ended` is NEVER if this is possible only. The stretch is closed only if it is in the hours, see `closures.py`.
    """

    place: Place
    began: float
    ended: float
    slot_id: int | None = None

    def concerns(self, known: Known) -> bool:
        if self.slot_id is not None or known.kind is None:
            return self.slot_id == known.slot_id
        return self.covers(known.place)

    def covers(self, place: Place) -> bool:
        """Return whether a visit at the place would take a part of the stretch."""
        return self.place.overlaps(place)


@dataclass(frozen=True)
class Sweep:
    """A request to cancel several affected appointments at once, with a reason that no other request gives."""

    doctor_id: int
    appointments: frozenset[int]
    reason: str
    began: float
    ended: float
    outcome: Literal["done", "refused", "unknown"]


@dataclass(frozen=True)
class Departure:
    """That a patient with this id left, if it is `done`, or perhaps left."""

    email: str
    # What nothing may say any more: names and address, and what was given as the reasons of cancellations.
    names: frozenset[str]
    reasons: frozenset[str]
    began: float
    ended: float
    done: bool


@dataclass
class Times:
    """How often something was done: as often as answers say, and perhaps also where there was no answer."""

    least: int = 0
    most: int = 0

    def add(self, *, is_sure: bool) -> None:
        self.least += is_sure
        self.most += 1


@dataclass
class Resets:
    """The mails for a forgotten password that one person asked for: how many answers said so, of how many requests."""

    answered: int = 0
    sent: float = 0


@dataclass(frozen=True)
class AffectedLook:
    """A list of the appointments that are outside of their doctor's hours."""

    doctor_id: int
    began: float
    ended: float
    listed: frozenset[int]


@dataclass
class Record:
    """What the clients record; they share it."""

    limits: Limits = field(default_factory=Limits)
    slots: dict[int, list[SlotOperation]] = field(default_factory=dict)
    # A sentence for each violation that a client sees itself.
    violations: list[str] = field(default_factory=list)
    # (status, instant, path): every answer that was a server error.
    server_errors: list[tuple[int, float, str]] = field(default_factory=list)
    # Acknowledged bookings: appointment -> (patient's address, slot).
    booked: dict[int, tuple[str, int]] = field(default_factory=dict)
    # Bookings without an answer: (patient's address, slot).
    unanswered: set[tuple[str, int]] = field(default_factory=set)
    registered: dict[str, int] = field(default_factory=dict)
    # Published slots by id, and visit types by the id of their version.
    published: dict[int, Known] = field(default_factory=dict)
    kinds: dict[int, Kind] = field(default_factory=dict)
    # Published slots that lie within the hours: computed times take them too, so their history is not theirs alone.
    mixed: set[int] = field(default_factory=set)
    stays: list[Stay] = field(default_factory=list)
    changes: dict[int, list[Change]] = field(default_factory=lambda: defaultdict(list))
    refused: list[Refused] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)
    hours: dict[int, list[Hours]] = field(default_factory=lambda: defaultdict(list))
    # By doctor's id.
    policies: dict[int, list[Policies]] = field(default_factory=lambda: defaultdict(list))
    withdrawals: dict[int, list[Withdrawal]] = field(default_factory=lambda: defaultdict(list))
    sweeps: list[Sweep] = field(default_factory=list)
    # The appointments that a sweep named, from before its request on.
    swept: set[int] = field(default_factory=set)
    affected_looks: list[AffectedLook] = field(default_factory=list)
    # Doctors who leave: id -> when the request began.
    left: dict[int, float] = field(default_factory=dict)
    # Patients who leave, by id.
    departures: dict[int, Departure] = field(default_factory=dict)
    # By address, and how often each token of these mails has set a password.
    resets: dict[str, Resets] = field(default_factory=lambda: defaultdict(Resets))
    reset_tokens: Counter[str] = field(default_factory=Counter)
    password_changes: int = 0
    # How often each address got a new password, by a reset or a change.
    new_passwords: dict[str, Times] = field(default_factory=lambda: defaultdict(Times))
    # Tokens of sessions, and the path of the call that has ended them.
    ended_sessions: list[tuple[str, str]] = field(default_factory=list)
    # The time zones and names of doctors by id.
    zones: dict[int, str] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    # What the lists showed in the end: patient's address or doctor's id -> appointment -> (status, start).
    listed: dict[str, dict[int, tuple[str, datetime]]] = field(default_factory=dict)
    # The wall clock at the monotonic clock's zero.
    clock_zero: datetime | None = None
    requests: int = 0
    # How many answers came from forms.
    forms: int = 0
    answers: int = 0
    moves: int = 0
    holds: int = 0
    # How often a patient met each limit.
    limited: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def known(self, slot_id: int) -> Known:
        """Return what the id means, without asking the product."""
        if slot_id < FIRST_COMPUTED_SLOT:
            return self.published[slot_id]
        version_id, minute = divmod(slot_id, MINUTES_OF_VERSION)
        kind, starts_at = self.kinds[version_id], instant_of_minute(minute)
        return Known(slot_id, Place(kind.doctor_id, starts_at, starts_at + timedelta(minutes=kind.minutes)), kind)

    def instant(self, monotonic: float) -> datetime:
        assert self.clock_zero is not None
        return self.clock_zero + timedelta(seconds=monotonic)

    def operation(self, slot_id: int, operation: SlotOperation) -> None:
        """Note it for the order in which the history of this slot makes sense."""
        if slot_id < FIRST_COMPUTED_SLOT and slot_id not in self.mixed:
            with self.lock:
                self.slots.setdefault(slot_id, []).append(operation)

    def stay(self, stay: Stay) -> Stay:
        with self.lock:
            self.stays.append(stay)
        return stay

    def change(self, appointment: int, change: Change) -> None:
        with self.lock:
            self.changes[appointment].append(change)

    def slots_at(self, place: Place) -> list[Known]:
        """Return the published slots of the doctor that overlap the place."""
        return [known for known in list(self.published.values()) if known.place.overlaps(place)]

    def slot_withdrawal(self, slot: Known, began: float, ended: float) -> None:
        """Note that a published slot alone is withdrawn."""
        with self.lock:
            self.withdrawals[slot.place.doctor_id].append(Withdrawal(slot.place, began, ended, slot.slot_id))

    def withdrawal(self, known: Known, began: float, ended: float) -> None:
        """Note that a time is withdrawn: the published slots there, and its stretch if it is in the hours."""
        for slot in self.slots_at(known.place):
            self.slot_withdrawal(slot, began, ended)
        with self.lock:
            self.withdrawals[known.place.doctor_id].append(Withdrawal(known.place, began, ended))

    def violation(self, sentence: str) -> None:
        with self.lock:
            if len(self.violations) < 100:
                self.violations.append(sentence)


@dataclass(frozen=True)
class Answered:
    """The answer to a request; the times span all its attempts."""

    status: int
    body: Any
    headers: Any
    began: float
    ended: float
    attempts: int = 1

    @property
    def is_doubtful(self) -> bool:
        """Whether an earlier attempt was perhaps done already."""
        return self.attempts > 1

    @property
    def kind(self) -> str:
        """The last part of a problem's type, such as `slot-taken`."""
        return str(self.body.get("type", "")).rpartition(":")[2] if isinstance(self.body, dict) else ""


def now() -> float:
    """Return the time of the monotonic clock, in seconds."""
    return time.monotonic()

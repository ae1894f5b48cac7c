"""What the checker finds in records of a few requests about the times of one doctor."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Literal

import pytest

from src.domain.minutes import minute_of
from src.repositories.offered import MINUTES_OF_VERSION
from tests.faults.record import (
    AffectedLook,
    Change,
    Hours,
    Kind,
    Known,
    Look,
    Place,
    Policies,
    Record,
    Refused,
    Row,
    Stay,
    Sweep,
)
from tests.faults.times import wrong_times

NOON = datetime(2030, 3, 5, 12, tzinfo=timezone.utc)
SURGERY, CLASS, CHECKUP = 300, 301, 302
# Published slots.
AT_NOON, AT_FIVE = 1, 2


def slot(version: int, clock: str) -> int:
    at = NOON.replace(hour=int(clock[:2]), minute=int(clock[3:]))
    return version * MINUTES_OF_VERSION + minute_of(at)


def record(*stays: Stay) -> Record:
    made = Record(clock_zero=NOON - timedelta(days=1))
    made.kinds = {
        SURGERY: Kind(1, 1, "Surgery", 30, before=10, after=20),
        CLASS: Kind(2, 1, "Class", 60, capacity=2),
        CHECKUP: Kind(3, 1, "Checkup", 30, most_per_day=1, notice=60),
    }
    made.hours[1] = [Hours((Row(NOON, NOON + timedelta(hours=5)),), -2, -1, frozenset())]
    # At 12:10, and after the hours.
    for slot_id, minutes in (AT_NOON, 10), (AT_FIVE, 300):
        starts_at = NOON + timedelta(minutes=minutes)
        made.published[slot_id] = Known(slot_id, Place(1, starts_at, starts_at + timedelta(minutes=15)))
    made.stays = list(stays)
    return made


def stay(version: int, clock: str, by: str = "ada", of: int = 1, **more: float | bool) -> Stay:
    return Stay(slot(version, clock), by, 2, 3, of, **more)  # pyright: ignore[reportArgumentType]


def refused(version: int, clock: str, why: str, **more: bool) -> Callable[[Record], None]:
    return lambda made: made.refused.append(Refused(slot(version, clock), "ben", why, 5, 6, **more))


def look(version: int, clock: str, *, offered: bool, by: str = "ben") -> Callable[[Record], None]:
    shown = frozenset({slot(version, clock)})
    return lambda made: made.looks.append(Look(1, by, 5, 6, shown, shown if offered else frozenset()))


def closes(began: float, *affected: int) -> Callable[[Record], None]:
    return lambda made: made.hours[1].append(Hours((), began, began + 1, frozenset(affected)))


def withdraws(began: float, clock: str = "13:00") -> Callable[[Record], None]:
    return lambda made: made.withdrawal(made.known(slot(SURGERY, clock)), began, began + 1)


def withdraws_at(slot_id: int, *, alone: bool = False) -> Callable[[Record], None]:
    def made_so(made: Record) -> None:
        (made.slot_withdrawal if alone else made.withdrawal)(made.published[slot_id], 3, 4)

    return made_so


def looks(slot_id: int, *, offered: bool) -> Callable[[Record], None]:
    shown = frozenset({slot_id})
    return lambda made: made.looks.append(Look(1, "ben", 5, 6, shown, shown if offered else frozenset()))


def opens(began: float, hour: int, until: int) -> Callable[[Record], None]:
    rows = (Row(NOON.replace(hour=hour), NOON.replace(hour=until)),)
    return lambda made: made.hours[1].append(Hours(rows, began, began + 0.5, frozenset()))


def allows(most_ahead: int) -> Callable[[Record], None]:
    """Let the patient be refused because of the limit of the doctor."""

    def made_so(made: Record) -> None:
        made.policies[1].append(Policies(None, most_ahead, 3, 4))
        made.refused.append(Refused(slot(SURGERY, "16:00"), "ada", "too-many-with-doctor", 5, 6))

    return made_so


def sweeps(outcome: Literal["done", "refused"], began: float = 5) -> Callable[[Record], None]:
    sweep = Sweep(1, frozenset({1}), "Away.", began, began + 1, outcome)
    return lambda made: made.sweeps.append(sweep)


def both(*then: Callable[[Record], None]) -> Callable[[Record], None]:
    def made_so(made: Record) -> None:
        for one in then:
            one(made)

    return made_so


def lists_affected(*listed: int) -> Callable[[Record], None]:
    return lambda made: made.affected_looks.append(AffectedLook(1, 5, 6, frozenset(listed)))


def nothing(_: Record) -> None: ...


@pytest.mark.parametrize(
    ("made", "then", "says"),
    [
        (record(stay(SURGERY, "13:00"), stay(SURGERY, "14:00", "ben", 2)), nothing, ""),
        (record(stay(SURGERY, "13:00"), stay(SURGERY, "13:30", "ben", 2)), nothing, "of one doctor"),
        (record(stay(SURGERY, "13:00", sure_until=2.5), stay(SURGERY, "13:30", "ben", 2)), nothing, ""),
        (record(stay(SURGERY, "13:00", is_hold=True), stay(SURGERY, "13:30", "ben", 2)), nothing, "patient held"),
        (record(stay(SURGERY, "13:00", is_hold=True), stay(SURGERY, "13:30", "ada", 2)), nothing, ""),
        (record(stay(CLASS, "13:00"), stay(CLASS, "13:00", "ben", 2)), nothing, ""),
        (record(*(stay(CLASS, "13:00", by, len(by)) for by in ("a", "bb", "ccc"))), nothing, "than seats"),
        (record(stay(CHECKUP, "13:00"), stay(CHECKUP, "15:00", "ben", 2)), nothing, "more on one day"),
        (record(stay(SURGERY, "13:00")), refused(SURGERY, "13:30", "slot-taken"), ""),
        (record(stay(SURGERY, "13:00")), refused(SURGERY, "14:00", "slot-taken"), "without a reason"),
        (record(stay(SURGERY, "13:00", ended=4)), refused(SURGERY, "13:30", "slot-taken"), "without a reason"),
        (record(stay(SURGERY, "13:00")), refused(SURGERY, "13:30", "slot-taken", holding=True), "and held it"),
        (record(stay(CLASS, "13:00")), refused(CLASS, "13:00", "slot-taken"), "without a reason"),
        (record(stay(CHECKUP, "13:00")), refused(CHECKUP, "15:00", "day-full"), ""),
        (record(), refused(CHECKUP, "15:00", "day-full"), "without a reason"),
        (record(), refused(SURGERY, "18:00", "slot-not-offered"), ""),
        (record(), refused(SURGERY, "13:00", "slot-not-offered"), "without a reason"),
        (record(), refused(CHECKUP, "13:00", "notice-too-short"), "without a reason"),
        (record(), look(SURGERY, "13:00", offered=True), ""),
        (record(), look(SURGERY, "13:00", offered=False), "nothing was in the way"),
        (record(), look(SURGERY, "18:00", offered=True), "could not be booked"),
        (record(stay(SURGERY, "13:00")), look(SURGERY, "13:30", offered=True), "could not be booked"),
        (record(stay(SURGERY, "13:00")), look(SURGERY, "13:30", offered=False), ""),
        (record(stay(SURGERY, "13:00", "ben", is_hold=True)), look(SURGERY, "13:00", offered=True), ""),
        (record(stay(SURGERY, "13:00")), closes(2), "was not told"),
        (record(stay(SURGERY, "13:00")), closes(2, 1), ""),
        (record(stay(SURGERY, "13:00", sure_until=3.5)), closes(5), ""),
        (record(stay(SURGERY, "13:00", sure_until=3.5, ended=4)), closes(5, 1), "is not outside"),
        (record(stay(SURGERY, "13:00")), withdraws(0), "booked after its time was withdrawn"),
        (record(stay(SURGERY, "13:00", is_hold=True)), withdraws(0), "held after its time was withdrawn"),
        (record(stay(SURGERY, "13:00")), withdraws(2), ""),
        (record(), both(withdraws(3), refused(SURGERY, "13:00", "slot-not-offered")), ""),
        (record(), both(withdraws(3), refused(SURGERY, "14:00", "slot-not-offered")), "without a reason"),
        (record(), both(withdraws(3), look(SURGERY, "13:00", offered=True)), "could not be booked"),
        (record(), both(withdraws(3), look(SURGERY, "13:00", offered=False)), ""),
        (record(), both(withdraws(3), look(SURGERY, "14:00", offered=False)), "nothing was in the way"),
        (record(), both(withdraws(3, "12:00"), looks(AT_NOON, offered=True)), "could not be booked"),
        (record(), both(withdraws(3, "12:00"), looks(AT_NOON, offered=False)), ""),
        (record(), both(withdraws(3, "12:30"), looks(AT_NOON, offered=False)), "nothing was in the way"),
        (record(), both(withdraws_at(AT_NOON), look(SURGERY, "12:00", offered=True)), "could not be booked"),
        (record(), both(withdraws_at(AT_NOON), look(SURGERY, "12:00", offered=False)), ""),
        (record(), both(withdraws_at(AT_NOON, alone=True), look(SURGERY, "12:00", offered=True)), ""),
        (record(), both(withdraws_at(AT_NOON, alone=True), looks(AT_NOON, offered=True)), "could not be booked"),
        (record(), both(withdraws_at(AT_FIVE), opens(4, 12, 18), look(SURGERY, "17:00", offered=True)), ""),
        (record(), both(withdraws_at(AT_FIVE), opens(4.1, 12, 18), look(SURGERY, "17:00", offered=False)),
         "nothing was in the way"),
        (record(), both(opens(3.5, 12, 18), withdraws_at(AT_FIVE), look(SURGERY, "17:00", offered=False)), ""),
        (record(), both(opens(3.5, 12, 18), withdraws_at(AT_FIVE), look(SURGERY, "17:00", offered=True)), ""),
        (record(stay(SURGERY, "13:00")), allows(1), ""),
        (record(stay(SURGERY, "13:00")), allows(2), "without a reason"),
        (record(), allows(1), "without a reason"),
        (record(stay(SURGERY, "13:00")), both(withdraws(3), lists_affected(1)), ""),
        (record(stay(SURGERY, "13:00")), both(withdraws(3), lists_affected()), "is not listed"),
        (record(stay(SURGERY, "14:00")), both(withdraws(3), lists_affected(1)), "is not outside of the hours"),
        (record(stay(SURGERY, "13:00")), both(withdraws(3), sweeps("done")), ""),
        (record(stay(SURGERY, "13:00")), both(withdraws(3), sweeps("refused")), "without a reason"),
        (record(stay(SURGERY, "14:00")), both(withdraws(3), sweeps("refused")), ""),
        (record(stay(SURGERY, "14:00")), sweeps("done"), "is not outside of the hours"),
    ],
)  # fmt: skip
def test_the_checker_finds_what_contradicts_the_answers(
    made: Record, then: Callable[[Record], None], says: str
) -> None:
    then(made)
    found = wrong_times(made)
    assert bool(found) is bool(says), found
    assert all(says in sentence for sentence in found)


def test_the_checker_finds_a_booking_after_the_minimum_notice() -> None:
    made = record()
    made.clock_zero = NOON
    at_once = Change("booked", 5, 6, "done", "patient", slot(CHECKUP, "12:30"))
    in_time = Change("booked", 5, 6, "done", "patient", slot(CHECKUP, "13:30"))
    made.changes = {1: [at_once], 2: [in_time]}
    [sentence] = wrong_times(made)
    assert sentence.startswith("appointment 1 was booked and is too close")

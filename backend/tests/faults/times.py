"""Check who had which time when, as far as the clients know it: what was given to two, refused or not offered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta

from tests.faults.closures import CLOSED, hours_between, is_closed, is_withdrawn
from tests.faults.limits import may_be_limited, may_be_too_late
from tests.faults.record import NEVER, Hours, Known, Look, Record, Refused, Stay, Sweep

ONE_MINUTE = timedelta(minutes=1)


def wrong_times(record: Record) -> list[str]:
    """Return a sentence for each contradiction between answers about times."""
    for stay in record.stays:
        if (left := record.left.get(record.known(stay.slot_id).place.doctor_id)) is not None:
            stay.leave(left)
    _apply_sweeps(record)
    of_doctor: dict[int, list[Stay]] = defaultdict(list)
    of_patient: dict[str, list[Stay]] = defaultdict(list)
    for stay in record.stays:
        of_doctor[record.known(stay.slot_id).place.doctor_id].append(stay)
        of_patient[stay.by].append(stay)
    found: list[str] = []
    for stays in of_doctor.values():
        found += given_twice(record, stays)
    for stays in of_patient.values():
        found += two_places_at_once(record, stays)
    for refused in record.refused:
        known = record.known(refused.slot_id)
        if not may_refuse(record, refused, known, of_doctor[known.place.doctor_id], of_patient[refused.by]):
            found.append(
                f"{refused.by} was refused {described(known)} without a reason: {refused.why}"
                f"{', and held it' if refused.holding else ''} [{refused.began:.3f}, {refused.ended:.3f}]"
            )
    for look in record.looks:
        found += wrongly_offered(record, look, of_doctor[look.doctor_id])
    for doctor_id, stays in of_doctor.items():
        found += outside_of_hours(record, doctor_id, stays)
        found += wrongly_affected(record, doctor_id, stays)
        found += wrong_lists_of_affected(record, doctor_id, stays)
    found += too_close(record)
    return found[:30]


def _apply_sweeps(record: Record) -> None:
    """Let the stays of appointments that a doctor cancelled with others end, and withdraw the published slots there."""
    of_appointment: dict[int | None, list[Stay]] = defaultdict(list)
    for stay in record.stays:
        of_appointment[None if stay.is_hold else stay.of].append(stay)
    for sweep in record.sweeps:
        if sweep.outcome == "refused":
            continue
        for appointment in sweep.appointments:
            stays = of_appointment[appointment]
            for stay in stays:
                stay.leave(sweep.began, sweep.ended if sweep.outcome == "done" else NEVER)
            # An appointment that no answer told of may be at any of the times that somebody wanted.
            unknown = [] if appointment in record.booked else of_appointment[None]
            for stay in (*stays, *unknown):
                place = record.known(stay.slot_id).place
                if place.doctor_id == sweep.doctor_id:
                    for slot in record.slots_at(place):
                        record.slot_withdrawal(slot, sweep.began, NEVER)


def described(known: Known) -> str:
    return f"{known.slot_id} ({known.kind.name if known.kind else 'published'}, {known.place.starts_at:%H:%M} UTC)"


def _together(stays: Iterable[Stay]) -> Iterator[tuple[Stay, list[Stay]]]:
    """Yield each stay with those that surely were when it surely began."""
    there: list[Stay] = []
    for stay in sorted((one for one in stays if one.sure_from < one.sure_until), key=lambda one: one.sure_from):
        there = [other for other in there if other.sure_until > stay.sure_from]
        yield stay, [other for other in there if other.of != stay.of]
        there.append(stay)


def given_twice(record: Record, stays: list[Stay]) -> list[str]:
    """Check what one doctor gave at one moment: no overlaps, no more seats than there are, and the limit of the day."""
    found: list[str] = []
    for stay, there in _together(stays):
        known = record.known(stay.slot_id)
        # What a patient holds is no obstacle to the patient's own appointments.
        others = [one for one in there if not (one.by == stay.by and (one.is_hold or stay.is_hold))]
        for other in others:
            if known.excludes(record.known(other.slot_id)):
                what = "a time was booked that another patient held" if other.is_hold else "overlapping appointments"
                found.append(f"{what} of one doctor: {_pair(record, other, stay)}")
        # A hold that was asked for again has two stays.
        seats = {one.of for one in others if one.slot_id == stay.slot_id}
        if known.capacity > 1 and len(seats) + 1 > known.capacity:
            found.append(f"more patients than seats: {len(seats) + 1} at {described(known)}")
        limit = known.kind and known.kind.most_per_day
        if limit and len({one.of for one in others if record.known(one.slot_id).kind == known.kind}) + 1 > limit:
            found.append(f"more on one day than its limit: {described(known)}")
    return found


def two_places_at_once(record: Record, stays: list[Stay]) -> list[str]:
    return [
        f"overlapping appointments of one patient: {_pair(record, other, stay)}"
        for stay, others in _together(one for one in stays if not one.is_hold)
        for other in others
        if record.known(stay.slot_id).overlaps(record.known(other.slot_id))
    ]


def _pair(record: Record, *stays: Stay) -> str:
    return " and ".join(
        f"{'hold' if stay.is_hold else 'appointment'} {stay.of} at {described(record.known(stay.slot_id))}"
        f" of {stay.by} [{stay.began:.3f}, {stay.sure_from:.3f} to {stay.sure_until:.3f}]"
        for stay in stays
    )


def _blocked(
    record: Record, known: Known, stays: Iterable[Stay], by: str, is_there: Callable[[Stay], bool]
) -> tuple[bool, bool]:
    """Return whether other stays take the time or its seats, and whether they reach the limit of the day."""
    there = [stay for stay in stays if is_there(stay) and not (stay.is_hold and stay.by == by)]
    kinds = [(stay, record.known(stay.slot_id)) for stay in there]
    seats = len({stay.of or id(stay) for stay in there if stay.slot_id == known.slot_id})
    takes = any(known.excludes(other) for _, other in kinds) or (known.capacity > 1 and seats >= known.capacity)
    limit = known.kind and known.kind.most_per_day
    return takes, bool(limit) and len(
        {stay.of or id(stay) for stay, other in kinds if other.kind == known.kind}
    ) >= limit


def may_refuse(record: Record, refused: Refused, known: Known, of_doctor: list[Stay], of_patient: list[Stay]) -> bool:
    """Return whether there possibly was the reason that the refusal gives."""
    began, ended = refused.began, refused.ended

    def may_be(stay: Stay) -> bool:
        return stay.may_be(began, ended) and (refused.moving is None or stay.of != refused.moving)

    if refused.why == "too-late":
        return may_be_too_late(record, refused, known)
    if refused.why in {"too-many-ahead", "too-many-with-doctor"}:
        return may_be_limited(record, refused, known, [stay for stay in of_patient if may_be(stay)])
    if refused.why == "patient-busy":
        return any(
            may_be(stay) and not stay.is_hold and known.overlaps(record.known(stay.slot_id)) for stay in of_patient
        )
    if refused.why == "slot-not-found":
        withdrawn = known.kind is None and is_withdrawn(record, known, began, ended)[1]
        return withdrawn or record.left.get(known.place.doctor_id, NEVER) <= ended
    if refused.why == "notice-too-short":
        return known.kind is not None and known.place.starts_at < record.instant(ended) + ONE_MINUTE * (
            known.kind.notice + 2
        )
    is_closed = known.kind is not None and (
        is_withdrawn(record, known, began, ended)[1]
        or any(not hours.has(known) for hours in hours_between(record, known.place.doctor_id, began, ended))
    )
    if refused.why == "slot-not-offered" and is_closed:
        return True
    if refused.holding:
        return False
    takes, fills = _blocked(record, known, of_doctor, refused.by, may_be)
    return {"slot-taken": takes, "slot-not-offered": takes, "day-full": fills}[refused.why]


def wrongly_offered(record: Record, look: Look, stays: list[Stay]) -> list[str]:
    """Check that each time was offered if it surely could be booked, and not if it surely could not."""
    if record.left.get(look.doctor_id, NEVER) <= look.ended:
        return []
    began, ended = look.began, look.ended
    stays = [stay for stay in stays if stay.may_be(began, ended)]
    all_hours = hours_between(record, look.doctor_id, began, ended)
    found: list[str] = []
    for slot_id in sorted(look.candidates | (look.offered - record.published.keys())):
        known = record.known(slot_id)
        open_then = {known.kind is None or hours.has(known) for hours in all_hours}
        notice = ONE_MINUTE * (known.kind.notice if known.kind else 0)
        surely_withdrawn, perhaps_withdrawn = is_withdrawn(record, known, began, ended)
        if surely_withdrawn:
            open_then = {False}
        elif perhaps_withdrawn:
            open_then.add(False)
        surely = any(_blocked(record, known, stays, look.by, lambda stay: stay.surely_spans(began, ended)))
        perhaps = any(_blocked(record, known, stays, look.by, lambda stay: True))
        if slot_id in look.offered:
            if surely or True not in open_then:
                found.append(f"{described(known)} was offered to {look.by}, and could not be booked")
            elif known.place.starts_at < record.instant(began) + notice:
                found.append(f"{described(known)} was offered, and is too close")
        elif (
            not perhaps
            and False not in open_then
            and known.place.starts_at > record.instant(ended) + notice + 2 * ONE_MINUTE
        ):
            found.append(f"{described(known)} was not offered to {look.by}, and nothing was in the way")
    return found


def outside_of_hours(record: Record, doctor_id: int, stays: list[Stay]) -> list[str]:
    """Check that each acknowledged visit was booked within the hours of that moment.

    It stays when the hours change, and the doctor is told then: one who was not told was not there yet. Nothing was
    booked that was withdrawn before.
    """
    changes = [CLOSED, *record.hours[doctor_id]]
    found: list[str] = []
    for stay in stays:
        known = record.known(stay.slot_id)
        if stay.sure_from == NEVER:
            continue
        began, ended = stay.began, stay.sure_from
        if is_withdrawn(record, known, began, ended)[0]:
            what = f"hold {stay.of} was held" if stay.is_hold else f"appointment {stay.of} was booked"
            found.append(f"{what} after its time was withdrawn [{began:.3f}, {ended:.3f}]: {described(known)}")
        if known.kind is None or stay.is_hold:
            continue
        fits = False
        for number, hours in enumerate(changes):
            until = changes[number + 1].ended if number + 1 < len(changes) else NEVER
            if hours.began <= ended and began <= until and hours.has(known):
                fits |= all(_was_told(later, known, stay) for later in changes[number + 1 :])
        if not fits:
            found.append(f"appointment {stay.of} was booked outside of the hours, and its doctor was not told"
                         f" [{began:.3f}, {ended:.3f}]: {described(known)}")  # fmt: skip
    return found


def _was_told(change: Hours, known: Known, stay: Stay) -> bool:
    return change.affected is None or change.has(known) or change.ended > stay.sure_until or stay.of in change.affected


def wrongly_affected(record: Record, doctor_id: int, stays: list[Stay]) -> list[str]:
    """Check that the appointments that a change of hours lists may have been there, outside of the hours."""
    return [
        f"a change of hours lists appointment {appointment}, which is not outside of the hours"
        for change in record.hours[doctor_id]
        for appointment in change.affected or ()
        if not _may_be_outside(record, appointment, stays, [change], change.began, change.ended)
    ]


def _may_be_outside(
    record: Record, appointment: int, stays: list[Stay], all_hours: list[Hours], began: float, ended: float
) -> bool:
    """Return whether the appointment was possibly outside of some of the hours, or at a closed time, meanwhile."""
    for stay in stays:
        if stay.of is not None and (stay.of != appointment or not stay.may_be(began, ended)):
            continue
        known = record.known(stay.slot_id)
        if known.kind is not None and not all(hours.has(known) for hours in all_hours):
            return True
        if is_closed(record, known.place, began, ended)[1]:
            return True
    return False


def wrong_lists_of_affected(record: Record, doctor_id: int, stays: list[Stay]) -> list[str]:
    """Check what lists of affected appointments show, and why requests to cancel them are done or refused."""
    found: list[str] = []
    for look in record.affected_looks:
        if look.doctor_id == doctor_id:
            all_hours = hours_between(record, doctor_id, look.began, look.ended)
            found += [
                f"appointment {appointment} is listed as affected, and is not outside of the hours"
                for appointment in look.listed
                if not _may_be_outside(record, appointment, stays, all_hours, look.began, look.ended)
            ]
            missing = _surely_outside(record, stays, all_hours, look.began, look.ended) - look.listed
            found += [f"appointment {appointment} is affected, and is not listed" for appointment in missing]
    for sweep in record.sweeps:
        if sweep.doctor_id == doctor_id:
            found += _wrongly_swept(record, sweep, stays)
    return found


def _wrongly_swept(record: Record, sweep: Sweep, stays: list[Stay]) -> list[str]:
    all_hours = hours_between(record, sweep.doctor_id, sweep.began, sweep.ended)
    if sweep.outcome == "done":
        return [
            f"appointment {appointment} was cancelled as affected, and is not outside of the hours"
            for appointment in sweep.appointments
            if not _may_be_outside(record, appointment, stays, all_hours, sweep.began, sweep.ended)
        ]
    surely = _surely_outside(record, stays, all_hours, sweep.began, sweep.ended)
    if sweep.outcome == "refused" and sweep.appointments <= surely:
        return [f"affected appointments {sorted(sweep.appointments)} were not cancelled without a reason"]
    return []


def _surely_outside(
    record: Record, stays: list[Stay], all_hours: list[Hours], began: float, ended: float
) -> set[int | None]:
    """Return the appointments that were outside of all of these hours for the whole interval."""
    there = [stay for stay in stays if not stay.is_hold and stay.surely_spans(began, ended)]
    return {
        stay.of
        for stay in there
        for known in [record.known(stay.slot_id)]
        if is_closed(record, known.place, began, ended)[0]
        or (known.kind is not None and not any(hours.has(known) for hours in all_hours))
    }


def too_close(record: Record) -> list[str]:
    """Check that patients booked no time after its minimum notice; doctors may move appointments there."""
    return [
        f"appointment {appointment} was booked and is too close: {described(known)}"
        for appointment, changes in record.changes.items()
        for change in changes
        if change.slot_id is not None and change.outcome == "done" and change.by == "patient"
        for known in [record.known(change.slot_id)]
        if known.kind is not None
        and known.place.starts_at < record.instant(change.began) + ONE_MINUTE * known.kind.notice
        and not (change.kind == "booked" and _was_held(record, appointment))
    ]


def _was_held(record: Record, appointment: int) -> bool:
    return any(stay.is_hold and stay.of == appointment for stay in record.stays)

"""How many appointments a patient may have, and how many changes a patient may make within an hour."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from src.domain.policies import HOUR, Policies
from src.domain.refusals import Limited
from src.models.base import Instant
from src.repositories.booking_sql import typed

# The number of the patient's last change.
LAST_NTH = """(
    SELECT coalesce(max(patient_nth), 0) AS nth FROM appointment_events
    WHERE actor_id = :me AND patient_nth IS NOT NULL)"""
_AHEAD = """(
    SELECT count(*) FROM appointments WHERE patient_id = :me AND status = 'booked' AND starts_at > :now{where})"""


def limits(doctor: str, most_with_doctor: str) -> str:
    """Return the query of one row: `nth`, `refusal`, `most` and `changed_at`, of one more appointment of a patient.

    `doctor` and `most_with_doctor` are the SQL of the doctor's id and of the doctor's own limit. `refusal` is NULL if
    no limit is reached, `most` the doctor's or the clinic's limit, and `changed_at` the time of the change that must be
    an hour old for the next one. `:moving` is the appointment that is moved, or 0: a move adds no appointment, except
    with another doctor. Two changes by one patient at the same moment read the same `nth`, and the unique index lets
    only one of them insert `nth` + 1: so whoever inserts has counted all earlier changes.
    """
    with_doctor = _AHEAD.format(where=f" AND doctor_id = {doctor}")
    stays = f"EXISTS (SELECT 1 FROM appointments WHERE id = :moving AND doctor_id = {doctor})"
    return f"""
    SELECT nth, most, changed_at, CASE
        WHEN changed_at > :hour_ago THEN 'too_many_changes'
        WHEN :most_ahead IS NOT NULL AND :moving = 0 AND {_AHEAD.format(where="")} >= :most_ahead
            THEN 'too_many_ahead'
        WHEN most IS NOT NULL AND {with_doctor} >= most AND NOT {stays} THEN 'too_many_with_doctor'
    END AS refusal
    FROM (
        SELECT nth, coalesce({most_with_doctor}, :most_with_doctor) AS most, (
            SELECT at FROM appointment_events WHERE actor_id = :me AND patient_nth = nth + 1 - :changes_per_hour
        ) AS changed_at
        FROM {LAST_NTH} AS last) AS counted"""


def values(policies: Policies, now: datetime) -> dict[str, Any]:
    """Return the parameters of `limits` that do not depend on the appointment."""
    return {
        "most_ahead": policies.most_ahead,
        "most_with_doctor": policies.most_ahead_with_doctor,
        "changes_per_hour": policies.changes_per_hour,
        "hour_ago": now - HOUR,
    }


_LIMITS = typed(limits(":doctor_id", "(SELECT most_ahead FROM doctors WHERE id = :doctor_id)")).columns(
    changed_at=Instant()
)


def find(
    db: Connection, patient_id: int, doctor_id: int, now: datetime, policies: Policies, moving: int = 0
) -> Limited | None:
    """Return the limit that one more appointment with the doctor exceeds, or a move of the appointment `moving`.

    The caller has locked the patient exclusively in an earlier statement, so nothing changes after this has counted.
    """
    who = {"me": patient_id, "doctor_id": doctor_id, "moving": moving, "now": now}
    return limited(db.execute(_LIMITS, {**who, **values(policies, now)}).one(), policies, now)


def limited(row: Row[Any], policies: Policies, now: datetime) -> Limited | None:
    """Return the limit that a row of `limits` names, or None."""
    if row.refusal == "too_many_changes":
        wait = row.changed_at + HOUR - now
        return Limited(row.refusal, policies.changes_per_hour or 0, max(1, -(-wait // timedelta(seconds=1))))
    if row.refusal == "too_many_ahead":
        return Limited(row.refusal, policies.most_ahead or 0)
    return Limited(row.refusal, row.most) if row.refusal == "too_many_with_doctor" else None

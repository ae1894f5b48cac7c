"""Answers kept for doctors that list an appointment of a patient who leaves."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select, union, update

from src.models import Appointment, AppointmentEvent, DoctorProfile, IdempotentAnswer
from src.models.base import Instant
from src.models.idempotent_answer import IDEMPOTENT_ANSWERS_KEPT
from src.models.user import FORMER_PATIENT

_MINE = Appointment.patient_id == bindparam("me")
_IDS = select(Appointment.id).where(_MINE)
_DOCTORS = union(
    select(DoctorProfile.user_id).join(Appointment, Appointment.doctor_id == DoctorProfile.id).where(_MINE),
    select(DoctorProfile.user_id)
    .join(AppointmentEvent, AppointmentEvent.was_doctor_id == DoctorProfile.id)
    .where(AppointmentEvent.appointment_id.in_(_IDS)),
)
_NAMING = select(IdempotentAnswer.user_id, IdempotentAnswer.key, IdempotentAnswer.body).where(
    IdempotentAnswer.user_id.in_(_DOCTORS), IdempotentAnswer.body.contains('"patient_name"')
)
_KEPT_SINCE = bindparam("kept_since", type_=Instant())
# Repeated requests and other patients who leave lock these, and then wait for nothing that this transaction has locked.
_KEPT = (
    _NAMING.where(IdempotentAnswer.created_at >= _KEPT_SINCE)
    .order_by(IdempotentAnswer.user_id, IdempotentAnswer.key)
    .with_for_update()
)
# What another transaction has locked of these, it overwrites or deletes.
_OUTDATED = _NAMING.where(IdempotentAnswer.created_at < _KEPT_SINCE).with_for_update(skip_locked=True)
_REPLACE = (
    update(IdempotentAnswer)
    .where(IdempotentAnswer.user_id == bindparam("of"), IdempotentAnswer.key == bindparam("under"))
    .values(body=bindparam("new_body"))
)


def clear(db: Connection, patient_id: int, now: datetime) -> None:
    """Erase the patient's name and reasons from the answers that are kept for the doctors of the patient.

    Call it last: it waits for others who have locked such an answer.
    """
    values = {"me": patient_id, "kept_since": now - IDEMPOTENT_ANSWERS_KEPT}
    kept = [row for answers in (_KEPT, _OUTDATED) for row in db.execute(answers, values)]
    if not kept:
        return
    ids = set(db.scalars(_IDS, {"me": patient_id}))
    bodies = [(row, json.dumps(_without(json.loads(row.body), ids), ensure_ascii=False)) for row in kept]
    db.execute(_REPLACE, [{"of": row.user_id, "under": row.key, "new_body": body} for row, body in bodies])


def _without(found: Any, ids: set[int]) -> Any:
    """Return a part of an answer without who the patient of these appointments was."""
    if isinstance(found, list):
        return [_without(one, ids) for one in found]  # pyright: ignore[reportUnknownVariableType]
    if not isinstance(found, dict):
        return found
    known: dict[str, Any] = {name: _without(value, ids) for name, value in found.items()}  # pyright: ignore[reportUnknownVariableType]
    if known.get("appointment_id") in ids and "patient_name" in known:
        known |= {"patient_name": FORMER_PATIENT} | ({"reason": None} if "reason" in known else {})
    return known

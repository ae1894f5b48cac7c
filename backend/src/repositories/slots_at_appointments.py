"""The slots that some appointments have, and those that overlap them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, select, union_all, update
from sqlalchemy.orm import aliased

from src.models import Appointment, AvailabilitySlot
from src.models.availability import BOOKED, FREE

_THESE = Appointment.id.in_(bindparam("ids", expanding=True))
_beside = aliased(AvailabilitySlot)
# Free slots are not offered while an appointment takes a part of their time, and would be after its cancellation.
_BESIDE_APPOINTMENTS = (
    select(_beside.id)
    .join(Appointment, Appointment.doctor_id == _beside.doctor_id)
    .where(_beside.status == FREE, _beside.starts_at < Appointment.ends_at, _beside.ends_at > Appointment.starts_at)
)
_AT_APPOINTMENTS = AvailabilitySlot.id.in_(
    union_all(select(Appointment.slot_id).where(_THESE), _BESIDE_APPOINTMENTS.where(_THESE))
)
_LOCK_AT_APPOINTMENTS = (
    select(AvailabilitySlot.id)
    .where(_AT_APPOINTMENTS)
    .order_by(AvailabilitySlot.id)
    .with_for_update(key_share=True, of=AvailabilitySlot)
)
_WITHDRAW_AT_APPOINTMENTS = update(AvailabilitySlot).where(_AT_APPOINTMENTS).values(status="withdrawn")


def lock(db: Connection, appointment_ids: Sequence[int]) -> None:
    """Lock, in the order of their ids, the slots of these appointments and the doctors' free ones that overlap them.

    The caller has locked the doctors' accounts, so that no such slot is published or booked meanwhile.
    """
    db.execute(_LOCK_AT_APPOINTMENTS, {"ids": appointment_ids})


def withdraw(db: Connection, appointment_ids: Sequence[int]) -> None:
    """Withdraw the slots that `lock` has locked."""
    db.execute(_WITHDRAW_AT_APPOINTMENTS, {"ids": appointment_ids})


_OF_APPOINTMENTS = AvailabilitySlot.id.in_(select(Appointment.slot_id).where(_THESE))
_LOCK_OF_APPOINTMENTS = (
    select(AvailabilitySlot.id)
    .where(_OF_APPOINTMENTS)
    .order_by(AvailabilitySlot.id)
    .with_for_update(key_share=True, of=AvailabilitySlot)
)
_FREE_OF_APPOINTMENTS = (
    update(AvailabilitySlot).where(_OF_APPOINTMENTS, AvailabilitySlot.status == BOOKED).values(status="free")
)


def free(db: Connection, appointment_ids: Sequence[int]) -> None:
    """Lock the slots of these appointments in the order of their ids, and offer those again that are booked."""
    db.execute(_LOCK_OF_APPOINTMENTS, {"ids": appointment_ids})
    db.execute(_FREE_OF_APPOINTMENTS, {"ids": appointment_ids})

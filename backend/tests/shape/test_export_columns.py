"""Every column of every table is in the export of the person whom it is about, or here with the reason why not.

A new column or table fails these tests until it has a line in one of the two dictionaries below.
"""

from __future__ import annotations

import typing
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from src.models import Base
from src.schemas.export import AccountExport

# By table, columns and where the document has each of them.
EXPORTED: dict[str, dict[str, str]] = {
    "users": {
        "id": "account.id",
        "name": "account.name",
        "email": "account.email",
        "role": "account.role",
        "token_epoch": "account.sessions_ended",
        "created_at": "account.created_at",
        "email_confirmed_at": "account.email_confirmed",
        "phone": "account.phone",
        "language": "account.language",
        "own_time_zone": "account.time_zone",
        "guest_since": "account.guest_since",
        "second_factor_at": "account.second_factor_since",
    },
    "doctors": {
        "id": "doctor.doctor_id",
        "designation": "doctor.designation",
        "specialization": "doctor.specialization",
        "time_zone": "doctor.hours.time_zone",
        "hours_revision": "doctor.hours.revision",
        "cancellation_notice": "doctor.cancellation_notice",
        "most_ahead": "doctor.most_ahead",
    },
    "visit_types": {
        name: f"doctor.retired_visit_types.{name}"
        for name in (
            "id",
            "name",
            "description",
            "minimum_notice",
            "horizon",
            "most_per_day",
            "capacity",
            "booked_by",
            "place",
            "is_default",
            "retired_at",
        )
    },
    "visit_type_versions": {
        name: f"doctor.visit_types.{name}" for name in ("minutes", "buffer_before", "buffer_after", "step")
    },
    "weekly_hours": {
        "weekday": "doctor.hours.weekly.weekday",
        "from_time": "doctor.hours.weekly.from",
        "until_time": "doctor.hours.weekly.until",
        "valid_from": "doctor.hours.weekly.valid_from",
        "valid_until": "doctor.hours.weekly.valid_until",
        "visit_types": "doctor.hours.weekly.visit_types",
        "place": "doctor.hours.weekly.place",
    },
    "exceptions": {
        "id": "doctor.exceptions.id",
        "kind": "doctor.exceptions.kind",
        "first_day": "doctor.exceptions.first_day",
        "last_day": "doctor.exceptions.last_day",
        "from_time": "doctor.exceptions.from",
        "until_time": "doctor.exceptions.until",
        "visit_types": "doctor.exceptions.visit_types",
        "place": "doctor.exceptions.place",
        "reason": "doctor.exceptions.reason",
    },
    "availability_slots": {
        "id": "doctor.slots.slot_id",
        "starts_at": "doctor.slots.starts_at",
        "ends_at": "doctor.slots.ends_at",
        "time_zone": "doctor.slots.time_zone",
        "wall_start": "doctor.slots.start_time",
        "wall_end": "doctor.slots.end_time",
        "status": "doctor.slots.status",
    },
    "appointments": {
        "id": "appointments.appointment_id",
        "doctor_id": "appointments.doctor_name",
        "starts_at": "appointments.starts_at",
        "ends_at": "appointments.ends_at",
        "time_zone": "appointments.time_zone",
        "wall_start": "appointments.start_time",
        "wall_end": "appointments.end_time",
        "status": "appointments.status",
        "booked_at": "appointments.booked_at",
        "cancelled_at": "appointments.history.at",
        "visit_type_id": "appointments.visit_type",
        "held_until": "holds.held_until",
        "attendance": "appointments.attendance",
        "place": "appointments.place",
        "reason": "appointments.reason",
    },
    "appointment_events": {
        "at": "appointments.history.at",
        "actor_id": "appointments.history.by_you",
        "event": "appointments.history.event",
        "was_starts_at": "appointments.history.was.starts_at",
        "was_ends_at": "appointments.history.was.ends_at",
        "was_wall_start": "appointments.history.was.start_time",
        "was_wall_end": "appointments.history.was.end_time",
        "was_time_zone": "appointments.history.was.time_zone",
        "was_doctor_id": "appointments.history.was.doctor_name",
        "reason": "appointments.history.reason",
    },
    "outbox": {
        "template": "mails.kind",
        "status": "mails.status",
        "subject": "mails.subject",
        "text": "mails.text",
        "created_at": "mails.created_at",
        "sent_at": "mails.sent_at",
    },
    "password_resets": {
        "created_at": "password_resets.created_at",
        "expires_at": "password_resets.expires_at",
        "used_at": "password_resets.used_at",
    },
    "email_confirmations": {"email": "account.new_email"},
    "refresh_tokens": {"created_at": "sessions.began_at", "expires_at": "sessions.expires_at"},
    "idempotent_answers": {"created_at": "kept_answers.at", "status": "kept_answers.status"},
}

THE_PERSONS_OWN = "the id of the person or the doctor whose document it is"
OF_ITS_ROW = "the id of the row that the document shows these under"
FOR_THE_MACHINE = "it only serves constraints, order and counting, and follows from what is exported"
OF_DELIVERY = "it serves delivery: the same mail, or when and how it is tried"
COPY = "the same in another form"
SECRET = "a secret, or a hash of one"
DISABLED = "who has it cannot log in, and so cannot export"

# By `table` or `table.column`, the reason why the document does not have it.
NOT_EXPORTED: dict[str, str] = {
    "doctor_blocks": "numbers of doctors, of nobody in particular",
    "installation": "facts about the installation, of nobody",
    "failed_attempts": "keyed hashes, which do not say whose they are",
    "revoked_tokens": "ids of tokens, which do not say whose they were",
    "openings": "computed from hours, exceptions and visit types, which are exported",
    "users.email_key": COPY,
    "users.password_hash": SECRET,
    "users.disabled_at": DISABLED,
    "users.deleted_at": DISABLED,
    "doctors.user_id": THE_PERSONS_OWN,
    "doctors.openings_until": FOR_THE_MACHINE,
    "visit_types.doctor_id": THE_PERSONS_OWN,
    "visit_types.created_at": "when a row was written",
    "visit_type_versions.id": FOR_THE_MACHINE,
    "visit_type_versions.visit_type_id": OF_ITS_ROW,
    "visit_type_versions.is_current": "only the last version of each type is exported",
    "weekly_hours.id": FOR_THE_MACHINE,
    "weekly_hours.doctor_id": THE_PERSONS_OWN,
    "exceptions.doctor_id": THE_PERSONS_OWN,
    "exceptions.created_at": "when a row was written",
    "availability_slots.doctor_id": THE_PERSONS_OWN,
    "availability_slots.created_at": "when a row was written",
    "appointments.patient_id": "the person's own id; in a doctor's document, data of somebody else",
    "appointments.slot_id": FOR_THE_MACHINE,
    **dict.fromkeys(
        (f"appointments.{name}" for name in ("busy_from", "busy_until", "seat", "seats", "day", "nth", "most_per_day")),
        FOR_THE_MACHINE,
    ),
    "appointments.overbooked": FOR_THE_MACHINE,
    "appointments.note": "patients never see notes by staff; docs/privacy.md says why",
    "appointment_events.id": FOR_THE_MACHINE,
    "appointment_events.appointment_id": OF_ITS_ROW,
    "appointment_events.patient_nth": FOR_THE_MACHINE,
    "outbox.recipient_id": THE_PERSONS_OWN,
    "outbox.recipient": "the address in account.email",
    "outbox.facts": "what the text is rendered from",
    "outbox.html": COPY,
    **dict.fromkeys(
        (
            f"outbox.{name}"
            for name in (
                "id", "key", "batch_key", "batch_position", "about", "event_id", "appointment_id", "reply_to", "due_at",
                "first_due_at", "useless_after", "attempts", "last_error",
            )
        ),
        OF_DELIVERY,
    ),
    "password_resets.id": FOR_THE_MACHINE,
    "password_resets.user_id": THE_PERSONS_OWN,
    "password_resets.token_hash": SECRET,
    "email_confirmations.id": FOR_THE_MACHINE,
    "email_confirmations.user_id": THE_PERSONS_OWN,
    "email_confirmations.token_hash": SECRET,
    "email_confirmations.epoch": FOR_THE_MACHINE,
    "email_confirmations.email_key": COPY,
    "email_confirmations.created_at": "the mail of that instant is in `mails`",
    "email_confirmations.expires_at": "it follows from `created_at`",
    "email_confirmations.used_at": "the address is confirmed then: `account.email_confirmed`",
    "users.second_factor_id": SECRET,
    "users.second_factor_step": "when a code was last used, of which the log-in's own time says nothing more",
    "recovery_codes.user_id": THE_PERSONS_OWN,
    "recovery_codes.code_hash": SECRET,
    "refresh_tokens.id": FOR_THE_MACHINE,
    "refresh_tokens.family": FOR_THE_MACHINE,
    "refresh_tokens.user_id": THE_PERSONS_OWN,
    "refresh_tokens.epoch": FOR_THE_MACHINE,
    "refresh_tokens.token_hash": SECRET,
    "refresh_tokens.used_at": "the next token of the session was issued then: `sessions.refreshed_at`",
    "password_resets.epoch": FOR_THE_MACHINE,
    "idempotent_answers.user_id": THE_PERSONS_OWN,
    "idempotent_answers.key": "the client's own number for its request",
    "idempotent_answers.request_hash": SECRET,
    **dict.fromkeys(
        (f"idempotent_answers.{name}" for name in ("body", "content_type", "location")),
        "what the person got already, made of what is exported",
    ),
}  # fmt: skip

COLUMNS = [f"{table.name}.{column.name}" for table in Base.metadata.sorted_tables for column in table.columns]


@pytest.mark.parametrize("column", COLUMNS)
def test_a_column_is_exported_or_has_a_reason(column: str) -> None:
    table, _, name = column.partition(".")
    places = [name in EXPORTED.get(table, {}), column in NOT_EXPORTED, table in NOT_EXPORTED]
    assert sum(places) == 1, f"put {column} into EXPORTED or, with a reason, into NOT_EXPORTED"


def test_no_line_is_about_what_is_no_more() -> None:
    exported = {f"{table}.{name}" for table, columns in EXPORTED.items() for name in columns}
    assert exported | NOT_EXPORTED.keys() <= {*COLUMNS, *Base.metadata.tables}


def test_the_document_has_what_is_exported() -> None:
    there = set(paths(AccountExport))
    assert {path for columns in EXPORTED.values() for path in columns.values()} <= there


def paths(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Yield the path of every member of a document, without the indexes of lists."""
    for name, field in model.model_fields.items():
        path = f"{prefix}{field.alias or name}"
        yield path
        for below in models_in(field.annotation):
            yield from paths(below, f"{path}.")


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in typing.get_args(annotation):
        yield from models_in(argument)

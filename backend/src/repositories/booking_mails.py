"""The SQL that writes the mails about a booking, a move or a cancellation into the outbox.

They are written as facts; the worker renders them.
"""

from __future__ import annotations

KEY = {"postgresql": "gen_random_uuid()::text", "sqlite": "lower(hex(randomblob(16)))"}
JSON = {"postgresql": "json_build_object", "sqlite": "json_object"}
# A patient's reason is in no mail.
CANCELLED_BY = """, 'cancelled_by', CAST(:cancelled_by AS TEXT), 'cancelled_by_recipient', recipient.id = :actor_id,
            'cancellation_reason', CASE WHEN event.patient_nth IS NULL THEN event.reason END"""

MOVED = """, 'moved_by', CAST(:moved_by AS TEXT), 'moved_by_recipient', recipient.id = :actor_id,
            'was_starts_at', event.was_starts_at, 'was_ends_at', event.was_ends_at,
            'was_time_zone', event.was_time_zone, 'was_wall_start', event.was_wall_start,
            'was_wall_end', event.was_wall_end, 'was_doctor_name', was_doctor.name"""


def insert_mails(
    dialect: str, template: str, sources: str, *, useless_after: str = "NULL", more_facts: str = ""
) -> str:
    """Return the INSERT of one mail for each row of `sources`.

    `sources` names what the facts are taken from: event, appointment, doctor, patient, and each recipient.
    """
    return f"""
    INSERT INTO outbox (key, about, event_id, appointment_id, recipient_id, recipient, template, facts,
        due_at, useless_after, created_at)
    SELECT {KEY[dialect]}, 'appointment:' || appointment.id || ' event:' || event.id,
        event.id, appointment.id, recipient.id, recipient.email, '{template}',
        {JSON[dialect]}('number', appointment.id, 'recipient_name', recipient.name,
            'doctor_name', doctor.name, 'specialization', doctor.specialization, 'patient_name', patient.name,
            'starts_at', appointment.starts_at, 'ends_at', appointment.ends_at,
            'time_zone', appointment.time_zone, 'wall_start', appointment.wall_start,
            'wall_end', appointment.wall_end, 'place', appointment.place,
            'visit_type', (SELECT name FROM visit_types WHERE id = appointment.visit_type_id),
            'recipient_is', CASE recipient.id WHEN patient.id THEN 'patient' WHEN doctor.id THEN 'doctor' END
            {more_facts}),
        :now, {useless_after}, :now
    FROM {sources}
    """

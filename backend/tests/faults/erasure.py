"""Look for what must be gone of patients who have left: in the whole database, and in the mails about their leaving."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Engine, inspect, text

from src.models.user import FORMER_PATIENT
from src.services.appointment_mails import BY_FORMER_PATIENT
from tests.faults.record import Departure, Record


def not_erased(record: Record, engine: Engine, accepted: Sequence[dict[str, Any]]) -> list[str]:
    """Return a sentence for each word of somebody who surely left that is still there after the last mail."""
    departures = [departure for departure in record.departures.values() if departure.done]
    found = [
        f"{place} still says {word!r}, of {departure.email}, who has left"
        for place, said in _texts(engine).items()
        for departure in departures
        for word in sorted(departure.names | departure.reasons)
        if word.lower() in said
    ]
    for mail in accepted:
        if BY_FORMER_PATIENT in mail["text"]:
            found += _named(mail, departures)
    return found[:20]


def _texts(engine: Engine) -> dict[str, str]:
    """Return all that each column of each table says, by table.column, in lower case."""
    texts: dict[str, str] = {}
    with engine.connect() as connection:
        for table in inspect(connection).get_table_names():
            rows = connection.execute(text(f'SELECT * FROM "{table}"')).mappings().all()
            for column in rows[0] if rows else ():
                texts[f"{table}.{column}"] = "\n".join(str(row[column]) for row in rows).lower()
    return texts


def _named(mail: dict[str, Any], departures: Sequence[Departure]) -> list[str]:
    """Check a mail that tells a doctor that its patient has left."""
    said = " ".join([mail["subject"], mail["text"], mail["html"]])
    found = [
        f"a mail about the leaving of {departure.email} says {word!r}"
        for departure in departures
        for word in departure.names
        if word in said
    ]
    if FORMER_PATIENT not in mail["text"]:
        found.append(f"a mail about a leaving does not call the patient {FORMER_PATIENT!r}")
    return found

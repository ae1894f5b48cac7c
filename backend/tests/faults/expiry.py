"""How holds expire in a campaign, which is not long enough to wait for it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

_LOCK_BOTH = text("""
    SELECT id FROM users WHERE id IN (
        SELECT patient_id FROM appointments WHERE id = :id
        UNION SELECT user_id FROM appointments JOIN doctors ON doctors.id = doctor_id WHERE appointments.id = :id)
    ORDER BY id FOR NO KEY UPDATE""")
_EXPIRE = text("UPDATE appointments SET held_until = :ago WHERE id = :id AND status = 'held'")


def expire(engine: Engine, hold_id: int, ago: datetime) -> bool | None:
    """Set the end of a hold to an instant in the past; return False if there is none, and None if that is not known.

    A request has one instant, at which a hold has expired or has not. So the hold must not expire between two
    statements of a request, and this locks both people like whoever books or holds.
    """
    is_sqlite = engine.dialect.name == "sqlite"
    try:
        with engine.begin() as connection:
            if is_sqlite:
                connection.exec_driver_sql("PRAGMA busy_timeout = 10000")
            else:
                connection.execute(_LOCK_BOTH, {"id": hold_id})
            values = {"ago": ago.strftime("%Y-%m-%d %H:%M:%S.000000") if is_sqlite else ago, "id": hold_id}
            return connection.execute(_EXPIRE, values).rowcount == 1
    except DBAPIError:
        return None

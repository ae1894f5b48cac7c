"""The proof that somebody has just typed the right password, for the page that asks for the second factor.

It logs nobody in without a code, and it ends when the sessions of the account end, as by a new password.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from itsdangerous import BadSignature, URLSafeSerializer

from config import Settings

LIFETIME = timedelta(minutes=5)


def prove_password(user_id: int, epoch: int, now: datetime, settings: Settings) -> str:
    """Return the signed proof for an account in this token epoch."""
    return str(_serializer(settings).dumps([user_id, epoch, (now + LIFETIME).timestamp()]))


def proven_account(proof: str, now: datetime, settings: Settings) -> tuple[int, int] | None:
    """Return the account's id and its token epoch, or None if this is no proof now."""
    try:
        user_id, epoch, until = _serializer(settings).loads(proof)
    except BadSignature:
        return None
    return (user_id, epoch) if now.timestamp() < until else None


def _serializer(settings: Settings) -> URLSafeSerializer:
    return URLSafeSerializer(settings.secret_key, salt="password was right")

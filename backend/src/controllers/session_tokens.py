"""The tokens of a session, for every call that begins one or goes on with it."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from src.context import SlowContext
from src.errors import Unauthenticated
from src.repositories import account_locks as locks
from src.repositories import refresh_token_repository as refresh_tokens
from src.utils.security import issue_token

# RFC 6749, section 10.10, asks for 128 bits, and would rather have 160.
BYTES = 32


@dataclass(frozen=True)
class Account:
    """Whose session it is; `epoch` is the account's token epoch."""

    user_id: int
    role: str
    epoch: int


def begin(ctx: SlowContext[Any], account: Account, *, refresh: bool) -> dict[str, Any]:
    """Return the fields of a new session's tokens: of one access token, or of a short one and a refresh token."""
    if refresh:
        with ctx.transaction(writes=True) as db:
            return begin_refreshable(ctx, db, account)
    lifetime = timedelta(hours=ctx.settings.jwt_access_token_hours)
    token = issue_token(account.user_id, account.role, account.epoch, lifetime)
    return {"access_token": token, "expires_in": int(lifetime.total_seconds())}


def begin_refreshable(ctx: SlowContext[Any], db: Connection, account: Account) -> dict[str, Any]:
    if not locks.lock_living(db, account.user_id):
        raise Unauthenticated
    ends_at = ctx.now + timedelta(days=ctx.settings.refresh_token_days)
    return go_on(ctx, db, account, str(uuid.uuid4()), ends_at)


def go_on(ctx: SlowContext[Any], db: Connection, account: Account, session: str, ends_at: datetime) -> dict[str, Any]:
    """Return the fields of a session's next tokens, none of which lives longer than the session.

    Call it with the account locked, so that somebody who leaves leaves no refresh token behind.
    """
    refresh_token = secrets.token_urlsafe(BYTES)
    refresh_tokens.add(
        db,
        token=refresh_token,
        family=session,
        user_id=account.user_id,
        epoch=account.epoch,
        now=ctx.now,
        expires_at=ends_at,
    )
    lifetime = min(timedelta(minutes=ctx.settings.access_token_minutes_with_refresh), ends_at - ctx.now)
    return {
        "access_token": issue_token(account.user_id, account.role, account.epoch, lifetime, session),
        "expires_in": int(lifetime.total_seconds()),
        "refresh_token": refresh_token,
        "refresh_expires_at": ends_at.isoformat(),
    }

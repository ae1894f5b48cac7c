"""Slowing down people who guess: failures are counted, successes never.

The count is in the database, so that N workers do not allow N times as many guesses.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, case, delete, select

from config import Settings
from src.context import SlowContext
from src.database.statements import insert_of
from src.errors import Throttled
from src.models import FailedAttempts


@dataclass(frozen=True)
class Gate:
    """One thing that is guessed at, by whom, and how many failures its window takes."""

    subject: str
    limit: int


def log_in_gates(settings: Settings, email_key: str, address: str) -> list[Gate]:
    """Return the gates of a log-in: one for the account, known or not, and one for the network address."""
    return [
        Gate(_subject(settings, "account", email_key), settings.login_failures_per_account),
        Gate(_subject(settings, "address", network_of(address)), settings.login_failures_per_address),
    ]


def invitation_gates(settings: Settings, address: str) -> list[Gate]:
    """Return the gate of the invitation code: anybody at one network address."""
    subject = _subject(settings, "invitation", network_of(address))
    return [Gate(subject, settings.invitation_failures_per_address)]


def check(db: Connection, ctx: SlowContext[Any], gates: Iterable[Gate]) -> None:
    """Raise Throttled where a gate has had all the failures that it takes."""
    window = _window(ctx.settings)
    limits = {gate.subject: gate.limit for gate in gates}
    for subject, (failures, began) in _failures_of(db, limits, ctx.now, window).items():
        if failures >= limits[subject]:
            raise Throttled(_seconds_left(began, ctx.now, window))


def count_failure(ctx: SlowContext[Any], gates: Iterable[Gate]) -> None:
    """Count a failure at every gate; raise Throttled where others at the same time have used a gate up.

    Beyond the limit the caller must not refuse in its own words, which would tell that the guess was wrong.
    """
    window = _window(ctx.settings)
    used_up: datetime | None = None
    with ctx.transaction(writes=True) as db:
        for gate in gates:
            failures, began = _count_one(db, gate.subject, ctx.now, window)
            if failures > gate.limit:
                used_up = began
    if used_up is not None:
        raise Throttled(_seconds_left(used_up, ctx.now, window))


def purge_before(db: Connection, instant: datetime) -> None:
    """Delete windows that began before the instant."""
    db.execute(delete(FailedAttempts).where(FailedAttempts.window_began < instant))


def network_of(address: str) -> str:
    """Return the address, or its /64 for IPv6: providers commonly give one customer a whole /64."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:  # noqa: PLR2004
        return str(parsed)
    return str(ipaddress.ip_network((parsed, 64), strict=False))


def _window(settings: Settings) -> timedelta:
    return timedelta(minutes=settings.throttle_window_minutes)


def _seconds_left(began: datetime, now: datetime, window: timedelta) -> int:
    return max(1, math.ceil((began + window - now).total_seconds()))


def _subject(settings: Settings, kind: str, who: str) -> str:
    return hmac.new(settings.secret_key.encode(), f"{kind}:{who}".encode(), hashlib.sha256).hexdigest()


def _failures_of(
    db: Connection, subjects: Collection[str], now: datetime, window: timedelta
) -> dict[str, tuple[int, datetime]]:
    """Return (failures, when the window began) by subject, for windows that still run."""
    query = select(FailedAttempts.subject, FailedAttempts.failures, FailedAttempts.window_began).where(
        FailedAttempts.subject.in_(subjects), FailedAttempts.window_began > now - window
    )
    return {row.subject: (row.failures, row.window_began) for row in db.execute(query)}


def _count_one(db: Connection, subject: str, now: datetime, window: timedelta) -> tuple[int, datetime]:
    """Count one more failure and return (failures, when the window began), in one atomic statement."""
    runs = FailedAttempts.window_began > now - window
    statement = (
        insert_of(db)(FailedAttempts)
        .values(subject=subject, window_began=now, failures=1)
        .on_conflict_do_update(
            index_elements=[FailedAttempts.subject],
            set_={
                "failures": case((runs, FailedAttempts.failures + 1), else_=1),
                "window_began": case((runs, FailedAttempts.window_began), else_=now),
            },
        )
        .returning(FailedAttempts.failures, FailedAttempts.window_began)
    )
    row = db.execute(statement).one()
    return row.failures, row.window_began

"""The worker's task: send what is due."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row

from config import Settings
from src.repositories import outbox_repository as outbox
from src.services.mail import Mail, MailDelayed, Mailer, MailRefused
from src.utils.clock import Clock

log = logging.getLogger("outbox")

Transaction = Callable[..., AbstractContextManager[Connection]]


def deliver_due(transaction: Transaction, mailer: Mailer, clock: Clock, settings: Settings) -> bool:
    """Claim the most urgent mail, send it outside of any transaction, write the outcome; False when none was due.

    One at a time: a lease then covers a single call to the provider, however slow the ones before it were.
    """
    lease = timedelta(seconds=settings.mail_lease_seconds)
    with transaction(writes=True) as db:
        claimed = outbox.claim(db, clock(), lease, limit=1)
    for row in claimed:
        _deliver(row, transaction, mailer, clock, settings)
    return bool(claimed)


def _deliver(row: Row[Any], transaction: Transaction, mailer: Mailer, clock: Clock, settings: Settings) -> None:
    if row.useless_after is not None and row.useless_after <= clock():
        return _finish(row, "dropped", transaction, clock, "The appointment was over before the mail could be sent.")
    try:
        mailer.send(Mail(row.recipient, row.subject, row.text, row.html), row.key)
    except MailRefused as refusal:
        log.error("mail %s set aside: %s", row.id, refusal)
        return _finish(row, "set_aside", transaction, clock, str(refusal))
    except MailDelayed as delay:
        pause = _pause(row.attempts, delay.retry_after, settings.mail_retry_ceiling_seconds)
        log.warning("mail %s tried %s times, again in %.1f s: %s", row.id, row.attempts, pause, delay)
        with transaction(writes=True) as db:
            outbox.postpone(db, row.id, row.attempts, clock() + timedelta(seconds=pause), str(delay))
        return None
    return _finish(row, "sent", transaction, clock)


def _finish(row: Row[Any], status: str, transaction: Transaction, clock: Clock, error: str | None = None) -> None:
    with transaction(writes=True) as db:
        outbox.finish(db, row.id, row.recipient_id, status, clock(), error)


def _pause(attempts: int, retry_after: float | None, ceiling: float) -> float:
    """Return seconds: what the provider asked for, else doubling with jitter, never past the ceiling."""
    if retry_after is not None:
        return min(retry_after, max(ceiling, 3600.0))
    doubled = min(ceiling, 2.0 ** min(attempts - 1, 20))
    return doubled * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, guards nothing

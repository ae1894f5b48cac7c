"""The worker's task that sends the mails that are due."""

from __future__ import annotations

import logging
import random
from collections import deque
from datetime import timedelta
from typing import Any

from sqlalchemy import Row
from sqlalchemy.exc import SQLAlchemyError

from config import Settings
from src.context import Transaction
from src.repositories import outbox_repository as outbox
from src.services.mail import Mail, MailDelayed, Mailer, MailRefused
from src.services.pace import Pace
from src.services.rendering import mail_of
from src.utils.clock import Clock
from src.utils.failures import result_or_failure

log = logging.getLogger("outbox")

# Large enough to save claims, small enough that a worker can send all mails of a claim within the lease.
BATCH = 10


def deliver_due(transaction: Transaction, mailer: Mailer, clock: Clock, settings: Settings, pace: Pace) -> bool:
    """Claim due mails, send them one after the other, and write each outcome; False when no mail was claimed.

    No mail is sent inside a transaction. The claim is a lease. The worker gives unattempted mails back when it is told
    to stop, or when the lease might end before the provider answers.
    """
    with transaction(writes=False) as db:
        if not outbox.any_due(db, clock()):
            return False
    if pace.wait():
        return False
    lease = timedelta(seconds=settings.mail_lease_seconds)
    last_start = clock() + lease - timedelta(seconds=settings.mail_timeout_seconds)
    with transaction(writes=True) as db:
        claimed = outbox.claim(db, clock(), lease, limit=BATCH)
    waiting = deque(claimed)
    try:
        while waiting and (len(waiting) == len(claimed) or not (pace.wait() or clock() > last_start)):
            _deliver(waiting.popleft(), transaction, mailer, clock, settings, pace)
    finally:
        if waiting:
            with transaction(writes=True) as db:
                outbox.give_back(db, waiting, clock())
    return bool(claimed)


def _deliver(
    row: Row[Any], transaction: Transaction, mailer: Mailer, clock: Clock, settings: Settings, pace: Pace
) -> None:
    if row.useless_after is not None and row.useless_after <= clock():
        return _finish(row, "dropped", transaction, clock, "It could not be sent while it was of use.")
    outcome = result_or_failure(_send, row, transaction, mailer)
    if isinstance(outcome, SQLAlchemyError):
        # The database's trouble, not this mail's.
        raise outcome
    if isinstance(outcome, MailRefused):
        log.error("mail %s set aside: %s", row.id, outcome)
        return _finish(row, "set_aside", transaction, clock, str(outcome))
    if isinstance(outcome, Exception):
        return _postpone(row, outcome, transaction, clock, settings, pace)
    return _finish(row, "sent", transaction, clock) if outcome else None


def _send(row: Row[Any], transaction: Transaction, mailer: Mailer) -> bool:
    """Send a mail, but not if another worker has claimed it meanwhile."""
    mail = mail_of(row)
    if row.text is None and not _store_rendered(row, mail, transaction):
        return False
    mailer.send(mail, row.key)
    return True


def _store_rendered(row: Row[Any], mail: Mail, transaction: Transaction) -> bool:
    """Store the rendered mail before the first attempt, so that every later attempt sends the same text."""
    with transaction(writes=True, one_statement=True) as db:
        return outbox.store_rendered(db, row.id, row.attempts, mail)


def _finish(row: Row[Any], status: str, transaction: Transaction, clock: Clock, error: str | None = None) -> None:
    with transaction(writes=True) as db:
        outbox.finish(db, row.id, row.recipient_id, status, clock(), error)


def _postpone(
    row: Row[Any], error: Exception, transaction: Transaction, clock: Clock, settings: Settings, pace: Pace
) -> None:
    """Try the mail again after a pause, whatever went wrong: whether the provider has accepted it may be unknown."""
    retry_after = error.retry_after if isinstance(error, MailDelayed) else None
    if retry_after is not None:
        pace.pause(retry_after)
    wait = _pause(row.attempts, retry_after, settings.mail_retry_ceiling_seconds)
    reason = str(error) if isinstance(error, MailDelayed) else f"{type(error).__name__}: {error}"
    traceback = None if isinstance(error, MailDelayed) else error
    log.warning("mail %s tried %s times, again in %.1f s: %s", row.id, row.attempts, wait, reason, exc_info=traceback)
    with transaction(writes=True) as db:
        outbox.postpone(db, row.id, row.attempts, clock() + timedelta(seconds=wait), reason)


def _pause(attempts: int, retry_after: float | None, ceiling: float) -> float:
    """Return the seconds until the next attempt.

    The provider's own wish counts, up to an hour or the ceiling, whichever is longer. Without one, the pause doubles
    with each attempt up to the ceiling, with jitter.
    """
    if retry_after is not None:
        return min(retry_after, max(ceiling, 3600.0))
    doubled = min(ceiling, 2.0 ** min(attempts - 1, 20))
    return doubled * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, is no secret

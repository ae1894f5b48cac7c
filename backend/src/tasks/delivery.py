"""The worker's task that sends the mails that are due."""

from __future__ import annotations

import logging
import random
import uuid
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ParamSpec, TypeVar

from sqlalchemy import Row
from sqlalchemy.exc import SQLAlchemyError

from config import Settings
from src.context import Transaction
from src.repositories import batch_repository as batches
from src.repositories import outbox_repository as outbox
from src.services.mail import BatchMailer, BatchRefused, Mail, MailDelayed, Mailer, MailRefused
from src.services.pace import Pace
from src.services.rendering import mail_of, without_secrets
from src.utils.clock import Clock
from src.utils.failures import result_or_failure

log = logging.getLogger("outbox")

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

# Large enough to save claims, small enough that a worker can make all these requests within the lease.
REQUESTS = 10


def deliver_due(transaction: Transaction, mailer: Mailer, clock: Clock, settings: Settings, pace: Pace) -> bool:
    """Claim due mails, send them one request after the other, and write each outcome; False when none was claimed.

    No mail is sent inside a transaction. The claim is a lease. The worker gives unattempted mails back when it is told
    to stop, or when the lease might end before the provider answers. That may take as long as the slowest request so
    far, because with SMTP the timeout is that of each command.
    """
    with transaction(writes=False) as db:
        if not outbox.any_due(db, clock()):
            return False
    if pace.wait():
        return False
    lease = timedelta(seconds=settings.mail_lease_seconds)
    lease_end = clock() + lease
    slowest = timedelta(seconds=settings.mail_timeout_seconds)
    limit = mailer.largest_batch if isinstance(mailer, BatchMailer) else REQUESTS
    with transaction(writes=True) as db:
        claimed = outbox.claim(db, clock(), lease, limit=limit, limit_begun=REQUESTS)
    requests = deque(_requests(claimed, mailer))
    delivery = _Delivery(transaction, mailer, clock, settings, pace)
    is_first = True
    try:
        while requests and (is_first or not (pace.wait() or clock() + slowest > lease_end)):
            is_first = False
            began = clock()
            delivery.send(requests.popleft())
            slowest = max(slowest, clock() - began)
    finally:
        if requests:
            with transaction(writes=True) as db:
                outbox.give_back(db, [row for rows in requests for row in rows], clock())
    return bool(claimed)


def _requests(claimed: list[Row[Any]], mailer: Mailer) -> list[list[Row[Any]]]:
    """Return which mails to send together: those of a batch that was begun, and all those that were never attempted."""
    if not isinstance(mailer, BatchMailer):
        return [[row] for row in claimed]
    fresh: list[Row[Any]] = []
    begun: defaultdict[str, list[Row[Any]]] = defaultdict(list)
    for row in claimed:
        if row.batch_key is None and row.text is None:
            fresh.append(row)
        else:
            begun[row.batch_key or row.key].append(row)
    return [*begun.values(), *([fresh] if fresh else [])]


@dataclass(frozen=True)
class _Delivery:
    """What every step of a delivery needs."""

    transaction: Transaction
    mailer: Mailer
    clock: Clock
    settings: Settings
    pace: Pace

    def send(self, rows: list[Row[Any]]) -> None:
        """Send the mails of one request."""
        if isinstance(self.mailer, BatchMailer) and (len(rows) > 1 or rows[0].batch_key is not None):
            self._send_together(rows, self.mailer)
        else:
            self._send_alone(rows[0])

    def _send_alone(self, row: Row[Any]) -> None:
        if self._ends_unsent(row):
            return
        outcome = self._outcome(self._attempt_alone, row)
        if isinstance(outcome, MailRefused):
            reason = self._said(outcome, [row])
            log.error("mail %s set aside: %s", row.id, reason)
            self._finish(row, "set_aside", reason)
        elif isinstance(outcome, Exception):
            self._postpone([row], outcome)
        elif outcome:
            self._finish(row, "sent")

    def _attempt_alone(self, row: Row[Any]) -> bool:
        """Send a mail; return False if another worker has claimed it meanwhile."""
        mail = mail_of(row, self.settings)
        if row.text is None:
            # Stored before the first attempt, so that every later attempt sends the same, whatever is configured then.
            with self.transaction(writes=True, one_statement=True) as db:
                if not outbox.store_rendered(db, row.id, row.attempts, mail):
                    return False
        self.mailer.send(mail, row.key)
        return True

    def _send_together(self, rows: list[Row[Any]], mailer: BatchMailer) -> None:
        key = rows[0].batch_key or self._new_batch(rows)
        with self.transaction(writes=False) as db:
            members = batches.members(db, key)
        if not members:
            # Every mail was dropped or postponed, or another worker has claimed them.
            return
        outcome = self._outcome(self._attempt_together, members, mailer, key)
        if isinstance(outcome, MailRefused | BatchRefused):
            self._end_batch(key, members, dict.fromkeys(range(len(members)), outcome))
        elif isinstance(outcome, Exception):
            ids = {member.id for member in members}
            self._postpone([row for row in rows if row.id in ids], outcome)
        else:
            self._end_batch(key, members, outcome)

    def _new_batch(self, rows: list[Row[Any]]) -> str:
        """Store the mails that can be rendered as a batch, before its first attempt, and return its key."""
        mails: list[tuple[Row[Any], Mail]] = []
        for row in rows:
            if self._ends_unsent(row):
                continue
            mail = self._outcome(mail_of, row, self.settings)
            if isinstance(mail, Exception):
                self._postpone([row], mail)
            else:
                mails.append((row, mail))
        key = str(uuid.uuid4())
        if mails:
            with self.transaction(writes=True) as db:
                batches.form(db, key, mails)
        return key

    def _attempt_together(
        self, members: list[Row[Any]], mailer: BatchMailer, key: str
    ) -> dict[int, MailRefused | MailDelayed]:
        if any(member.recipient is None for member in members):
            # A worker that knows no batches has sent this mail alone, and then its recipient has left.
            raise MailRefused("The batch cannot be repeated as it was, because an address in it is erased.")
        return mailer.send_batch([mail_of(member, self.settings) for member in members], key)

    def _outcome(
        self, work: Callable[Arguments, Result], *arguments: Arguments.args, **named: Arguments.kwargs
    ) -> Result | Exception:
        """Return the result or the error of work with a mail; raise the database's errors, which belong to no mail."""
        outcome = result_or_failure(work, *arguments, **named)
        if isinstance(outcome, SQLAlchemyError):
            raise outcome
        return outcome

    def _ends_unsent(self, row: Row[Any]) -> bool:
        """Set a mail without an address aside, or drop one that comes too late; say whether it is one of these."""
        if row.recipient is None:
            reason = "The mail has no address."
            log.error("mail %s set aside: %s", row.id, reason)
            self._finish(row, "set_aside", reason)
            return True
        if row.useless_after is None or row.useless_after > self.clock():
            return False
        self._finish(row, "dropped", "It could not be sent while it was of use.")
        return True

    def _said(self, error: Exception, rows: list[Row[Any]]) -> str:
        """Return what the error says, for logs and operators."""
        is_ours = isinstance(error, MailRefused | MailDelayed | BatchRefused)
        said = str(error) if is_ours else f"{type(error).__name__}: {error}"
        return without_secrets(said, rows, self.settings)

    def _finish(self, row: Row[Any], status: str, error: str | None = None) -> None:
        with self.transaction(writes=True) as db:
            outbox.finish(db, row, status, self.clock(), error)

    def _end_batch(
        self, key: str, members: list[Row[Any]], errors: Mapping[int, MailRefused | MailDelayed | BatchRefused]
    ) -> None:
        """Write the provider's answer to a batch, with the errors by the indexes of their mails."""
        reasons = {members[index].id: self._said(error, members) for index, error in errors.items()}
        ids = {members[index].id for index, error in errors.items() if isinstance(error, MailRefused)}
        refused = {mail_id: reason for mail_id, reason in reasons.items() if mail_id in ids}
        alone = {mail_id: reason for mail_id, reason in reasons.items() if mail_id not in ids}
        for mail_id, reason in refused.items():
            log.error("mail %s set aside: %s", mail_id, reason)
        for mail_id, reason in alone.items():
            log.warning("mail %s goes alone from now on: %s", mail_id, reason)
        with self.transaction(writes=True) as db:
            batches.end(db, key, self.clock(), refused=refused, alone=alone)

    def _postpone(self, rows: list[Row[Any]], error: Exception) -> None:
        """Try the mails of a request again after a pause: whether the provider has accepted them may be unknown."""
        retry_after = error.retry_after if isinstance(error, MailDelayed) else None
        if retry_after is not None:
            self.pace.pause(retry_after)
        attempts = max(row.attempts for row in rows)
        wait = _pause(attempts, retry_after, self.settings.mail_retry_ceiling_seconds)
        reason = self._said(error, rows)
        # A traceback ends with what the error says.
        traceback = None if isinstance(error, MailDelayed) or str(error) not in reason else error
        mails = ", ".join(str(row.id) for row in rows)
        log.warning("mail %s tried %s times, again in %.1f s: %s", mails, attempts, wait, reason, exc_info=traceback)
        with self.transaction(writes=True) as db:
            outbox.postpone(db, rows, self.clock() + timedelta(seconds=wait), reason)


def _pause(attempts: int, retry_after: float | None, ceiling: float) -> float:
    """Return the seconds until the next attempt.

    The provider's own wish counts, up to an hour or the ceiling, whichever is longer. Without one, and if it is 0, the
    pause doubles with each attempt up to the ceiling, with jitter.
    """
    if retry_after:
        return min(retry_after, max(ceiling, 3600.0))
    doubled = min(ceiling, 2.0 ** min(attempts - 1, 20))
    return doubled * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, is no secret

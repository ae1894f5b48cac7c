"""The worker's loop: deliver mails, purge expired rows, keep wall clocks and lay openings, for ever.

Any number of workers may run it. Killing one loses no mail: other workers claim its mails when their lease ends.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from config import Settings
from src.database.transaction import transaction
from src.database.troubles import in_one_line
from src.services.email_service import mailer_for
from src.services.pace import Pace
from src.settings.time_zones import zone_data_version
from src.tasks import zones
from src.tasks.delivery import deliver_due
from src.tasks.openings import extend
from src.tasks.purge import purge_expired
from src.tasks.wall_clocks import fill
from src.utils.clock import Clock
from src.utils.failures import result_or_failure

log = logging.getLogger("worker")

PAUSE_AFTER_TROUBLE_SECONDS = 1.0
PURGE_EVERY = timedelta(minutes=10)
# Servers with older zone data may publish after `flask zones` has run, until they are replaced.
RECOMPUTE_EVERY = timedelta(hours=1)
# A new day begins in each zone at another hour.
EXTEND_EVERY = timedelta(hours=1)
AGAIN_AFTER_TROUBLE = timedelta(minutes=1)


def work(app: Flask, stop: threading.Event) -> None:
    """Run the loop until `stop` is set; without a mail transport the mails wait in the outbox."""
    settings: Settings = app.extensions["settings"]
    rounds = _Rounds(app, stop)
    while not stop.is_set():
        found = result_or_failure(rounds.run)
        if isinstance(found, Exception):
            rounds.run_tasks_soon()
            _log(found)
            stop.wait(PAUSE_AFTER_TROUBLE_SECONDS)
        elif not found:
            stop.wait(settings.mail_poll_seconds)


class _Rounds:
    """The rounds of one worker, which remember when the rarer tasks are to run again."""

    def __init__(self, app: Flask, stop: threading.Event) -> None:
        self._app = app
        self._settings: Settings = app.extensions["settings"]
        self._clock: Clock = app.extensions["clock"]
        self._mailer = mailer_for(self._settings)
        for sentence in self._settings.what_mails_lack:
            log.warning("%s", sentence)
        is_resend = self._settings.mail_transport == "resend"
        self._pace = Pace(self._settings.resend_requests_per_second if is_resend else None, stop)
        self._purge_at = self._recompute_at = self._extend_at = self._clock()
        self._filling: Iterator[int] = iter(())
        self._laying: Iterator[int] = iter(())
        self._recomputing: Iterator[None] = iter(())

    def run(self) -> bool:
        """Do what is due, and deliver a batch of mails; return whether there was work."""
        with self._app.app_context():
            now = self._clock()
            if _is_time(self._purge_at, PURGE_EVERY, now):
                self._purge_at, self._filling = now + PURGE_EVERY, fill(transaction)
                purge_expired(transaction, now, self._settings)
            if _is_time(self._recompute_at, RECOMPUTE_EVERY, now):
                self._recompute_at, self._recomputing = now + RECOMPUTE_EVERY, self._recompute(now)
            if _is_time(self._extend_at, EXTEND_EVERY, now):
                self._extend_at, self._laying = now + EXTEND_EVERY, extend(transaction, now, self._settings)
            # One chunk of each between two batches of mails, so that none waits for the other.
            filled, laid = next(self._filling, 0) > 0, next(self._laying, 0) > 0
            recomputing = next(self._recomputing, self) is not self
            return self._deliver() or filled or laid or recomputing

    def run_tasks_soon(self) -> None:
        """Run the rarer tasks within a minute: an error may have ended one of them before it was done."""
        soon = self._clock() + AGAIN_AFTER_TROUBLE
        self._purge_at = min(self._purge_at, soon)
        self._recompute_at = min(self._recompute_at, soon)
        self._extend_at = min(self._extend_at, soon)

    def _recompute(self, now: datetime) -> Iterator[None]:
        return zones.recompute_and_log(
            zones.Run(transaction, now, zone_data_version(), self._settings.clinic_time_zone)
        )

    def _deliver(self) -> bool:
        if self._mailer is None:
            return False
        return deliver_due(transaction, self._mailer, self._clock, self._settings, self._pace)


def _is_time(at: datetime, every: timedelta, now: datetime) -> bool:
    """Say whether a task is to run: at its time, or if the clock was set back since that time was chosen."""
    return not now < at <= now + every


def _log(error: Exception) -> None:
    if isinstance(error, SQLAlchemyError):
        # The database may be restarting. The worker goes on; its mails are still in the outbox.
        log.error("database trouble, going on: %s", in_one_line(error))
    else:
        log.error("unexpected trouble, going on", exc_info=error)

"""The worker's loop: deliver mails and purge expired rows, for ever.

Any number of workers may run it. Killing one loses no mail: other workers claim its mails when their lease ends.
"""

from __future__ import annotations

import logging
import threading
from datetime import timedelta

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from config import Settings
from src.database.transaction import transaction
from src.database.troubles import in_one_line
from src.services.email_service import mailer_for
from src.services.mail import Mailer
from src.services.pace import Pace
from src.tasks.delivery import deliver_due
from src.tasks.purge import purge_expired
from src.utils.clock import Clock
from src.utils.failures import result_or_failure

log = logging.getLogger("worker")

PAUSE_AFTER_TROUBLE_SECONDS = 1.0
PURGE_EVERY = timedelta(minutes=10)


def work(app: Flask, stop: threading.Event) -> None:
    """Run the loop until `stop` is set; without a mail transport the mails wait in the outbox."""
    settings: Settings = app.extensions["settings"]
    clock: Clock = app.extensions["clock"]
    mailer = mailer_for(settings)
    if mailer is None:
        log.warning("No mail transport: set RESEND_API_KEY or SMTP_URL, and FROM_EMAIL. Mails wait in the outbox.")
    pace = Pace(settings.resend_requests_per_second if settings.mail_transport == "resend" else None, stop)
    purge_at = clock()
    while not stop.is_set():
        purges = purge_at <= clock()
        if purges:
            purge_at = clock() + PURGE_EVERY
        found = result_or_failure(_round, app, mailer, pace, purges=purges)
        if isinstance(found, Exception):
            _log(found)
            stop.wait(PAUSE_AFTER_TROUBLE_SECONDS)
        elif not found:
            stop.wait(settings.mail_poll_seconds)


def _round(app: Flask, mailer: Mailer | None, pace: Pace, *, purges: bool) -> bool:
    """Purge if it is time, and deliver; return whether mails were found."""
    settings: Settings = app.extensions["settings"]
    clock: Clock = app.extensions["clock"]
    with app.app_context():
        if purges:
            purge_expired(transaction, clock(), settings)
        return mailer is not None and deliver_due(transaction, mailer, clock, settings, pace)


def _log(error: Exception) -> None:
    if isinstance(error, SQLAlchemyError):
        # The database may be restarting. The worker goes on; its mails are still in the outbox.
        log.error("database trouble, going on: %s", in_one_line(error))
    else:
        log.error("unexpected trouble, going on", exc_info=error)

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
from src.services.email_service import mailer_for
from src.services.pace import Pace
from src.tasks.delivery import deliver_due
from src.tasks.purge import purge_expired
from src.utils.clock import Clock

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
        try:
            with app.app_context():
                if purge_at <= clock():
                    purge_expired(transaction, clock(), settings)
                    purge_at = clock() + PURGE_EVERY
                found = mailer is not None and deliver_due(transaction, mailer, clock, settings, pace)
        except SQLAlchemyError as error:  # noqa: PERF203 - an error must not end the loop
            # The database may be restarting. The worker goes on; its mails are still in the outbox.
            log.error("database trouble, going on: %s", str(error).splitlines()[0])
            stop.wait(PAUSE_AFTER_TROUBLE_SECONDS)
        except Exception:
            # The only broad except in the product: an error with one mail must not keep the others from being sent.
            log.exception("unexpected trouble, going on")
            stop.wait(PAUSE_AFTER_TROUBLE_SECONDS)
        else:
            if not found:
                stop.wait(settings.mail_poll_seconds)

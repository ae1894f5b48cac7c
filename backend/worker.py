"""The loop that does what the outbox asks for. Any number of workers may run; killing one loses and repeats nothing."""

from __future__ import annotations

import logging
import signal
import threading
from datetime import timedelta
from types import FrameType

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from config import Settings
from src.controllers.cleaning_controller import clean
from src.controllers.delivery_controller import deliver_due
from src.services.mailers import mailer_for
from src.services.pace import Pace
from src.utils.clock import Clock
from src.utils.logs import configure_logs
from src.utils.transaction import transaction

log = logging.getLogger("worker")

PAUSE_AFTER_TROUBLE_SECONDS = 1.0
CLEANING_EVERY = timedelta(minutes=10)


def work(app: Flask, stop: threading.Event) -> None:
    """Deliver mails and clean up until `stop` is set; without a mail transport the mails wait."""
    settings: Settings = app.extensions["settings"]
    clock: Clock = app.extensions["clock"]
    mailer = mailer_for(settings)
    if mailer is None:
        log.warning("No mail transport: set RESEND_API_KEY or SMTP_URL, and FROM_EMAIL. Mails wait in the outbox.")
    pace = Pace(settings.resend_requests_per_second if settings.mail_transport == "resend" else None, stop)
    clean_at = clock()
    while not stop.is_set():
        try:
            with app.app_context():
                if clean_at <= clock():
                    clean(transaction, clock(), settings)
                    clean_at = clock() + CLEANING_EVERY
                found = mailer is not None and deliver_due(transaction, mailer, clock, settings, pace)
        except SQLAlchemyError as error:  # noqa: PERF203 - the loop must outlive what happens in it
            # A database that restarts must not end the worker: its mails are safe in the outbox.
            log.error("database trouble, going on: %s", str(error).splitlines()[0])
            stop.wait(PAUSE_AFTER_TROUBLE_SECONDS)
        except Exception:
            # The one broad except of the house: whatever a mail does to us, the others must still go.
            log.exception("unexpected trouble, going on")
            stop.wait(PAUSE_AFTER_TROUBLE_SECONDS)
        else:
            if not found:
                stop.wait(settings.mail_poll_seconds)


def main() -> None:
    """Run as a process of its own until SIGTERM or Ctrl-C; a mail under way is finished first."""
    from app import app  # noqa: PLC0415 - as a module this file must not build an application

    configure_logs()
    stop = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGTERM, end)
    settings: Settings = app.extensions["settings"]
    log.info("started; mails by %s", settings.mail_transport)
    work(app, stop)
    log.info("stopped")


if __name__ == "__main__":
    main()

"""The worker: `python worker.py` delivers mails and purges expired rows until it is told to stop."""

from __future__ import annotations

import logging
import signal
import threading
from types import FrameType

from config import Settings
from src.server.loop import work
from src.web.logs import configure_logs

log = logging.getLogger("worker")


def main() -> None:
    """Run as a process of its own until SIGTERM or Ctrl-C, but finish the mail that is being sent."""
    from app import app  # noqa: PLC0415 - importing this file must not build an application

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

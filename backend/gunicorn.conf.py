"""Gunicorn's settings. Its command line wins over what stands here, so `gunicorn -b … app:app` works as ever."""

from __future__ import annotations

import socket
import struct
import sys
from typing import Any

from config import ConfigurationError, load_settings_or_exit

settings = load_settings_or_exit()

# Here, in the master and before the application is loaded: a worker that refuses is restarted for ever.
try:
    settings.refuse_published_secrets()
except ConfigurationError as error:
    sys.exit(str(error))

bind = f"0.0.0.0:{settings.port}"
workers = 2
worker_class = "src.server.draining_worker.DrainingWorker"
# Loaded once and forked: a worker that dies is replaced in no time, and the workers share memory.
preload_app = True
threads = 8
timeout = 30
graceful_timeout = 30 + settings.shutdown_drain_seconds
keepalive = 5
control_socket_disable = True
accesslog = "-"
# One line per request: who, what, status, bytes, microseconds, and the id that our own log lines carry too.
access_log_format = '%(h)s "%(r)s" %(s)s %(B)s %(D)sus [%({x-request-id}o)s]'

# A client that sends half a request holds a thread; after so long without a byte it loses the connection.
SECONDS_OF_SILENCE = 10


def on_starting(server: Any) -> None:
    """Say what a production without a mail transport does with its mails."""
    if settings.mail_transport == "none":
        server.log.warning(
            "No mail transport: set RESEND_API_KEY or SMTP_URL, and FROM_EMAIL. Mails wait in the outbox."
        )


def when_ready(server: Any) -> None:
    """Limit silence on every connection: accepted sockets inherit this, and gunicorn has no setting for it."""
    for listener in server.LISTENERS:
        listener.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", SECONDS_OF_SILENCE, 0))


def post_worker_init(_worker: Any) -> None:
    """Give our own log lines their request ids."""
    from src.web.logs import configure_logs  # noqa: PLC0415 - not in the master, which needs no Flask

    configure_logs()

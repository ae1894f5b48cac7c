"""Gunicorn's settings. Options on its command line override them, as in `gunicorn -b … app:app`."""

from __future__ import annotations

import gc
import socket
import struct
import sys
from typing import Any

from config import ConfigurationError, settings_of_program

# The application makes the same check, but its error would end gunicorn with a traceback.
try:
    settings = settings_of_program()
except ConfigurationError as error:
    sys.exit(str(error))

bind = f"0.0.0.0:{settings.port}"
workers = settings.web_concurrency
worker_class = "src.server.draining_worker.DrainingWorker"
# The master loads the application once and forks it: a dead worker is replaced fast, and the workers share memory.
preload_app = True
threads = 8
timeout = 30
graceful_timeout = 30 + settings.shutdown_drain_seconds
keepalive = settings.keep_alive_seconds
# By default, gunicorn takes a header SCRIPT_NAME from loopback as the path prefix, also if a proxy on this machine only
# passes it on.
forwarder_headers = ""
control_socket_disable = True
accesslog = "-"
logger_class = "src.server.access_log.AccessLog"
# One line per request: time, client, request without its query, status, bytes, microseconds, and the request id, which
# the application's log lines contain too.
access_log_format = '%(t)s %(h)s "%(r)s" %(s)s %(B)s %(D)sus [%({x-request-id}o)s]'

# A client that sends half a request occupies a thread. After so many seconds without a byte, its connection is closed.
SECONDS_OF_SILENCE = 10


def on_starting(server: Any) -> None:
    """Warn if there is no mail transport, so that mails wait in the outbox, and if mails can carry no links."""
    for sentence in settings.what_mails_lack:
        server.log.warning("%s", sentence)


def when_ready(server: Any) -> None:
    """Set a receive timeout on the listening sockets, which accepted sockets inherit; gunicorn has no setting for it.

    Then take what is loaded out of garbage collection: a collection writes to each object that it looks at, and the
    workers would get copies of memory that they share.
    """
    for listener in server.LISTENERS:
        listener.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", SECONDS_OF_SILENCE, 0))
    gc.collect()
    gc.freeze()


def post_worker_init(_worker: Any) -> None:
    """Add request ids to the application's log lines."""
    from src.web.logs import configure_logs  # noqa: PLC0415 - this file is read before the application is loaded

    configure_logs()

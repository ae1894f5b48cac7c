"""Gunicorn's settings. Its command line wins over what stands here, so `gunicorn -b … app:app` works as ever."""

from __future__ import annotations

import sys
from typing import Any

from config import ConfigurationError, load_settings_or_exit

settings = load_settings_or_exit()

bind = f"0.0.0.0:{settings.port}"
workers = 2
worker_class = "gthread"
threads = 8
timeout = 30
graceful_timeout = 30
keepalive = 5
control_socket_disable = True
accesslog = "-"
# One line per request: who, what, status, bytes, microseconds, and the id that our own log lines carry too.
access_log_format = '%(h)s "%(r)s" %(s)s %(B)s %(D)sus [%({x-request-id}o)s]'


def on_starting(server: Any) -> None:
    """Refuse published secrets here, once: a worker that refuses is restarted for ever."""
    try:
        settings.refuse_published_secrets()
    except ConfigurationError as error:
        sys.exit(str(error))
    if settings.mail_transport == "none":
        server.log.warning(
            "No mail transport: set RESEND_API_KEY or SMTP_URL, and FROM_EMAIL. Mails wait in the outbox."
        )


def post_worker_init(_worker: Any) -> None:
    """Give our own log lines their request ids."""
    from src.utils.logs import configure_logs  # noqa: PLC0415 - not in the master, which needs no Flask

    configure_logs()

"""The development server, which `python app.py` starts, with the worker's loop in a thread."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from types import FrameType

from apiflask import APIFlask
from sqlalchemy.exc import DBAPIError
from werkzeug.serving import WSGIRequestHandler, make_server

from config import Settings
from src.database.transaction import transaction
from src.repositories import health_repository
from src.server.loop import work
from src.server.port import refuse_unusable_port
from src.settings.databases import shown
from src.tasks import demo
from src.web.logs import configure_logs

# Everybody knows it; a code that somebody chose is not printed.
PUBLISHED_CODE = Settings.model_fields["doctor_invitation_code"].default


class _QuietHandler(WSGIRequestHandler):
    """Logs one plain line per request."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:  # noqa: ARG002
        logging.getLogger("http").info("%s %s %s", self.command, self.path.partition("?")[0], code)


def serve(app: APIFlask) -> None:
    """Serve on loopback until Ctrl-C or SIGTERM, and run the worker's loop in a thread.

    Each request runs in a thread of its own, so that a slow client delays no other.
    """
    configure_logs()
    settings: Settings = app.extensions["settings"]
    refuse_unusable_port(settings.port)
    stop = threading.Event()
    server = make_server("127.0.0.1", settings.port, app, threaded=True, request_handler=_QuietHandler)
    server.daemon_threads = True  # pyright: ignore[reportAttributeAccessIssue]
    worker = threading.Thread(target=work, args=(app, stop), name="mail-worker")

    def end(_signal: int, _frame: FrameType | None) -> None:
        stop.set()
        # In a thread: shutdown() waits for serve_forever(), which cannot continue before this handler returns.
        threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGTERM, end)
    print(banner(app), flush=True)
    worker.start()
    server.serve_forever()
    server.server_close()
    worker.join(timeout=settings.mail_timeout_seconds + 1)
    print("Stopped.", file=sys.stderr)


def banner(app: APIFlask) -> str:
    """Return the text shown at the start: URLs, database, mail transport, and demo log-ins with an example.

    It names the invitation code for doctors if nobody has chosen one.
    """
    settings: Settings = app.extensions["settings"]
    url = f"http://localhost:{settings.port}"
    mails = {
        "resend": "sent through Resend",
        "smtp": "sent through SMTP",
        "console": f"not sent; shown at {url}/dev/outbox",
        "none": "waiting: no transport is configured",
    }
    lines = [
        "",
        "  Appointment Booking System",
        "",
        f"  API         {url}",
        f"  Docs        {url}/docs",
        f"  Health      {url}/health",
        f"  Database    {shown(settings.database)}",
        f"  E-mails     {mails[settings.mail_transport]}",
    ]
    if settings.doctor_invitation_code == PUBLISHED_CODE:
        lines += [f"  Doctors     register with the invitation code {PUBLISHED_CODE}"]
    state = _database_state(app)
    if state == "away":
        lines += ["", "  The database cannot be reached; until it answers, most calls are answered with 503."]
    elif state == "empty":
        lines += ["", '  The database has no tables yet; run "flask db upgrade".']
    elif state == "demo":
        lines += ["", f"  Demo log-ins (password {demo.PASSWORD})"]
        lines += [f"    doctor    {doctor.email}" for doctor in demo.DOCTORS]
        lines += [f"    patient   {email}" for _, email in demo.PATIENTS]
        body = f'{{"email": "{demo.PATIENTS[0][1]}", "password": "{demo.PASSWORD}"}}'
        lines += ["", "  Try", f"    curl -s {url}/auth/login -H 'Content-Type: application/json' -d '{body}'"]
    lines += ["", "  Stop with Ctrl-C.", ""]
    return "\n".join(lines)


def _database_state(app: APIFlask) -> str:
    """Return `away` (no connection), `empty` (no tables), `demo` (demo data filled it) or `own`."""
    try:
        with app.app_context(), transaction(writes=False) as db:
            if health_repository.schema_revision(db) is None:
                return "empty"
            return "demo" if demo.is_marked(db) else "own"
    except DBAPIError:
        return "away"

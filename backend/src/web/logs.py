"""Logging: each line shows the id of its request, which the answer carries as X-Request-ID."""

from __future__ import annotations

import logging
import re
import uuid

from flask import Flask, Response, g, has_request_context, request

HEADER = "X-Request-ID"
FORMAT = "%(asctime)s %(levelname)s %(name)s [%(request_id)s]: %(message)s"

# An id that a load balancer or client sends is used if its characters cannot forge a log line.
_SAFE = re.compile(r"[A-Za-z0-9._-]{1,64}")


class _RequestId(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = g.get("request_id", "-") if has_request_context() else "-"
        return True


def configure_logs(*, force: bool = True) -> None:
    """Log to standard error, with request ids; without `force`, only if nothing else has configured logging."""
    handler = logging.StreamHandler()
    handler.addFilter(_RequestId())
    handler.setFormatter(logging.Formatter(FORMAT))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=force)


def register_request_ids(app: Flask) -> None:
    """Give every request an id and put it on the answer."""
    app.before_request(_choose_id)
    app.after_request(_send_id)


def _choose_id() -> None:
    given = request.headers.get(HEADER, "")
    g.request_id = given if _SAFE.fullmatch(given) else uuid.uuid4().hex


def _send_id(response: Response) -> Response:
    response.headers[HEADER] = g.get("request_id", "-")
    return response

"""Log lines, each with the id of the request that it belongs to; the same id is on the answer."""

from __future__ import annotations

import logging
import re
import uuid

from flask import Flask, Response, g, has_request_context, request

HEADER = "X-Request-ID"
FORMAT = "%(asctime)s %(levelname)s %(name)s [%(request_id)s]: %(message)s"

# A balancer's or client's own id is taken over if it cannot forge log lines.
_SAFE = re.compile(r"[A-Za-z0-9._-]{1,64}")


class _RequestId(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = g.get("request_id", "-") if has_request_context() else "-"
        return True


def configure_logs() -> None:
    """Log to the standard error stream, with request ids."""
    handler = logging.StreamHandler()
    handler.addFilter(_RequestId())
    handler.setFormatter(logging.Formatter(FORMAT))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)


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

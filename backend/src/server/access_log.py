"""Gunicorn's log of requests."""

from __future__ import annotations

from typing import Any

from gunicorn.glogging import Logger


class AccessLog(Logger):
    """Logs paths without their queries: these contain names that people search for, and tokens of mails."""

    def atoms(self, resp: Any, req: Any, environ: Any, request_time: Any) -> Any:
        # Not `U`: that is the decoded path, in which a line break would forge a line.
        path = environ["RAW_URI"].partition("?")[0]
        return super().atoms(resp, req, {**environ, "RAW_URI": path}, request_time)

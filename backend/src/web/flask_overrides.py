"""Changes to Flask's defaults: how it parses JSON bodies and ids in paths, no cookies, no coroutines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask, Request, request
from flask.json.provider import DefaultJSONProvider
from flask.sessions import SessionInterface
from pydantic_core import from_json
from werkzeug.exceptions import BadRequest, NotFound
from werkzeug.routing import BaseConverter

LARGEST_ID = 2**63 - 1


class StrictJson(DefaultJSONProvider):
    """Refuses lone surrogates, NaN, and nesting so deep that Python's own parser raises RecursionError."""

    def loads(self, s: str | bytes, **_options: Any) -> Any:
        """Parse JSON (RFC 8259) in UTF-8; raise ValueError for anything else."""
        return from_json(s, allow_inf_nan=False)


class NotJson(BadRequest):
    """The body is no JSON."""


class JsonRequest(Request):
    """Tells a body that is no JSON from other requests that cannot be understood."""

    def on_json_loading_failed(self, e: ValueError | None) -> Any:
        """Raise NotJson; for None, which means another content type, what Flask raises."""
        if e is None:
            return super().on_json_loading_failed(e)
        raise NotJson from e


class IdConverter(BaseConverter):
    """A positive id in ASCII digits; every other path gets a 404."""

    regex = "[0-9]{1,19}"

    def to_python(self, value: str) -> int:
        """Return the id; raise NotFound outside of the range that the databases can store.

        After a ValidationError, Werkzeug would answer 405 if another method has the same path.
        """
        number = int(value)
        if not 1 <= number <= LARGEST_ID:
            raise NotFound
        return number


class NoSessions(SessionInterface):
    """Switch session cookies off: tokens identify the caller, so Flask need not look for a cookie in each request."""

    def open_session(self, app: Flask, request: Request) -> None:
        """Return None, so that Flask provides a session that raises when it is used."""


def return_unchanged(func: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function unchanged: we have no coroutines, and Flask's own check runs nine times in each request."""
    return func


def refuse_leading_slashes() -> None:
    """Answer 404 to `//health`: Werkzeug reads it as `/health` even without `merge_slashes`."""
    if request.environ["PATH_INFO"].startswith("//"):
        raise NotFound

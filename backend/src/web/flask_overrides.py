"""Where Flask's defaults do not fit: JSON bodies, ids in paths, sessions, coroutines, leading slashes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask, Request, request
from flask.json.provider import DefaultJSONProvider
from flask.sessions import SessionInterface
from pydantic_core import from_json
from werkzeug.exceptions import NotFound
from werkzeug.routing import BaseConverter, ValidationError

LARGEST_ID = 2**63 - 1


class StrictJson(DefaultJSONProvider):
    """Refuses what Python's own parser accepts or crashes on: lone surrogates, NaN, 30,000 levels of nesting."""

    def loads(self, s: str | bytes, **_options: Any) -> Any:
        """Parse; raise ValueError for anything that is no JSON (RFC 8259) in UTF-8."""
        return from_json(s, allow_inf_nan=False)


class IdConverter(BaseConverter):
    """A positive id in ASCII digits; anything else is no page of ours (404)."""

    regex = "[0-9]{1,19}"

    def to_python(self, value: str) -> int:
        """Return the id, in the range that databases keep."""
        number = int(value)
        if not 1 <= number <= LARGEST_ID:
            raise ValidationError
        return number


class NoSessions(SessionInterface):
    """No sessions: the token says who asks, and no time is spent on looking for a cookie."""

    def open_session(self, app: Flask, request: Request) -> None:
        """Open none; Flask then gives a session that refuses to be used."""


def as_it_is(func: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function. No view is a coroutine, and Flask would check that nine times with every request."""
    return func


def refuse_leading_slashes() -> None:
    """Refuse `//health`, which Werkzeug reads as `/health` whatever `merge_slashes` says."""
    if request.environ["PATH_INFO"].startswith("//"):
        raise NotFound

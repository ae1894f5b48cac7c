"""The path prefix below which clients reach the API, such as `/booking`; it is empty in most installations.

Gunicorn reads it from the environment variable SCRIPT_NAME, and a trusted proxy sends it as X-Forwarded-Prefix.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable
from typing import Any

from flask import Response, request

# Segments that no browser resolves to another path or another host.
_PREFIX = re.compile(r"(?:/(?!\.{1,2}(?:/|\Z))[A-Za-z0-9._~-]+)*/?")

# In characters. Addresses that begin with a prefix are stored with the answers of Idempotency-Keys, which have room
# for 255.
LONGEST = 100


def only_plain_prefixes(wsgi_app: Callable[..., Any]) -> Callable[..., Any]:
    """Ignore a prefix that is too long or no plain path: a proxy that sets none passes on what its client sent."""

    def checked(environ: dict[str, Any], start_response: Any) -> Any:
        given = environ.get("SCRIPT_NAME", "")
        if len(given) > LONGEST or not _PREFIX.fullmatch(given):
            environ["SCRIPT_NAME"] = environ["werkzeug.proxy_fix.orig"]["SCRIPT_NAME"] or ""
        return wsgi_app(environ, start_response)

    return checked


def prefix() -> str:
    """Return the prefix of this request, without a slash at its end."""
    return request.root_path


def name_prefix(view: Callable[[], Response]) -> Callable[[], Response]:
    """Name the prefix in the OpenAPI document, which is generated once for all prefixes."""

    @functools.wraps(view)
    def named() -> Response:
        response = view()
        if prefix():
            document: dict[str, Any] = response.get_json()
            response.set_data(json.dumps(document | {"servers": [{"url": prefix()}]}))
        return response

    return named

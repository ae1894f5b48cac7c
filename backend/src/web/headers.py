"""Headers that every answer carries. Flask-Talisman, which would do this, is unmaintained since 2023."""

from __future__ import annotations

from flask import Flask, Response, request

# The docs page comes with inline script and style from its package; nothing else needs them.
DOCS_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:"
)
POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; form-action 'none'; base-uri 'none'"

_EVERYWHERE = [
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Frame-Options", "DENY"),
]
_DOCS_HEADERS = [*_EVERYWHERE, ("Content-Security-Policy", DOCS_POLICY)]
_HEADERS = [*_EVERYWHERE, ("Content-Security-Policy", POLICY), ("Cache-Control", "no-store")]


def register_headers(app: Flask) -> None:
    """Answer preflights for every address, and add security headers to every answer."""
    app.before_request(_answer_preflight)
    app.after_request(_secure)


def _answer_preflight() -> Response | None:
    """Answer preflights for unknown addresses, too, so that the browser sends the request and sees its 404."""
    if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
        return Response(status=204)
    return None


def _secure(response: Response) -> Response:
    response.headers.extend(_DOCS_HEADERS if request.path.startswith("/docs") else _HEADERS)
    return response

"""Security headers of every answer. Flask-Talisman would set them, but nobody has maintained it since 2023."""

from __future__ import annotations

from flask import Flask, Response, request

# Only the docs page needs inline script and style: its package contains them.
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
    """Answer CORS preflights for every address, and add security headers to every answer."""
    app.before_request(_answer_preflight)
    app.after_request(_secure)


def _answer_preflight() -> Response | None:
    """Answer preflights for unknown addresses too: only after that does a browser send its request and see the 404."""
    if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
        return Response(status=204)
    return None


def _secure(response: Response) -> Response:
    response.headers.extend(_DOCS_HEADERS if request.path.startswith("/docs") else _HEADERS)
    return response

"""Security headers of every answer. Flask-Talisman would set them, but nobody has maintained it since 2023."""

from __future__ import annotations

from http import HTTPStatus

from flask import Flask, Response, current_app, g, request

from config import Settings
from src.web.static_files import FIRST_STEP

# Only the docs page needs inline script and style: its package contains them.
DOCS_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:"
)
POLICY = "default-src 'none'; frame-ancestors 'none'; form-action 'none'; base-uri 'none'"
# Nothing inline, nothing from other hosts.
_PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; manifest-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors "
)
PAGE_POLICY = _PAGE_POLICY + "'none'"

_NO_SNIFFING = ("X-Content-Type-Options", "nosniff")
_NO_FRAMES = ("X-Frame-Options", "DENY")
_NOT_STORED = ("Cache-Control", "no-store")
_HEADERS = [
    _NO_SNIFFING,
    _NO_FRAMES,
    _NOT_STORED,
    ("Referrer-Policy", "no-referrer"),
    ("Content-Security-Policy", POLICY),
]
_DOCS_HEADERS = [
    _NO_SNIFFING,
    _NO_FRAMES,
    ("Referrer-Policy", "no-referrer"),
    ("Content-Security-Policy", DOCS_POLICY),
]
# With `no-referrer`, browsers send "Origin: null" with forms.
_PAGE_HEADERS = [
    _NO_SNIFFING,
    _NO_FRAMES,
    _NOT_STORED,
    ("Referrer-Policy", "same-origin"),
    ("Content-Security-Policy", PAGE_POLICY),
]


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
    if request.path.startswith("/docs"):
        response.headers.extend(_DOCS_HEADERS)
    elif request.path.startswith(FIRST_STEP) and response.status_code == HTTPStatus.OK:
        response.headers.extend([_NO_SNIFFING, ("Content-Security-Policy", POLICY)])
    elif g.get("embedded", False) and response.mimetype == "text/html":
        response.headers.extend(_headers_of_frame(current_app.extensions["settings"]))
    elif response.mimetype == "text/html":
        response.headers.extend(_PAGE_HEADERS)
    else:
        response.headers.extend(_HEADERS)
    return response


def _headers_of_frame(settings: Settings) -> list[tuple[str, str]]:
    """Return the headers of a page that sites of the clinic may show in a frame."""
    policy = _PAGE_POLICY + " ".join(("'self'", *settings.embedding_origins))
    return [_NO_SNIFFING, _NOT_STORED, ("Referrer-Policy", "same-origin"), ("Content-Security-Policy", policy)]

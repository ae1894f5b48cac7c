"""Protection against forms of other sites (CSRF), by what browsers say of each request."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import current_app, request

from config import Settings
from src.errors_of_accounts import ForeignForm


def refuse_foreign_forms() -> None:
    """Raise ForeignForm unless one of our own pages sent the form.

    Every browser since 2023 sends Sec-Fetch-Site over https and on loopback; without it, Origin must be ours. Fetch
    Metadata: https://www.w3.org/TR/fetch-metadata/.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is None:
        if request.headers.get("Origin") in _own_origins():
            return
    elif site == "same-origin":
        return
    raise ForeignForm


def _own_origins() -> set[str]:
    """Return the origin at which the browser reached us, and that of the setting CLINIC_URL.

    They differ behind a proxy that ends TLS, unless it is a trusted one.
    """
    settings: Settings = current_app.extensions["settings"]
    clinic = urlsplit(settings.base_url or "")
    return {request.host_url.rstrip("/"), f"{clinic.scheme}://{clinic.netloc}"}

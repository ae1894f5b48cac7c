"""Protection against forms of other sites (CSRF), by what browsers say of each request."""

from __future__ import annotations

from flask import request

from src.errors_of_accounts import ForeignForm


def refuse_foreign_forms() -> None:
    """Raise ForeignForm unless one of our own pages sent the form.

    Every browser since 2023 sends Sec-Fetch-Site over https and on loopback; without it, Origin must be ours. Fetch
    Metadata: https://www.w3.org/TR/fetch-metadata/.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is None:
        if request.headers.get("Origin") == request.host_url.rstrip("/"):
            return
    elif site == "same-origin":
        return
    raise ForeignForm

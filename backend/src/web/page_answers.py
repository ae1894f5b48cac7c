"""Turn what a page function returns into an HTML answer, and a problem document into a page."""

from __future__ import annotations

import secrets
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from flask import Flask, Response, current_app, g, redirect, request
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.datastructures import MultiDict

from config import Settings
from src.database.troubles import trouble_of
from src.pages.languages import languages
from src.pages.views import Download, Goto
from src.web.admission import admit
from src.web.cookies import (
    LANGUAGE,
    end_session,
    flashed,
    forget_flash,
    has_session,
    remember_language,
    session_claims,
)
from src.web.languages import chosen_now, language
from src.web.prefix import prefix
from src.web.problems import PROBLEM_JSON, Problem
from src.web.routes import READER
from src.web.static_files import StaticFiles

LOG_IN = "/log-in"
NO_FIELDS: MultiDict[str, str] = MultiDict()


def show(template: str, view: object, status: int = HTTPStatus.OK, problem: Problem | None = None) -> Response:
    """Render a page; after a refusal, `problem` says why, and the fields are as they were posted."""
    if isinstance(view, Goto):
        return go_to(view.path)
    if isinstance(view, Download):
        return _download(view)
    settings: Settings = current_app.extensions["settings"]
    html = current_app.jinja_env.get_template(template).render(_surroundings(settings), view=view, problem=problem)
    response = Response(html, status=status, mimetype="text/html")
    forget_flash(response, settings)
    if has_session(settings) and g.get("session_is_dead", False):
        end_session(response, settings)
    chosen = chosen_now()
    if chosen is not None and not g.get("embedded", False):
        remember_language(response, chosen, settings)
    return response


def go_to(path: str) -> Response:
    """Send the browser to a page by GET, whatever it has done before (RFC 9110, section 15.4.4)."""
    return redirect(prefix() + path, HTTPStatus.SEE_OTHER, Response=Response)  # pyright: ignore[reportReturnType]


def go_to_log_in() -> Response:
    """Send the browser to the log-in, from where it comes back to this page."""
    return go_to(f"{LOG_IN}?{urlencode({'next': here()})}")


def here() -> str:
    """Return the address of this page below the prefix, with its query."""
    query = request.query_string.decode("ascii", "replace")
    return f"{request.path}?{query}" if query else request.path


def register_problem_pages(app: Flask) -> None:
    """Answer browsers that open a page with a page, also when there is nothing to show."""
    app.after_request(_problem_page)


def _problem_page(response: Response) -> Response:
    if response.mimetype != PROBLEM_JSON or not _asked_for_a_page():
        return response
    document: Problem = response.get_json()
    if request.url_rule is None:
        _find_reader()
    page = show("problem.html", None, response.status_code, document)
    for name in ("Retry-After", "Allow"):
        if name in response.headers:
            page.headers[name] = response.headers[name]
    return page


def _find_reader() -> None:
    """Find out who reads the page about an address that there is not, unless the database cannot say it now."""
    settings: Settings = current_app.extensions["settings"]
    claims = session_claims(settings)
    if claims is None:
        return
    try:
        with current_app.extensions["transaction"](writes=False) as db:
            g.actor = admit(db, claims, READER, settings)
    except SQLAlchemyError as error:
        if trouble_of(error) is None:
            raise


def _asked_for_a_page() -> bool:
    """Whether the address is a page's, or is unknown and typed into a browser.

    A browser says that by Sec-Fetch-Mode. Its Accept header does not: programs may send that too. That header decides
    only where a page and a call share an address.
    """
    endpoint = request.endpoint or ""
    if g.get("chose_page", False) or endpoint.startswith(("page ", "form ")):
        return True
    return request.url_rule is None and request.headers.get("Sec-Fetch-Mode") == "navigate"


def _surroundings(settings: Settings) -> dict[str, Any]:
    """Return what every template can show beside its view."""
    return {
        "actor": g.get("actor"),
        "settings": settings,
        "clinic_name": settings.clinic_name,
        "prefix": prefix(),
        "path": request.path,
        "embedded": g.get("embedded", False),
        "asset": _asset,
        "language": language(),
        "languages": languages(),
        "in_language": _in_language,
        "flash": flashed(settings),
        "fields": g.get("posted_fields", NO_FIELDS),
        "key": secrets.token_urlsafe(16),
        "is_insecure": settings.is_production and request.scheme == "http",
    }


def _asset(name: str) -> str:
    """Return the address of a static file."""
    files: StaticFiles = current_app.extensions["static files"]
    return prefix() + files.address(name)


def _in_language(code: str) -> str:
    """Return the address of this page in another language."""
    arguments = request.args.to_dict(flat=False) | {LANGUAGE: [code]}
    return f"{prefix()}{request.path}?{urlencode(arguments, doseq=True)}"


def _download(file: Download) -> Response:
    response = Response(file.write(language()), content_type=file.media_type)
    response.headers.set("Content-Disposition", "attachment", filename=file.name)
    return response

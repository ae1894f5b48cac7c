"""Turn what a controller returns into an HTTP response."""

from __future__ import annotations

import orjson
from flask import Response, render_template, request

from config import Settings
from src.schemas.base import Out
from src.web.prefix import prefix
from src.web.routes import Route

JSON = "application/json"


def answer(route: Route, out: Out, settings: Settings) -> Response:
    """Serialize without validation: our own queries return values of the right types already."""
    if route.page is not None and _wants_html():
        return Response(render_template(route.page, answer=out, settings=settings), mimetype="text/html")
    response = Response(orjson.dumps(vars(out), default=vars), status=route.status, mimetype=JSON)
    if route.page is not None:
        response.vary.add("Accept")
    if route.location is not None:
        response.headers["Location"] = prefix() + route.location.format_map(vars(out))
    return response


def _wants_html() -> bool:
    return request.accept_mimetypes.best_match([JSON, "text/html"], JSON) == "text/html"

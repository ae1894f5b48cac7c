"""Turn what a controller returns into an HTTP response."""

from __future__ import annotations

from string import Formatter

import orjson
from flask import Response

from src.schemas.base import Out
from src.web.prefix import prefix
from src.web.routes import Route

JSON = "application/json"


def answer(route: Route, out: Out) -> Response:
    """Serialize without validation: our own queries return values of the right types already."""
    response = Response(orjson.dumps(out.members(), default=vars), status=route.status, mimetype=JSON)
    if route.location is not None and _is_complete(route.location, out):
        response.headers["Location"] = prefix() + route.location.format_map(vars(out))
    return response


def _is_complete(template: str, out: Out) -> bool:
    """Return whether the answer has all values for the template: that of a dry run has no id."""
    return all(getattr(out, name) is not None for _, name, _, _ in Formatter().parse(template) if name)


def add_etag(route: Route, response: Response) -> None:
    """Add the ETag to a successful answer, also to one that was stored under an Idempotency-Key."""
    if route.etag is not None and response.status_code == route.status:
        response.set_etag(route.etag.format_map(orjson.loads(response.get_data())))

"""The steps that every request goes through, in this order.

    read the whole body → read the token → begin a transaction → admit the caller → validate → call the controller
    → commit → answer

The body is read before the transaction begins, so a slow client holds no lock. The caller is admitted before the input
is validated: 401 and 403 come before 400, and strangers cannot find out which input is valid. The commit comes before
the answer, so a client sees success only for what is committed. A controller that takes a SlowContext, because it
hashes a password, opens its own short transactions before and after that work.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from apiflask import APIFlask
from flask import Response, g, request

from config import Settings
from src.context import Context, SlowContext, TokenClaims, Transaction
from src.errors import ClinicError, Invalid, StepsNeeded
from src.schemas.base import In
from src.utils.clock import Clock
from src.web.admission import admit, claims_of_request
from src.web.answers import JSON, add_etag, answer
from src.web.idempotency import HEADER, answer_once, checked_key
from src.web.openapi import SECURITY_SCHEME, error_responses, success_headers
from src.web.prefix import prefix
from src.web.problems import NOT_AN_OBJECT
from src.web.routes import Route, Row
from src.web.security_log import log_events, log_refusal, log_success

Work = Callable[[Any], Response]
View = Callable[..., Response]


def mount(
    app: APIFlask,
    routes: Sequence[Route],
    settings: Settings,
    clock: Clock,
    pages: Mapping[str, View],
) -> None:
    """Add every route to the application and to its OpenAPI document.

    At an address that also has one of `pages`, which are views by path, the Accept header decides.
    """
    for route in routes:
        view = _view(app, route, settings, clock)
        if route.path in pages and route.method == "GET":
            view = _page_or(view, pages[route.path])
        app.add_url_rule(route.path, endpoint=route.name, view_func=view, methods=[route.method])


def _page_or(view: View, page: View) -> View:
    @functools.wraps(view)
    def call(**path: Any) -> Response:
        wants_page = request.accept_mimetypes.best_match([JSON, "text/html"], JSON) == "text/html"
        g.chose_page = wants_page
        response = (page if wants_page else view)(**path)
        response.vary.add("Accept")
        return response

    return call


def _view(app: APIFlask, route: Route, settings: Settings, clock: Clock) -> View:
    validated = _validated(app, route, settings)

    @functools.wraps(validated)
    def view(**path: Any) -> Response:
        request.get_data()
        claims = claims_of_request(route.access, settings)
        key = request.headers.get(HEADER) if route.is_idempotent else None
        work = functools.partial(_call, validated, path, route)
        response = perform(app, route, claims, clock(), key, work)
        add_etag(route, response)
        return response

    return view


def perform(
    app: APIFlask, row: Row, claims: TokenClaims | None, now: datetime, key: str | None, work: Work
) -> Response:
    """Do the work of a row in its transaction, as the caller whom the claims name, and only once for each `key`.

    `work` takes the context of the row's controller and returns the answer. Each call and each form takes this way.
    """
    settings: Settings = app.extensions["settings"]
    transaction: Transaction = app.extensions["transaction"]
    if row.signature.is_slow:
        actor = None
        if claims is not None:
            with transaction(writes=False) as db:
                actor = admit(db, claims, row.access, settings)
        address = request.remote_addr or ""
        context = SlowContext(transaction, now, address, actor, settings, prefix())
        response = work(context)
        log_success(row.name, actor, settings)
        log_events(row.name, context.events, settings)
        return response

    def respond(*, in_steps: bool) -> Response:
        # With a key, the same transaction also stores the answer, so it has more than one statement.
        one_statement = row.signature.is_one_statement and not in_steps
        with transaction(writes=row.writes, one_statement=one_statement and key is None) as db:
            actor = admit(db, claims, row.access, settings)
            do = functools.partial(work, Context(db, now, actor, settings, _revisions_wanted(), in_steps))
            if actor is None or key is None:
                response = do()
            else:
                response = answer_once(
                    db, actor.user_id, checked_key(key), now, settings, do, one_statement=one_statement
                )
        log_success(row.name, actor, settings)
        return response

    try:
        return respond(in_steps=False)
    except StepsNeeded:
        return respond(in_steps=True)


def _validated(app: APIFlask, route: Route, settings: Settings) -> Callable[..., Response]:
    """Wrap the controller in APIFlask's validation and documentation, with the schemas that its signature names."""
    signature = route.signature

    @functools.wraps(route.controller)
    def call_controller(ctx: Any, **arguments: Any) -> Response:
        try:
            out = route.controller(ctx, **arguments)
        except ClinicError as error:
            log_refusal(route.name, error, ctx.actor, arguments.get("body"), ctx.settings)
            raise
        return answer(route, out)

    description = inspect.cleandoc(signature.answer.__doc__ or "")
    view: Callable[..., Any] = app.output(signature.answer, route.status.value, description)(call_controller)
    if signature.body is not None:
        view = app.input(signature.body, location="json", arg_name="body")(view)
        if route.body_optional:
            view = _without_body(view, call_controller, signature.body)
    if signature.query is not None:
        view = app.input(signature.query, location="query", arg_name="query")(view)
        if signature.body is None:
            view = _without_parsing(view, call_controller, signature.query)
    responses = error_responses(route)
    headers = success_headers(route)
    if headers:
        responses[route.status.value] = {"headers": headers}
    is_open = route.access.is_public or route.access.is_open(settings)
    security = None if is_open else SECURITY_SCHEME
    return app.doc(operation_id=route.name, responses=responses, security=security, tags=[route.tag])(view)


def _without_body(
    view: Callable[..., Response], call_controller: Callable[..., Response], body: type[In]
) -> Callable[..., Response]:
    """Call the controller with an empty body if the request has none."""
    nothing_sent = body()

    @functools.wraps(view)
    def parse_if_sent(**arguments: Any) -> Response:
        if request.get_data():
            return view(**arguments)
        return call_controller(body=nothing_sent, **arguments)

    return parse_if_sent


def _without_parsing(
    view: Callable[..., Response], call_controller: Callable[..., Response], query: type[In]
) -> Callable[..., Response]:
    """Skip the parsing of a query if the request has none, which is most often so: it takes a tenth of a short call."""
    if any(field.is_required() for field in query.model_fields.values()):
        return view
    nothing_asked = query()

    @functools.wraps(view)
    def parse_if_given(**arguments: Any) -> Response:
        if request.query_string:
            return view(**arguments)
        return call_controller(query=nothing_asked, **arguments)

    return parse_if_given


def _call(validated: Callable[..., Response], path: dict[str, Any], route: Route, ctx: object) -> Response:
    takes_body = route.signature.body is not None and not (route.body_optional and not request.get_data())
    if takes_body and not isinstance(request.get_json(), dict):
        raise Invalid(NOT_AN_OBJECT)
    return validated(ctx=ctx, **path)


def _revisions_wanted() -> frozenset[str] | None:
    """Return the tags of If-Match, without weak ones, which match nothing (RFC 9110, section 13.1.1).

    `*` stands for whatever there is now, so it is as if there was no header.
    """
    if "If-Match" not in request.headers or request.if_match.star_tag:
        return None
    return frozenset(request.if_match.as_set())

"""The steps of a page and of a form: those of road.py, from the session's cookie to an HTML answer.

    page:  read the session → begin a transaction → admit the reader → find what to show → render
    form:  refuse forms of other sites → read the session → perform as a call does → go to the next page

A refusal of a form shows its page again, with the status and the problem document that the call would answer.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from json import dumps
from typing import Any

from apiflask import APIFlask
from flask import Response, g, request
from pydantic import ValidationError

from config import Settings
from src.context import Context, TokenClaims, Transaction
from src.errors import ClinicError, Throttled, Unauthenticated
from src.errors_of_accounts import LogInRefused, SecondFactorMissing
from src.schemas.base import Out
from src.utils.clock import Clock
from src.web.admission import admit
from src.web.cookies import (
    begin_session,
    end_session,
    flash,
    forget_proof,
    keep_proof,
    sent_proof,
    session_claims,
)
from src.web.form_fields import KEY, values_of
from src.web.page_answers import go_to, go_to_log_in, show
from src.web.page_routes import Form, Page
from src.web.prefix import prefix
from src.web.problems import PROBLEM_JSON, Problem, problem_of_error, problem_of_validation
from src.web.road import perform
from src.web.same_site import refuse_foreign_forms
from src.web.security_log import log_refusal

View = Callable[..., Response]
SECOND_FACTOR = "/second-factor"


def views_of_pages(app: APIFlask, pages: Sequence[Page], clock: Clock) -> dict[str, View]:
    """Return the view of each page, by its path."""
    return {page.path: _hidden(app, functools.partial(_open, app, page, clock)) for page in pages}


def mount_pages(app: APIFlask, views: Mapping[str, View]) -> None:
    """Add the pages to the application."""
    for path, view in views.items():
        app.add_url_rule(path, endpoint=f"page {path}", view_func=view, methods=["GET"])


def mount_forms(app: APIFlask, forms: Sequence[Form], pages: Sequence[Page], clock: Clock) -> None:
    """Add the forms that stand on one of the pages."""
    page_of = {page.path: page for page in pages}
    for form in (form for form in forms if form.path in page_of):
        view = _hidden(app, functools.partial(_post, app, form, page_of[form.path], clock))
        app.add_url_rule(form.path, endpoint=f"form {form.path}", view_func=view, methods=["POST"])


def _hidden(app: APIFlask, view: View) -> View:
    """Keep a page out of the OpenAPI document."""

    def call(**path: Any) -> Response:
        return view(**path)

    return app.doc(hide=True)(call)


def _open(app: APIFlask, page: Page, clock: Clock, **path: Any) -> Response:
    return _shown(app, page, clock, path)


def _shown(app: APIFlask, page: Page, clock: Clock, path: dict[str, Any], problem: Problem | None = None) -> Response:
    """Answer with a page, as the reader may see it now; raise ClinicError if there is nothing to show."""
    g.embedded = page.embedded
    settings: Settings = app.extensions["settings"]
    transaction: Transaction = app.extensions["transaction"]
    claims = session_claims(settings)
    with transaction(writes=False) as db:
        try:
            actor = _reader(db, claims, page, settings)
        except Unauthenticated:
            return go_to_log_in()
        except SecondFactorMissing:
            return go_to(SECOND_FACTOR)
        try:
            view = page.find(Context(db, clock(), actor, settings), **path, **_query(page), **_proof(page, settings))
        except ValidationError as error:
            document = problem_of_validation(error)
            return show("problem.html", None, document["status"], document)
    return show(page.template, view, problem["status"] if problem else HTTPStatus.OK, problem)


def _reader(db: Any, claims: TokenClaims | None, page: Page, settings: Settings) -> Any:
    """Return who reads the page, and remember it for what surrounds the page."""
    if claims is None and not page.access.is_open(settings):
        raise Unauthenticated
    actor = admit(db, claims, page.access, settings)
    g.actor, g.session_is_dead = actor, actor is None
    return actor


def _query(page: Page) -> dict[str, Any]:
    schema = page.signature.query
    return {} if schema is None else {"query": schema.model_validate(values_of(schema, request.args, {}))}


def _proof(row: Page | Form, settings: Settings) -> dict[str, str]:
    return {"proof": sent_proof(settings)} if row.takes_proof else {}


def _post(app: APIFlask, form: Form, page: Page, clock: Clock, **path: Any) -> Response:
    settings: Settings = app.extensions["settings"]
    request.get_data()
    g.posted_fields = request.form
    refuse_foreign_forms()
    claims = None if form.access.is_public else session_claims(settings)
    if claims is None and not form.access.is_public:
        return go_to_log_in()
    try:
        response = perform(app, form, claims, clock(), request.form.get(KEY), functools.partial(_work, form, path))
    except SecondFactorMissing:
        return go_to(SECOND_FACTOR)
    except (ClinicError, ValidationError) as error:
        if isinstance(error, Unauthenticated) and not isinstance(error, LogInRefused):
            return go_to_log_in()
        return _refused(app, page, clock, path, error)
    if response.mimetype == PROBLEM_JSON:
        return _again(app, page, clock, path, response.get_json())
    return _done(response, settings)


def _refused(
    app: APIFlask, page: Page, clock: Clock, path: dict[str, Any], error: ClinicError | ValidationError
) -> Response:
    problem = problem_of_error(error) if isinstance(error, ClinicError) else problem_of_validation(error)
    response = _again(app, page, clock, path, problem)
    if isinstance(error, Throttled):
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def _again(app: APIFlask, page: Page, clock: Clock, path: dict[str, Any], problem: Problem) -> Response:
    """Show the page of a form again, with what is wrong; or that alone, if there is no such page any more."""
    try:
        return _shown(app, page, clock, path, problem)
    except ClinicError:
        return show("problem.html", None, problem["status"], problem)


def _work(form: Form, path: dict[str, Any], ctx: Any) -> Response:
    """Call the form's controller; the answer names the next page, and has what that page says."""
    signature = form.signature
    known = inspect.signature(form.controller).parameters
    arguments = {name: value for name, value in path.items() if name in known} | _proof(form, ctx.settings)
    body = None
    if signature.body is not None:
        body = arguments["body"] = signature.body.model_validate(values_of(signature.body, request.form, path))
    if signature.query is not None:
        arguments["query"] = signature.query.model_validate(values_of(signature.query, request.form, path))
    try:
        out = form.controller(ctx, **arguments)
    except ClinicError as error:
        log_refusal(form.name, error, ctx.actor, body, ctx.settings)
        raise
    if form.shows is not None:
        g.actor = ctx.actor
        return show(form.shows, out)
    response = Response(dumps(_said(out)), status=HTTPStatus.SEE_OTHER, mimetype="application/json")
    response.headers["Location"] = form.then.format_map(path | vars(out))
    _keep_session(form, out, response, ctx.settings)
    return response


def _said(out: Out) -> dict[str, str | int]:
    """Return the message of the controller, if it has one, and the numbers that its gaps may need."""
    said = vars(out)
    return {name: value for name, value in said.items() if name == "message" or isinstance(value, int)}


def _keep_session(form: Form, out: Out, response: Response, settings: Settings) -> None:
    if form.session == "begins":
        _begin_session(response, vars(out), settings)
    elif form.session == "ends":
        end_session(response, settings)


def _begin_session(response: Response, answer: dict[str, Any], settings: Settings) -> None:
    """Keep the token, or the proof that the password was right if a code is still to come."""
    if answer["access_token"] is None:
        keep_proof(response, answer["proof"], settings)
    else:
        begin_session(response, answer["access_token"], settings)
        forget_proof(response, settings)


def _done(response: Response, settings: Settings) -> Response:
    """Let the next page say the message."""
    if response.mimetype == "text/html":
        return response
    said = response.get_json(silent=True)
    response.set_data("")
    response.headers["Location"] = prefix() + response.headers["Location"]
    # A repeated form gets a kept answer, which a version before may have written as plain text.
    if said and "message" in said:
        flash(response, said, settings)
    return response

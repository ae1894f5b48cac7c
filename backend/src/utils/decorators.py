"""The road: what happens to every request, in one place.

    read the body whole → read the token → open a transaction → admit the caller → validate → call the controller
    → commit → answer

A slow client holds no transaction, since the body is read first; a stranger learns nothing about what is valid, since
401 and 403 come before 400; and nobody is told of a success that a commit then refuses, since the commit is before the
answer. A controller with slow work in it (`Unhurried`) opens its own transactions around that work instead.
"""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Concatenate, Generic, TypeVar, cast

import orjson
from apiflask import APIFlask
from flask import Response, render_template, request
from sqlalchemy import Connection

from config import Settings
from src.context import Caller, Context, Doctor, Patient, TokenClaims, Unhurried
from src.errors import ClinicError, Invalid, NotADoctor, NotAPatient, Unauthenticated, errors_of
from src.repositories import user_repository as users
from src.schemas.base import In, Out
from src.utils.clock import Clock
from src.utils.idempotency import HEADER, answer_once, key_of_request
from src.utils.openapi import SECURITY_SCHEME, error_responses
from src.utils.security import read_token
from src.utils.transaction import transaction

A = TypeVar("A")

JSON = "application/json"
LOCATION = {"headers": {"Location": {"schema": {"type": "string"}, "description": "where the new thing is"}}}


@dataclass(frozen=True)
class Access(Generic[A]):
    """Who may call: the kind of actor that the controller is given, and what others are told."""

    actor: type[A] | None
    refusal: type[ClinicError] | None = None

    @property
    def is_public(self) -> bool:
        """Whether nobody is asked for a token (and a stale one does no harm)."""
        return self.actor is None


ANYONE: Access[None] = Access(None)
USER: Access[Caller] = Access(Caller)
DOCTOR: Access[Doctor] = Access(Doctor, NotADoctor)
PATIENT: Access[Patient] = Access(Patient, NotAPatient)


class Route(Generic[A]):
    """A row of the map in app.py."""

    def __init__(
        self,
        method: str,
        path: str,
        controller: Callable[Concatenate[Context[A], ...], Out] | Callable[Concatenate[Unhurried[A], ...], Out],
        access: Access[A],
        status: HTTPStatus = HTTPStatus.OK,
        *,
        location: str | None = None,
        page: str | None = None,
    ) -> None:
        self.method = method
        self.path = path
        self.controller = controller
        self.access = access
        self.status = status
        # A path template, filled from the answer, for the Location header.
        self.location = location
        # The template that a browser is shown instead of JSON.
        self.page = page

    @property
    def name(self) -> str:
        """The operation's name: module and function, like `appointment.book`."""
        module = self.controller.__module__.rpartition(".")[2].removesuffix("_controller")
        return f"{module}.{self.controller.__name__}"

    @property
    def is_idempotent(self) -> bool:
        """Whether an Idempotency-Key counts: on every write of somebody known."""
        return self.writes and not self.access.is_public

    @property
    def writes(self) -> bool:
        """Whether the transaction must be able to write."""
        return self.method != "GET"


@dataclass(frozen=True)
class Signature:
    """What a controller asks for, read once from its annotations."""

    body: type[In] | None
    query: type[In] | None
    answer: type[Out]
    unhurried: bool
    one_statement: bool

    @classmethod
    def of(cls, controller: Callable[..., Out]) -> Signature:
        """Read the annotations of a controller."""
        hints = typing.get_type_hints(controller)
        first = next(iter(inspect.signature(controller).parameters))
        return cls(
            body=hints.get("body"),
            query=hints.get("query"),
            answer=hints["return"],
            unhurried=typing.get_origin(hints[first]) is Unhurried,
            one_statement=getattr(controller, "one_statement", False),
        )


def mount(app: APIFlask, routes: list[Route[Any]], settings: Settings, clock: Clock) -> None:
    """Put every route of the map onto the road, and into the OpenAPI document."""
    for route in routes:
        view = _road(app, route, settings, clock)
        app.add_url_rule(route.path, endpoint=route.name, view_func=view, methods=[route.method])


def _road(app: APIFlask, route: Route[Any], settings: Settings, clock: Clock) -> Callable[..., Response]:
    signature = Signature.of(route.controller)
    validated = _validated(app, route, signature)

    @functools.wraps(validated)
    def view(**path: Any) -> Response:
        request.get_data()
        claims = None if route.access.is_public else _bearer_claims(settings)
        now = clock()
        if signature.unhurried:
            actor = None
            if claims is not None:
                with transaction(writes=False) as db:
                    actor = _admit(db, claims, route.access, settings)
            address = request.remote_addr or ""
            return _enter(validated, path, Unhurried(transaction, now, address, actor, settings), signature)
        # A key is kept in the transaction of the work, which then is more than one statement.
        alone = signature.one_statement and HEADER not in request.headers
        with transaction(writes=route.writes, one_statement=alone) as db:
            actor = None if claims is None else _admit(db, claims, route.access, settings)
            enter = functools.partial(_enter, validated, path, Context(db, now, actor, settings), signature)
            key = key_of_request() if route.is_idempotent else None
            if actor is None or key is None:
                return enter()
            return answer_once(db, actor.user_id, key, now, settings, enter)

    return view


def _validated(app: APIFlask, route: Route[Any], signature: Signature) -> Callable[..., Response]:
    """Wrap the controller in APIFlask's validation and documentation, each schema named once: in its signature."""

    @functools.wraps(cast("Callable[..., Out]", route.controller))
    def answer(ctx: Any, **arguments: Any) -> Response:
        return _answer(route, route.controller(ctx, **arguments), ctx.settings)

    description = inspect.cleandoc(signature.answer.__doc__ or "")
    view: Callable[..., Any] = app.output(signature.answer, route.status.value, description)(answer)
    if signature.body is not None:
        view = app.input(signature.body, location="json", arg_name="body")(view)
    if signature.query is not None:
        view = app.input(signature.query, location="query", arg_name="query")(view)
    responses = error_responses(
        errors_of(route.controller),
        forbidden=route.access.refusal() if route.access.refusal else None,
        protected=not route.access.is_public,
        writes=route.writes,
        idempotent=route.is_idempotent and not signature.unhurried,
        reads_body=signature.body is not None,
        reads_input=signature.body is not None or signature.query is not None,
    )
    if route.location is not None:
        responses[route.status.value] = LOCATION
    security = None if route.access.is_public else SECURITY_SCHEME
    tag = route.name.partition(".")[0].capitalize()
    return app.doc(operation_id=route.name, responses=responses, security=security, tags=[tag])(view)


def _enter(validated: Callable[..., Response], path: dict[str, Any], ctx: object, signature: Signature) -> Response:
    if signature.body is not None and not isinstance(request.get_json(), dict):
        raise Invalid("The request body must be a JSON object.")
    return validated(ctx=ctx, **path)


def _answer(route: Route[Any], out: Out, settings: Settings) -> Response:
    """Serialize once, straight: what comes from our own queries is not validated again."""
    if route.page is not None and _wants_html():
        return Response(render_template(route.page, answer=out, settings=settings), mimetype="text/html")
    response = Response(orjson.dumps(vars(out), default=vars), status=route.status, mimetype=JSON)
    if route.page is not None:
        response.vary.add("Accept")
    if route.location is not None:
        response.headers["Location"] = route.location.format_map(vars(out))
    return response


def _wants_html() -> bool:
    return request.accept_mimetypes.best_match([JSON, "text/html"], JSON) == "text/html"


def _bearer_claims(settings: Settings) -> TokenClaims:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthenticated
    return read_token(token.strip(), settings)


def _admit(db: Connection, claims: TokenClaims, access: Access[Any], settings: Settings) -> Caller:
    """Return the caller, or raise Unauthenticated (401) or the access's own refusal (403).

    The account is looked up with every request: a deleted one's tokens are dead at once, on every machine.
    """
    row = users.find_caller(db, claims.user_id, claims.epoch, claims.jti)
    if row is None:
        raise Unauthenticated
    user_id, name, email, role, doctor_id, time_zone = row
    caller: Caller
    if role == "doctor" and doctor_id is not None:
        caller = Doctor(claims, user_id, name, email or "", role, doctor_id, time_zone or settings.clinic_time_zone)
    else:
        caller = Patient(claims, user_id, name, email or "", role)
    if access.refusal is not None and not isinstance(caller, access.actor or Caller):
        raise access.refusal
    return caller

"""The types of a row in app.py's table of routes: method, path, controller, who may call, name and status."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Concatenate, Generic, Protocol, TypeVar

from config import Settings
from src.context import Caller, Context, Doctor, Patient, SlowContext
from src.errors import ClinicError
from src.errors_of_accounts import NotADoctor, NotAPatient
from src.schemas.base import In, Out
from src.utils.decorators import is_one_statement

A = TypeVar("A")


@dataclass(frozen=True)
class Access(Generic[A]):
    """Who may call: the type of actor that the controller receives, and the error that other callers get.

    `opened_by` names the setting that lets anybody call if it is `yes`: then the controller receives None from callers
    without a valid token. So it does if the access is `always_open`. `without_second_factor` lets also those call who
    have none, though the clinic wants it of them.
    """

    actor: type[A] | None
    refusal: type[ClinicError] | None = None
    opened_by: str | None = None
    always_open: bool = False
    without_second_factor: bool = False

    @property
    def is_public(self) -> bool:
        """Whether anybody may call; a token is then ignored, even an expired one."""
        return self.actor is None

    def is_open(self, settings: Settings) -> bool:
        """Return whether nobody needs a token, but a valid one says who calls."""
        return self.always_open or (self.opened_by is not None and getattr(settings, self.opened_by) == "yes")


ANYONE: Access[None] = Access(None)
USER: Access[Caller] = Access(Caller)
# Also somebody who has to set up a second factor first: who I am, setting it up, log-out.
NEWCOMER: Access[Caller] = Access(Caller, without_second_factor=True)
# Anybody if the clinic says so.
SEARCHER: Access[Caller | None] = Access(Caller, opened_by="public_search")
# Anybody, and the page says who is logged in.
READER: Access[Caller | None] = Access(Caller, always_open=True)
# The same if the clinic says so.
VISITOR: Access[Caller | None] = Access(Caller, opened_by="public_pages")
DOCTOR: Access[Doctor] = Access(Doctor, NotADoctor)
PATIENT: Access[Patient] = Access(Patient, NotAPatient)


class Row(Protocol):
    """What the road asks of a row: who may call its controller, and how the controller works.

    `name` stands in the security log. `writes` is whether the transaction must be able to write.
    """

    @property
    def access(self) -> Access[typing.Any]: ...

    @property
    def name(self) -> str: ...

    @property
    def signature(self) -> Signature: ...

    @property
    def writes(self) -> bool: ...


class Route:
    """One call: `name` is its operationId in the OpenAPI document, which published clients know.

    With `body_optional`, the request may have no body, and no content type then.

    `location` and `etag` are templates for the headers Location and ETag, filled from the answer. A route with
    `development_only` does not exist in production.

    The class is not generic, so that pyright compares controller and access in every row: in a list of `Route[Any]` it
    would accept any pair of them.
    """

    def __init__(
        self,
        method: str,
        path: str,
        controller: Callable[Concatenate[Context[A], ...], Out] | Callable[Concatenate[SlowContext[A], ...], Out],
        access: Access[A],
        name: str,
        status: HTTPStatus = HTTPStatus.OK,
        *,
        body_optional: bool = False,
        location: str | None = None,
        etag: str | None = None,
        development_only: bool = False,
    ) -> None:
        self.method = method
        self.path = path
        self.controller: Callable[..., Out] = controller
        self.access: Access[typing.Any] = access
        self.name = name
        self.status = status
        self.body_optional = body_optional
        self.location = location
        self.etag = etag
        self.development_only = development_only
        self.signature = Signature.of(controller)

    @property
    def tag(self) -> str:
        """The heading under which the OpenAPI document lists the call."""
        return self.name.partition(".")[0].replace("_", " ").capitalize()

    @property
    def writes(self) -> bool:
        """Whether the transaction must be able to write."""
        return self.method != "GET"

    @property
    def is_idempotent(self) -> bool:
        """Whether the call obeys an Idempotency-Key: every write of a logged-in caller does, unless it is slow."""
        return self.writes and not self.access.is_public and not self.signature.is_slow

    @property
    def needs_database(self) -> bool:
        """Whether the call opens a transaction: a slow call that only reads, and that anyone may make, opens none."""
        return self.writes or not self.access.is_public or not self.signature.is_slow


@dataclass(frozen=True)
class Signature:
    """The types in a controller's annotations, and what its decorators declare."""

    body: type[In] | None
    query: type[In] | None
    answer: type[typing.Any]
    is_slow: bool
    is_one_statement: bool

    @classmethod
    def of(cls, controller: Callable[..., object]) -> Signature:
        hints = typing.get_type_hints(controller)
        first = next(iter(inspect.signature(controller).parameters))
        return cls(
            body=hints.get("body"),
            query=hints.get("query"),
            answer=hints["return"],
            is_slow=typing.get_origin(hints[first]) is SlowContext,
            is_one_statement=is_one_statement(controller),
        )

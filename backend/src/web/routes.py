"""The rows of the map in app.py: method, path, controller, who may call, status, and a name of its own."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Concatenate, Generic, TypeVar

from src.context import Caller, Context, Doctor, Patient, SlowContext
from src.errors import ClinicError
from src.errors_of_accounts import NotADoctor, NotAPatient
from src.schemas.base import In, Out
from src.utils.decorators import is_one_statement

A = TypeVar("A")


@dataclass(frozen=True)
class Access(Generic[A]):
    """Who may call: the type of actor that the controller takes, and the error for all others."""

    actor: type[A] | None
    refusal: type[ClinicError] | None = None

    @property
    def is_public(self) -> bool:
        """Whether the call needs no token; a stale one then does no harm."""
        return self.actor is None


ANYONE: Access[None] = Access(None)
USER: Access[Caller] = Access(Caller)
DOCTOR: Access[Doctor] = Access(Doctor, NotADoctor)
PATIENT: Access[Patient] = Access(Patient, NotAPatient)


class Route:
    """One call: `name` is its operationId in the OpenAPI document, which published clients know.

    `location` is a path template for the Location header, filled from the answer; `page` the template that a browser is
    shown instead of JSON; a route with `development_only` does not exist in production.

    The class is not generic, so that pyright compares controller and access in every row: for a list of `Route[Any]` it
    would take Any for both.
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
        location: str | None = None,
        page: str | None = None,
        development_only: bool = False,
    ) -> None:
        self.method = method
        self.path = path
        self.controller: Callable[..., Out] = controller
        self.access: Access[typing.Any] = access
        self.name = name
        self.status = status
        self.location = location
        self.page = page
        self.development_only = development_only
        self.signature = Signature.of(controller)

    @property
    def tag(self) -> str:
        """The heading under which the OpenAPI document lists the call."""
        return self.name.partition(".")[0].capitalize()

    @property
    def writes(self) -> bool:
        """Whether the transaction must be able to write."""
        return self.method != "GET"

    @property
    def is_idempotent(self) -> bool:
        """Whether an Idempotency-Key counts: on every write of a known caller."""
        return self.writes and not self.access.is_public


@dataclass(frozen=True)
class Signature:
    """What a controller asks for, read once from its annotations."""

    body: type[In] | None
    query: type[In] | None
    answer: type[Out]
    is_slow: bool
    is_one_statement: bool

    @classmethod
    def of(cls, controller: Callable[..., Out]) -> Signature:
        """Read the annotations of a controller."""
        hints = typing.get_type_hints(controller)
        first = next(iter(inspect.signature(controller).parameters))
        return cls(
            body=hints.get("body"),
            query=hints.get("query"),
            answer=hints["return"],
            is_slow=typing.get_origin(hints[first]) is SlowContext,
            is_one_statement=is_one_statement(controller),
        )

"""What a controller receives: the caller, the time of the request, and access to the database."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar

from sqlalchemy import Connection

from config import Settings


@dataclass(frozen=True)
class TokenClaims:
    """The claims of a valid token; `epoch` is the account's token epoch at issue.

    `session` is the id by which log-out ends the token: its own, or that of the log-in that a refresh token prolongs.
    """

    user_id: int
    epoch: int
    session: str
    expires_at: datetime


@dataclass(frozen=True)
class Caller:
    """A logged-in user; `token` has the claims of the request's token.

    `language` is the code of the language that the user wants pages in; None is no wish.
    """

    token: TokenClaims
    user_id: int
    name: str
    email: str
    role: str
    phone: str | None
    language: str | None
    email_confirmed: bool
    is_guest: bool


@dataclass(frozen=True)
class Patient(Caller):
    """A logged-in patient; `time_zone` is the IANA zone that the patient lives in, if the patient has said so."""

    time_zone: str | None


@dataclass(frozen=True)
class Doctor(Caller):
    """A logged-in doctor; paths name the doctor by `doctor_id`, and new slots get the IANA zone `time_zone`."""

    doctor_id: int
    time_zone: str


NOBODY = 0


def user_id_of(caller: Caller | None) -> int:
    """Return the caller's user id, or 0, which no user has."""
    return NOBODY if caller is None else caller.user_id


Transaction = Callable[..., AbstractContextManager[Connection]]
Actor = TypeVar("Actor", covariant=True)  # noqa: PLC0105 - `Context[Actor]` reads better than `Context[Actor_co]`


@dataclass(frozen=True)
class Context(Generic[Actor]):
    """A request inside its transaction; `now` is one UTC instant for the whole request.

    `if_match` has the revisions that the request's If-Match names; it is None if the request takes any revision.
    `in_steps` says that a controller of `one_statement` runs for the second time, in a transaction of several.
    """

    db: Connection
    now: datetime
    actor: Actor
    settings: Settings
    if_match: frozenset[str] | None = None
    in_steps: bool = False

    def takes(self, revision: int) -> bool:
        """Return whether the request may change what has this revision now."""
        return self.if_match is None or str(revision) in self.if_match


@dataclass(frozen=True)
class Event:
    """Something that the security log records of a success, with the account and the key of its address if known."""

    name: str
    account_id: int | None
    email_key: str


@dataclass(frozen=True)
class SlowContext(Generic[Actor]):
    """A request with slow work, such as hashing a password; the controller opens short transactions before and after.

    `address` is the network address of the client, as far as the trusted proxies report it; `prefix` is the path below
    which the client reaches the API. `events` are for the security log, which tells the caller nothing.
    """

    transaction: Transaction
    now: datetime
    address: str
    actor: Actor
    settings: Settings
    prefix: str = ""
    events: list[Event] = field(default_factory=list)

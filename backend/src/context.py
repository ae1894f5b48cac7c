"""What a controller is given: who asks, when, and a connection or a way to open one."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from sqlalchemy import Connection

from config import Settings


@dataclass(frozen=True)
class TokenClaims:
    """What a valid token says: which account, in which of its epochs it was issued, and which token it is."""

    user_id: int
    epoch: int
    jti: str
    expires_at: datetime


@dataclass(frozen=True)
class Caller:
    """Somebody logged in by `token`; `user_id` is the account's id."""

    token: TokenClaims
    user_id: int
    name: str
    email: str
    role: str


@dataclass(frozen=True)
class Patient(Caller):
    """A logged-in patient."""


@dataclass(frozen=True)
class Doctor(Caller):
    """A logged-in doctor; `doctor_id` is the id of the paths, `time_zone` the IANA zone in force for new slots."""

    doctor_id: int
    time_zone: str


Transaction = Callable[..., AbstractContextManager[Connection]]
Actor = TypeVar("Actor", covariant=True)  # noqa: PLC0105 - reads as what it is


@dataclass(frozen=True)
class Context(Generic[Actor]):
    """One request inside its transaction: `now` is the same instant (UTC) throughout."""

    db: Connection
    now: datetime
    actor: Actor
    settings: Settings


@dataclass(frozen=True)
class SlowContext(Generic[Actor]):
    """One request with slow work, such as hashing a password.

    The controller opens short transactions before and after it.
    """

    transaction: Transaction
    now: datetime
    # The network address that asks, as far as trusted proxies tell.
    address: str
    actor: Actor
    settings: Settings

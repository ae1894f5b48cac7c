"""The front page, and the outbox of a development server."""

from __future__ import annotations

from dataclasses import dataclass

from src.context import Caller, Context
from src.controllers import service_controller as service
from src.schemas.service import DevelopmentOutbox


@dataclass(frozen=True)
class Welcome:
    """What the front page offers."""


def welcome(ctx: Context[Caller | None]) -> Welcome:  # noqa: ARG001 - every page is given the context
    return Welcome()


def outbox(ctx: Context[Caller | None]) -> DevelopmentOutbox:
    return service.development_outbox(Context(ctx.db, ctx.now, None, ctx.settings))

"""Answers about the service itself."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from src.schemas.base import Out


class Health(Out):
    """What was checked, and that it is well."""

    status: Literal["ok"]
    checks: dict[str, str]


class Readiness(Health):
    """Whether a balancer should send requests here."""

    oldest_unsent_mail_seconds: float | None = Field(
        description="how long the mail that waits longest has been due; null when no due mail waits"
    )


class Home(Out):
    """Where to go from the front door."""

    name: str
    version: str
    documentation: str
    openapi: str
    health: str


class DevelopmentMail(Out):
    """A mail as it was, or would have been, sent; `to` is null once the recipient's account has gone."""

    id: int
    to: str | None
    reply_to: str | None
    subject: str
    text: str
    html: str
    created_at: str
    sent_at: str | None


class DevelopmentOutbox(Out):
    """The newest mails first."""

    data: list[DevelopmentMail]

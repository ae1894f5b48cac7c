"""What is deleted once it is old enough: when, by what, and why not before. docs/privacy.md has the same table.

Appointments and their history are never deleted. What goes when a person leaves is in leaving_repository.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from config import Settings
from src.models.idempotent_answer import IDEMPOTENT_ANSWERS_KEPT
from src.repositories import guest_repository as guests
from src.repositories import holds, old_rows
from src.repositories import idempotency_repository as answers
from src.repositories import mail_token_repository as mail_tokens
from src.repositories import refresh_token_repository as refresh_tokens
from src.repositories import session_repository as sessions
from src.repositories import throttle_repository as throttle
from src.repositories.old_rows import Chunk
from src.repositories.throttle_limits import DAY
from src.utils.security import LEEWAY


@dataclass(frozen=True)
class Span:
    """A length of time, and how a sentence says it."""

    words: str
    of: Callable[[Settings], timedelta]


def _days(setting: str) -> Span:
    return Span(f"`{setting.upper()}` days", lambda settings: timedelta(days=getattr(settings, setting)))


def _minutes(setting: str) -> Span:
    return Span(f"`{setting.upper()}` minutes", lambda settings: timedelta(minutes=getattr(settings, setting)))


def _fixed(words: str, span: timedelta) -> Span:
    return Span(words, lambda _: span)


@dataclass(frozen=True)
class Rule:
    """Rows called `what` are deleted `kept` after `since`."""

    what: str
    kept: Span
    since: str
    why: str

    def before(self, now: datetime, settings: Settings) -> datetime:
        """Return the instant since which rows are kept."""
        return now - self.kept.of(settings)


@dataclass(frozen=True)
class PurgeRule(Rule):
    """By `flask purge`, in chunks: each call finds what can go among the next rows after an id."""

    chunk: Callable[[Connection, int, datetime, int], Chunk]


@dataclass(frozen=True)
class ExpiryRule(Rule):
    """By the worker, every ten minutes; so the rows are few."""

    delete: Callable[[Connection, datetime], None]


# Another machine, whose clock may be behind, takes a token for LEEWAY after it expired.
_NO_CLOCK_TAKES_IT = _fixed("1 minute", 2 * LEEWAY)

PURGES = (
    PurgeRule(
        "mails",
        _days("mails_kept_days"),
        "they were written",
        "operators can see what somebody was told, and when",
        old_rows.finished_mails,
    ),
    PurgeRule(
        "mails that were set aside",
        _days("set_aside_mails_kept_days"),
        "they were written",
        "an operator may find out why and send them",
        old_rows.set_aside_mails,
    ),
    PurgeRule(
        "unused slots",
        _days("unused_slots_kept_days"),
        "they ended",
        "doctors can see what was free",
        old_rows.unused_slots,
    ),
)
EXPIRIES = (
    ExpiryRule(
        "answers under Idempotency-Keys",
        _fixed("24 hours", IDEMPOTENT_ANSWERS_KEPT),
        "they were given",
        "a repeated request gets the same answer; the API promises this span",
        answers.purge_before,
    ),
    ExpiryRule(
        "counts of failures and of what sends mails",
        _fixed("1 day", DAY),
        "they began",
        "guessing and flooding are slowed down",
        throttle.purge_before,
    ),
    # Whoever books a time deletes its expired holds; these are the holds of times that nobody wanted.
    ExpiryRule(
        "holds",
        _fixed("1 hour", timedelta(hours=1)),
        "they ended",
        "nobody needs them; who books the time deletes them before",
        holds.purge_expired_before,
    ),
    ExpiryRule(
        "ids of ended sessions",
        _NO_CLOCK_TAKES_IT,
        "the tokens expired",
        "a log-out is final, also where a clock is behind",
        sessions.purge_expired_before,
    ),
    ExpiryRule(
        "refresh tokens",
        _NO_CLOCK_TAKES_IT,
        "they expired",
        "one that is sent again ends its session",
        refresh_tokens.purge_expired_before,
    ),
    ExpiryRule(
        "permissions that mails carry, to set a new password or to confirm an address",
        _NO_CLOCK_TAKES_IT,
        "they expired",
        "the mail works once, also where a clock is behind",
        mail_tokens.purge_expired_before,
    ),
    ExpiryRule(
        "guests who never confirmed the address",
        _minutes("email_confirmation_minutes"),
        "they last asked",
        "the mail works until then; they stay while a mail for a new password works",
        guests.erase_unconfirmed_before,
    ),
)

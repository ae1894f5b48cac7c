"""Deletion of rows that nobody needs any longer. Appointments and their history are never deleted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from sqlalchemy import Connection

from config import Settings
from src.context import SlowContext, Transaction
from src.models.idempotent_answer import IDEMPOTENT_ANSWERS_KEPT
from src.repositories import availability_repository as slots
from src.repositories import holds
from src.repositories import idempotency_repository as answers
from src.repositories import outbox_repository as outbox
from src.repositories import password_reset_repository as resets
from src.repositories import refresh_token_repository as refresh_tokens
from src.repositories import session_repository as sessions
from src.repositories import throttle_repository as throttle
from src.utils.security import LEEWAY

# The most rows that one transaction reads, so that locks are short and the command can show progress.
CHUNK = 5_000

# Whoever books a time deletes its expired holds; these are the holds of times that nobody wanted.
HOLDS_KEPT = timedelta(hours=1)

Delete = Callable[[Connection, int, datetime, int], tuple[int | None, int]]


def purge_expired(transaction: Transaction, now: datetime, settings: Settings) -> None:
    """Delete idempotent answers after 24 hours, windows and holds that have ended, and tokens that expired."""
    with transaction(writes=True) as db:
        answers.purge_before(db, now - IDEMPOTENT_ANSWERS_KEPT)
        throttle.purge_before(db, now, settings)
        holds.purge_expired_before(db, now - HOLDS_KEPT)
        # Another machine, whose clock may be behind, takes a token for LEEWAY after it expired.
        sessions.purge_expired_before(db, now - 2 * LEEWAY)
        refresh_tokens.purge_expired_before(db, now - 2 * LEEWAY)
        resets.purge_expired_before(db, now - 2 * LEEWAY)


def purge_old(ctx: SlowContext[None]) -> Iterator[tuple[str, int]]:
    """Delete old mails that were sent or dropped, and past slots that never had an appointment, for `flask purge`.

    Yields (what, number of rows deleted) after each transaction. If it is killed, the next run continues.
    """
    mails_before = ctx.now - timedelta(days=ctx.settings.mails_kept_days)
    slots_before = ctx.now - timedelta(days=ctx.settings.unused_slots_kept_days)
    yield from _in_chunks(ctx, "mails", outbox.delete_finished, mails_before)
    yield from _in_chunks(ctx, "unused slots", slots.delete_unused, slots_before)


def _in_chunks(ctx: SlowContext[None], what: str, delete: Delete, before: datetime) -> Iterator[tuple[str, int]]:
    last: int | None = 0
    while last is not None:
        with ctx.transaction(writes=True) as db:
            last, deleted = delete(db, last, before, CHUNK)
        yield what, deleted

"""What `flask purge` deletes: what nobody needs any longer. Appointments and their history never go."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from sqlalchemy import Connection

from src.context import Unhurried
from src.repositories import availability_repository as slots
from src.repositories import outbox_repository as outbox

# Rows looked at in one transaction: short locks, and progress to be seen.
CHUNK = 5_000

Delete = Callable[[Connection, int, datetime, int], tuple[int | None, int]]


def purge(ctx: Unhurried[None]) -> Iterator[tuple[str, int]]:
    """Delete old mails that went out or came too late, and past slots that nobody ever booked.

    Yields (what, how many more are gone) after every transaction. Killed in between, it has lost nothing.
    """
    mails_before = ctx.now - timedelta(days=ctx.settings.mails_kept_days)
    slots_before = ctx.now - timedelta(days=ctx.settings.unused_slots_kept_days)
    yield from _in_chunks(ctx, "mails", outbox.delete_finished, mails_before)
    yield from _in_chunks(ctx, "unused slots", slots.delete_unused, slots_before)


def _in_chunks(ctx: Unhurried[None], what: str, delete: Delete, before: datetime) -> Iterator[tuple[str, int]]:
    last: int | None = 0
    while last is not None:
        with ctx.transaction(writes=True) as db:
            last, deleted = delete(db, last, before, CHUNK)
        yield what, deleted

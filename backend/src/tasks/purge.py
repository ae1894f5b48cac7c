"""Deletion of what src/tasks/retention.py says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from config import Settings
from src.context import SlowContext, Transaction
from src.tasks.retention import EXPIRIES, PURGES, PurgeRule

# The most rows that one transaction reads, so that locks are short and the command can show progress.
CHUNK = 5_000


def purge_expired(transaction: Transaction, now: datetime, settings: Settings) -> None:
    """Delete what EXPIRIES say, for the worker; each kind in a transaction of its own."""
    for rule in EXPIRIES:
        with transaction(writes=True) as db:
            rule.delete(db, rule.before(now, settings))


def purge_old(ctx: SlowContext[None], *, only_count: bool = False) -> Iterator[tuple[str, int]]:
    """Delete or count what PURGES say, for `flask purge`.

    Yields (what, number of rows) after each transaction. If it is killed, the next run continues.
    """
    for rule in PURGES:
        yield from _in_chunks(ctx, rule, only_count=only_count)


def _in_chunks(ctx: SlowContext[None], rule: PurgeRule, *, only_count: bool) -> Iterator[tuple[str, int]]:
    before = rule.before(ctx.now, ctx.settings)
    last: int | None = 0
    while last is not None:
        with ctx.transaction(writes=not only_count) as db:
            chunk = rule.chunk(db, last, before, CHUNK)
            found = chunk.count(db) if only_count else chunk.delete(db)
        last = chunk.last
        yield rule.what, found

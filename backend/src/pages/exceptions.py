"""Exceptions to a doctor's weekly hours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from src.context import Context, Doctor
from src.controllers import exception_controller as exceptions
from src.controllers import visit_type_controller as visit_types
from src.pages.forms_of_hours import Asked, ExceptionDraft, ExceptionForm
from src.pages.outside import ids_outside, refuse_more_outside
from src.schemas.base import Message
from src.schemas.hours import DryRun
from src.schemas.hours_exception import ExceptionAdded, ExceptionsWanted


@dataclass(frozen=True)
class ExceptionsShown:
    exceptions: list[Any]
    visit_types: dict[int, str]
    next_cursor: str | None
    outside: int


def list_all(ctx: Context[Doctor], query: ExceptionsWanted) -> ExceptionsShown:
    found = exceptions.list_all(ctx, query)
    types: list[Any] = visit_types.list_all(ctx).data
    names = {each["id"]: each["name"] for each in types}
    return ExceptionsShown(found.data, names, found.next_cursor, len(ids_outside(ctx)))


@dataclass(frozen=True)
class NewExceptionShown:
    """What the fields show at first, and the visit types that can be chosen."""

    draft: ExceptionDraft
    visit_types: list[Any]


def new(ctx: Context[Doctor], query: ExceptionDraft) -> NewExceptionShown:
    return NewExceptionShown(query, visit_types.list_all(ctx).data)


def add(ctx: Context[Doctor], body: ExceptionForm) -> ExceptionAdded:
    """Add an exception; raise LeavesOutside if the doctor has not seen which appointments it leaves outside."""
    if not body.all_the_same:
        refuse_more_outside(ids_outside(ctx), exceptions.add(ctx, DryRun(dry_run=True), body).affected)
    return exceptions.add(ctx, DryRun(dry_run=False), body)


@dataclass(frozen=True)
class ExceptionShown:
    exception: dict[str, Any]


def show(ctx: Context[Doctor], exception_id: int) -> ExceptionShown:
    return ExceptionShown(exceptions.show(ctx, exception_id))


def delete(ctx: Context[Doctor], exception_id: int, body: Asked) -> Message:
    """Delete an exception; raise LeavesOutside, which takes that back, as `add` does."""
    before = ids_outside(ctx)
    deleted = exceptions.delete(ctx, exception_id)
    if not body.all_the_same:
        refuse_more_outside(before, deleted.affected)
    return Message(message=deleted.message)

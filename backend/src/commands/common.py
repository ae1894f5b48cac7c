"""What the commands share."""

from __future__ import annotations

import sys

import click
from flask import current_app

from src.context import SlowContext
from src.database.transaction import transaction


def command_context() -> SlowContext[None]:
    """Return the context of a task that a command runs."""
    return SlowContext(transaction, current_app.extensions["clock"](), "", None, current_app.extensions["settings"])


def say_or_fail(done: bool, good: str, bad: str) -> None:  # noqa: FBT001 - a choice of two sentences
    if not done:
        sys.exit(bad)
    click.echo(good)

"""The only broad `except` in the product."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def result_or_failure(
    work: Callable[Arguments, Result], *arguments: Arguments.args, **named: Arguments.kwargs
) -> Result | Exception:
    """Call `work`, and return its result, or the exception that ended it, of whatever class.

    Only the worker uses this, for work whose failure must not stop other work: one mail among many, one round of the
    loop. The caller writes the exception down where an operator sees it.
    """
    try:
        return work(*arguments, **named)
    except Exception as error:  # noqa: BLE001 - nobody can name the exceptions of every mailer and library
        return error

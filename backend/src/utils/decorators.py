"""What a controller declares about itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from src.errors import ClinicError

Function = TypeVar("Function", bound=Callable[..., object])


def raises(*errors: type[ClinicError]) -> Callable[[Function], Function]:
    """Declare what a controller may refuse with; the OpenAPI document is built from it."""

    def declare(function: Function) -> Function:
        function.__dict__["raises"] = errors
        return function

    return declare


def errors_of(function: Callable[..., object]) -> tuple[type[ClinicError], ...]:
    """Return what `raises` declared."""
    return getattr(function, "raises", ())


def one_statement(function: Function) -> Function:
    """Declare that a controller writes by one statement, and that this statement alone decides whether it refuses.

    PostgreSQL commits such a statement by itself, which saves the round trips of BEGIN and COMMIT. Nothing can be
    rolled back there: tests/guard.py fails a test in which the controller writes twice or refuses after it wrote.
    """
    function.__dict__["one_statement"] = True
    return function


def is_one_statement(function: Callable[..., object]) -> bool:
    """Return what `one_statement` declared."""
    return getattr(function, "one_statement", False)

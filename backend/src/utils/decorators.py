"""Decorators by which a controller declares its errors and how it writes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from src.errors import ClinicError

Function = TypeVar("Function", bound=Callable[..., object])


def raises(*errors: type[ClinicError]) -> Callable[[Function], Function]:
    """Declare the errors that a controller may raise; the OpenAPI document lists them. It can be used repeatedly."""

    def declare(function: Function) -> Function:
        function.__dict__["raises"] = (*errors, *errors_of(function))
        return function

    return declare


def errors_of(function: Callable[..., object]) -> tuple[type[ClinicError], ...]:
    """Return the errors that `raises` declared."""
    return getattr(function, "raises", ())


def one_statement(function: Function) -> Function:
    """Declare that a controller writes by one statement, and raises no error after it wrote.

    PostgreSQL runs the statement in autocommit, which saves the round trips of BEGIN and COMMIT, but cannot roll it
    back. tests/guard.py therefore fails a test in which the controller writes twice, or raises after it wrote.
    """
    function.__dict__["one_statement"] = True
    return function


def is_one_statement(function: Callable[..., object]) -> bool:
    """Return whether the controller is declared by `one_statement`."""
    return getattr(function, "one_statement", False)

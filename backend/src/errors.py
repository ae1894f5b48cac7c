"""What can go wrong, in the clinic's words.

    ClinicError
    ├── Invalid            a malformed or impossible request
    ├── Unauthenticated    no valid log-in
    ├── Forbidden          a known caller who may not do this
    ├── NotFound
    ├── Conflict           a valid request that the present state does not allow
    ├── Outdated           a change of something that was changed since the caller read it
    ├── KeyReused          an Idempotency-Key that was used for another request
    ├── Throttled          too many attempts; try again later
    └── Unavailable        try again in a moment

The docstring of a class is the sentence that the caller reads; a template given to the constructor replaces it.
Each noun has its own errors in a file beside this one. No error knows HTTP: `web/problems.py` maps the branches to
statuses.
"""

from __future__ import annotations

import inspect


class ClinicError(Exception):
    """Something went wrong."""

    def __init__(self, template: str | None = None, **params: str | int) -> None:
        """Fill the template, a sentence with gaps like {limit}. Templates are what translations translate."""
        self.template = template or self.sentence()
        self.params = params
        super().__init__(self.template.format_map(params))

    @classmethod
    def sentence(cls) -> str:
        """Return the docstring as one line."""
        return " ".join(inspect.cleandoc(cls.__doc__ or "").split())


class Invalid(ClinicError):
    """The request is not valid."""


class Unauthenticated(ClinicError):
    """Please log in: the access token is missing, wrong, expired or no longer accepted."""


class Forbidden(ClinicError):
    """You are not allowed to do this."""


class NotFound(ClinicError):
    """There is nothing here."""


class Conflict(ClinicError):
    """This does not fit the present state of things."""


class Outdated(ClinicError):
    """Somebody else has changed this meanwhile; please load it again."""


class KeyReused(ClinicError):
    """This Idempotency-Key was used for another request; take a new one."""


class Throttled(ClinicError):
    """Too many attempts; please try again later."""

    def __init__(self, retry_after: int = 60, template: str | None = None, **params: str | int) -> None:
        """Allow the next attempt after `retry_after` seconds."""
        super().__init__(template, **params)
        self.retry_after = retry_after


class Unavailable(ClinicError):
    """The service is busy; please try again in a moment."""


class StepsNeeded(Exception):
    """A controller of `one_statement` cannot do its work in one; it has written nothing, and runs again in steps."""

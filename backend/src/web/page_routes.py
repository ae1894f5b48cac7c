"""The types of a row in app.py's table of pages: what a browser is shown, and the forms that it posts."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Concatenate, Literal

from src.context import Context, SlowContext
from src.schemas.base import Out
from src.web.routes import A, Access, Signature


class Page:
    """What a GET shows: `find` returns what the template gets as `view`.

    As with a Route, the class is not generic, so that pyright compares function and access in every row. An `embedded`
    page may be in a frame on another site, and neither reads nor sets a cookie. A function with the parameter `proof`
    gets what the browser keeps as the proof that the password was right, or an empty text; so does that of a form.
    """

    def __init__(
        self,
        path: str,
        find: Callable[Concatenate[Context[A], ...], object],
        access: Access[A],
        template: str,
        *,
        development_only: bool = False,
        embedded: bool = False,
    ) -> None:
        self.path = path
        self.find: Callable[..., object] = find
        self.access: Access[Any] = access
        self.template = template
        self.development_only = development_only
        self.embedded = embedded
        self.name = f"page {path}"
        self.signature = Signature.of(find)
        self.writes = False
        self.takes_proof = "proof" in inspect.signature(find).parameters


class Form:
    """What a POST does: the same controller as a call of the API, and the page where to go when it is done.

    A form is posted to the address of the page that it stands on, which a refusal shows again. `then` is filled from
    the ids of the path and from the answer. `name` is that of the call, for the security log. `session` says that the
    answer's access token begins a session, or that the session ends. `shows` is, in place of `then`, a template that
    shows the answer of a slow controller: for what is shown once and kept nowhere.
    """

    def __init__(
        self,
        path: str,
        controller: Callable[Concatenate[Context[A], ...], Out] | Callable[Concatenate[SlowContext[A], ...], Out],
        access: Access[A],
        name: str,
        *,
        then: str = "",
        shows: str | None = None,
        session: Literal["begins", "ends"] | None = None,
    ) -> None:
        self.path = path
        self.controller: Callable[..., Out] = controller
        self.access: Access[Any] = access
        self.name = name
        self.then = then
        self.shows = shows
        self.session = session
        self.signature = Signature.of(controller)
        self.writes = True
        self.takes_proof = "proof" in inspect.signature(controller).parameters

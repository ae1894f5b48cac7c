"""What a page function may return in place of what its template shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from src.pages.languages import Language


@dataclass(frozen=True)
class Goto:
    """Another page, by its path."""

    path: str


@dataclass(frozen=True)
class Download:
    """A file, which `write` returns in the reader's language, and the name under which the browser keeps it."""

    name: str
    media_type: str
    write: Callable[[Language], bytes]

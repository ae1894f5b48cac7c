"""What a page function may return in place of what its template shows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Goto:
    """Another page, by its path."""

    path: str


@dataclass(frozen=True)
class Download:
    """A file, and the name under which the browser keeps it."""

    name: str
    media_type: str
    content: bytes

"""Zone data of another version: a folder like tzdata's, in which one zone has the rules of another."""

from __future__ import annotations

import importlib.resources
import shutil
import zoneinfo
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from zoneinfo import ZoneInfo

from src.domain import parts_of_day
from src.schemas.availability import span_of_minutes
from src.schemas.base import wall_clock_span

Rules = Callable[[str, str], None]


@contextmanager
def changeable_rules(folder: Path) -> Iterator[Rules]:
    """Yield a function that gives a zone the rules of another one; zoneinfo reads `folder` before tzdata."""

    def change(zone: str, like: str) -> None:
        file = folder / zone
        file.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(str(importlib.resources.files("tzdata") / "zoneinfo" / like), file)
        _forget()

    zoneinfo.reset_tzpath(to=(folder,))
    try:
        yield change
    finally:
        zoneinfo.reset_tzpath(to=())
        _forget()


def _forget() -> None:
    ZoneInfo.clear_cache()
    wall_clock_span.cache_clear()
    span_of_minutes.cache_clear()
    parts_of_day.ends.cache_clear()

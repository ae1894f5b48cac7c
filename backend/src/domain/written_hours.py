"""The hours of a day as people write them: "9-12:30 and 14-17"."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Literal

from src.domain.minutes import MINUTES_OF_DAY, time_of_day

# From and until, in minutes since midnight.
Span = tuple[int, int]
Trouble = Literal["not_understood", "ends_before_it_begins", "overlapping"]

_TIME = r"(2[0-4]|[01]?[0-9])(?:[:.h]?([0-5][0-9]))?(?:\s*(?:uhr|h)\b)?"
_SPAN = re.compile(rf"(?:(?:from|von)\s*)?{_TIME}\s*(?:[-\u2010-\u2015\u2212]|to|until|bis)\s*{_TIME}")
_BETWEEN = re.compile(r"(?:[\s,;&+/]|and\b|und\b)+")
# What a day without hours may say.
_CLOSED = {"", "-", "\u2013", "\u2014", "closed", "geschlossen"}


class NotUnderstood(ValueError):
    """The text does not say when a day is open; `trouble` says why."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble)
        self.trouble: Trouble = trouble


def spans_of(text: str) -> list[Span]:
    """Return the times that the text names, by their begin; none if the day is closed. Raise NotUnderstood."""
    text = text.strip().lower()
    if text in _CLOSED:
        return []
    spans = [_span(found) for found in _found(text)]
    if any(until <= begin for begin, until in spans):
        raise NotUnderstood("ends_before_it_begins")
    spans.sort()
    if any(later[0] < earlier[1] for earlier, later in pairwise(spans)):
        raise NotUnderstood("overlapping")
    return spans


def _found(text: str) -> Iterable[re.Match[str]]:
    """Yield each span of the text; raise NotUnderstood if there is anything else in it."""
    found = _SPAN.match(text)
    while found is not None:
        yield found
        between = _BETWEEN.match(text, found.end())
        end = between.end() if between else found.end()
        if end == len(text):
            return
        found = _SPAN.match(text, end) if between else None
    raise NotUnderstood("not_understood")


def _span(found: re.Match[str]) -> Span:
    begin, until = (60 * int(hour) + int(minute or 0) for hour, minute in (found.group(1, 2), found.group(3, 4)))
    # Midnight ends a day by either name.
    until = until or MINUTES_OF_DAY
    if until > MINUTES_OF_DAY or begin >= MINUTES_OF_DAY:
        raise NotUnderstood("not_understood")
    return begin, until


def written(spans: Sequence[Span]) -> str:
    """Return the text for these times, from which `spans_of` makes them again."""
    return ", ".join(f"{time_of_day(begin)}\u2013{time_of_day(until)}" for begin, until in spans)

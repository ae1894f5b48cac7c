"""The languages of the pages: English for now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

PATTERNS = {
    "weekday": "%A",
    "weekday_short": "%a",
    "day": "%-d %B",
    "day_short": "%a %-d %b",
    "long": "%A %-d %B",
    "full": "%A %-d %B %Y",
    "month_short": "%b",
    "month": "%B %Y",
}


@dataclass(frozen=True)
class Language:
    code: str
    name: str

    def gettext(self, msgid: str) -> str:
        return msgid

    def ngettext(self, one: str, many: str, n: int) -> str:
        return one if n == 1 else many

    def pgettext(self, _context: str, msgid: str) -> str:
        return msgid

    def date(self, value: date, pattern: str) -> str:
        return value.strftime(PATTERNS[pattern])

    def zone(self, iana: str, _at: datetime) -> str:
        return iana

    def duration(self, minutes: int) -> str:
        return f"{minutes} minutes"

    def problem(self, document: dict[str, Any]) -> str:
        return document["error"]

    def finding(self, entry: dict[str, Any], _label: str) -> str:
        return entry["message"]


ENGLISH = Language("en", "English")


def languages() -> dict[str, Language]:
    return {ENGLISH.code: ENGLISH}


def best(_codes: Sequence[str]) -> Language:
    return ENGLISH

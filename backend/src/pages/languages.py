"""The languages of the pages: sentences, dates, lengths of time and the names of time zones.

Every language is one file, translations/<code>.po, whose msgids are the English sentences of the code
(CONTRIBUTING.md). That of English has only those that the pages put into other words. The files are read when a process
first needs them.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from types import MappingProxyType
from typing import Any, Literal, get_args

from babel import Locale
from babel.core import get_global, negotiate_locale
from babel.dates import format_date, get_timezone_location, get_timezone_name
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from src.schemas.findings import in_words
from src.schemas.hours import Weekday
from src.settings.languages import ENGLISH, TRANSLATIONS, language_codes
from src.settings.time_zones import time_zone

Pattern = Literal["weekday", "weekday_short", "number", "day", "day_short", "long", "full", "month_short", "month"]
# In the syntax of Unicode's CLDR. Each is a msgid in the context DATE_PATTERN: languages order and punctuate dates in
# their own ways.
PATTERNS: dict[Pattern, str] = {
    "weekday": "EEEE",
    "weekday_short": "ccc",
    "number": "d",
    "day": "d MMMM",
    "day_short": "EEE d MMM",
    "long": "EEEE d MMMM",
    "full": "EEEE d MMMM y",
    "month_short": "MMM",
    "month": "LLLL y",
}
DATE_PATTERN = "date pattern"
# How CLDR marks the time zones of no country.
NO_COUNTRY = {"ZZ", "001", None}
MONDAY = dt.date(2024, 1, 1)
GAP = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Language:
    """A language by its code, such as "de", and its own name for itself.

    `templates` are the msgids that have gaps like {limit}, each with the names of its gaps.
    """

    code: str
    name: str
    catalog: NullTranslations = field(default_factory=NullTranslations, repr=False, compare=False)
    templates: Mapping[str, frozenset[str]] = field(
        default_factory=dict[str, frozenset[str]], repr=False, compare=False
    )

    def gettext(self, msgid: str) -> str:
        # The empty msgid is the header of the file.
        return self.catalog.gettext(msgid) if msgid else ""

    def ngettext(self, one: str, many: str, n: int) -> str:
        return self.catalog.ngettext(one, many, n)

    def pgettext(self, context: str, msgid: str) -> str:
        return self.catalog.pgettext(context, msgid)

    def date(self, value: dt.date, pattern: Pattern) -> str:
        return _date(value, self.pgettext(DATE_PATTERN, PATTERNS[pattern]), self.code)

    def days(self, first: dt.date, last: dt.date) -> str:
        """Return the days from the first to the last, and name their month once if it is one."""
        if first == last:
            return self.date(first, "day")
        one_month = (first.year, first.month) == (last.year, last.month)
        begin, end = self.date(first, "number" if one_month else "day"), self.date(last, "day")
        return self.gettext("%(first)s \u2013 %(last)s") % {"first": begin, "last": end}

    def zone(self, iana: str) -> str:
        """Return what people call the time there, in summer and winter: "Central European Time"."""
        return _zone(iana, self.code)

    def duration(self, minutes: int) -> str:
        """Return a length of time in days, hours and minutes."""
        hours, rest = divmod(minutes, 60)
        days, hours = divmod(hours, 24)
        parts = [
            self.ngettext("%(n)s day", "%(n)s days", days) % {"n": days} if days else "",
            self.ngettext("%(n)s hour", "%(n)s hours", hours) % {"n": hours} if hours else "",
            self.ngettext("%(n)s minute", "%(n)s minutes", rest) % {"n": rest} if rest or not minutes else "",
        ]
        return " ".join(filter(None, parts))

    def problem(self, document: Mapping[str, Any]) -> str:
        """Return the sentence of a problem document."""
        if document.get("errors"):
            first = document["errors"][0]
            return self.finding(first, first["field"])
        return self._sentence(document["error"], document.get("params", {}))

    def finding(self, entry: Mapping[str, Any], label: str) -> str:
        """Return the sentence of an entry of `errors[]`, which names the field as the form does."""
        words = self._sentence(entry["message"].removeprefix(f"{entry['field']} "), entry["params"])
        # Languages with genders and cases need a sentence that goes with any noun, such as "E-Mail: muss …".
        return self.gettext("%(label)s %(words)s") % {"label": label, "words": words}

    def message(self, answer: Mapping[str, Any]) -> str:
        """Return the `message` of an answer; the answer's other members fill its gaps."""
        return self._sentence(answer["message"], answer)

    def _sentence(self, english: str, params: Mapping[str, Any]) -> str:
        """Translate a sentence whose gaps these parameters have filled; return it as it is if no msgid fits."""
        if (translated := self.gettext(english)) != english:
            return translated
        for template, gaps in self.templates.items():
            if gaps <= params.keys() and english == template.format_map(in_words({gap: params[gap] for gap in gaps})):
                return self.gettext(template).format_map({gap: self._shown(gap, params) for gap in gaps})
        return english

    def _shown(self, gap: str, params: Mapping[str, Any]) -> str:
        """Return what this language says in the gap; `notice_minutes` says how long `notice` is."""
        value = params[gap]
        if f"{gap}_minutes" in params:
            return self.duration(params[f"{gap}_minutes"])
        if gap == "date":
            return self.date(dt.date.fromisoformat(value), "full")
        if gap == "weekday":
            return self.date(MONDAY + dt.timedelta(days=get_args(Weekday).index(value)), "weekday")
        if gap == "time_zone":
            return self.zone(value)
        return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


@cache
def languages() -> Mapping[str, Language]:
    """Return the languages by their codes, English first."""
    return MappingProxyType({code: _language(code) for code in language_codes()})


def best(codes: Sequence[str]) -> Language:
    """Return the language that fits best to these codes, such as "de-AT", the dearest first; English if none does."""
    code = negotiate_locale(codes, languages(), sep="-") or ENGLISH
    return languages()[code.lower()]


def _language(code: str) -> Language:
    with (TRANSLATIONS / f"{code}.po").open("rb") as text:
        messages = read_po(text, locale=code)
    compiled = BytesIO()
    write_mo(compiled, messages)
    compiled.seek(0)
    templates = {
        message.id: frozenset(GAP.findall(message.id))
        for message in messages
        if isinstance(message.id, str) and GAP.search(message.id)
    }
    return Language(code, _own_name(code), GNUTranslations(compiled), templates)


def _own_name(code: str) -> str:
    return Locale.parse(code).get_display_name() or code


# The same days and zones stand on many pages, and Babel takes ten times as long as these look-ups.
@lru_cache(maxsize=8192)
def _date(value: dt.date, pattern: str, code: str) -> str:
    return format_date(value, pattern, locale=code)


@lru_cache(maxsize=2048)
def _zone(iana: str, code: str) -> str:
    zone = time_zone(iana)
    country = get_global("zone_territories").get(get_timezone_name(zone, return_zone=True, locale=code))
    if country not in NO_COUNTRY:
        return get_timezone_name(zone, locale=code)
    # Coordinated Universal Time has a standard name only. For zones like Etc/GMT-1, Babel says "Unknown Region".
    name = get_timezone_name(zone, locale=code, zone_variant="standard")
    return iana if name == get_timezone_location(zone, locale=code) else name

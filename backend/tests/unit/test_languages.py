"""What the pages say in each language: dates, lengths of time and zones."""

from __future__ import annotations

import zoneinfo
from datetime import date
from typing import Any

import pytest
from jinja2 import Environment

from src.pages.languages import PATTERNS, Language, best, languages

EN, DE = languages()["en"], languages()["de"]
TO = "\N{EN DASH}"
DAY = date(2026, 11, 26)


@pytest.mark.parametrize(
    ("pattern", "english", "german"),
    [
        ("weekday", "Thursday", "Donnerstag"),
        ("weekday_short", "Thu", "Do"),
        ("number", "26", "26."),
        ("day", "26 November", "26. November"),
        ("day_short", "Thu 26 Nov", "Do. 26. Nov."),
        ("long", "Thursday 26 November", "Donnerstag, 26. November"),
        ("full", "Thursday 26 November 2026", "Donnerstag, 26. November 2026"),
        ("month_short", "Nov", "Nov."),
        ("month", "November 2026", "November 2026"),
    ],
)
def test_dates_are_written_as_each_language_writes_them(pattern: Any, english: str, german: str) -> None:
    assert (EN.date(DAY, pattern), DE.date(DAY, pattern)) == (english, german)
    assert pattern in PATTERNS


@pytest.mark.parametrize(
    ("first", "last", "english", "german"),
    [
        (date(2026, 11, 30), date(2026, 12, 4), f"30 November {TO} 4 December", f"30. November {TO} 4. Dezember"),
        (date(2026, 12, 7), date(2026, 12, 11), f"7 {TO} 11 December", f"7. {TO} 11. Dezember"),
        (date(2026, 12, 7), date(2027, 12, 11), f"7 December {TO} 11 December", f"7. Dezember {TO} 11. Dezember"),
        (DAY, DAY, "26 November", "26. November"),
    ],
)
def test_days_name_a_month_once(first: date, last: date, english: str, german: str) -> None:
    assert (EN.days(first, last), DE.days(first, last)) == (english, german)


@pytest.mark.parametrize(
    ("minutes", "english", "german"),
    [
        (0, "0 minutes", "0 Minuten"),
        (1, "1 minute", "1 Minute"),
        (20, "20 minutes", "20 Minuten"),
        (60, "1 hour", "1 Stunde"),
        (90, "1 hour 30 minutes", "1 Stunde 30 Minuten"),
        (2880, "2 days", "2 Tage"),
        (1501, "1 day 1 hour 1 minute", "1 Tag 1 Stunde 1 Minute"),
    ],
)
def test_lengths_of_time(minutes: int, english: str, german: str) -> None:
    assert (EN.duration(minutes), DE.duration(minutes)) == (english, german)


@pytest.mark.parametrize(
    ("iana", "english", "german"),
    [
        ("Europe/Berlin", "Central European Time", "Mitteleuropäische Zeit"),
        ("Asia/Kolkata", "India Time", "Indien (Ortszeit)"),
        ("UTC", "Coordinated Universal Time", "Koordinierte Weltzeit"),
        ("Etc/GMT-3", "Etc/GMT-3", "Etc/GMT-3"),
    ],
)
def test_zones_have_the_names_that_people_use(iana: str, english: str, german: str) -> None:
    assert (EN.zone(iana), DE.zone(iana)) == (english, german)


@pytest.mark.parametrize("language", languages().values(), ids=languages())
def test_every_zone_has_a_name(language: Language) -> None:
    for iana in zoneinfo.available_timezones():
        assert language.zone(iana), iana
        assert not any(word in language.zone(iana) for word in ("Unknown", "Unbekannt", "world (", "Welt (")), iana


def test_english_comes_first_and_each_language_has_its_own_name() -> None:
    assert [(code, language.code, language.name) for code, language in languages().items()] == [
        ("en", "en", "English"),
        ("de", "de", "Deutsch"),
    ]


@pytest.mark.parametrize(
    ("codes", "code"),
    [
        ([], "en"),
        (["de"], "de"),
        (["DE-at", "en"], "de"),
        (["fr", "de-CH"], "de"),
        (["en-GB", "de"], "en"),
        (["*"], "en"),
        (["", "-", "zh-Hans-CN"], "en"),
    ],
)
def test_the_language_that_fits_best(codes: list[str], code: str) -> None:
    assert best(codes) is languages()[code]


def test_templates_translate_with_a_language() -> None:
    environment = Environment(extensions=["jinja2.ext.i18n"], autoescape=True)
    environment.install_gettext_callables(DE.gettext, DE.ngettext, newstyle=True, pgettext=DE.pgettext)  # type: ignore[attr-defined]
    template = '{{ _("Welcome, {name}.") }} {{ ngettext("%(n)s day", "%(n)s days", 2, n=2) }} {{ _("") }}'
    assert environment.from_string(template).render() == "Willkommen, {name}. 2 Tage "

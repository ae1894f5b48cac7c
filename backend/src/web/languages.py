"""Which language the reader of a page wants: the one chosen on the page, else the browser's."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from flask import Flask, g, request

from src.pages.languages import Language, Pattern, best, languages
from src.web.cookies import LANGUAGE, sent_cookies


def language() -> Language:
    """Return the language of this request."""
    if "language" not in g:
        g.language = _wanted()
    return g.language


def chosen_now() -> str | None:
    """Return the language that this request's address chooses, by `?language=de`, or None."""
    code = request.args.get(LANGUAGE)
    return code if code in languages() else None


def register_languages(app: Flask) -> None:
    """Let templates translate into the language of the request."""
    app.jinja_env.add_extension("jinja2.ext.i18n")
    environment: Any = app.jinja_env
    environment.install_gettext_callables(_gettext, _ngettext, newstyle=True, pgettext=_pgettext)
    environment.filters |= {"day": _day, "zone_name": _zone_name, "minutes": _minutes}


def _gettext(msgid: str) -> str:
    return language().gettext(msgid)


def _ngettext(one: str, many: str, n: int) -> str:
    return language().ngettext(one, many, n)


def _pgettext(context: str, msgid: str) -> str:
    return language().pgettext(context, msgid)


def _day(text: str, pattern: Pattern) -> str:
    """Return a date, given as YYYY-MM-DD, in words."""
    return language().date(date.fromisoformat(text), pattern)


def _zone_name(span: Any) -> str:
    """Return the name of the time zone of a WallClockSpan, a model or its fields."""
    fields: dict[str, str] = span if isinstance(span, dict) else vars(span)
    return language().zone(fields["time_zone"])


def _minutes(span: Mapping[str, str]) -> int:
    """Return the length of a WallClockSpan in minutes."""
    return (datetime.fromisoformat(span["ends_at"]) - datetime.fromisoformat(span["starts_at"])) // timedelta(minutes=1)


def _wanted() -> Language:
    for code in (chosen_now(), sent_cookies().get(LANGUAGE, "")):
        if code and code in languages():
            return languages()[code]
    return best([code for code, _ in request.accept_languages])

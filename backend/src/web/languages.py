"""Which language the reader of a page wants: the one chosen in this browser, else the account's, else the browser's."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from flask import Flask, g, request

from src.context import Caller
from src.pages.languages import Language, Pattern, best, languages
from src.settings.time_zones import time_zone
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
    environment.filters |= {"day": _day, "zone_name": _zone_name, "minutes": _minutes, "own_time": _own_time}


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


def _own_time(span: Any, zone: str) -> dict[str, str] | None:
    """Return the date and time of a WallClockSpan's start on the clocks of a zone; None if they show the same."""
    fields: dict[str, str] = span if isinstance(span, dict) else vars(span)
    own = datetime.fromisoformat(fields["starts_at"]).astimezone(time_zone(zone))
    shown = {"date": f"{own:%Y-%m-%d}", "time": f"{own:%H:%M}"}
    return None if shown == {"date": fields["date"], "time": fields["start_time"]} else shown


def _minutes(span: Mapping[str, str]) -> int:
    """Return the length of a WallClockSpan in minutes."""
    return (datetime.fromisoformat(span["ends_at"]) - datetime.fromisoformat(span["starts_at"])) // timedelta(minutes=1)


def _wanted() -> Language:
    actor: Caller | None = g.get("actor")
    for code in (chosen_now(), sent_cookies().get(LANGUAGE, ""), actor and actor.language):
        if code and code in languages():
            return languages()[code]
    return best([code for code, _ in request.accept_languages])

"""What a command says when the database cannot do its work."""

from __future__ import annotations

import sys
from types import TracebackType

from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from config import load_settings
from src.database.troubles import in_one_line, trouble_of
from src.errors_of_service import DatabaseAway, DatabaseUnfit
from src.settings.databases import shown


def say_database_trouble(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    """Print one line in place of a traceback, if the database cannot do its work. Python then exits with status 1.

    As `sys.excepthook` it serves every `flask …` command, those of Flask-Migrate too.
    """
    trouble = trouble_of(error) if isinstance(error, SQLAlchemyError) else None
    if trouble is None or not isinstance(error, SQLAlchemyError):
        sys.__excepthook__(kind, error, traceback)
    else:
        print(_sentence(trouble, in_one_line(error)), file=sys.stderr)  # noqa: T201 - a command's output


def _sentence(trouble: type[DatabaseUnfit], said: str) -> str:
    settings = load_settings()
    urls = {settings.database_url, settings.migration_database_url or settings.database_url}
    where = " or ".join(sorted(shown(make_url(url)) for url in urls))
    if trouble is DatabaseAway:
        return f"The database at {where} cannot be opened ({said}); start it or correct DATABASE_URL."
    return f"{trouble.sentence()} It is the database at {where} ({said})."

"""Which program runs. It decides the default of APP_ENV, and whether the program needs secrets of its own."""

from __future__ import annotations

import sys
from enum import Enum
from pathlib import Path
from typing import Any

import click

from src.settings.urls import is_loopback

BACKEND = Path(__file__).resolve().parents[2]


class Program(Enum):
    """Who imports the application. `OTHER_SERVER` is every WSGI server, and every program that we do not know."""

    APP_PY = "python app.py"
    WORKER = "python worker.py"
    COMMAND = "flask …"
    FLASK_RUN_ON_LOOPBACK = "flask run"
    FLASK_RUN_ELSEWHERE = "flask run --host …"
    OTHER_SERVER = "gunicorn app:app"

    @property
    def is_for_development(self) -> bool:
        """Whether APP_ENV is `development` when it is not set: only for what nobody on the network can reach."""
        return self in {Program.APP_PY, Program.COMMAND, Program.FLASK_RUN_ON_LOOPBACK}

    @property
    def serves(self) -> bool:
        """Whether the program answers requests."""
        return self not in {Program.WORKER, Program.COMMAND}

    @property
    def is_our_own(self) -> bool:
        return self is not Program.OTHER_SERVER


def running_program() -> Program:
    started = Path(getattr(sys.modules["__main__"], "__file__", None) or "nothing").resolve()
    if started == BACKEND / "app.py":
        return Program.APP_PY
    if started == BACKEND / "worker.py":
        return Program.WORKER
    context = click.get_current_context(silent=True)
    if context is not None and context.find_root().command.name == "flask":
        return _flask_program(context)
    return Program.OTHER_SERVER


def _flask_program(context: click.Context) -> Program:
    if context.command.name != "run":
        return Program.COMMAND
    host: Any = context.params["host"]
    return Program.FLASK_RUN_ON_LOOPBACK if is_loopback(host) else Program.FLASK_RUN_ELSEWHERE

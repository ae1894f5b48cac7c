"""The `flask` commands beside Flask-Migrate's, one file for each noun."""

from __future__ import annotations

import click

from src.commands.demo import demo
from src.commands.openings import openings
from src.commands.outbox import outbox_commands
from src.commands.prepare import prepare
from src.commands.purge import purge
from src.commands.troubles import say_database_trouble
from src.commands.user import user_commands
from src.commands.zones import zones

COMMANDS: list[click.Command] = [prepare, demo, purge, zones, openings, user_commands, outbox_commands]

__all__ = ["COMMANDS", "say_database_trouble"]

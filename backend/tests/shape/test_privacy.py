"""docs/privacy.md says what is deleted when, as src/tasks/retention.py does."""

from __future__ import annotations

import re
from pathlib import Path

from config import Settings
from src.tasks.retention import EXPIRIES, PURGES, Rule

PAGE = (Path(__file__).parents[3] / "docs" / "privacy.md").read_text("utf-8")


def table(heading: str) -> list[list[str]]:
    """Return the cells of the rows of the table below a heading."""
    _, _, below = PAGE.partition(f"\n## {heading}\n")
    rows = [line.strip("|").split("|") for line in below.partition("\n## ")[0].splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows[2:]]


def row(rule: Rule, by: str) -> list[str]:
    words = f"{rule.kept.words} after {rule.since}".replace(",  after", ", after")
    return [rule.what, words, by, rule.why]


def test_the_page_has_the_rules_of_the_code() -> None:
    by_command = [row(rule, "`flask purge`") for rule in PURGES]
    by_worker = [row(rule, "the worker") for rule in EXPIRIES]
    assert table("When it is deleted") == by_command + by_worker


def test_the_settings_in_the_rules_exist_and_decide() -> None:
    rules: list[Rule] = [*PURGES, *EXPIRIES]
    named = {name.lower() for rule in rules for name in re.findall(r"`([A-Z_]+)`", rule.kept.words)}
    assert named < Settings.model_fields.keys()
    few, many = (
        Settings(_env_file=None, **dict.fromkeys(named, value))  # pyright: ignore[reportCallIssue]
        for value in (100, 101)
    )
    for rule in rules:
        assert (rule.kept.of(few) != rule.kept.of(many)) == ("`" in rule.kept.words), rule.what

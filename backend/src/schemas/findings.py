"""What a validator finds wrong with a field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from src.errors import Invalid

# What is wrong with a field, for programs. Clients translate by these words, so a word keeps its meaning for ever.
Code = Literal[
    "missing",
    "not_a_string",
    "too_long",
    "too_short",
    "too_small",
    "too_large",
    "not_allowed",
    "not_unicode",
    "not_one_line",
    "invisible",
    "changes_direction",
    "blank",
    "contains_nul",
    "not_an_email",
    "not_a_plain_email",
    "not_a_date",
    "no_such_date",
    "not_a_time",
    "not_a_date_and_time",
    "not_a_time_zone",
    "not_a_phone_number",
    "not_an_id",
    "not_a_whole_number",
    "not_true_or_false",
    "not_a_list",
    "not_an_object",
    "not_a_cursor",
    "of_another_list",
    "before_from",
    "before_first_day",
    "too_long_after",
    "not_after_from",
    "not_hours",
    "without_from",
    "of_extra_hours_only",
    "overlapping",
    "repeated",
    "before_valid_from",
    "no_default",
    "too_common",
    "about_yourself",
    "not_valid",
]


class Wrong(ValueError):
    """A wrong value: its code, and the end of the sentence "<field> …" with `params` in its gaps."""

    def __init__(self, code: Code, words: str, **params: Any) -> None:
        super().__init__(words.format_map(in_words(params)))
        self.code: Code = code
        self.params = params


class FieldWrong(Invalid):
    """What was sent is not valid."""

    def __init__(self, field: str, wrong: Wrong) -> None:
        """Say what a controller finds wrong with a field, as if a validator had found it."""
        super().__init__()
        self.finding = finding(field, wrong.code, str(wrong), wrong.params)


def finding(field: str, code: Code, words: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return one finding as a sentence for people, and as a code and parameters for programs."""
    return {"field": field, "message": f"{field} {words}", "code": code, "params": params}


def in_words(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters as an English sentence says them: of a list, each entry in quotes."""
    return {name: _quoted(value) if isinstance(value, list) else value for name, value in params.items()}


def _quoted(entries: list[Any]) -> str:
    *some, last = [f"'{entry}'" for entry in entries]
    return f"{', '.join(some)} or {last}" if some else last

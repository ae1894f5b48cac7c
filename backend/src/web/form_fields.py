"""The fields of a form, which are all texts, as the values that a schema of the API takes."""

from __future__ import annotations

import typing
from types import UnionType
from typing import Annotated, Any, Union

from werkzeug.datastructures import MultiDict

from src.schemas.base import In
from src.schemas.fields import ascii_digits

YES = "yes"
# Fields of the road itself: the Idempotency-Key.
KEY = "key"


def values_of(schema: type[In], posted: MultiDict[str, str], path: dict[str, Any]) -> dict[str, Any]:
    """Return the schema's fields of a form and of its path; a field that is empty is left out."""
    found: dict[str, Any] = {}
    for name, field in schema.model_fields.items():
        key = field.alias or name
        texts = [text for text in posted.getlist(key) if text.strip()]
        if texts:
            found[key] = _value(_kinds(field.annotation), texts)
        elif key in path:
            found[key] = path[key]
    return found


def _value(kinds: set[Any], texts: list[str]) -> Any:
    if list in kinds:
        return texts
    text = texts[-1]
    if bool in kinds:
        return text == YES
    return ascii_digits(text) if int in kinds else text


def _kinds(annotation: Any) -> set[Any]:
    origin = typing.get_origin(annotation)
    if origin in {Union, UnionType}:
        return set().union(*map(_kinds, typing.get_args(annotation)))
    if origin is Annotated:
        return _kinds(typing.get_args(annotation)[0])
    return {origin or annotation}

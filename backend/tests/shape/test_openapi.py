"""The OpenAPI document uses only keywords that its readers know, in every schema."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema_specifications import REGISTRY

from tests.conftest import build_app, make_settings

VOCABULARIES = "https://json-schema.org/draft/2020-12/meta/"
# The keywords that OpenAPI 3.1 adds to JSON Schema (its base vocabulary).
OF_OPENAPI = {"discriminator", "example", "externalDocs", "xml"}
KEYWORDS = OF_OPENAPI.union(
    *(
        REGISTRY.contents(f"{VOCABULARIES}{name}")["properties"]
        for name in (
            "core",
            "applicator",
            "unevaluated",
            "validation",
            "meta-data",
            "format-annotation",
            "content",
        )
    )
)
# Keywords whose value is a schema, a list of schemas, or schemas by name.
ONE_SCHEMA = {"items", "additionalProperties", "contains", "propertyNames", "not", "if", "then", "else"}
SCHEMAS_IN_A_LIST = {"anyOf", "allOf", "oneOf", "prefixItems"}
SCHEMAS_BY_NAME = {"properties", "patternProperties", "$defs", "dependentSchemas"}


@pytest.fixture(scope="module")
def spec() -> dict[str, Any]:
    return build_app(make_settings()).test_client().get("/openapi.json").get_json()


def schemas_in(part: Any, where: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every schema of a part of the document, with its place; examples and links contain none."""
    if isinstance(part, list):
        for number, inner in enumerate(part):
            yield from schemas_in(inner, f"{where}/{number}")
    elif isinstance(part, dict):
        for key, inner in part.items():
            if key == "schema":
                yield from with_subschemas(inner, f"{where}/{key}")
            elif key == "schemas":
                for name, schema in inner.items():
                    yield from with_subschemas(schema, f"{where}/{key}/{name}")
            elif key not in {"example", "examples", "links"}:
                yield from schemas_in(inner, f"{where}/{key}")


def with_subschemas(schema: Any, where: str) -> Iterator[tuple[str, dict[str, Any]]]:
    if not isinstance(schema, dict):
        return
    yield where, schema
    for key, inner in schema.items():
        if key in ONE_SCHEMA:
            below = {key: inner}
        elif key in SCHEMAS_IN_A_LIST:
            below = {f"{key}/{number}": each for number, each in enumerate(inner)}
        elif key in SCHEMAS_BY_NAME:
            below = {f"{key}/{name}": each for name, each in inner.items()}
        else:
            continue
        for name, each in below.items():
            yield from with_subschemas(each, f"{where}/{name}")


def unknown_keywords(part: Any) -> dict[str, set[str]]:
    """Return the keywords that JSON Schema 2020-12 and OpenAPI 3.1 do not have, by the place of their schema."""
    return {where: unknown for where, schema in schemas_in(part) if (unknown := set(schema) - KEYWORDS)}


def test_every_schema_uses_keywords_of_json_schema_only(spec: dict[str, Any]) -> None:
    assert len(list(schemas_in(spec))) > 200
    assert unknown_keywords(spec) == {}


@pytest.mark.parametrize("word", ["ge", "le", "gt", "lt", "max_length", "min_length", "multiple_of"])
def test_the_names_that_pydantic_has_for_limits_are_unknown(word: str) -> None:
    nested = {"anyOf": [{"type": "object", "properties": {"number": {"items": {word: 1}}}}]}
    parameters = [{"name": "number", "in": "query", "schema": nested}]
    assert list(unknown_keywords({"parameters": parameters}).values()) == [{word}]

"""The OpenAPI document uses only keywords that its readers know, and shows every error of every call."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from jsonschema import Draft202012Validator
from jsonschema_specifications import REGISTRY

from app import ROUTES
from src.context import SlowContext
from src.errors_of_appointments import SlotPast, SlotTaken
from src.schemas.base import Message
from src.utils.decorators import raises
from src.web.problems import problem_of_error, respond
from src.web.routes import ANYONE, Route
from tests.calls import CALLS
from tests.conftest import build_app, make_settings
from tests.openapi import Document, undeclared

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
def document() -> Document:
    return Document(build_app(make_settings()).test_client())


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


def test_every_schema_uses_keywords_of_json_schema_only(document: Document) -> None:
    assert len(list(schemas_in(document.spec))) > 200
    assert unknown_keywords(document.spec) == {}


@pytest.mark.parametrize("word", ["ge", "le", "gt", "lt", "max_length", "min_length", "multiple_of"])
def test_the_names_that_pydantic_has_for_limits_are_unknown(word: str) -> None:
    nested = {"anyOf": [{"type": "object", "properties": {"number": {"items": {word: 1}}}}]}
    parameters = [{"name": "number", "in": "query", "schema": nested}]
    assert list(unknown_keywords({"parameters": parameters}).values()) == [{word}]


def test_every_error_has_examples_and_they_fit_the_schema(document: Document) -> None:
    problem = Draft202012Validator(document.spec["components"]["schemas"]["Problem"])
    for name, operation in document.operations.items():
        for status in map(int, operation["responses"]):
            if status >= 400:
                examples = document.examples(name, status)
                assert examples, (name, status)
                for example in examples:
                    problem.validate(example)
                    assert example["status"] == status, name


def test_one_status_has_an_example_for_each_error(document: Document) -> None:
    types = [example["type"].rpartition(":")[2] for example in document.examples("appointment.book", 409)]
    assert sorted(types) == [
        "day-full", "notice-too-short", "patient-busy", "slot-not-offered", "slot-past", "slot-taken",
        "still-under-way", "too-far-ahead", "too-many-ahead", "too-many-with-doctor",
    ]  # fmt: skip
    named = document.operations["appointment.book"]["responses"]["409"]["content"]["application/problem+json"]
    assert list(named["examples"]) == types


def test_every_call_that_reads_input_shows_what_is_wrong_with_each_field(document: Document) -> None:
    for call in CALLS:
        schemas = [schema for schema in (call.signature.body, call.signature.query) if schema is not None]
        expected: set[str] = set()
        for schema in schemas:
            fields = {field.alias or name: field for name, field in schema.model_fields.items()}
            expected |= {name for name, field in fields.items() if field.is_required()} or set(fields)
        if schemas:
            examples = document.examples(call.name, 400)
            named = {finding["field"] for example in examples for finding in example.get("errors", [])}
            assert named == expected, call.name


def example_of(document: Document, schema: dict[str, Any]) -> Any:
    """Return the value that documentation pages show for a schema."""
    if "$ref" in schema:
        return example_of(document, document.spec["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    if "examples" in schema:
        return schema["examples"][0]
    if "default" in schema:
        return schema["default"]
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        return example_of(document, schema["anyOf"][0])
    if schema["type"] == "object":
        return {name: example_of(document, each) for name, each in schema["properties"].items()}
    if schema["type"] == "array":
        # Such a page shows one entry for each type that an entry may have.
        return [example_of(document, each) for each in schema["items"].get("anyOf", [schema["items"]])]
    return {"string": "string", "integer": schema.get("minimum", 0), "boolean": True}[schema["type"]]


def test_the_example_of_each_body_is_accepted_and_changes_only_what_it_names(document: Document) -> None:
    for call in CALLS:
        if call.signature.body is None:
            continue
        body = document.operations[call.name]["requestBody"]["content"]["application/json"]["schema"]
        example = example_of(document, body)
        call.signature.body.model_validate(example)
        assert "start_time" not in example or example["start_time"] < example["end_time"], call.name
        assert call.route.method != "PATCH" or None not in example.values(), call.name


def test_every_tag_is_declared_in_the_order_of_the_routes(document: Document) -> None:
    assert [tag["name"] for tag in document.spec["tags"]] == list(dict.fromkeys(route.tag for route in ROUTES))


def test_no_summary_has_marks_that_documentation_pages_show_as_they_are(document: Document) -> None:
    assert [name for name, each in document.operations.items() if "`" in each["summary"]] == []


def test_an_error_that_a_controller_does_not_declare_is_noticed() -> None:
    @raises(SlotTaken)
    def book(ctx: SlowContext[None]) -> Message:
        return Message(message="Booked.")

    route = Route("POST", "/book", book, ANYONE, "test.book")
    with Flask(__name__).app_context():
        assert undeclared(route, respond(problem_of_error(SlotTaken()))) is None
        surprise = undeclared(route, respond(problem_of_error(SlotPast())))
    assert surprise == "test.book answers 409 urn:problem:slot-past, and does not declare it"

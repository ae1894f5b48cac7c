"""The parts of the OpenAPI document that the schemas do not contain: error answers, links, the idempotency key."""

from __future__ import annotations

from collections import defaultdict
from http import HTTPStatus
from typing import Any

from src.errors import ClinicError, KeyReused, Unauthenticated
from src.errors_of_service import StillUnderWay
from src.web.problems import DATABASE_AWAY, PROBLEM_JSON, SENTENCE_OF_STATUS, status_of

SECURITY_SCHEME = "BearerAuth"
LOCATION = {"headers": {"Location": {"schema": {"type": "string"}, "description": "where the new thing is"}}}

PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "RFC 9457. `error` is one plain sentence for people; `type` is for programs.",
    "required": ["type", "title", "status", "detail", "error"],
    "properties": {
        "type": {"type": "string", "examples": ["urn:problem:slot-taken", "about:blank"]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "error": {"type": "string", "examples": ["This slot is already booked."]},
        "errors": {
            "type": "array",
            "description": "every finding, where several fields are wrong",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
        "failing": {"type": "string", "description": "the part that is away, with 503"},
    },
}


def error_responses(
    declared: tuple[type[ClinicError], ...],
    *,
    forbidden: ClinicError | None,
    protected: bool,
    writes: bool,
    idempotent: bool,
    reads_body: bool,
    reads_input: bool,
) -> dict[int | str, Any]:
    """Return the error answers that the OpenAPI document lists for an operation, by status."""
    sentences: dict[HTTPStatus, list[str]] = defaultdict(list)
    if reads_input or idempotent:
        sentences[HTTPStatus.BAD_REQUEST].append("What was sent is not valid; the message names the field.")
    if protected:
        sentences[HTTPStatus.UNAUTHORIZED].append(Unauthenticated.sentence())
    if forbidden is not None:
        sentences[HTTPStatus.FORBIDDEN].append(str(forbidden))
    for error in (*declared, *((StillUnderWay, KeyReused) if idempotent else ())):
        sentences[status_of(error)].append(error.sentence())
    if writes:
        sentences[HTTPStatus.REQUEST_ENTITY_TOO_LARGE].append(SENTENCE_OF_STATUS[HTTPStatus.REQUEST_ENTITY_TOO_LARGE])
    if reads_body:
        sentences[HTTPStatus.UNSUPPORTED_MEDIA_TYPE].append(SENTENCE_OF_STATUS[HTTPStatus.UNSUPPORTED_MEDIA_TYPE])
    sentences[HTTPStatus.INTERNAL_SERVER_ERROR].append(SENTENCE_OF_STATUS[HTTPStatus.INTERNAL_SERVER_ERROR])
    sentences[HTTPStatus.SERVICE_UNAVAILABLE].append(DATABASE_AWAY)
    return {status.value: _response(status, said) for status, said in sorted(sentences.items())}


def _response(status: HTTPStatus, said: list[str]) -> dict[str, Any]:
    response: dict[str, Any] = {
        "description": " ".join(said),
        "content": {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    if status == HTTPStatus.UNAUTHORIZED:
        response["headers"] = {"WWW-Authenticate": {"schema": {"type": "string", "const": "Bearer"}}}
    if status in {HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS}:
        response["headers"] = {
            "Retry-After": {"schema": {"type": "integer"}, "description": "seconds to wait before trying again"}
        }
    return response


IDEMPOTENCY_KEY: dict[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "1 to 255 characters; the same key and request is answered the same again for 24 hours",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}


# Which operation can use a value of an answer: operation -> name of the link -> link (OpenAPI 3.1, Link Object).
LINKS: dict[str, dict[str, Any]] = {
    "patient.list_doctors": {
        "free_slots": {
            "operationId": "availability.free_slots",
            "parameters": {"doctor_id": "$response.body#/data/0/id"},
        }
    },
    "availability.free_slots": {
        "book": {"operationId": "appointment.book", "requestBody": {"slot_id": "$response.body#/data/0/slot_id"}}
    },
    "availability.publish": {
        "book": {"operationId": "appointment.book", "requestBody": {"slot_id": "$response.body#/slot_id"}}
    },
    "appointment.book": {
        name: {
            "operationId": f"appointment.{name}",
            "parameters": {"appointment_id": "$response.body#/appointment_id"},
        }
        for name in ("show", "cancel")
    },
}


def finish_spec(spec: Any) -> Any:
    """Add what APIFlask leaves out: the problem schema, required bodies, links, and the range of ids in paths."""
    spec.setdefault("components", {}).setdefault("schemas", {})["Problem"] = PROBLEM_SCHEMA
    for path in spec["paths"].values():
        for operation in (path[method] for method in ("get", "post", "put", "patch", "delete") if method in path):
            if operation["operationId"] in LINKS:
                success = min(operation["responses"])
                operation["responses"][success]["links"] = LINKS[operation["operationId"]]
            if "422" in operation["responses"]:
                operation["parameters"].append(IDEMPOTENCY_KEY)
            if "requestBody" in operation:
                operation["requestBody"]["required"] = True
        for parameter in path.get("parameters", []):
            if parameter["in"] == "path":
                parameter["schema"] |= {"minimum": 1, "maximum": 2**63 - 1}
    return spec

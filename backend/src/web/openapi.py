"""The parts of the OpenAPI document that the schemas do not contain: error answers, links, the idempotency key."""

from __future__ import annotations

import typing
from collections import defaultdict
from collections.abc import Collection, Iterator
from http import HTTPStatus
from typing import Any

from pydantic import ValidationError

from src.errors import Invalid, KeyReused, Unauthenticated
from src.errors_of_accounts import RoleUnknown, SecondFactorMissing
from src.errors_of_service import (
    DatabaseAway,
    DatabaseBehind,
    DatabaseBusy,
    DatabaseFull,
    DatabaseNotMigrated,
    DatabaseReadOnly,
    StillUnderWay,
)
from src.schemas.base import In
from src.schemas.fields import NEW_PASSWORD_FORMAT
from src.schemas.findings import Code
from src.utils.decorators import errors_of
from src.web.idempotency import BAD_KEY
from src.web.problems import (
    NOT_AN_OBJECT,
    PROBLEM_JSON,
    Problem,
    problem_of_body,
    problem_of_error,
    problem_of_status,
    problem_of_validation,
    urn,
)
from src.web.routes import Route

SECURITY_SCHEME = "BearerAuth"
LOCATION = {"schema": {"type": "string"}, "description": "where the new thing is"}
ETAG = {"schema": {"type": "string"}, "description": "the revision, for If-Match of a change", "example": '"7"'}

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
                "required": ["field", "message", "code", "params"],
                "properties": {
                    "field": {"type": "string"},
                    "message": {"type": "string", "description": "for people; begins with the field"},
                    "code": {
                        "type": "string",
                        "enum": list(typing.get_args(Code)),
                        "description": "for programs, such as translations; later versions may add others",
                    },
                    "params": {
                        "type": "object",
                        "description": "what the message was made from",
                        "examples": [{"max_length": 200}],
                    },
                },
            },
        },
        "params": {
            "type": "object",
            "description": "what the sentence was made from, for translations",
            "examples": [{"limit": 5}],
        },
        "failing": {"type": "string", "description": "the part that cannot do its work, with 503"},
        "appointment_ids": {
            "type": "array",
            "description": "the appointments that the refusal is about, where the call named several",
            "items": {"type": "integer"},
        },
    },
}


def error_responses(route: Route) -> dict[int | str, Any]:
    """Return the error answers that the OpenAPI document lists for a call, by status."""
    by_status: dict[int, list[Problem]] = defaultdict(list)
    for body in problems_of(route):
        by_status[body["status"]].append(body)
    return {status: _response(status, bodies) for status, bodies in sorted(by_status.items())}


def success_headers(route: Route) -> dict[str, Any]:
    """Return the headers of the successful answer."""
    headers = {"Location": LOCATION if route.location else None, "ETag": ETAG if route.etag else None}
    return {name: described for name, described in headers.items() if described is not None}


TROUBLES_OF_READING = (DatabaseAway, DatabaseBusy, DatabaseNotMigrated, DatabaseBehind)
TROUBLES_OF_WRITING = (DatabaseReadOnly, DatabaseFull)


def problems_of(route: Route) -> Iterator[Problem]:
    """Yield every problem that a call can answer, just as it answers it."""
    yield from _problems_of_input(route)
    if not route.access.is_public:
        yield problem_of_error(Unauthenticated())
        yield problem_of_error(RoleUnknown())
        if not route.access.without_second_factor:
            yield problem_of_error(SecondFactorMissing())
    if route.access.refusal is not None:
        yield problem_of_error(route.access.refusal())
    for error in errors_of(route.controller):
        yield problem_of_error(error())
    if route.is_idempotent:
        yield problem_of_error(Invalid(BAD_KEY))
        yield problem_of_error(StillUnderWay())
        yield problem_of_error(KeyReused())
    if "<" in route.path:
        yield problem_of_status(HTTPStatus.NOT_FOUND)
    yield problem_of_status(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    yield problem_of_status(HTTPStatus.INTERNAL_SERVER_ERROR)
    if route.needs_database:
        for trouble in (*TROUBLES_OF_READING, *(TROUBLES_OF_WRITING if route.writes else ())):
            yield problem_of_error(trouble())


def _problems_of_input(route: Route) -> Iterator[Problem]:
    for schema, wrong in ((route.signature.body, ()), (route.signature.query, "\0")):
        if schema is not None:
            yield from _problem_of_schema(schema, wrong)
    if route.signature.body is not None:
        yield problem_of_error(Invalid(NOT_AN_OBJECT))
        yield problem_of_body()
        yield problem_of_status(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)


def _problem_of_schema(schema: type[In], wrong: object) -> Iterator[Problem]:
    """Yield the problem of an empty object or, if nothing is required, of an object whose every value is wrong.

    `wrong` is a value that no field takes: in a query, every value is a text.
    """
    required = any(field.is_required() for field in schema.model_fields.values())
    try:
        names = [field.alias or name for name, field in schema.model_fields.items()]
        schema.model_validate({} if required else dict.fromkeys(names, wrong))
    except ValidationError as error:
        yield problem_of_validation(error)


def _response(status: int, bodies: list[Problem]) -> dict[str, Any]:
    response: dict[str, Any] = {
        "description": " ".join(dict.fromkeys(_description(body) for body in bodies)),
        "content": {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": _by_name(bodies)}},
    }
    if status == HTTPStatus.UNAUTHORIZED:
        response["headers"] = {"WWW-Authenticate": {"schema": {"type": "string", "const": "Bearer"}}}
    if status in {HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS}:
        response["headers"] = {
            "Retry-After": {"schema": {"type": "integer"}, "description": "seconds to wait before trying again"}
        }
    return response


def _description(body: Problem) -> str:
    general = body["status"] == HTTPStatus.BAD_REQUEST and body["type"] in {urn(Invalid), "about:blank"}
    return "What was sent is not valid; the message names the field." if general else body["detail"]


def _by_name(bodies: list[Problem]) -> dict[str, Any]:
    """Return the examples by the last part of their type; a type that comes again gets a number."""
    examples: dict[str, Any] = {}
    for body in bodies:
        kind = body["title"].lower().replace(" ", "-") if body["type"] == "about:blank" else body["type"]
        name = kind.rpartition(":")[2]
        number = sum(other.partition(".")[0] == name for other in examples)
        examples[f"{name}.{number + 1}" if number else name] = {"summary": body["detail"], "value": body}
    return examples


IDEMPOTENCY_KEY: dict[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "1 to 255 characters; the same key and request is answered the same again for 24 hours",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}

IF_MATCH: dict[str, Any] = {
    "name": "If-Match",
    "in": "header",
    "description": "the ETag of what you read; if it was changed since then, the answer is 412 and nothing changes",
    "schema": {"type": "string"},
    "example": '"7"',
}


def _with_slot(operation: str, slot_id: str, **fields: Any) -> dict[str, Any]:
    return {"operationId": operation, "requestBody": {"slot_id": slot_id, **fields}}


def _of_appointment(appointment_id: str) -> dict[str, Any]:
    return {
        name: {"operationId": f"appointment.{name}", "parameters": {"appointment_id": appointment_id}}
        for name in ("show", "cancel", "reschedule")
    }


# Which operation can use a value of an answer: operation -> name of the link -> link (OpenAPI 3.1, Link Object).
# What a link leaves out, the client must know, like the time to move an appointment to.
LINKS: dict[str, dict[str, Any]] = {
    "patient.list_doctors": {
        "free_slots": {
            "operationId": "availability.free_slots",
            "parameters": {"doctor_id": "$response.body#/data/0/id"},
        }
    },
    "availability.free_slots": {
        "book": _with_slot("appointment.book", "$response.body#/data/0/slot_id"),
        "hold": _with_slot("hold.hold", "$response.body#/data/0/slot_id", minutes=10),
        "reschedule": _with_slot("appointment.reschedule", "$response.body#/data/0/slot_id"),
    },
    "slot.search": {
        "book": _with_slot("appointment.book", "$response.body#/data/0/slot_id"),
        "hold": _with_slot("hold.hold", "$response.body#/data/0/slot_id", minutes=10),
    },
    "availability.publish": {"book": _with_slot("appointment.book", "$response.body#/slot_id")},
    "appointment.book": _of_appointment("$response.body#/appointment_id"),
    "appointment.list_mine": _of_appointment("$response.body#/data/0/appointment_id"),
    "appointment.list_doctors": _of_appointment("$response.body#/data/0/appointment_id"),
    "hold.hold": {
        "book": _with_slot("appointment.book", "$request.body#/slot_id"),
        "release": {"operationId": "hold.release", "parameters": {"hold_id": "$response.body#/hold_id"}},
    },
}


def finish_spec(spec: Any, *, optional_bodies: Collection[str], shortest_password: int) -> Any:
    """Add what APIFlask leaves out: the problem schema, required bodies, links, and the range of ids in paths.

    `optional_bodies` are the operations whose body can be left out.
    """
    spec.setdefault("components", {}).setdefault("schemas", {})["Problem"] = PROBLEM_SCHEMA
    _set_shortest_password(spec["components"]["schemas"], shortest_password)
    for path in spec["paths"].values():
        for operation in (path[method] for method in ("get", "post", "put", "patch", "delete") if method in path):
            if operation["operationId"] in LINKS:
                success = min(operation["responses"])
                operation["responses"][success]["links"] = LINKS[operation["operationId"]]
            if "422" in operation["responses"]:
                operation["parameters"].append(IDEMPOTENCY_KEY)
            if "412" in operation["responses"]:
                operation["parameters"].append(IF_MATCH)
            if "requestBody" in operation:
                operation["requestBody"]["required"] = operation["operationId"] not in optional_bodies
        for parameter in path.get("parameters", []):
            if parameter["in"] == "path":
                parameter["schema"] |= {"minimum": 1, "maximum": 2**63 - 1}
    return spec


def _set_shortest_password(schemas: dict[str, Any], shortest: int) -> None:
    for schema in schemas.values():
        for described in schema.get("properties", {}).values():
            if described.get("format") == NEW_PASSWORD_FORMAT:
                described["minLength"] = shortest

"""Every error answer: RFC 9457 problem+json with the member `error`, one plain English sentence."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from apiflask.exceptions import HTTPError
from flask import Flask, Response, request
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException

from src.database.troubles import in_one_line, trouble_of
from src.errors import (
    ClinicError,
    Conflict,
    Forbidden,
    Invalid,
    KeyReused,
    NotFound,
    Outdated,
    Throttled,
    Unauthenticated,
    Unavailable,
)
from src.errors_of_appointments import NotAffected
from src.errors_of_hours import LeavesOutside
from src.errors_of_service import DatabaseUnfit
from src.schemas.findings import Code, FieldWrong, Wrong, finding, in_words
from src.web.flask_overrides import NotJson

log = logging.getLogger("problems")

PROBLEM_JSON = "application/problem+json"
RETRY_AFTER_SECONDS = "2"

STATUS_OF: dict[type[ClinicError], HTTPStatus] = {
    Invalid: HTTPStatus.BAD_REQUEST,
    Unauthenticated: HTTPStatus.UNAUTHORIZED,
    Forbidden: HTTPStatus.FORBIDDEN,
    NotFound: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    Outdated: HTTPStatus.PRECONDITION_FAILED,
    KeyReused: HTTPStatus.UNPROCESSABLE_ENTITY,
    Throttled: HTTPStatus.TOO_MANY_REQUESTS,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}

# Our sentences for errors that Flask, Werkzeug and gunicorn raise.
SENTENCE_OF_STATUS = {
    HTTPStatus.BAD_REQUEST: "The request could not be understood.",
    HTTPStatus.NOT_FOUND: "There is nothing at this address.",
    HTTPStatus.METHOD_NOT_ALLOWED: "This address does not answer to this method.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The request body is too large; one megabyte is the most.",
    HTTPStatus.REQUEST_URI_TOO_LONG: "The address of the request is too long.",
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: "The headers of the request are too large.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "Send the body as JSON, with Content-Type: application/json.",
    HTTPStatus.INTERNAL_SERVER_ERROR: "Something went wrong on our side; please try again.",
}
NOT_JSON = "The request body is not valid JSON."
NOT_AN_OBJECT = "The request body must be a JSON object."

# The members of a problem document.
Problem = dict[str, Any]


def status_of(error: type[ClinicError]) -> HTTPStatus:
    """Return the HTTP status of a domain error."""
    return next(status for branch, status in STATUS_OF.items() if issubclass(error, branch))


def problem(status: HTTPStatus, sentence: str, kind: str = "about:blank", **members: Any) -> Problem:
    """Build the document: the published client shows `error`, and RFC 9457 names the same sentence `detail`."""
    body = {"type": kind, "title": status.phrase, "status": status.value, "detail": sentence, "error": sentence}
    return body | members


def problem_of_error(error: ClinicError) -> Problem:
    """Build the document of a domain error."""
    if isinstance(error, FieldWrong):
        return _problem_of_findings([error.finding])
    members: dict[str, Any] = {"failing": "database"} if isinstance(error, DatabaseUnfit) else {}
    if isinstance(error, NotAffected):
        members["appointment_ids"] = error.appointment_ids
    if error.params:
        members["params"] = error.params
    if isinstance(error, LeavesOutside):
        members["affected"] = error.affected
    return problem(status_of(type(error)), str(error), kind=urn(type(error)), **members)


def problem_of_status(status: HTTPStatus) -> Problem:
    """Build the document of an error that Flask, Werkzeug or gunicorn raises."""
    return problem(status, SENTENCE_OF_STATUS.get(status, f"{status.phrase}."))


def problem_of_body() -> Problem:
    """Build the document of a body that is no JSON."""
    return problem(HTTPStatus.BAD_REQUEST, NOT_JSON)


def problem_of_validation(error: ValidationError) -> Problem:
    """Build the document of what pydantic found wrong in a body or query."""
    return _problem_of_findings([_finding(details) for details in _findings_to_show(error.errors())])


def _problem_of_findings(findings: list[dict[str, Any]]) -> Problem:
    return problem(HTTPStatus.BAD_REQUEST, findings[0]["message"], kind=urn(Invalid), errors=findings)


def respond(body: Problem) -> Response:
    """Answer with a problem document, and the headers that belong to its status."""
    status = body["status"]
    response = Response(json.dumps(body), status=status, content_type=PROBLEM_JSON)
    if status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = "Bearer"
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = RETRY_AFTER_SECONDS
    return response


def register_problems(app: Flask) -> None:
    """Answer every exception that a view raises, ours or a library's, with problem+json."""
    app.register_error_handler(ClinicError, answer_clinic_error)
    app.register_error_handler(HTTPError, _answer_validation_error)
    app.register_error_handler(HTTPException, _answer_http_exception)
    app.register_error_handler(SQLAlchemyError, _answer_database_error)


def answer_clinic_error(error: ClinicError) -> Response:
    """Answer a domain error with the status of its base class in STATUS_OF."""
    response = respond(problem_of_error(error))
    if isinstance(error, Throttled):
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def _answer_database_error(error: SQLAlchemyError) -> Response:
    """Answer 503 if the database cannot do its work; any other error is ours, and stays a 500 with its traceback."""
    trouble = trouble_of(error)
    if trouble is None:
        raise error
    log.error("database trouble: %s", in_one_line(error))
    return answer_clinic_error(trouble())


def urn(error: type[ClinicError]) -> str:
    """Return the name of an error for programs, such as `urn:problem:slot-taken`."""
    return "urn:problem:" + re.sub(r"(?<!^)(?=[A-Z])", "-", error.__name__).lower()


def _answer_validation_error(error: HTTPError) -> Response:
    """Answer APIFlask's validation error; pydantic's findings are in its `__cause__`."""
    cause = error.__cause__
    if not isinstance(cause, ValidationError):
        return respond(problem(HTTPStatus(error.status_code), error.message))
    return respond(problem_of_validation(cause))


def _answer_http_exception(error: HTTPException) -> Response:
    is_body = isinstance(error, NotJson)
    response = respond(problem_of_body() if is_body else problem_of_status(HTTPStatus(error.code or 500)))
    for name, value in error.get_headers(request.environ):
        if name.lower() != "content-type":
            response.headers[name] = value
    return response


def _findings_to_show(errors: Iterable[ErrorDetails]) -> list[ErrorDetails]:
    """Return the findings about fields, or all findings if none of them is about a field."""
    return [details for details in errors if details["loc"]] or list(errors)


def _field(details: ErrorDetails) -> str:
    """Return the path of the field, like `weekly.3.until`; entries of a list count from 0.

    Where pydantic checks the default of a field, it names our `from_` and not its alias.
    """
    return ".".join(str(part).removesuffix("_") for part in details["loc"]) or "body"


# Our code and words by pydantic's error type, because pydantic's own messages use terms of Python. "too_short" is the
# type for a text that another validator has changed before.
WORDS: dict[str, tuple[Code, str]] = {
    "missing": ("missing", "is missing."),
    "string_type": ("not_a_string", "must be a string."),
    "string_too_long": ("too_long", "must have at most {max_length} characters."),
    "string_too_short": ("too_short", "must not be empty."),
    "too_short": ("too_short", "must not be empty."),
    "literal_error": ("not_allowed", "must be {expected}."),
    "greater_than_equal": ("too_small", "must be at least {minimum}."),
    "less_than_equal": ("too_large", "must be at most {maximum}."),
    "string_unicode": ("not_unicode", "must be valid Unicode text."),
    "list_type": ("not_a_list", "must be a list."),
    "too_long": ("too_long", "must have at most {max_length} entries."),
    "model_type": ("not_an_object", "must be an object."),
}
NOT_VALID: tuple[Code, str] = ("not_valid", "is not valid.")
PARAMETERS = {"max_length": "max_length", "min_length": "min_length", "ge": "minimum", "le": "maximum"}
_QUOTED = re.compile(r"'([^']*)'")


def _finding(details: ErrorDetails) -> dict[str, Any]:
    field, context = _field(details), details.get("ctx", {})
    error = context.get("error")
    if isinstance(error, Wrong):
        code, words, params = error.code, str(error), error.params
    elif error is not None:
        code, words, params = "not_valid", str(error), {}
    else:
        code, words = WORDS.get(details["type"], NOT_VALID)
        params = _params(context)
        words = words.format_map(in_words(params))
    return finding(field, code, words, params)


def _params(context: dict[str, Any]) -> dict[str, Any]:
    if "expected" in context:
        return {"expected": _QUOTED.findall(context["expected"])}
    return {ours: context[theirs] for theirs, ours in PARAMETERS.items() if theirs in context}

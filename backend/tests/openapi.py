"""Read the OpenAPI document, and hold error answers against it."""

from __future__ import annotations

from typing import Any

from flask import Response
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator

from src.web.openapi import PROBLEM_SCHEMA, problems_of
from src.web.problems import PROBLEM_JSON
from src.web.routes import Route


class Document:
    """The OpenAPI document of an application."""

    def __init__(self, client: FlaskClient) -> None:
        self.spec: dict[str, Any] = client.get("/openapi.json").get_json()
        self.operations: dict[str, Any] = {
            operation["operationId"]: operation
            for path in self.spec["paths"].values()
            for method, operation in path.items()
            if method != "parameters"
        }

    def examples(self, name: str, status: int) -> list[Any]:
        """Return the examples of one status of the call that has this name."""
        content = self.operations[name]["responses"][str(status)]["content"][PROBLEM_JSON]
        return [example["value"] for example in content["examples"].values()]

    def links(self, name: str) -> dict[str, Any]:
        """Return the links of the successful answer of the call that has this name."""
        responses = self.operations[name]["responses"]
        return responses[min(responses)].get("links", {})


PROBLEM = Draft202012Validator(PROBLEM_SCHEMA)


def undeclared(route: Route, response: Response) -> str | None:
    """Return what is wrong with an error answer that does not fit the document, or that the call does not declare."""
    if response.mimetype != PROBLEM_JSON:
        return None
    body = response.get_json()
    for error in PROBLEM.iter_errors(body):
        return f"{route.name} answers {body}: {error.message}"
    if any(finding["code"] == "not_valid" for finding in body.get("errors", [])):
        return f"{route.name} has no code of its own for {body['errors']}"
    if any((body["status"], body["type"]) == (other["status"], other["type"]) for other in problems_of(route)):
        return None
    return f"{route.name} answers {body['status']} {body['type']}, and does not declare it"

"""Answers to requests that are not valid HTTP, as problem+json; gunicorn's own answers are HTML."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import Flask, Response
from gunicorn.http.errors import ParseException

from src.web.problems import problem_of_status, respond


class ProblemSocket:
    """The client's socket, for gunicorn's answer to an error: it keeps the status and sends a body of ours."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def sendall(self, html: bytes) -> None:
        """Send the problem that has the status in gunicorn's first line, `HTTP/1.1 400 Bad Request`."""
        status = HTTPStatus(int(html.split(maxsplit=2)[1]))
        answer = respond(problem_of_status(status))
        answer.headers["Connection"] = "close"
        self._client.sendall(
            f"HTTP/1.1 {status.value} {status.phrase}\r\n{answer.headers}".encode() + answer.get_data()
        )


def answer_malformed_bodies(app: Any) -> None:
    """Answer 400 if gunicorn finds a malformed chunk only when the application reads the body."""
    if isinstance(app, Flask):
        app.register_error_handler(ParseException, _answer_malformed_body)


def _answer_malformed_body(_error: Exception) -> Response:
    return respond(problem_of_status(HTTPStatus.BAD_REQUEST))

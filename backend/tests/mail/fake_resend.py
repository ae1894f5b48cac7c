"""A fake of Resend's API: an HTTP server on loopback that follows Resend's documented rules on idempotency keys.

A request that repeats a key gets the first answer again if its payload is the same; otherwise it gets 409
`invalid_idempotent_request`. https://resend.com/docs/dashboard/emails/idempotency-keys
"""

from __future__ import annotations

import json
import threading
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

# The status, name and message of an error.
Error = tuple[int, str, str]


@dataclass
class FakeResend:
    """The mails that the fake accepted, and the faults that it makes: one word or error of `script` for each call.

    Words: `500`, `503-html`, `429`, `403`, `422`, `hang`, `cut`, `accept-then-cut`, and `late`, which hangs and then
    accepts. When the script is empty, the fake accepts every mail.
    """

    accepted: list[dict[str, Any]] = field(default_factory=list)
    calls: list[dict[str, Any]] = field(default_factory=list)
    script: deque[str | Error] = field(default_factory=deque)
    answers: dict[str, tuple[str, str]] = field(default_factory=dict)
    release: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)
    url: str = ""
    # For fault campaigns: a function that returns words when the script is empty, the time that `hang` and `late` wait,
    # and the Retry-After of `429`.
    mood: Callable[[], str] | None = None
    hang_seconds: float = 30
    retry_after: float = 7

    def next_mood(self) -> str | Error:
        """Return the word or error for the next call; `ok` accepts it."""
        with self.lock:
            if self.script:
                return self.script.popleft()
            return self.mood() if self.mood else "ok"

    def accept(self, key: str, payload: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Apply the rules on idempotency keys, and return the status and body of the answer."""
        body = json.dumps(payload, sort_keys=True)
        with self.lock:
            if key in self.answers:
                first_body, first_id = self.answers[key]
                if first_body != body:
                    return 409, {"statusCode": 409, "name": "invalid_idempotent_request", "message": "other payload"}
                return 200, {"id": first_id}
            self.answers[key] = (body, str(uuid.uuid4()))
            self.accepted.append(payload)
            return 200, {"id": self.answers[key][1]}


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass

    def do_POST(self) -> None:
        fake = self.server.fake
        payload = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        key = self.headers.get("Idempotency-Key", "")
        fake.calls.append({"key": key, "path": self.path, "authorization": self.headers["Authorization"]} | payload)
        mood = fake.next_mood()
        if isinstance(mood, tuple):
            self._json(mood[0], dict(zip(("statusCode", "name", "message"), mood, strict=True)))
        elif mood in {"hang", "cut", "accept-then-cut"}:
            self._break_off(mood, key, payload)
        elif mood == "503-html":
            self._answer(503, "text/html", b"<h1>Service Unavailable</h1>")
        elif mood == "429":
            error = {"statusCode": 429, "name": "rate_limit_exceeded", "message": "Too many requests"}
            self._json(429, error, {"retry-after": str(fake.retry_after)})
        elif mood in {"500", "403", "422"}:
            self._json(int(mood), {"statusCode": int(mood), "name": "validation_error", "message": "no"})
        else:
            if mood == "late":
                fake.release.wait(fake.hang_seconds)
            self._json(*fake.accept(key, payload))

    def _break_off(self, mood: str, key: str, payload: dict[str, Any]) -> None:
        if mood == "hang":
            self.server.fake.release.wait(self.server.fake.hang_seconds)
        if mood == "accept-then-cut":
            self.server.fake.accept(key, payload)
        self.close_connection = True

    def _json(self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        self._answer(status, "application/json", json.dumps(body).encode(), headers)

    def _answer(self, status: int, kind: str, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in ({"Content-Type": kind, "Content-Length": str(len(body))} | (headers or {})).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


class _Server(ThreadingHTTPServer):
    fake: FakeResend


@contextmanager
def fake_resend() -> Iterator[FakeResend]:
    """Run the fake on a free port of loopback."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.fake = fake = FakeResend(url=f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        fake.release.set()
        server.shutdown()
        server.server_close()
        thread.join()

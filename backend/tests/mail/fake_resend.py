"""A fake of Resend's API: an HTTP server on loopback that follows Resend's documented rules.

https://resend.com/docs/dashboard/emails/idempotency-keys, …/batch-sending:

- An accepted request that is repeated under its key gets the first answer again, and no mail is sent. A batch has one
  key for the whole list. Another payload under the key is refused with 409 `invalid_idempotent_request`, a request
  whose first one is still under way with 409 `concurrent_idempotent_requests`. A refused request leaves no trace.
- A batch has at most 100 mails. One bad mail refuses the whole list, but with `x-batch-validation: permissive` the
  others are accepted, and `errors` names the bad ones by index. Attachments are left out, and nothing says so.
"""

from __future__ import annotations

import json
import threading
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

# The status, name and message of an error.
Error = tuple[int, str, str]


MOST_IN_A_BATCH = 100


@dataclass
class FakeResend:
    """The mails that the fake accepted, and the faults that it makes: one word or error of `script` for each call.

    Words: `500`, `503-html`, `429`, `403`, `hang`, `cut`, `accept-then-cut`, and `late`, which hangs and then accepts.
    When the script is empty, the fake accepts every mail that is not to one of the `bad` addresses.
    """

    accepted: list[dict[str, Any]] = field(default_factory=list)
    # What was sent: `mails` has the mails of a batch; a mail that was sent alone is in the call itself.
    calls: list[dict[str, Any]] = field(default_factory=list)
    script: deque[str | Error] = field(default_factory=deque)
    bad: set[str] = field(default_factory=set)
    answers: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    under_way: set[str] = field(default_factory=set)
    release: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)
    url: str = ""
    # For fault campaigns: a function that returns words when the script is empty, the time that `hang` and `late` wait,
    # and the Retry-After of `429`.
    mood: Callable[[], str] | None = None
    hang_seconds: float = 30
    retry_after: float = 7

    @property
    def batches(self) -> list[list[dict[str, Any]]]:
        """The mails of each call that was a batch."""
        return [call["mails"] for call in self.calls if "mails" in call]

    def next_mood(self) -> str | Error:
        """Return the word or error for the next call; `ok` accepts it."""
        with self.lock:
            if self.script:
                return self.script.popleft()
            return self.mood() if self.mood else "ok"

    def begin(self, key: str) -> bool:
        """Note that a request is under way; return False if one with its key is already."""
        with self.lock:
            is_first = key not in self.under_way
            self.under_way.add(key)
            return is_first

    def end(self, key: str) -> None:
        with self.lock:
            self.under_way.discard(key)

    def accept(self, key: str, payload: Any, *, permissive: bool) -> tuple[int, dict[str, Any]]:
        """Apply the rules on idempotency keys, and return the status and body of the answer."""
        body = json.dumps([payload, permissive], sort_keys=True)
        with self.lock:
            if key in self.answers:
                first_body, first_answer = self.answers[key]
                return (200, first_answer) if first_body == body else error(409, "invalid_idempotent_request", "other")
            status, answer = self._batch(payload, permissive) if isinstance(payload, list) else self._mail(payload)
            if status == 200:
                self.answers[key] = (body, answer)
            return status, answer

    def _mail(self, mail: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if self._is_bad(mail):
            return error(422, "validation_error", BAD)
        self.accepted.append(mail)
        return 200, {"id": str(uuid.uuid4())}

    def _batch(self, mails: list[dict[str, Any]], permissive: bool) -> tuple[int, dict[str, Any]]:  # noqa: FBT001
        bad = [index for index, mail in enumerate(mails) if self._is_bad(mail)]
        if not 1 <= len(mails) <= MOST_IN_A_BATCH:
            return error(422, "validation_error", f"A batch has 1 to {MOST_IN_A_BATCH} mails.")
        if bad and not permissive:
            return error(422, "validation_error", BAD)
        good = [mail for index, mail in enumerate(mails) if index not in bad]
        self.accepted += [{name: part for name, part in mail.items() if name != "attachments"} for mail in good]
        answer: dict[str, Any] = {"data": [{"id": str(uuid.uuid4())} for _ in good]}
        if permissive:
            answer["errors"] = [{"index": index, "message": BAD} for index in bad]
        return 200, answer

    def _is_bad(self, mail: dict[str, Any]) -> bool:
        return not self.bad.isdisjoint(mail["to"])


BAD = "Invalid `to` field. Please use our testing email address instead of domains like `example.com`."


def error(status: int, name: str, message: str) -> tuple[int, dict[str, Any]]:
    return status, {"statusCode": status, "name": name, "message": message}


class _Handler(BaseHTTPRequestHandler):
    server: ResendServer

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass

    def do_POST(self) -> None:
        fake = self.server.fake
        payload = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if (self.path == "/emails/batch") is not isinstance(payload, list):
            self._json(*error(422, "validation_error", "A batch is a list of mails."))
            return
        key = self.headers.get("Idempotency-Key", "")
        call = {"key": key, "path": self.path, "authorization": self.headers["Authorization"]}
        fake.calls.append(call | ({"mails": payload} if isinstance(payload, list) else payload))
        mood = fake.next_mood()
        if isinstance(mood, tuple):
            self._json(*error(*mood))
        elif mood == "503-html":
            self._answer(503, "text/html", b"<h1>Service Unavailable</h1>")
        elif mood == "429":
            self._json(*error(429, "rate_limit_exceeded", "Too many requests"), {"retry-after": str(fake.retry_after)})
        elif mood in {"500", "403"}:
            self._json(*error(int(mood), "validation_error", "no"))
        elif mood in {"hang", "cut"}:
            if mood == "hang":
                fake.release.wait(fake.hang_seconds)
            self.close_connection = True
        elif not fake.begin(key):
            self._json(*error(409, "concurrent_idempotent_requests", "The first request is still under way."))
        else:
            try:
                self._take(fake, mood, key, payload)
            finally:
                fake.end(key)

    def _take(self, fake: FakeResend, mood: str, key: str, payload: Any) -> None:
        if mood == "late":
            fake.release.wait(fake.hang_seconds)
        answer = fake.accept(key, payload, permissive=self.headers.get("x-batch-validation") == "permissive")
        if mood == "accept-then-cut":
            self.close_connection = True
        else:
            self._json(*answer)

    def _json(self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        self._answer(status, "application/json", json.dumps(body).encode(), headers)

    def _answer(self, status: int, kind: str, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in ({"Content-Type": kind, "Content-Length": str(len(body))} | (headers or {})).items():
            self.send_header(name, value)
        # The client may have given up meanwhile.
        with suppress(BrokenPipeError, ConnectionResetError):
            self.end_headers()
            self.wfile.write(body)


class ResendServer(ThreadingHTTPServer):
    """Answers as `fake` does."""

    fake: FakeResend

    @contextmanager
    def new_fake(self) -> Iterator[FakeResend]:
        """Answer as a fake that nobody has called yet."""
        self.fake = fake = FakeResend(url=f"http://127.0.0.1:{self.server_port}")
        try:
            yield fake
        finally:
            fake.release.set()


@contextmanager
def resend_server() -> Iterator[ResendServer]:
    """Run a server on a free port of loopback."""
    server = ResendServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def fake_resend() -> Iterator[FakeResend]:
    with resend_server() as server, server.new_fake() as fake:
        yield fake

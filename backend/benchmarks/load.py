"""A client that uses little CPU: one thread, keep-alive connections, requests built in advance."""

from __future__ import annotations

import selectors
import socket
import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field

END_OF_HEAD = b"\r\n\r\n"
SECONDS_TO_ANSWER = 30


@dataclass
class Outcome:
    """The results of a block of requests; `latencies` are in seconds, `bodies` in the order of the requests."""

    seconds: float
    latencies: list[float]
    statuses: Counter[int]
    bodies: list[bytes]


@dataclass
class _Connection:
    sock: socket.socket
    number: int = -1
    began: float = 0.0
    received: bytearray = field(default_factory=bytearray)


def request(method: str, path: str, token: str, body: bytes = b"", key: str = "") -> bytes:
    """Return the bytes of a request; `key` is its Idempotency-Key."""
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n"
    if token:
        head += f"Authorization: Bearer {token}\r\n"
    if key:
        head += f"Idempotency-Key: {key}\r\n"
    if body:
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


def send(port: int, requests: Sequence[bytes], connections: int) -> Outcome:
    """Send all requests over the connections, each of which waits for an answer before its next request."""
    selector = selectors.DefaultSelector()
    waiting = deque(range(len(requests)))
    outcome = Outcome(0.0, [], Counter(), [b""] * len(requests))
    began = time.perf_counter()
    for _ in range(min(connections, len(requests))):
        connection = _Connection(_connect(port))
        selector.register(connection.sock, selectors.EVENT_READ, connection)
        _send_next(connection, requests, waiting)
    busy = len(selector.get_map())
    while busy:
        events = selector.select(SECONDS_TO_ANSWER)
        if not events:
            raise TimeoutError(f"no answer within {SECONDS_TO_ANSWER} s")
        for key, _ in events:
            connection: _Connection = key.data
            answered = _receive(connection, outcome)
            if answered is None:
                continue
            if not answered:
                # The server has closed the connection; the next request uses a new one.
                selector.unregister(connection.sock)
                connection.sock.close()
                connection.sock = _connect(port)
                selector.register(connection.sock, selectors.EVENT_READ, connection)
            if waiting:
                _send_next(connection, requests, waiting)
            else:
                selector.unregister(connection.sock)
                connection.sock.close()
                busy -= 1
    outcome.seconds = time.perf_counter() - began
    return outcome


def _connect(port: int) -> socket.socket:
    sock = socket.create_connection(("127.0.0.1", port))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def _send_next(connection: _Connection, requests: Sequence[bytes], waiting: deque[int]) -> None:
    connection.number = waiting.popleft()
    connection.received.clear()
    connection.began = time.perf_counter()
    connection.sock.sendall(requests[connection.number])


def _receive(connection: _Connection, outcome: Outcome) -> bool | None:
    """Return None while the answer is incomplete, else whether the connection can be used again."""
    received = connection.received
    chunk = connection.sock.recv(262144)
    if not chunk:
        raise ConnectionError(f"cut off after {bytes(received[:200])!r}")
    received += chunk
    end = received.find(END_OF_HEAD)
    if end < 0:
        return None
    head = bytes(received[:end]).lower()
    at = head.index(b"content-length:") + len(b"content-length:")
    length = int(head[at : head.find(b"\r\n", at) if b"\r\n" in head[at:] else None])
    if len(received) < end + len(END_OF_HEAD) + length:
        return None
    outcome.latencies.append(time.perf_counter() - connection.began)
    outcome.statuses[int(head[9:12])] += 1
    outcome.bodies[connection.number] = bytes(received[end + len(END_OF_HEAD) :])
    return b"connection: close" not in head

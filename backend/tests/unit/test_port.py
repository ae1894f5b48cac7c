"""Why the server cannot listen on its port, in one sentence."""

from __future__ import annotations

import errno
import os
import socket

import pytest

from src.server.port import refuse_unusable_port, why_unusable


def failure(number: int) -> OSError:
    return OSError(number, os.strerror(number))


def test_a_port_in_use_is_named_with_another_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(SystemExit) as end:
            refuse_unusable_port(port)
    assert str(end.value.code).startswith(f"Port {port} is in use; ")
    assert "PORT=65534 ./run" in why_unusable(65535, failure(errno.EADDRINUSE))


def test_a_port_for_administrators_is_not_in_use() -> None:
    sentence = why_unusable(80, failure(errno.EACCES))
    assert sentence.startswith("Port 80 may only be used with administrator rights; ")
    assert "PORT=5000 ./run" in sentence
    assert "in use" not in sentence


def test_another_reason_is_the_systems_own() -> None:
    reason = os.strerror(errno.EADDRNOTAVAIL)
    assert why_unusable(5000, failure(errno.EADDRNOTAVAIL)) == f"Port 5000 cannot be used: {reason}."

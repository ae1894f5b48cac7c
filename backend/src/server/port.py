"""The check that the server's port is free."""

from __future__ import annotations

import socket
import sys


def refuse_busy_port(port: int) -> None:
    """End the program with a message if another program listens on the port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            sys.exit(
                f"Port {port} is in use; stop the other program or choose another port, like: PORT={port + 1} ./run"
            )

"""The check that the server can listen on its port."""

from __future__ import annotations

import errno
import socket
import sys

DEFAULT_PORT = 5000
HIGHEST_PORT = 65535


def refuse_unusable_port(port: int) -> None:
    """End the program with a message if it cannot listen on the port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            sys.exit(why_unusable(port, error))


def why_unusable(port: int, error: OSError) -> str:
    """Return why the system refused the port, and what to do."""
    if error.errno == errno.EADDRINUSE:
        other = port + 1 if port < HIGHEST_PORT else port - 1
        return f"Port {port} is in use; stop the other program or choose another port, like: PORT={other} ./run"
    if error.errno == errno.EACCES:
        return (
            f"Port {port} may only be used with administrator rights; "
            f"choose a port from 1024 on, like: PORT={DEFAULT_PORT} ./run"
        )
    return f"Port {port} cannot be used: {error.strerror}."

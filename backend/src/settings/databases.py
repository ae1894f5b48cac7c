"""URLs of databases (DATABASE_URL, MIGRATION_DATABASE_URL)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from psycopg.pq import Conninfo
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

# Which hosts and ports are transaction poolers, as parts of the host's name and ports; "" means any. The port decides
# for Supabase, whose pooler's port 5432 is in session mode and behaves like a direct connection.
POOLERS = [
    ("-pooler", ""),  # Neon, Timescale
    ("pgbouncer", ""),
    ("", "6432"),  # PgBouncer, Odyssey and PgCat by default; Azure
    ("", "6543"),  # Supabase
    ("", "25061"),  # DigitalOcean
    ("postgresbridge.com", "5431"),  # Crunchy Bridge
]

# SQLAlchemy takes one host between the @ and the path, without percent-encoding. libpq takes several, each with its
# port, and encoded paths of Unix sockets.
HOSTS = re.compile(
    r"(?P<before>[\w+]+://(?:[^:/]*(?::[^@]*)?@)?)(?P<hosts>[^@/?]*[,%][^@/?]*)(?P<after>(?:[/?].*)?)", re.DOTALL
)
HOST = re.compile(r"(?:\[(?P<ipv6>[^\[\]]*)\]|(?P<host>[^:\[\]]*))(?::(?P<port>[0-9]*))?")


def database_url(text: str, folder: Path) -> URL:
    """Set the driver of the database, and make a SQLite path absolute, below `folder`.

    Raises ValueError for a text that names no supported database, or a parameter that the driver does not take.
    """
    try:
        url = _url_with_hosts(text)
        backend = url.get_backend_name()
    except (ArgumentError, ValueError):
        # The message does not repeat the value, which may contain a password.
        raise ValueError(
            "it is no database URL; use sqlite:///local.db or postgresql://user:password@host:5432/name"
        ) from None
    if backend in {"postgres", "postgresql"}:
        url = url.set(drivername="postgresql+psycopg")
        _refuse_wrong_parameters(url)
        return url
    if backend != "sqlite":
        raise ValueError(
            f"{backend} is not supported; use sqlite:///local.db or postgresql://user:password@host:5432/name"
        )
    if not url.database or url.database == ":memory:":
        raise ValueError("SQLite needs a file here, because several processes share it; use sqlite:///local.db")
    url = url.set(drivername="sqlite", database=str(folder / url.database))
    try:
        _driver_options(url)
    except ValueError:
        raise ValueError("a parameter in it has a value that SQLite's driver does not take; remove it") from None
    return url


def shown(url: URL) -> str:
    """Return the URL for people, without its passwords."""
    return url.difference_update_query(["password", "sslpassword"]).render_as_string(hide_password=True)


def is_transaction_pooler(url: URL) -> bool:
    """Say whether the host or the port of a PostgreSQL URL is one that transaction poolers usually have."""
    options = _driver_options(url)
    host, ports = str(options.get("host")), str(options.get("port")).split(",")
    return any(part in host and (not port or port in ports) for part, port in POOLERS)


def _url_with_hosts(text: str) -> URL:
    """Parse the URL; several hosts, or the path of a socket, become the parameters `host` and `port`."""
    found = HOSTS.fullmatch(text)
    if found is None:
        return make_url(text)
    hosts = [HOST.fullmatch(host) for host in found["hosts"].split(",")]
    pairs = [(unquote(host["ipv6"] or host["host"]), host["port"] or "") for host in hosts if host is not None]
    if len(pairs) < len(hosts):
        raise ValueError
    url = make_url(found["before"] + found["after"])
    ports = ",".join(port for _, port in pairs)
    query = {"host": ",".join(host for host, _ in pairs)} | ({"port": ports} if ports.strip(",") else {})
    return url.set(query=query | dict(url.query))


def _refuse_wrong_parameters(url: URL) -> None:
    try:
        given = _driver_options(url)
    except ArgumentError:
        raise ValueError(
            "its hosts and ports do not fit together; use postgresql://user:password@first:5432,second:5432/name"
        ) from None
    unknown = given.keys() - {option.keyword.decode() for option in Conninfo.get_defaults()}
    if unknown:
        names = ", ".join(sorted(unknown))
        raise ValueError(f"PostgreSQL's client library (libpq) does not know {names}; remove that from the URL")
    try:
        float(given.get("connect_timeout", 0))
    except (TypeError, ValueError):
        raise ValueError("its connect_timeout must be one number of seconds") from None


def _driver_options(url: URL) -> Mapping[str, Any]:
    [_, options] = url.get_dialect()().create_connect_args(url)
    return dict(options)

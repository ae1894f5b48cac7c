"""Idempotency-Key: a request that is repeated with its key runs once and gets the same answer each time.

It follows the IETF draft draft-ietf-httpapi-idempotency-key-header, where a key is a quoted string, and also accepts
a key without quotes, because most clients send it so.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable
from contextlib import nullcontext
from datetime import datetime
from typing import Any

from flask import Response, request
from sqlalchemy import Connection, Row
from sqlalchemy.exc import IntegrityError, OperationalError

from config import Settings
from src.database.constraints import domain_error
from src.errors import ClinicError, Conflict, Invalid, KeyReused, NotFound
from src.errors_of_appointments import ChangedMeanwhile
from src.errors_of_service import StillUnderWay
from src.repositories import idempotency_repository as answers
from src.web.problems import answer_clinic_error

Work = Callable[[], Response]
HEADER = "Idempotency-Key"
LONGEST_KEY = 255
BAD_KEY = f"{HEADER} must have 1 to {LONGEST_KEY} visible ASCII characters, quoted or bare."
LOCK_NOT_AVAILABLE = "55P03"

_QUOTED = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*)"')  # a string of RFC 8941, section 3.3.3
_BARE = re.compile(r"[!#-~]+")


def checked_key(header: str) -> str:
    """Return the key that a header names; raise Invalid for a malformed key."""
    header = header.strip()
    quoted = _QUOTED.fullmatch(header)
    key = re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else header
    if not 1 <= len(key) <= LONGEST_KEY or not (quoted or _BARE.fullmatch(header)):
        raise Invalid(BAD_KEY)
    return key


def answer_once(
    db: Connection, user_id: int, key: str, now: datetime, settings: Settings, work: Work, *, one_statement: bool
) -> Response:
    """Return the stored answer of this key, or do the work and store its answer.

    The transaction of the work stores success, 404 and 409, except ChangedMeanwhile. Any other error rolls back, and
    the key can be used again.
    `one_statement` is for work that refuses before it writes.
    Raises KeyReused if the key belongs to another request, and StillUnderWay if the first request takes longer than
    the lock timeout.
    """
    request_hash = _request_hash(settings)
    if not _reserve(db, user_id, key, request_hash, now):
        return _replay(answers.find(db, user_id, key), request_hash)
    # When the work refuses, the savepoint rolls its writes back and keeps the reservation of the key. Work of one
    # statement has none to roll back; only on SQLite it takes several, and a savepoint costs no round trip there.
    needs_savepoint = not one_statement or db.dialect.name == "sqlite"
    try:
        with db.begin_nested() if needs_savepoint else nullcontext():
            response = work()
    except IntegrityError as error:
        response = _refusal(domain_error(error))
    except ClinicError as error:
        response = _refusal(error)
    answers.store(
        db,
        user_id,
        key,
        status=response.status_code,
        body=response.get_data(as_text=True),
        content_type=str(response.mimetype),
        location=response.headers.get("Location"),
    )
    return response


def _refusal(error: Exception) -> Response:
    # Its sentence asks for another try, and a kept answer would refuse that one, too.
    if isinstance(error, (NotFound, Conflict)) and not isinstance(error, ChangedMeanwhile):
        return answer_clinic_error(error)
    raise error


def _reserve(db: Connection, user_id: int, key: str, request_hash: str, now: datetime) -> bool:
    try:
        return answers.reserve(db, user_id, key, request_hash, now)
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) == LOCK_NOT_AVAILABLE:
            raise StillUnderWay from error
        raise


def _replay(kept: Row[Any] | None, request_hash: str) -> Response:
    if kept is None or kept.status is None:
        raise StillUnderWay
    if not hmac.compare_digest(kept.request_hash, request_hash):
        raise KeyReused
    response = Response(kept.body, status=kept.status, content_type=kept.content_type)
    if kept.location is not None:
        response.headers["Location"] = kept.location
    return response


def _request_hash(settings: Settings) -> str:
    said = b"\0".join([request.method.encode(), request.full_path.encode(), request.get_data()])
    return hmac.new(settings.secret_key.encode(), said, hashlib.sha256).hexdigest()

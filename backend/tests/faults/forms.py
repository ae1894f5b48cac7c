"""Some calls of a campaign as the forms that a browser posts: the answer of a form is read as that of the call."""

from __future__ import annotations

import http.client
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from src.repositories.offered import MINUTES_OF_VERSION
from tests.faults.record import Answered, Record, now

# One key in four belongs to a form. A key is sent again only with the same request, so the choice follows from it.
OF_FORMS = "048c"
_CANCEL = re.compile(r"/appointments/(\d+)/cancel")
_MOVE = re.compile(r"/appointments/(\d+)/reschedule")
_BOOKED = re.compile(r"/my/(\d+)")
_PROBLEM = re.compile(r'data-problem="([^"]*)"')


@dataclass(frozen=True)
class PostedForm:
    """The address of a form, its fields, and the status that the call answers when it is done."""

    path: str
    fields: dict[str, str]
    done: int


def form_of(record: Record, method: str, path: str, body: Any, key: str, *, by_doctor: bool) -> PostedForm | None:
    """Return the form that does the same as a call, or None if the key is none of a form or there is no such form."""
    if method != "POST" or key[-1:] not in OF_FORMS or not key:
        return None
    fields = {name: value for name, value in (body or {}).items() if isinstance(value, str)}
    if (body or {}).get("withdraw"):
        fields["withdraw"] = "yes"
    if path == "/appointments":
        doctor_id = _doctor_of(record, body["slot_id"])
        return None if doctor_id is None else PostedForm(f"/book/{doctor_id}/{body['slot_id']}", fields, 201)
    cancel, move = _CANCEL.fullmatch(path), _MOVE.fullmatch(path)
    own = "/desk/appointments" if by_doctor else "/my"
    if cancel is not None:
        return PostedForm(f"{own}/{cancel[1]}/cancel", fields, 200)
    if move is not None:
        return PostedForm(f"{own}/{move[1]}/move/{body['slot_id']}", fields, 200)
    return None


def _doctor_of(record: Record, slot_id: int) -> int | None:
    if slot_id in record.published:
        return record.published[slot_id].place.doctor_id
    kind = record.kinds.get(slot_id // MINUTES_OF_VERSION)
    return None if kind is None else kind.doctor_id


def post(port: int, form: PostedForm, token: str, key: str, timeout: float) -> Answered | None:
    """Post a form once, as a browser does that is logged in; return None if there was no complete answer."""
    began = now()
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Sec-Fetch-Site": "same-origin",
        "Cookie": f"session={token}; __Host-session={token}",
    }
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request("POST", form.path, urlencode(form.fields | {"key": key}), headers)
        response = connection.getresponse()
        page = response.read().decode()
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()
    location = response.headers.get("Location")
    if response.status == http.client.SEE_OTHER and location is not None:
        return _went_on(form, location, response.headers, began)
    problem = _PROBLEM.search(page)
    body = {"type": problem[1] if problem else "no problem", "error": page}
    return Answered(response.status, body, response.headers, began, now())


def _went_on(form: PostedForm, location: str, headers: Any, began: float) -> Answered:
    """Return the answer of the call whose form led to another page: to the log-in without a valid session."""
    if location.startswith("/log-in"):
        return Answered(http.client.UNAUTHORIZED, {"type": "urn:problem:unauthenticated"}, headers, began, now())
    booked = _BOOKED.fullmatch(location)
    body = {"appointment_id": int(booked[1])} if booked else {}
    return Answered(form.done, body, headers, began, now())

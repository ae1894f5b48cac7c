"""The links of the OpenAPI document lead from call to call, with values that the next call takes."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.test import TestResponse

from src.web.openapi import LINKS
from tests.calls import CALLS, Clinic
from tests.openapi import Document

CALL = {call.name: call for call in CALLS}
EACH_LINK = [(source, name) for source, links in LINKS.items() for name in links]


@pytest.mark.parametrize(("source", "name"), EACH_LINK, ids=[f"{source}-{name}" for source, name in EACH_LINK])
def test_every_link_leads_to_a_call_that_succeeds(clinic: Clinic, source: str, name: str) -> None:
    call = CALL[source]
    first = clinic.make(call, clinic.caller(call))
    answer, _ = follow(clinic, Document(clinic.api.client), name, source, call.good_body(clinic), first)
    assert answer.status_code == CALL[LINKS[source][name]["operationId"]].route.status, answer.get_json()


def test_a_patient_needs_nothing_but_links_to_hold_a_time_and_book_it(clinic: Clinic) -> None:
    document = Document(clinic.api.client)
    source, sent = "patient.list_doctors", {}
    answer = clinic.make(CALL[source], clinic.patient)
    ids: list[int] = []
    for name in ("free_slots", "hold", "book", "cancel"):
        target = document.links(source)[name]["operationId"]
        answer, sent = follow(clinic, document, name, source, sent, answer)
        assert answer.status_code == CALL[target].route.status, name
        ids += [value for key, value in answer.get_json().items() if key in {"hold_id", "appointment_id"}]
        source = target
    # The booking turned the hold into the appointment, so it was of the same time.
    assert len(ids) == 2
    assert len(set(ids)) == 1


def test_a_hold_leads_to_its_release_and_a_list_to_what_can_be_done_with_its_rows(clinic: Clinic) -> None:
    document = Document(clinic.api.client)
    assert set(document.links("hold.hold")) == {"book", "release"}
    assert set(document.links("availability.free_slots")) == {"book", "hold", "reschedule"}
    for source in ("appointment.list_mine", "appointment.list_doctors", "appointment.book"):
        assert set(document.links(source)) == {"show", "cancel", "reschedule"}


def follow(
    clinic: Clinic, document: Document, name: str, source: str, sent: dict[str, Any], answer: TestResponse
) -> tuple[TestResponse, dict[str, Any]]:
    """Follow a link of the answer to what was sent; return the next answer, and what was sent for it.

    What the link leaves out comes from the clinic.
    """
    link = document.links(source)[name]
    target = CALL[link["operationId"]]
    bodies = {"$request.body": sent, "$response.body": answer.get_json()}
    ids = {name: value_of(expression, bodies) for name, expression in link.get("parameters", {}).items()}
    assert set(ids) <= set(target.ids)
    fields = {name: value_of(expression, bodies) for name, expression in link.get("requestBody", {}).items()}
    body = target.good_body(clinic) | fields
    options: dict[str, Any] = {"json": body} if target.signature.body else {}
    assert options or not fields
    return clinic.ask(target.method, target.path_in(clinic, **ids), clinic.caller(target), **options), body


def value_of(expression: Any, bodies: dict[str, Any]) -> Any:
    """Return the value that a runtime expression of OpenAPI names; return another value unchanged."""
    if not isinstance(expression, str):
        return expression
    body, _, pointer = expression.partition("#")
    value = bodies[body]
    for key in pointer.split("/")[1:]:
        value = value[int(key)] if isinstance(value, list) else value[key]
    return value

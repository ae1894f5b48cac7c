"""Log-ins that can be refreshed."""

from __future__ import annotations

from werkzeug.test import TestResponse

from tests.people import PASSWORD, Api


def refreshable(api: Api, email: str, password: str = PASSWORD) -> TestResponse:
    answer = api.client.post("/auth/login", json={"email": email, "password": password, "refresh": True})
    assert answer.status_code == 200, answer.get_json()
    return answer


def refresh(api: Api, token: str) -> TestResponse:
    return api.client.post("/auth/refresh", json={"refresh_token": token})

"""What a balancer asks."""

from __future__ import annotations

from datetime import timedelta

from apiflask import APIFlask
from sqlalchemy import text, update

from src.database.revisions import newest_revision
from src.database.transaction import transaction
from src.models import OutboxMail
from src.services.mail import MailDelayed
from src.services.memory_mailer import MemoryMailer
from tests.conftest import MakeApp, StillClock
from tests.people import Api, Deliver, error_of

NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"


def test_ready_tells_the_age_of_the_oldest_unsent_mail(api: Api, clock: StillClock, deliver: Deliver) -> None:
    assert api.client.get("/health/ready").get_json()["oldest_unsent_mail_seconds"] is None
    api.patient().book(api.doctor().publish())
    clock.forward(seconds=90)
    answer = api.client.get("/health/ready")
    assert answer.status_code == 200
    assert answer.get_json()["oldest_unsent_mail_seconds"] == 90
    deliver()
    assert api.client.get("/health/ready").get_json()["oldest_unsent_mail_seconds"] is None


def test_a_mail_that_is_due_next_week_does_not_wait_yet(app: APIFlask, api: Api, clock: StillClock) -> None:
    api.patient().book(api.doctor().publish())
    with app.app_context(), transaction(writes=True) as db:
        db.execute(update(OutboxMail).values(due_at=clock.now + timedelta(days=7)))
    clock.forward(days=6)

    def waiting() -> float | None:
        return api.client.get("/health/ready").get_json()["oldest_unsent_mail_seconds"]

    assert waiting() is None
    clock.forward(days=1, seconds=30)
    assert waiting() == 30


def test_the_attempts_of_a_mail_do_not_make_it_younger(
    api: Api, clock: StillClock, deliver: Deliver, mailer: MemoryMailer
) -> None:
    """Each attempt moves the time at which the mail is due."""
    api.patient().book(api.doctor().publish())
    for _ in range(4):
        mailer.failures.append(MailDelayed("no answer"))
        deliver()
        clock.forward(minutes=20)
    mailer.failures.append(MailDelayed("no answer"))
    deliver()
    assert api.client.get("/health/ready").get_json()["oldest_unsent_mail_seconds"] == 4 * 20 * 60


def test_not_ready_before_the_newest_migration(app: APIFlask) -> None:
    with app.app_context(), transaction(writes=True) as db:
        db.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    try:
        answer = app.test_client().get("/health/ready")
    finally:
        with app.app_context(), transaction(writes=True) as db:
            db.execute(text("UPDATE alembic_version SET version_num = :newest"), {"newest": newest_revision()})
    assert answer.status_code == 503
    assert "flask db upgrade" in error_of(answer)


def test_without_a_database_the_process_lives_and_is_not_ready(make_app: MakeApp) -> None:
    client = make_app(database_url=NOWHERE).test_client()
    assert client.get("/health/live").status_code == 200
    for path in ("/health", "/health/ready"):
        answer = client.get(path)
        assert answer.status_code == 503
        assert answer.headers["Retry-After"]
        assert answer.get_json()["failing"] == "database"
        assert "database" in error_of(answer)


def test_every_answer_carries_a_request_id(api: Api) -> None:
    own = api.client.get("/health", headers={"X-Request-ID": "from-the-balancer.1"})
    assert own.headers["X-Request-ID"] == "from-the-balancer.1"
    forged = api.client.get("/nothing", headers={"X-Request-ID": "a b"})
    assert len(forged.headers["X-Request-ID"]) == 32


def test_every_answer_carries_security_headers(api: Api) -> None:
    for path in ("/health", "/nothing", "/openapi.json"):
        headers = api.client.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers.getlist("Cache-Control") == ["no-store"]
        assert "default-src 'none'" in headers["Content-Security-Policy"]

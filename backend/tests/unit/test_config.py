"""Every setting: its default, and one sentence that names the variable for a wrong value."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest

from config import BACKEND, MAKE_A_SECRET, ConfigurationError, Settings, load_settings, settings_of_program
from src.database.connections import engine_options
from src.settings.databases import shown
from src.settings.mail import mail_server, sender_address
from src.settings.published_secrets import PUBLISHED_SECRETS, SHORTEST, is_published
from src.settings.urls import is_loopback

DEFAULTS: dict[str, Any] = {
    "app_env": "development",
    "secret_key": "dev-secret",
    "jwt_secret_key": "jwt-dev-secret",
    "jwt_access_token_hours": 12,
    "access_token_minutes_with_refresh": 15,
    "refresh_token_days": 30,
    "doctor_invitation_code": "DOC2024SECRET",
    "database_url": f"sqlite:///{BACKEND / 'local.db'}",
    "database_pooled": "auto",
    "appointment_reasons": "no",
    "cancellation_notice_minutes": 0,
    "most_appointments_ahead": None,
    "most_appointments_ahead_per_doctor": None,
    "patient_changes_per_hour": 30,
    "public_search": "no",
    "migration_database_url": None,
    "clinic_name": "Appointment Booking System",
    "clinic_address": None,
    "clinic_phone": None,
    "clinic_url": None,
    "clinic_time_zone": "UTC",
    "public_pages": "yes",
    "embed_origins": "",
    "second_factor_required": "none",
    "cors_origins": "http://localhost:5173,http://localhost:3000",
    "port": 5000,
    "trusted_proxies": 0,
    "web_concurrency": 2,
    "keep_alive_seconds": 5,
    "resend_api_key": None,
    "resend_api_url": "https://api.resend.com",
    "smtp_url": None,
    "from_email": None,
    "reply_to": None,
    "mail_timeout_seconds": 5,
    "mail_lease_seconds": 60,
    "mail_retry_ceiling_seconds": 600,
    "mail_poll_seconds": 0.2,
    "argon2_memory_kib": 19456,
    "argon2_iterations": 2,
    "login_failures_per_account": 10,
    "login_failures_per_address": 100,
    "invitation_failures_per_address": 20,
    "registrations_per_hour": 10,
    "password_resets_per_hour": 5,
    "password_reset_minutes": 30,
    "password_min_length": 8,
    "password_refuse_common": "no",
    "require_confirmed_email": "no",
    "guests_may_book": "no",
    "confirmations_per_hour": 5,
    "email_confirmation_minutes": 1440,
    "throttle_window_minutes": 15,
    "shutdown_drain_seconds": 0,
    "resend_requests_per_second": 2,
    "mails_kept_days": 365,
    "set_aside_mails_kept_days": 365,
    "unused_slots_kept_days": 365,
    "database_statement_timeout_seconds": 15,
    "database_lock_timeout_seconds": 5,
}
NOT_ONE_LINE = [
    "Clinic\nSample",
    "Clinic\r\nBcc: a@b.example",
    "Clinic\tSample",
    "Clinic\u2028Sample",
    "a\u202eb",
    "x" * 201,
]
WRONG = [
    *((name, NOT_ONE_LINE) for name in ("CLINIC_NAME", "CLINIC_ADDRESS", "CLINIC_PHONE")),
    (
        "CLINIC_URL",
        [
            "clinic.example",
            "//clinic.example",
            "https://",
            "https:///booking",
            "ftp://clinic.example",
            "http://clinic.example",
            "http://localhost.example",
            "https://clinic.example?",
            "https://clinic.example/?q=1",
            "https://clinic.example/#part",
            "https://user:password@clinic.example",
            "https://clinic.example:port",
            "https://clinic.example:0",
            "https://*.example",
            "https://clinic_one.example",
            "https://clinic.example//booking",
            "https://clinic.example/booking//",
            "https://clinic.example/a b",
            "https://clinic.example/../booking",
            "https://clinic.example/.",
            "https://clinic.example/%2e",
            "https://clinic.example/b\u00fccher",
            "https://clinic.example/\nbooking",
            'https://clinic.example/"><b>',
            "https://clinic.example, https://other.example",
            "javascript:alert(1)",
        ],
    ),
    (
        "REPLY_TO",
        [
            "desk",
            "Desk <desk@clinic.example>",
            "<desk@clinic.example>",
            "a@b.example, c@d.example",
            "a@b@c.example",
            "@clinic.example",
            "desk@",
            "d\u00e9sk@clinic.example",
            "a@b.example\nBcc: c@d.example",
            "a@b.example\u2028c@d.example",
        ],
    ),
    ("PUBLIC_PAGES", ["true", "Yes", "off"]),
    ("SECOND_FACTOR_REQUIRED", ["yes", "no", "Doctors", "patients"]),
    ("EMBED_ORIGINS", ["*", "'self'", "clinic.example", "https://*.example", "https://clinic.example/page", "data:"]),
    ("CANCELLATION_NOTICE_MINUTES", ["-1", "1.5", "527041", "a day"]),
    ("MOST_APPOINTMENTS_AHEAD", ["0", "1.5", "none"]),
    ("MOST_APPOINTMENTS_AHEAD_PER_DOCTOR", ["0", "1.5", "none"]),
    ("PATIENT_CHANGES_PER_HOUR", ["0", "1.5", "often"]),
    ("REGISTRATIONS_PER_HOUR", ["0", "1.5", "often"]),
    ("PASSWORD_RESETS_PER_HOUR", ["0", "1.5", "often"]),
    ("ACCESS_TOKEN_MINUTES_WITH_REFRESH", ["0", "-1", "1441", "short"]),
    ("REFRESH_TOKEN_DAYS", ["0", "0.5", "366", "long"]),
    ("PASSWORD_MIN_LENGTH", ["0", "7", "8.5", "65", "long"]),
    ("PASSWORD_REFUSE_COMMON", ["1", "true", "always"]),
    ("PASSWORD_RESET_MINUTES", ["0", "1.5", "1441", "long"]),
    ("REQUIRE_CONFIRMED_EMAIL", ["true", "Yes", "on"]),
    ("GUESTS_MAY_BOOK", ["true", "Yes", "on"]),
    ("CONFIRMATIONS_PER_HOUR", ["0", "1.5", "often"]),
    ("EMAIL_CONFIRMATION_MINUTES", ["0", "1.5", "43201", "long"]),
    ("APP_ENV", ["staging", "Production"]),
    ("SHUTDOWN_DRAIN_SECONDS", ["-1", "1.5", "301", "soon"]),
    ("RESEND_REQUESTS_PER_SECOND", ["0", "-1", "some", "nan"]),
    ("MAILS_KEPT_DAYS", ["0", "1.5", "for ever"]),
    ("SET_ASIDE_MAILS_KEPT_DAYS", ["0", "1.5", "for ever"]),
    ("UNUSED_SLOTS_KEPT_DAYS", ["0", "1.5", "for ever"]),
    ("JWT_ACCESS_TOKEN_HOURS", ["0", "-1", "long", "8761", "nan"]),
    (
        "DATABASE_URL",
        [
            "nonsense",
            "mysql://localhost/clinic",
            "sqlite://",
            "sqlite:///:memory:",
            "postgresql://h:x/db",
            "postgresql://a:1,b:x/db",
            "postgresql://h/db?pgbouncer=true",
            "postgresql://h/db?host=a:1&host=b:2&port=3",
            "postgresql://h/db?connect_timeout=soon",
            "postgresql://h/db?connect_timeout=1&connect_timeout=2",
            "sqlite:///local.db?timeout=soon",
        ],
    ),
    ("DATABASE_POOLED", ["true", "Yes", "session"]),
    ("APPOINTMENT_REASONS", ["true", "Yes", "on"]),
    ("PUBLIC_SEARCH", ["true", "Yes", "on"]),
    ("MIGRATION_DATABASE_URL", ["nonsense", "oracle://localhost/clinic"]),
    ("CLINIC_TIME_ZONE", ["Mars/Olympus", "CEST", "+02:00", "Factory", "localtime", "posixrules"]),
    (
        "CORS_ORIGINS",
        [
            "*",
            "null",
            "localhost:5173",
            "https://",
            "https:///",
            "//a.example",
            "http://a.example,ftp://b.example",
            # Patterns
            "https://*.example.org",
            "https://.*",
            "https://a.example|https://b.example",
            "https://a?.example",
            "https://(a|b).example",
            "https://a.example$",
            "^https://a.example",
            "https://[ab].example",
            r"https://a\.example",
            "https://a.example:*",
            # More than an origin
            "http://a.example/path",
            "https://a.example//",
            "https://a.example?",
            "https://a.example?q=1",
            "https://a.example#",
            "https://a.example#part",
            "https://user@a.example",
            "https://user:password@a.example",
            # Hosts
            "https://a..example",
            "https://.example",
            "https://a.example.",
            "https://-a.example",
            "https://a-.example",
            "https://a_b.example",
            "https://a b.example",
            "https://a.example\nhttps://b.example",
            "https://*.bücher.example",
            "https://bücher..example",
            "https://bücher.example.",
            "https://-bücher.example",
            "https://bücher.example/pfad",
            "https://bücher@a.example",
            "https://\u202ebücher.example",
            "https://" + "ü" * 64 + ".example",
            "https://%61.example",
            "https://" + "a" * 64 + ".example",
            "https://" + ".".join(["a" * 60] * 5),
            "https://256.0.0.1",
            "https://127.1",
            "https://127.0.0.01",
            "https://[::1",
            "https://::1",
            "https://[::g]",
            "https://[127.0.0.1]",
            "https://[fe80::1%eth0]",
            # Ports
            "https://a.example:",
            "https://a.example:0",
            "https://a.example:65536",
            "https://a.example:port",
            "https://a.example:-1",
            "https://a.example:80:80",
            "https://a.example:٤٤٤",
        ],
    ),
    ("PORT", ["0", "65536", "eighty", "-1", "50.5"]),
    ("WEB_CONCURRENCY", ["0", "-1", "1.5", "1001", "auto"]),
    ("KEEP_ALIVE_SECONDS", ["0", "-1", "1.5", "3601", "long"]),
    ("TRUSTED_PROXIES", ["-1", "11", "all"]),
    (
        "RESEND_API_URL",
        ["api.resend.com", "https://", "http://api.resend.com", "http://10.0.0.1:8080", "ftp://localhost"],
    ),
    (
        "SMTP_URL",
        [
            "mail.example.org",
            "http://mail.example.org",
            "smtp://",
            "smtp://mail.example.org:65536",
            "smtp://mail.example.org:port",
            "smtp://mail.example.org:0",
            "smtp://u:p@ss@m.example",
            "smtp://u/v:p@m.example",
            "smtp://:p@m.example",
            "smtp://u:%FC@m.example",
            "smtp://u:p@m example",
            "smtp://u:p@",
        ],
    ),
    (
        "FROM_EMAIL",
        [
            "clinic",
            "Clinic Sample",
            "Clinic Sample <>",
            "Clinic Sample clinic@people.example",
            "a@b.example, c@d.example",
            "a@b.example; c@d.example",
            "A <a@b.example>, C <c@d.example>",
            "a@b.example <c@d.example>",
            "a@b@c.example",
            "@people.example",
            "clinic@",
            "clinic @people.example",
            "Clinic <clinic@people.example> and more",
            '"Clinic <clinic@people.example>"',
            "Clinic\nBcc: c@d.example <a@b.example>",
            "Clinic\r\n <a@b.example>",
            "a@b.example\nc@d.example",
            '"Clinic\n" <a@b.example>',
            "Clinic\u2028 <a@b.example>",
        ],
    ),
    ("MAIL_TIMEOUT_SECONDS", ["0", "61", "soon"]),
    ("MAIL_LEASE_SECONDS", ["0", "3601", "5", "4"]),
    ("MAIL_RETRY_CEILING_SECONDS", ["0", "86401"]),
    ("MAIL_POLL_SECONDS", ["0", "61"]),
    ("ARGON2_MEMORY_KIB", ["7", "4194305", "much"]),
    ("ARGON2_ITERATIONS", ["0", "101"]),
    ("LOGIN_FAILURES_PER_ACCOUNT", ["0", "1000001", "many"]),
    ("LOGIN_FAILURES_PER_ADDRESS", ["0", "1000001"]),
    ("INVITATION_FAILURES_PER_ADDRESS", ["0", "1000001"]),
    ("THROTTLE_WINDOW_MINUTES", ["0", "1441"]),
    ("DATABASE_STATEMENT_TIMEOUT_SECONDS", ["0", "601"]),
    ("DATABASE_LOCK_TIMEOUT_SECONDS", ["0", "601"]),
]
REAL = {
    "app_env": "production",
    "secret_key": "a session secret that nobody has published",
    "jwt_secret_key": "a token secret that nobody has published",
    "doctor_invitation_code": "a code that nobody has read",
}


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of this machine: neither its variables nor its `.env`."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setitem(Settings.model_config, "env_file", None)
    monkeypatch.chdir(tmp_path)
    started(monkeypatch, BACKEND / "app.py")


def started(monkeypatch: pytest.MonkeyPatch, program: Path) -> None:
    """Let the settings find that this program was started."""
    monkeypatch.setattr(sys.modules["__main__"], "__file__", str(program), raising=False)


def refusal(**settings: Any) -> str:
    with pytest.raises(ConfigurationError) as refused:
        load_settings(**settings)
    sentence = str(refused.value)
    assert sentence.endswith(".")
    assert len(sentence.splitlines()) == 1
    return sentence


def test_no_setting_is_untested_here() -> None:
    assert set(DEFAULTS) == set(Settings.model_fields)
    free_text = {"SECRET_KEY", "JWT_SECRET_KEY", "DOCTOR_INVITATION_CODE", "RESEND_API_KEY"}
    assert {name for name, _ in WRONG} | free_text == {name.upper() for name in DEFAULTS}


@pytest.mark.parametrize("name", DEFAULTS)
def test_defaults_serve_a_laptop(name: str) -> None:
    assert getattr(load_settings(), name) == DEFAULTS[name]


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in WRONG for value in values])
def test_a_wrong_value_is_refused_by_a_sentence_with_the_variables_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv("FROM_EMAIL", "clinic@people.example")
    monkeypatch.setenv(name, value)
    assert refusal().startswith(f"{name} ")


def test_a_wrong_value_ends_a_program_with_the_sentence_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "eighty")
    with pytest.raises(SystemExit) as end:
        settings_of_program()
    assert str(end.value.code).startswith("PORT is wrong: ")


def test_another_server_gets_an_exception_and_not_the_end_of_its_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Gunicorn would restart for ever a worker that exits."""
    started(monkeypatch, Path("/usr/bin/some-server"))
    monkeypatch.setenv("PORT", "eighty")
    with pytest.raises(ConfigurationError, match=r"^PORT is wrong: "):
        settings_of_program()


@pytest.mark.parametrize("name", DEFAULTS)
def test_an_empty_variable_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name.upper(), "")
    assert getattr(load_settings(), name) == DEFAULTS[name]


def test_unknown_variables_do_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTAL", "x")
    assert load_settings().port == 5000


def test_the_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "settings"
    file.write_text("PORT=7001\nCLINIC_TIME_ZONE=Europe/Berlin\nSOMETHING_ELSE=1\n")
    monkeypatch.setitem(Settings.model_config, "env_file", file)
    monkeypatch.setenv("PORT", "7002")
    settings = load_settings()
    assert (settings.port, settings.clinic_time_zone) == (7002, "Europe/Berlin")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_file_in_utf_8_is_read_with_and_without_a_mark_at_its_beginning(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, encoding: str
) -> None:
    file = tmp_path / "settings"
    file.write_text("PORT=7001\r\nFROM_EMAIL=Bücherei <a@b.example>\r\n", encoding=encoding)
    monkeypatch.setitem(Settings.model_config, "env_file", file)
    settings = load_settings()
    assert (settings.port, settings.from_email) == (7001, "Bücherei <a@b.example>")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1"])
def test_a_file_in_another_encoding_is_refused_and_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, encoding: str
) -> None:
    file = tmp_path / "settings"
    file.write_text("PORT=7001\nFROM_EMAIL=Bücherei <a@b.example>\n", encoding=encoding)
    monkeypatch.setitem(Settings.model_config, "env_file", file)
    sentence = refusal()
    assert str(file) in sentence
    assert "save it as UTF-8" in sentence


# Databases


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("postgres://u:p@db.example/clinic", "postgresql+psycopg://u:p@db.example/clinic"),
        ("postgresql://u:p@db.example/clinic", "postgresql+psycopg://u:p@db.example/clinic"),
        ("postgresql+psycopg://u:p@db.example/clinic", "postgresql+psycopg://u:p@db.example/clinic"),
        ("postgresql+psycopg2://u:p@db.example/clinic", "postgresql+psycopg://u:p@db.example/clinic"),
        (
            "postgres://u:p%40ss@db.example:6543/clinic?sslmode=require",
            "postgresql+psycopg://u:p%40ss@db.example:6543/clinic?sslmode=require",
        ),
        ("sqlite:////var/lib/clinic/data.db", "sqlite:////var/lib/clinic/data.db"),
        ("sqlite+pysqlite:////var/lib/clinic/data.db", "sqlite:////var/lib/clinic/data.db"),
        ("sqlite:///local.db", f"sqlite:///{BACKEND}/local.db"),
        ("sqlite:///data/local.db", f"sqlite:///{BACKEND}/data/local.db"),
    ],
)
@pytest.mark.parametrize("name", ["database_url", "migration_database_url"])
def test_every_spelling_of_a_database_has_one_driver_and_one_place(
    monkeypatch: pytest.MonkeyPatch, name: str, given: str, kept: str
) -> None:
    # Both variables: they must name the same kind of database.
    monkeypatch.setenv("DATABASE_URL", given)
    monkeypatch.setenv(name.upper(), given)
    assert getattr(load_settings(), name) == kept


@pytest.mark.parametrize(
    ("url", "migration_url"),
    [
        ("sqlite:///local.db", "postgresql://u:hunter2@db.example/clinic"),
        ("postgresql://u:hunter2@db.example/clinic", "sqlite:///local.db"),
    ],
)
def test_migrations_and_the_service_use_the_same_kind_of_database(url: str, migration_url: str) -> None:
    sentence = refusal(database_url=url, migration_database_url=migration_url)
    assert sentence.startswith("MIGRATION_DATABASE_URL ")
    assert "hunter2" not in sentence


def test_a_relative_sqlite_file_is_the_same_in_every_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DATABASE_URL", "sqlite:///clinic.db")
    places = set()
    for folder in (tmp_path, BACKEND, BACKEND.parent, Path("/")):
        monkeypatch.chdir(folder)
        places.add(load_settings().database.database)
    assert places == {str(BACKEND / "clinic.db")}


@pytest.mark.parametrize(
    ("url", "is_sqlite", "is_pooled"),
    [
        ("sqlite:///local.db", True, False),
        ("postgresql://u:p@db.example/clinic", False, False),
        ("postgresql://u:p@db.example:5433/clinic", False, False),
        ("postgresql:///clinic?host=/var/run/postgresql", False, False),
        ("postgresql://u:p@ep-quiet-1.eu.neon.example/clinic", False, False),
        ("postgresql://u:p@ep-quiet-1-pooler.eu.neon.example/clinic", False, True),
        # Supabase: session mode on 5432, transaction mode on 6543.
        ("postgresql://u.ref:p@aws-0-eu-central-1.pooler.supabase.example:5432/postgres", False, False),
        ("postgresql://u.ref:p@aws-0-eu-central-1.pooler.supabase.example:6543/postgres", False, True),
        # PgBouncer, and DigitalOcean's port for it
        ("postgresql://u:p@db.example:6432/clinic", False, True),
        ("postgresql://u:p@pgbouncer/clinic", False, True),
        ("postgresql://u@%2Fvar%2Frun%2Fpostgresql:6432/clinic", False, True),
        ("postgresql:///clinic?host=/var/run/postgresql&port=6432", False, True),
        ("postgresql://u:p@db.example:25061/clinic", False, True),
        ("postgresql://u:p@p.abc.db.postgresbridge.com:5431/clinic", False, True),
        ("postgresql://u:p@a.example:6432,b.example:6432/clinic", False, True),
        ("postgresql://u:p@/clinic?host=a.example:6432&host=b.example:6432", False, True),
    ],
)
def test_a_database_says_its_kind(url: str, is_sqlite: bool, is_pooled: bool) -> None:  # noqa: FBT001
    settings = load_settings(database_url=url)
    assert (settings.database_is_sqlite, settings.database_is_pooled) == (is_sqlite, is_pooled)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:hunter2@h/db",
        "postgresql://u@h/db?password=hunter2",
        "postgresql://u:hunter2@a:1,b:2/db?sslpassword=hunter2",
    ],
)
def test_a_database_is_shown_without_its_passwords(url: str) -> None:
    text = shown(load_settings(database_url=url).database)
    assert text.startswith("postgresql+psycopg://u")
    assert "hunter2" not in text


def test_the_operator_knows_best_whether_there_is_a_pooler() -> None:
    direct, pooled = "postgresql://u:p@db.example/clinic", "postgresql://u:p@db.example:6432/clinic"
    assert load_settings(database_url=direct, database_pooled="yes").database_is_pooled
    assert not load_settings(database_url=pooled, database_pooled="no").database_is_pooled
    assert not load_settings(database_pooled="yes").database_is_pooled


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("postgresql://u:p@a.example,b.example/db", "a.example,b.example", None),
        ("postgresql://u:p@a.example:5432,b.example:5433/db", "a.example,b.example", "5432,5433"),
        ("postgresql://u:p@a.example,b.example:5433/db?sslmode=require", "a.example,b.example", ",5433"),
        ("postgresql://u:p@[::1]:5432,[::2]:5433/db", "::1,::2", "5432,5433"),
        ("postgresql://u:p@/db?host=a.example:5432&host=b.example:5433", "a.example,b.example", "5432,5433"),
        ("postgresql://u:p@/db?host=a.example,b.example&port=5432,5433", "a.example,b.example", "5432,5433"),
        ("postgresql://u:p@/db?host=/var/run/postgresql", "/var/run/postgresql", None),
        ("postgresql://u:p@%2Fvar%2Frun%2Fpostgresql/db", "/var/run/postgresql", None),
        ("postgresql://u:p@%2Fvar%2Frun%2Fpostgresql:5433/db", "/var/run/postgresql", "5433"),
    ],
)
def test_hosts_are_read_as_libpq_reads_them(url: str, host: str, port: str | None) -> None:
    settings = load_settings(database_url=url + ("&" if "?" in url else "?") + "target_session_attrs=read-write")
    [_, options] = settings.database.get_dialect()().create_connect_args(settings.database)
    assert (options["user"], options["password"], options["dbname"]) == ("u", "p", "db")
    assert options["host"] == host
    assert str(options.get("port", "")).strip(",") == (port or "").strip(",")
    assert options["target_session_attrs"] == "read-write"


def test_a_parameter_that_libpq_does_not_know_is_named() -> None:
    sentence = refusal(database_url="postgresql://u:hunter2@h/db?sslmode=require&pgbouncer=true&schema=hunter2")
    assert "pgbouncer, schema" in sentence
    assert "sslmode" not in sentence
    assert "hunter2" not in sentence


def test_parameters_of_the_url_win_over_ours() -> None:
    url = "postgresql://u:p@h/db"
    assert engine_options(load_settings(database_url=url))["connect_args"]["connect_timeout"] == 3
    assert (
        "connect_timeout" not in engine_options(load_settings(database_url=f"{url}?connect_timeout=9"))["connect_args"]
    )


@pytest.mark.parametrize("name", ["DATABASE_URL", "MIGRATION_DATABASE_URL"])
@pytest.mark.parametrize(
    "url",
    [
        "mysql://somebody:hunter2@db.example/clinic",
        "postgresql://somebody:hunter2@db.example:port/clinic",
        "postgresql://somebody:hunter2@a.example:port,b.example/clinic",
        "postgresql://somebody:hunter2@db.example/clinic?secret=hunter2",
        "postgresql://somebody:hunter2@/clinic?host=a:1&host=b:2&port=hunter2",
        "postgresql:somebody:hunter2@db.example",
        "somebody:hunter2@db.example",
        "hunter2://db.example/clinic hunter2",
    ],
)
def test_a_databases_password_is_never_repeated(monkeypatch: pytest.MonkeyPatch, name: str, url: str) -> None:
    monkeypatch.setenv(name, url.replace("hunter2://", "postgres//"))
    sentence = refusal()
    assert sentence.startswith(f"{name} is wrong: ")
    assert "hunter2" not in sentence
    assert "somebody" not in sentence


# Origins and mail


def test_origins_are_a_list_without_blanks_and_slashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORS_ORIGINS", " https://book.example.org/ ,, http://localhost:5173")
    assert load_settings().allowed_origins == ["https://book.example.org", "http://localhost:5173"]


@pytest.mark.parametrize(
    ("given", "sent_by_browsers"),
    [
        ("https://book.example.org/", "https://book.example.org"),
        ("HTTPS://Book.Example.ORG:8443", "https://book.example.org:8443"),
        ("https://book.example.org:443", "https://book.example.org"),
        ("http://book.example.org:80/", "http://book.example.org"),
        ("http://book.example.org:443", "http://book.example.org:443"),
        ("http://book.example.org:08080", "http://book.example.org:8080"),
        ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
        ("https://3.a--b.example", "https://3.a--b.example"),
        ("http://192.0.2.1:3000", "http://192.0.2.1:3000"),
        ("http://[::1]:5173", "http://[::1]:5173"),
        ("http://[2001:DB8:0:0::0001]/", "http://[2001:db8::1]"),
        ("http://[2001:db8:0:0:1:0:0:1]:80", "http://[2001:db8::1:0:0:1]"),
        ("http://[::ffff:192.0.2.1]", "http://[::ffff:c000:201]"),
        ("http://[::ffff:c000:201]:5173", "http://[::ffff:c000:201]:5173"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("HTTPS://BÜCHER.Example:443/", "https://xn--bcher-kva.example"),
        ("https://bu\u0308cher.example:8443", "https://xn--bcher-kva.example:8443"),
        ("https://faß.example", "https://xn--fa-hia.example"),
        ("https://\uff42ook\u3002example", "https://book.example"),
        ("https://例え.example", "https://xn--r8jz45g.example"),
    ],
)
def test_origins_are_kept_as_browsers_send_them(given: str, sent_by_browsers: str) -> None:
    assert load_settings(cors_origins=given).allowed_origins == [sent_by_browsers]


def test_no_origin_at_all_allows_nobody() -> None:
    assert load_settings(cors_origins=" , ").allowed_origins == []


def test_a_password_is_never_repeated_when_an_origin_is_refused() -> None:
    sentence = refusal(cors_origins="https://somebody:hunter2@book.example.org")
    assert "book.example.org" in sentence
    assert "hunter2" not in sentence


def test_the_origins_that_may_show_pages_are_checked_and_kept_in_the_same_way() -> None:
    assert load_settings().embedding_origins == []
    settings = load_settings(embed_origins=" HTTPS://Bücher.Example:443/ ,, http://localhost:3000")
    assert settings.embedding_origins == ["https://xn--bcher-kva.example", "http://localhost:3000"]


# The clinic


@pytest.mark.parametrize(
    ("given", "base_url"),
    [
        ("https://clinic.example", "https://clinic.example"),
        ("https://clinic.example/", "https://clinic.example"),
        ("https://clinic.example/booking/", "https://clinic.example/booking"),
        ("https://clinic.example/a/b.c~d-e_f/", "https://clinic.example/a/b.c~d-e_f"),
        ("HTTPS://Clinic.Example:443/Booking", "https://clinic.example/Booking"),
        ("https://clinic.example:8443/booking", "https://clinic.example:8443/booking"),
        ("https://bücher.example/booking", "https://xn--bcher-kva.example/booking"),
        ("http://localhost:5000/", "http://localhost:5000"),
        ("http://127.0.0.1:5000", "http://127.0.0.1:5000"),
        ("http://[::1]:5000/booking", "http://[::1]:5000/booking"),
    ],
)
@pytest.mark.parametrize("app_env", ["development", "production"])
def test_links_begin_with_the_address_of_the_installation(given: str, base_url: str, app_env: str) -> None:
    assert load_settings(clinic_url=given, app_env=app_env).base_url == base_url


def test_without_an_address_links_lead_to_this_machine_in_development_and_nowhere_in_production() -> None:
    assert load_settings(port=5001).base_url == "http://localhost:5001"
    assert load_settings(app_env="production").base_url is None


def test_a_password_is_never_repeated_when_the_address_of_the_installation_is_refused() -> None:
    sentence = refusal(clinic_url="https://somebody:hunter2@clinic.example/booking")
    assert "clinic.example" in sentence
    assert "hunter2" not in sentence


@pytest.mark.parametrize("name", ["Praxis Müller & Söhne <Zentrum>", "क्\u200dलिनिक", "例え診療所", "👩\u200d⚕️ Clinic"])
def test_a_clinic_has_any_name_of_one_line(name: str) -> None:
    assert load_settings(clinic_name=name).clinic.name == name


def test_a_clinic_without_a_name_has_none_in_mails() -> None:
    """The default is for pages; no mail is signed with the name of the product."""
    assert load_settings().clinic.name is None


def test_replies_go_to_an_address_with_its_domain_in_ascii() -> None:
    assert load_settings(reply_to="desk@bücher.example").clinic.reply_to == "desk@xn--bcher-kva.example"


@pytest.mark.parametrize(
    ("settings", "first_words"),
    [
        ({}, []),
        ({"app_env": "production"}, ["No mail transport", "Mails carry no links"]),
        ({"app_env": "production", "clinic_url": "https://clinic.example"}, ["No mail transport"]),
        (
            {"app_env": "production", "smtp_url": "smtp://mail.example", "from_email": "a@b.example"},
            ["Mails carry no links"],
        ),
    ],
)
def test_the_start_says_what_mails_lack(settings: dict[str, str], first_words: list[str]) -> None:
    assert [sentence.partition(":")[0] for sentence in load_settings(**settings).what_mails_lack] == first_words


@pytest.mark.parametrize(
    ("settings", "transport"),
    [
        ({}, "console"),
        ({"app_env": "production"}, "none"),
        ({"resend_api_key": "re_x", "from_email": "a@b.example"}, "resend"),
        ({"smtp_url": "smtps://u:p@mail.example:465", "from_email": "a@b.example"}, "smtp"),
        ({"resend_api_key": "re_x", "smtp_url": "smtp://mail.example", "from_email": "a@b.example"}, "resend"),
        ({"app_env": "production", "from_email": "a@b.example"}, "none"),
    ],
)
def test_what_sends_the_mails(settings: dict[str, str], transport: str) -> None:
    assert load_settings(**settings).mail_transport == transport


@pytest.mark.parametrize("transport", [{"resend_api_key": "re_x"}, {"smtp_url": "smtp://u:hunter2@mail.example"}])
@pytest.mark.parametrize("app_env", ["development", "production"])
def test_a_transport_without_a_sender_is_refused(transport: dict[str, str], app_env: str) -> None:
    sentence = refusal(app_env=app_env, **transport)
    assert sentence.startswith("FROM_EMAIL is missing: ")
    assert "hunter2" not in sentence


def test_a_password_is_never_repeated_when_the_mail_server_is_misspelt() -> None:
    for url in (
        "smtp://somebody:hunter2@[mail.example",
        "smtp://somebody:hunter2@hunter2@mail.example",
        "smtp://somebody/else:hunter2@mail.example",
        "smtp://somebody:hunter2",
        "smtp://:hunter2@mail.example",
        "smtp://somebody:hunter2@mail.example:hunter2",
        "x:hunter2@m.example",
    ):
        sentence = refusal(smtp_url=url, from_email="a@b.example")
        assert sentence.startswith("SMTP_URL is wrong: ")
        assert "hunter2" not in sentence


@pytest.mark.parametrize(
    ("url", "user", "password"),
    [
        ("smtp://mail.example", None, None),
        ("smtp://AKIA0SAMPLE:Bs/a+b/c=@mail.example", "AKIA0SAMPLE", "Bs/a+b/c="),
        ("smtp://AKIA0SAMPLE:/Bs==@mail.example", "AKIA0SAMPLE", "/Bs=="),
        ("smtp://u:a?b#c:d!@mail.example", "u", "a?b#c:d!"),
        ("smtp://clinic%40people.example:p%40ss%25@mail.example", "clinic@people.example", "p@ss%"),
        ("smtp://u:50%off@mail.example", "u", "50%off"),
        ("smtp://j%C3%B6rg:grüße@mail.example", "jörg", "grüße"),
    ],
)
def test_passwords_are_taken_as_providers_give_them(url: str, user: str | None, password: str | None) -> None:
    settings = load_settings(smtp_url=f"{url}:2525", from_email="a@b.example")
    assert settings.smtp_url is not None
    server = mail_server(settings.smtp_url)
    assert (server.username, server.password, server.host, server.port) == (user, password, "mail.example", 2525)


@pytest.mark.parametrize(
    "url", ["smtp://[::1]:25", "SMTPS://mail_server", "smtp://127.0.0.1/", "smtp://bücher.example"]
)
def test_a_mail_server_has_any_kind_of_host(url: str) -> None:
    assert load_settings(smtp_url=url, from_email="a@b.example").smtp_url == url


@pytest.mark.parametrize(
    ("text", "name", "address"),
    [
        ("clinic@people.example", "", "clinic@people.example"),
        ("<clinic@people.example>", "", "clinic@people.example"),
        ("Clinic Sample <clinic@people.example>", "Clinic Sample", "clinic@people.example"),
        ("Clinic Sample<clinic@people.example>", "Clinic Sample", "clinic@people.example"),
        ('"Sample, Clinic" <clinic@people.example>', "Sample, Clinic", "clinic@people.example"),
        ("Sample, Clinic <clinic@people.example>", "Sample, Clinic", "clinic@people.example"),
        ("Dr. A. Sample (Clinic) <clinic@people.example>", "Dr. A. Sample (Clinic)", "clinic@people.example"),
        ('"The \\"Clinic\\"" <clinic@people.example>', 'The "Clinic"', "clinic@people.example"),
        ("Praxis Müller <clinic@bücher.example>", "Praxis Müller", "clinic@xn--bcher-kva.example"),
        ("clinic@localhost", "", "clinic@localhost"),
        ("clinic@mail.test", "", "clinic@mail.test"),
    ],
)
def test_a_sender_is_an_address_with_or_without_a_name(text: str, name: str, address: str) -> None:
    settings = load_settings(from_email=text)
    assert settings.from_email is not None
    sender = sender_address(settings.from_email)
    assert (sender.display_name, sender.addr_spec) == (name, address)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.255.255.254", "::1"])
def test_what_is_sent_to_loopback_stays_on_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "mail.example",
        "localhost.example",
        "127.0.0.1.example",
        "128.0.0.1",
        "10.0.0.1",
        "0.0.0.0",  # noqa: S104
        "::",
        "::2",
        "fe80::1",
        "127.1",
    ],
)
def test_every_other_host_is_elsewhere(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize("url", ["https://api.resend.com", "https://relay.example:8443/v1", "http://127.0.0.1:8080"])
def test_the_key_of_resend_goes_over_tls_or_stays_on_this_machine(url: str) -> None:
    assert load_settings(resend_api_url=url).resend_api_url == url


def test_a_lease_is_longer_than_a_try() -> None:
    assert refusal(mail_timeout_seconds=10, mail_lease_seconds=10).startswith("MAIL_LEASE_SECONDS ")
    assert load_settings(mail_timeout_seconds=10, mail_lease_seconds=10.5)


# Secrets


@pytest.mark.parametrize("secret", sorted(PUBLISHED_SECRETS))
@pytest.mark.parametrize("name", ["secret_key", "jwt_secret_key", "doctor_invitation_code"])
def test_production_refuses_published_secrets_and_says_how_to_make_one(name: str, secret: str) -> None:
    settings = load_settings(**(REAL | {name: secret}))
    with pytest.raises(ConfigurationError, match=re.escape(MAKE_A_SECRET)) as refused:
        settings.refuse_unfit_secrets()
    assert str(refused.value).startswith(f"{name.upper()} ")


@pytest.mark.parametrize("spelling", ["{} ", " {}", "{}\r", "\t{}\n", "{upper}", "{lower}", "{under}", " {title}\r\n"])
@pytest.mark.parametrize("secret", ["DOC2024SECRET", "your-doctor-code", "your-jwt-secret", "your-secret-key"])
@pytest.mark.parametrize("name", ["SECRET_KEY", "JWT_SECRET_KEY", "DOCTOR_INVITATION_CODE"])
def test_no_other_spelling_makes_a_published_secret_ones_own(
    monkeypatch: pytest.MonkeyPatch, name: str, secret: str, spelling: str
) -> None:
    for real, value in REAL.items():
        monkeypatch.setenv(real.upper(), value)
    variants = {"upper": secret.upper(), "lower": secret.lower(), "title": secret.title()}
    monkeypatch.setenv(name, spelling.format(secret, under=secret.replace("-", "_"), **variants))
    with pytest.raises(ConfigurationError, match=f"^{name} "):
        load_settings().refuse_unfit_secrets()


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, default in DEFAULTS.items()
        if Settings.model_fields[name].annotation != int | None and (default is None or type(default) is str)
    ],
)
def test_blanks_around_a_value_are_no_part_of_it(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    values = {
        "app_env": "production",
        "database_pooled": "yes",
        "appointment_reasons": "yes",
        "require_confirmed_email": "yes",
        "guests_may_book": "yes",
        "public_search": "yes",
        "password_refuse_common": "yes",
        "public_pages": "no",
        "embed_origins": "https://clinic.example",
        "second_factor_required": "doctors",
        "clinic_url": "https://book.example.org/clinic",
        "reply_to": "desk@people.example",
        "clinic_time_zone": "Europe/Berlin",
        "cors_origins": "https://book.example.org",
        "smtp_url": "smtp://mail.example.org",
        "from_email": "Clinic Sample <clinic@people.example>",
        "resend_api_url": "https://resend.example.org",
    }
    value = values.get(name, "sqlite:////var/lib/clinic/data.db" if "database" in name else "a value of our own")
    monkeypatch.setenv("FROM_EMAIL", "clinic@people.example")
    monkeypatch.setenv(name.upper(), f" {value}\r\n")
    assert getattr(load_settings(), name) == value


@pytest.mark.parametrize("name", DEFAULTS)
def test_a_variable_of_blanks_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name.upper(), " \t\r\n")
    assert getattr(load_settings(), name) == DEFAULTS[name]


@pytest.mark.parametrize(
    ("name", "shortest"), [("SECRET_KEY", 16), ("JWT_SECRET_KEY", 32), ("DOCTOR_INVITATION_CODE", 8)]
)
def test_production_refuses_short_secrets(name: str, shortest: int) -> None:
    def settings(secret: str) -> Settings:
        return load_settings(**(REAL | {name.lower(): secret}))

    with pytest.raises(ConfigurationError, match=rf"^{name} is shorter than {shortest} bytes; "):
        settings("x" * (shortest - 1)).refuse_unfit_secrets()
    settings("x" * shortest).refuse_unfit_secrets()
    settings("ü" * (shortest // 2)).refuse_unfit_secrets()
    assert SHORTEST[name] == shortest


def test_the_defaults_are_published_ones() -> None:
    defaults = load_settings()
    secrets = (defaults.secret_key, defaults.jwt_secret_key, defaults.doctor_invitation_code)
    assert all(map(is_published, secrets))


def test_development_takes_what_is_published() -> None:
    load_settings().refuse_unfit_secrets()


@pytest.mark.parametrize(
    ("program", "app_env"),
    [
        (BACKEND / "app.py", "development"),
        (BACKEND / "worker.py", "production"),
        (Path("/usr/bin/gunicorn"), "production"),
        (Path("/somewhere/else/app.py"), "production"),
    ],
)
def test_what_starts_the_application_decides_the_default_of_app_env(
    monkeypatch: pytest.MonkeyPatch, program: Path, app_env: str
) -> None:
    started(monkeypatch, program)
    assert load_settings().app_env == app_env
    assert load_settings(app_env="development").app_env == "development"


def test_the_worker_serves_nobody_and_needs_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    started(monkeypatch, BACKEND / "worker.py")
    assert settings_of_program().is_production

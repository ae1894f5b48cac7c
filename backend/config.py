"""Every setting. No other module reads the environment.

Settings come from environment variables and from `backend/.env`; the environment takes precedence. For a wrong value,
`load_settings` raises `ConfigurationError` with one sentence that names the variable and says what to do.
"""

from __future__ import annotations

import sys
from functools import cached_property
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy.engine import URL, make_url

from src.domain.policies import LONGEST_NOTICE, Policies
from src.domain.second_factor import Required
from src.settings.clinic import PRODUCT, BaseUrl, Clinic, OneLine, PlainAddress
from src.settings.databases import database_url, is_transaction_pooler
from src.settings.env_file import why_unreadable
from src.settings.mail import mail_server, sender_address, what_mails_lack
from src.settings.origins import origins
from src.settings.programs import running_program
from src.settings.published_secrets import SHORTEST, why_unfit
from src.settings.time_zones import time_zone_names
from src.settings.urls import has_host, is_loopback

BACKEND = Path(__file__).resolve().parent

MAKE_A_SECRET = 'python -c "import secrets; print(secrets.token_urlsafe(48))"'


class ConfigurationError(Exception):
    """A setting is wrong; the message is one sentence for the person who starts the program."""


def _default_app_env() -> Literal["development", "production"]:
    return "development" if running_program().is_for_development else "production"


class Settings(BaseSettings):
    """The settings, typed and checked. Each field is read from the variable of the same name in capitals."""

    model_config = SettingsConfigDict(
        env_file=BACKEND / ".env", env_file_encoding="utf-8-sig", env_ignore_empty=True, extra="ignore", frozen=True
    )

    app_env: Literal["development", "production"] = Field(default_factory=_default_app_env)
    secret_key: str = "dev-secret"
    jwt_secret_key: str = "jwt-dev-secret"
    jwt_access_token_hours: float = Field(12, gt=0, le=24 * 365)
    access_token_minutes_with_refresh: float = Field(15, gt=0, le=24 * 60)
    refresh_token_days: int = Field(30, ge=1, le=365)
    doctor_invitation_code: str = "DOC2024SECRET"

    database_url: str = "sqlite:///local.db"
    migration_database_url: str | None = None
    database_pooled: Literal["auto", "yes", "no"] = "auto"

    clinic_name: OneLine = PRODUCT
    clinic_address: OneLine | None = None
    clinic_phone: OneLine | None = None
    clinic_url: BaseUrl | None = None
    clinic_time_zone: str = "UTC"
    appointment_reasons: Literal["yes", "no"] = "no"
    cancellation_notice_minutes: int = Field(0, ge=0, le=LONGEST_NOTICE)
    most_appointments_ahead: int | None = Field(None, ge=1, le=1_000_000)
    most_appointments_ahead_per_doctor: int | None = Field(None, ge=1, le=1_000_000)
    patient_changes_per_hour: int = Field(30, ge=1, le=1_000_000)
    public_search: Literal["yes", "no"] = "no"
    public_pages: Literal["yes", "no"] = "yes"
    embed_origins: str = ""
    second_factor_required: Required = "none"
    cors_origins: str = "http://localhost:5173,http://localhost:3000"
    port: int = Field(5000, ge=1, le=65535)
    trusted_proxies: int = Field(0, ge=0, le=10)
    web_concurrency: int = Field(2, ge=1, le=1000)
    keep_alive_seconds: int = Field(5, ge=1, le=3600)

    resend_api_key: str | None = None
    resend_api_url: str = "https://api.resend.com"
    resend_requests_per_second: float = Field(2, gt=0, le=10_000)
    smtp_url: str | None = None
    from_email: str | None = None
    reply_to: PlainAddress | None = None
    mail_timeout_seconds: float = Field(5, gt=0, le=60)
    mail_lease_seconds: float = Field(60, gt=0, le=3600)
    mail_retry_ceiling_seconds: float = Field(600, ge=1, le=86400)
    mail_poll_seconds: float = Field(0.2, ge=0.05, le=60)

    login_failures_per_account: int = Field(10, ge=1, le=1_000_000)
    login_failures_per_address: int = Field(100, ge=1, le=1_000_000)
    invitation_failures_per_address: int = Field(20, ge=1, le=1_000_000)
    registrations_per_hour: int = Field(10, ge=1, le=1_000_000)
    password_resets_per_hour: int = Field(5, ge=1, le=1_000_000)
    password_reset_minutes: int = Field(30, ge=1, le=24 * 60)
    password_min_length: int = Field(8, ge=8, le=64)
    password_refuse_common: Literal["yes", "no"] = "no"
    require_confirmed_email: Literal["yes", "no"] = "no"
    guests_may_book: Literal["yes", "no"] = "no"
    confirmations_per_hour: int = Field(5, ge=1, le=1_000_000)
    email_confirmation_minutes: int = Field(24 * 60, ge=1, le=30 * 24 * 60)
    throttle_window_minutes: float = Field(15, gt=0, le=24 * 60)

    shutdown_drain_seconds: int = Field(0, ge=0, le=300)

    mails_kept_days: int = Field(365, ge=1, le=36_500)
    set_aside_mails_kept_days: int = Field(365, ge=1, le=36_500)
    unused_slots_kept_days: int = Field(365, ge=1, le=36_500)

    database_statement_timeout_seconds: float = Field(15, gt=0, le=600)
    database_lock_timeout_seconds: float = Field(5, gt=0, le=600)

    argon2_memory_kib: int = Field(19456, ge=8, le=4 * 1024 * 1024)
    argon2_iterations: int = Field(2, ge=1, le=100)

    @model_validator(mode="before")
    @classmethod
    def _without_blanks(cls, given: dict[str, Any]) -> dict[str, Any]:
        """Strip every value and drop those that are then empty: in files from Windows, every line ends with a CR."""
        stripped = {name: value.strip() if isinstance(value, str) else value for name, value in given.items()}
        return {name: value for name, value in stripped.items() if value != ""}

    @field_validator("clinic_time_zone")
    @classmethod
    def _is_iana_zone(cls, name: str) -> str:
        if name not in time_zone_names():
            raise ValueError(f"{name!r} is no IANA time zone; use a name like Europe/Berlin")
        return name

    @field_validator("database_url", "migration_database_url")
    @classmethod
    def _is_database(cls, url: str | None) -> str | None:
        return None if url is None else database_url(url, BACKEND).render_as_string(hide_password=False)

    @field_validator("resend_api_url")
    @classmethod
    def _is_https(cls, url: str) -> str:
        if not has_host(url):
            raise ValueError("it must be a whole URL with a host, like https://api.resend.com")
        parts = urlsplit(url)
        if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname or "")):
            raise ValueError("it must start with https://, because every call carries RESEND_API_KEY")
        return url

    @field_validator("smtp_url")
    @classmethod
    def _is_mail_server(cls, url: str | None) -> str | None:
        if url is not None:
            mail_server(url)
        return url

    @field_validator("from_email")
    @classmethod
    def _is_sender(cls, text: str | None) -> str | None:
        if text is not None:
            sender_address(text)
        return text

    @field_validator("cors_origins", "embed_origins")
    @classmethod
    def _are_origins(cls, text: str) -> str:
        return ",".join(origins(text))

    @model_validator(mode="after")
    def _migrations_have_the_same_kind_of_database(self) -> Settings:
        url = self.migration_database_url
        if url is not None and make_url(url).get_backend_name() != self.database.get_backend_name():
            raise ConfigurationError(
                "MIGRATION_DATABASE_URL must lead to the same database as DATABASE_URL: one of them names SQLite, "
                "the other PostgreSQL."
            )
        return self

    @model_validator(mode="after")
    def _mail_has_a_sender(self) -> Settings:
        if self.mail_transport in {"resend", "smtp"} and self.from_email is None:
            message = (
                "FROM_EMAIL is missing: set the address that mails come from, or unset RESEND_API_KEY and SMTP_URL."
            )
            raise ConfigurationError(message)
        if self.mail_lease_seconds <= self.mail_timeout_seconds:
            raise ConfigurationError(
                "MAIL_LEASE_SECONDS must be longer than MAIL_TIMEOUT_SECONDS, or two workers send one mail."
            )
        return self

    @model_validator(mode="after")
    def _guests_can_log_in(self) -> Settings:
        if self.guests_may_book == "yes" and self.second_factor_required == "everybody":
            raise ConfigurationError(
                "GUESTS_MAY_BOOK=yes contradicts SECOND_FACTOR_REQUIRED=everybody: guests cannot set one up."
            )
        return self

    @property
    def is_production(self) -> bool:
        """Whether to refuse published secrets, demo data, development-only pages and the console mailer."""
        return self.app_env == "production"

    @property
    def refuses_common_passwords(self) -> bool:
        return self.password_refuse_common == "yes"

    @property
    def allowed_origins(self) -> list[str]:
        """The web origins that browsers may call from."""
        return origins(self.cors_origins)

    @property
    def embedding_origins(self) -> list[str]:
        """The web origins whose pages may show a doctor's free times in a frame."""
        return origins(self.embed_origins)

    @property
    def base_url(self) -> str | None:
        """Where people reach this installation, without a slash at the end; None if production is not told.

        Every link in a mail or a file begins with it, and none with the Host of a request, which its sender chooses.
        """
        if self.clinic_url is None and not self.is_production:
            return f"http://localhost:{self.port}"
        return self.clinic_url

    @cached_property
    def clinic(self) -> Clinic:
        """What mails say about the clinic."""
        name = None if self.clinic_name == PRODUCT else self.clinic_name
        return Clinic(name, self.clinic_address, self.clinic_phone, self.base_url, self.reply_to)

    @cached_property
    def policies(self) -> Policies:
        """What patients may do, where their doctor says nothing else."""
        return Policies(
            cancellation_notice=self.cancellation_notice_minutes,
            most_ahead=self.most_appointments_ahead,
            most_ahead_with_doctor=self.most_appointments_ahead_per_doctor,
            changes_per_hour=self.patient_changes_per_hour,
        )

    @cached_property
    def database(self) -> URL:
        """The URL of the database; a SQLite path in it is absolute."""
        return make_url(self.database_url)

    @property
    def database_is_sqlite(self) -> bool:
        return self.database.get_backend_name() == "sqlite"

    @property
    def database_is_pooled(self) -> bool:
        """Whether PostgreSQL is reached through a transaction pooler."""
        if self.database_is_sqlite or self.database_pooled != "auto":
            return not self.database_is_sqlite and self.database_pooled == "yes"
        return is_transaction_pooler(self.database)

    @property
    def mail_transport(self) -> Literal["resend", "smtp", "console", "none"]:
        """What sends the mails; with `none`, the mails wait in the outbox."""
        if self.resend_api_key is not None:
            return "resend"
        if self.smtp_url is not None:
            return "smtp"
        return "none" if self.is_production else "console"

    @property
    def what_mails_lack(self) -> list[str]:
        """What an operator has yet to configure, in sentences for the log at the start."""
        return what_mails_lack(self.mail_transport, self.base_url)

    def refuse_unfit_secrets(self) -> None:
        """In production, raise ConfigurationError for a published or short secret."""
        if not self.is_production:
            return
        for name in SHORTEST:
            reason = why_unfit(name, getattr(self, name.lower()))
            if reason is not None:
                raise ConfigurationError(f"{name} {reason}; make one of your own with: {MAKE_A_SECRET}")


def load_settings(**overrides: Any) -> Settings:
    """Read the environment and `.env`; raise ConfigurationError, one sentence, for a wrong value."""
    file = Settings.model_config.get("env_file")
    reason = why_unreadable(file) if isinstance(file, Path) else None
    if reason is not None:
        raise ConfigurationError(f"{file} cannot be read: {reason}.")
    try:
        return Settings(**overrides)
    except ValidationError as error:
        first = error.errors()[0]
        name = "_".join(str(part) for part in first["loc"]).upper()
        reason = first["msg"].removeprefix("Value error, ")
        raise ConfigurationError(f"{name} is wrong: {reason}.") from error


def settings_of_program() -> Settings:
    """Read the settings for the program that runs; a server in production must have fit secrets.

    Our own programs end with the error's sentence. Another server gets the exception: gunicorn would restart for ever a
    worker that exits, but stops when the application cannot be imported.
    """
    program = running_program()
    try:
        settings = load_settings()
        if program.serves:
            settings.refuse_unfit_secrets()
    except ConfigurationError as error:
        if program.is_our_own:
            sys.exit(str(error))
        raise
    return settings

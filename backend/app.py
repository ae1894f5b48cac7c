"""The appointment booking API: the map of all routes, and how the application is put together.

`python app.py` serves it for development, `gunicorn app:app` in production.
"""

from __future__ import annotations

import re
import sys
from http import HTTPStatus
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from apiflask import APIFlask
from flask import Blueprint
from werkzeug.middleware.proxy_fix import ProxyFix

from config import Settings, load_settings_or_exit
from src import __version__
from src.controllers import appointment_controller as appointments
from src.controllers import auth_controller as auth
from src.controllers import availability_controller as availability
from src.controllers import demo_controller as demo
from src.controllers import doctor_controller as doctors
from src.controllers import patient_controller as patients
from src.controllers import service_controller as service
from src.controllers import session_controller as sessions
from src.extensions import cors, db, jwt, migrate
from src.utils.clock import Clock, system_clock
from src.utils.commands import register_commands
from src.utils.database import engine_options, listen_to_postgresql, listen_to_sqlite
from src.utils.decorators import ANYONE, DOCTOR, PATIENT, USER, Route, mount
from src.utils.headers import register_headers
from src.utils.logs import register_request_ids
from src.utils.openapi import SECURITY_SCHEME, finish_spec
from src.utils.problems import register_problems
from src.utils.wire import IdConverter, NoSessions, StrictJson, as_it_is, refuse_leading_slashes

CREATED = HTTPStatus.CREATED

ROUTES: list[Route[Any]] = [
    Route("GET", "/", service.home, ANYONE, page="home.html"),
    Route("GET", "/health", service.health, ANYONE),
    Route("GET", "/health/live", service.live, ANYONE),
    Route("GET", "/health/ready", service.ready, ANYONE),

    Route("POST", "/auth/register", auth.register, ANYONE, CREATED),
    Route("POST", "/auth/login", auth.log_in, ANYONE),
    Route("GET", "/auth/me", auth.me, USER),
    Route("POST", "/auth/logout", sessions.log_out, USER),
    Route("POST", "/auth/logout-everywhere", sessions.log_out_everywhere, USER),
    Route("POST", "/auth/password", sessions.change_password, USER),

    Route("GET", "/doctor/dashboard", doctors.dashboard, DOCTOR),
    Route("GET", "/doctor/profile", doctors.profile, DOCTOR),
    Route("POST", "/doctor/profile", doctors.update_profile, DOCTOR),
    Route("DELETE", "/doctor/account", doctors.delete_account, DOCTOR),
    Route("POST", "/doctor/availability", availability.publish, DOCTOR, CREATED),

    Route("GET", "/patient/dashboard", patients.dashboard, PATIENT),
    Route("GET", "/patient/doctors", patients.list_doctors, PATIENT),
    Route("GET", "/patient/doctors/<int:doctor_id>/availability", availability.free_slots, PATIENT),

    Route("POST", "/appointments", appointments.book, PATIENT, CREATED, location="/appointments/{appointment_id}"),
    Route("GET", "/appointments/my", appointments.list_mine, PATIENT),
    Route("GET", "/appointments/doctor", appointments.list_doctors, DOCTOR),
    Route("GET", "/appointments/<int:appointment_id>", appointments.show, USER),
    Route("POST", "/appointments/<int:appointment_id>/cancel", appointments.cancel, USER),
]  # fmt: skip

DEVELOPMENT_ROUTES: list[Route[Any]] = [
    Route("GET", "/dev/outbox", service.development_outbox, ANYONE, page="outbox.html"),
]

LARGEST_BODY_BYTES = 1024 * 1024


def create_app(settings: Settings | None = None, *, clock: Clock = system_clock) -> APIFlask:
    """Put the application together; without settings it reads the environment."""
    settings = settings or load_settings_or_exit()
    app = APIFlask(__name__, title="Appointment Booking System", version=__version__)
    app.config.from_mapping(_flask_config(settings))
    app.extensions |= {"settings": settings, "clock": clock}
    app.json = StrictJson(app)
    app.session_interface = NoSessions()
    app.ensure_sync = as_it_is
    app.url_map.merge_slashes = False
    app.url_map.converters["int"] = IdConverter

    db.init_app(app)
    jwt.init_app(app)
    migrate.init_app(app, db)
    cors.init_app(app, origins=[exactly(origin) for origin in settings.allowed_origins], **CORS_OPTIONS)
    with app.app_context():
        if settings.database_is_sqlite:
            listen_to_sqlite(db.engine)
        else:
            listen_to_postgresql(db.engine, settings)
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)

    # The front page names the demo log-ins in development.
    app.context_processor(lambda: {"demo": demo})

    app.spec_processor(finish_spec)
    app.register_blueprint(_docs_assets())
    register_request_ids(app)
    register_problems(app)
    register_headers(app)
    app.before_request(refuse_leading_slashes)
    register_commands(app)
    mount(app, ROUTES if settings.is_production else ROUTES + DEVELOPMENT_ROUTES, settings, clock)
    return app


CORS_OPTIONS: dict[str, Any] = {
    "methods": ["GET", "POST", "PUT", "PATCH", "DELETE"],
    "allow_headers": ["authorization", "content-type", "idempotency-key"],
    "expose_headers": ["Location", "Retry-After", "X-Request-ID"],
    "max_age": 600,
    # Only to callers that name an origin, and only their own.
    "always_send": False,
}


def exactly(origin: str) -> re.Pattern[str]:
    """Return a pattern of this text alone: Flask-CORS guesses that a string with special characters is a pattern."""
    return re.compile(re.escape(origin) + r"\Z")


def _flask_config(settings: Settings) -> dict[str, Any]:
    return {
        "SECRET_KEY": settings.secret_key,
        "MAX_CONTENT_LENGTH": LARGEST_BODY_BYTES,
        "PROPAGATE_EXCEPTIONS": False,
        "SQLALCHEMY_DATABASE_URI": settings.database_url,
        "SQLALCHEMY_ENGINE_OPTIONS": engine_options(settings),
        "JWT_SECRET_KEY": settings.jwt_secret_key,
        "DESCRIPTION": (Path(__file__).parent / "src" / "utils" / "openapi.md").read_text(encoding="utf-8"),
        "LICENSE": {"name": "MIT", "identifier": "MIT"},
        # In the order in which a newcomer tries them.
        "TAGS": [{"name": name} for name in ("Auth", "Patient", "Appointment", "Doctor", "Availability", "Service")],
        "SERVERS": [{"url": "/"}],
        "SECURITY_SCHEMES": {SECURITY_SCHEME: {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        # Errors are documented by the road, each with our own words.
        "AUTO_404_RESPONSE": False,
        "AUTO_AUTH_ERROR_RESPONSE": False,
        "AUTO_VALIDATION_ERROR_RESPONSE": False,
        "VALIDATION_ERROR_STATUS_CODE": 400,
        "DOCS_FAVICON": "/docs/assets/favicon-32x32.png",
        "SWAGGER_UI_CSS": "/docs/assets/swagger-ui.css",
        "SWAGGER_UI_BUNDLE_JS": "/docs/assets/swagger-ui-bundle.js",
        "SWAGGER_UI_STANDALONE_PRESET_JS": "/docs/assets/swagger-ui-standalone-preset.js",
        # No validator: the page must work, and stay silent, without the internet.
        "SWAGGER_UI_CONFIG": {"validatorUrl": None, "persistAuthorization": True, "displayRequestDuration": True},
    }


def _docs_assets() -> Blueprint:
    """Serve Swagger UI from its package, which is found and not imported: it would bring a whole HTTP client along."""
    package = find_spec("flask_swagger_ui")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("flask_swagger_ui")
    dist = Path(package.origin).parent / "dist"
    return Blueprint("docs_assets", __name__, static_folder=dist, static_url_path="/docs/assets")


app = create_app()

if "gunicorn" in sys.modules:
    # gunicorn.conf.py refuses with less noise, but gunicorn reads it only from the folder that it is started in.
    app.extensions["settings"].refuse_published_secrets()

if __name__ == "__main__":
    from src.utils.development_server import serve
    from worker import work

    serve(app, work)

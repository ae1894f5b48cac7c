"""Create the Flask application: its settings, extensions, routes and commands."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click
from apiflask import APIFlask
from flask import Blueprint
from werkzeug.middleware.proxy_fix import ProxyFix

from config import Settings, settings_of_program
from src import __version__
from src.database.connections import engine_options, listen_to_postgresql, listen_to_sqlite
from src.database.transaction import transaction
from src.extensions import cors, db, jwt, migrate
from src.utils import common_passwords
from src.utils.clock import Clock, system_clock
from src.utils.memory import free_large_blocks_at_once
from src.web.flask_overrides import (
    IdConverter,
    JsonRequest,
    NoSessions,
    StrictJson,
    refuse_leading_slashes,
    return_unchanged,
)
from src.web.headers import register_headers
from src.web.languages import register_languages
from src.web.logs import register_request_ids
from src.web.openapi import SECURITY_SCHEME, finish_spec
from src.web.page_answers import register_problem_pages
from src.web.page_road import mount_forms, mount_pages, views_of_pages
from src.web.page_routes import Form, Page
from src.web.prefix import name_prefix, only_plain_prefixes
from src.web.problems import register_problems
from src.web.road import mount
from src.web.routes import Route
from src.web.static_files import register_static_files

LARGEST_BODY_BYTES = 1024 * 1024
TEMPLATES = Path(__file__).parents[1] / "pages" / "templates"


def create_app(
    routes: Sequence[Route],
    settings: Settings | None = None,
    *,
    pages: Sequence[Page] = (),
    forms: Sequence[Form] = (),
    commands: Sequence[click.Command] = (),
    clock: Clock = system_clock,
) -> APIFlask:
    """Create the application; without `settings` they are read from the environment, for the program that runs."""
    settings = settings or settings_of_program()
    free_large_blocks_at_once()
    if settings.refuses_common_passwords:
        # Now, so that the processes that gunicorn forks share it.
        common_passwords.the_list()
    app = APIFlask(
        __name__,
        title="Appointment Booking System",
        version=__version__,
        template_folder=str(TEMPLATES),
        static_folder=None,  # pyright: ignore[reportArgumentType]
    )
    app.config.from_mapping(_flask_config(settings))
    app.extensions |= {"settings": settings, "clock": clock, "transaction": transaction}
    app.json = StrictJson(app)
    app.request_class = JsonRequest
    app.session_interface = NoSessions()
    app.ensure_sync = return_unchanged
    app.url_map.merge_slashes = False
    app.url_map.converters["int"] = IdConverter

    db.init_app(app)
    jwt.init_app(app)
    migrate.init_app(app, db)
    cors.init_app(app, origins=[exact_pattern(origin) for origin in settings.allowed_origins], **CORS_OPTIONS)
    with app.app_context():
        if settings.database_is_sqlite:
            listen_to_sqlite(db.engine)
        else:
            listen_to_postgresql(db.engine, settings)
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(only_plain_prefixes(app.wsgi_app), x_for=hops, x_proto=hops, x_host=hops, x_prefix=hops)

    optional = {route.name for route in routes if route.body_optional}
    app.spec_processor(partial(finish_spec, optional_bodies=optional, shortest_password=settings.password_min_length))
    app.register_blueprint(_docs_assets())
    register_request_ids(app)
    register_problems(app)
    register_headers(app)
    register_languages(app)
    register_problem_pages(app)
    app.extensions["static files"] = register_static_files(app)
    app.before_request(refuse_leading_slashes)
    shown = [page for page in pages if not (page.development_only and settings.is_production)]
    views = views_of_pages(app, shown, clock)
    served = [route for route in routes if not (route.development_only and settings.is_production)]
    app.config["TAGS"] = [{"name": tag} for tag in dict.fromkeys(route.tag for route in served)]
    mount(app, served, settings, clock, views)
    mount_pages(app, {path: view for path, view in views.items() if path not in {route.path for route in served}})
    mount_forms(app, forms, shown, clock)
    for command in commands:
        app.cli.add_command(command)
    return app


CORS_OPTIONS: dict[str, Any] = {
    "methods": ["GET", "POST", "PUT", "PATCH", "DELETE"],
    "allow_headers": ["authorization", "content-type", "idempotency-key", "if-match"],
    "expose_headers": ["ETag", "Location", "Retry-After", "X-Request-ID"],
    "max_age": 600,
    # Send CORS headers only when the request names an origin, and name only that origin.
    "always_send": False,
}


def exact_pattern(origin: str) -> re.Pattern[str]:
    """Return a pattern that matches this text only: Flask-CORS reads a string with special characters as a pattern."""
    return re.compile(re.escape(origin) + r"\Z")


def _flask_config(settings: Settings) -> dict[str, Any]:
    return {
        "SECRET_KEY": settings.secret_key,
        "MAX_CONTENT_LENGTH": LARGEST_BODY_BYTES,
        "PROPAGATE_EXCEPTIONS": False,
        "SQLALCHEMY_DATABASE_URI": settings.database_url,
        "SQLALCHEMY_ENGINE_OPTIONS": engine_options(settings),
        "JWT_SECRET_KEY": settings.jwt_secret_key,
        "DESCRIPTION": Path(__file__).with_name("openapi.md").read_text(encoding="utf-8"),
        "LICENSE": {"name": "MIT", "identifier": "MIT"},
        "SERVERS": [{"url": "/"}],
        "SPEC_DECORATORS": [name_prefix],
        "SECURITY_SCHEMES": {SECURITY_SCHEME: {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        # road.py documents the errors, with our own sentences.
        "AUTO_404_RESPONSE": False,
        "AUTO_AUTH_ERROR_RESPONSE": False,
        "AUTO_VALIDATION_ERROR_RESPONSE": False,
        "VALIDATION_ERROR_STATUS_CODE": 400,
        # Relative to the page's own address, so that they are right below a path prefix, too.
        "DOCS_FAVICON": "docs/assets/favicon-32x32.png",
        "SWAGGER_UI_CSS": "docs/assets/swagger-ui.css",
        "SWAGGER_UI_BUNDLE_JS": "docs/assets/swagger-ui-bundle.js",
        "SWAGGER_UI_STANDALONE_PRESET_JS": "docs/assets/swagger-ui-standalone-preset.js",
        # No validator: the page must work without internet access and send nothing to other servers.
        "SWAGGER_UI_CONFIG": {"validatorUrl": None, "persistAuthorization": True, "displayRequestDuration": True},
    }


def _docs_assets() -> Blueprint:
    """Serve Swagger UI from its package, without importing the package: that would import an HTTP client as well."""
    package = find_spec("flask_swagger_ui")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("flask_swagger_ui")
    dist = Path(package.origin).parent / "dist"
    return Blueprint("docs_assets", __name__, static_folder=dist, static_url_path="/docs/assets")

"""How Alembic reaches the database: `flask db …` runs this inside an application context."""

from __future__ import annotations

from logging.config import fileConfig

from alembic import context
from flask import current_app
from sqlalchemy import create_engine, pool

from src.database.connections import SQLITE, listen_to_sqlite
from src.models import Base

config = context.config
if config.config_file_name is not None and current_app.config.get("CONFIGURE_MIGRATION_LOGS", True):
    fileConfig(config.config_file_name, disable_existing_loggers=False)


def run_migrations() -> None:
    """Run every step in one transaction: a migration is done whole or not at all."""
    settings = current_app.extensions["settings"]
    engine = create_engine(settings.migration_database_url or settings.database_url, poolclass=pool.NullPool)
    if settings.database_is_sqlite:
        listen_to_sqlite(engine)
    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            render_as_batch=connection.dialect.name == "sqlite",
            compare_type=True,
        )
        with context.begin_transaction():
            if settings.database_is_sqlite:
                connection.exec_driver_sql(SQLITE.writes)
            context.run_migrations()


if context.is_offline_mode():
    context.configure(dialect_name="postgresql", target_metadata=Base.metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    run_migrations()

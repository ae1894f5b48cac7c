"""Alembic's environment: `flask db …` runs this file inside an application context."""

from __future__ import annotations

from logging.config import fileConfig

from alembic import context
from flask import current_app

from src.database.upgrades import refuse_dangling_rows, refuse_newer_database, upgrade_transaction
from src.models import Base

config = context.config
if config.config_file_name is not None and current_app.config.get("CONFIGURE_MIGRATION_LOGS", True):
    fileConfig(config.config_file_name, disable_existing_loggers=False)


def run_migrations() -> None:
    """Run all migrations in one transaction, so that an upgrade that fails changes nothing."""
    with upgrade_transaction(current_app.extensions["settings"]) as connection:
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            render_as_batch=connection.dialect.name == "sqlite",
            compare_type=True,
            transactional_ddl=True,
        )
        migrations = context.get_context()
        refuse_newer_database(migrations)
        before = migrations.get_current_heads()
        context.run_migrations()
        if migrations.get_current_heads() != before:
            refuse_dangling_rows(connection)


if context.is_offline_mode():
    context.configure(dialect_name="postgresql", target_metadata=Base.metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    run_migrations()

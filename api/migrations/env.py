"""Alembic's environment: runs the migrations on the application's own engine."""

from alembic import context
from sqlalchemy import Connection, inspect, text

from api import models
from api.database import sqlite
from api.database.base import Base
from api.database.engines import db
from api.models import places
from schemas.record_fields import NEWEST

# Importing the tables registers them with the metadata.
TABLES = (models, places)


def _ours(name: str | None, kind: str, _parents: object) -> bool:
    """Leave aside the tables that are no models: full-text indexes, and what they are made of."""
    return kind != "table" or name in Base.metadata.tables or not f"{name}".startswith("search_")


def _number_the_newest_field(connection: Connection) -> None:
    """Note of a database without records that none of its documents lacks a field."""
    there = inspect(connection)
    if there.has_table("dataset") and any(
        column["name"] == "newest_field" for column in there.get_columns("dataset")
    ):
        none = "NOT EXISTS (SELECT 1 FROM versions)"
        statement = text(f"UPDATE dataset SET newest_field = :newest WHERE {none}")  # noqa: S608
        connection.execute(statement, {"newest": NEWEST})


def run() -> None:
    """Run the migrations in one transaction: that of the connection handed in, where one is."""
    connection = context.config.attributes.get("connection")
    if connection is not None:
        _migrate(connection)
        return
    sqlite.create_file(db.engine.url)
    with db.engine.connect() as connection:
        _migrate(connection)
        connection.commit()  # on SQLite each migration is by itself, and what follows them is open


def _migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        compare_type=True,
        include_name=_ours,
        render_as_batch=connection.dialect.name == "sqlite",
    )
    with context.begin_transaction():
        context.run_migrations()
        _number_the_newest_field(connection)


run()

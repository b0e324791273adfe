"""Alembic's environment: runs the migrations on the application's own engine."""

from pathlib import Path

from alembic import context

from api import models
from api.database.base import Base
from api.database.engines import db
from api.models import places

# Importing the tables registers them with the metadata.
TABLES = (models, places)


def _ours(name: str | None, kind: str, _parents: object) -> bool:
    """Leave aside the tables that are no models: full-text indexes, and what they are made of."""
    return kind != "table" or name in Base.metadata.tables or not f"{name}".startswith("search_")


def run() -> None:
    """Run the migrations in one transaction."""
    if db.engine.dialect.name == "sqlite" and db.engine.url.database:
        Path(db.engine.url.database).parent.mkdir(parents=True, exist_ok=True)
    with db.engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            compare_type=True,
            include_name=_ours,
            render_as_batch=connection.dialect.name == "sqlite",
        )
        with context.begin_transaction():
            context.run_migrations()


run()

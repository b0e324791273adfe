"""Health: whether the service can answer, and what its database holds."""

from functools import lru_cache
from pathlib import Path
from typing import Any

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError

from api.db import db, reader
from api.models import Dataset

_STATE = select(Dataset.version, Dataset.published)


@lru_cache(maxsize=1)
def newest_migration() -> str | None:
    """Name the newest migration that this code has."""
    folder = Path(__file__).parent / "migrations"
    return ScriptDirectory(str(folder)).get_current_head()


def readiness() -> dict[str, Any]:
    """Look at the database: {"ready", "faults", "dataset_version", "incidents"}."""
    faults = []
    version = incidents = None
    try:
        with db.engine.connect() as connection:
            stands = MigrationContext.configure(connection).get_current_revision()
        if stands != newest_migration():
            faults.append("the tables are not current; run: flask --app api db upgrade")
        else:
            version, incidents = reader().run(_STATE)[0]
    except SQLAlchemyError:
        faults.append("the database does not answer")
    return {
        "ready": not faults,
        "faults": faults,
        "dataset_version": version,
        "incidents": incidents,
    }


def gauges() -> dict[str, float]:
    """Measure what is asked for at a scrape: dataset version, records, size of the database."""
    version, incidents = reader().run(_STATE)[0]
    with db.engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            size = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
        else:
            size = "SELECT pg_database_size(current_database())"
        found = connection.execute(text(size)).scalar_one()
    return {"dataset_version": version, "incidents_published": incidents, "database_bytes": found}

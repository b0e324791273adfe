"""Health: whether the service can answer, and what its database holds."""

from typing import Any

from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError

from api.database import schema_version
from api.database.engines import primary, reader, standbys
from api.models import Dataset
from schemas.record_fields import NEWEST

_STATE = select(Dataset.version, Dataset.published)
_NEWEST_FIELD = select(Dataset.newest_field)


def documents_are_current() -> bool:
    """Whether every current document has the newest field."""
    newest: int = primary().run(_NEWEST_FIELD)[0][0]
    return newest >= NEWEST


def readiness() -> dict[str, Any]:
    """Look at the database: {"ready", "faults", "dataset_version", "incidents"}.

    With standbys also {"writes": whether the primary answers, "reads": {"dataset_version",
    "standby", "delay_seconds"}, or None}: the service is then ready while one of them answers.
    """
    faults = []
    version = incidents = None
    try:
        if schema_version.current_revision() != schema_version.newest_revision():
            faults.append("the tables are not current; run: flask --app api db upgrade")
        else:
            version, incidents = primary().run(_STATE)[0]
            if not documents_are_current():
                faults.append("documents lack a field; run: flask --app api documents upgrade")
    except SQLAlchemyError:
        faults.append("the database does not answer")
    state = {
        "ready": not faults,
        "faults": faults,
        "dataset_version": version,
        "incidents": incidents,
    }
    return state if standbys() is None else _with_standbys(state)


def _with_standbys(state: dict[str, Any]) -> dict[str, Any]:
    """Add the state of the standbys; while they answer, the service can be read."""
    state["writes"] = state["ready"]
    try:
        state["reads"] = _position()
    except SQLAlchemyError:
        state["reads"] = None
        state["faults"].append("no standby answers")
    state["ready"] = state["writes"] or state["reads"] is not None
    return state


def _position() -> dict[str, Any]:
    """Return how far the server has come that answers what is read without a key."""
    reading = standbys()
    assert reading is not None
    with reading.connect() as connection:
        version = connection.execute(_STATE).one()[0]
        if connection.dialect.name == "sqlite":
            return {"dataset_version": version, "standby": False, "delay_seconds": None}
        standby, delay = connection.execute(text(_DELAY)).one()
    return {"dataset_version": version, "standby": standby, "delay_seconds": delay}


# How long ago the last change was made that a standby has, 0 where it has all that it was sent.
_DELAY = """
SELECT pg_is_in_recovery(), CASE
  WHEN NOT pg_is_in_recovery() OR pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0.0
  ELSE round(extract(epoch FROM now() - pg_last_xact_replay_timestamp()), 3)::float
END
"""


def gauges() -> dict[str, float]:
    """Measure what is asked for at a scrape: dataset version, records, size of the database."""
    version, incidents = reader().run(_STATE)[0]
    with reader().engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            size = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
        else:
            size = "SELECT pg_database_size(current_database())"
        database_bytes = connection.execute(text(size)).scalar_one()
    return {
        "dataset_version": version,
        "incidents_published": incidents,
        "database_bytes": database_bytes,
    }

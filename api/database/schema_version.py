"""The schema's version: at which migration the database stands, and which ones this code has."""

from functools import cache
from pathlib import Path

from sqlalchemy import inspect, text

from api.database.engines import db


@cache
def _revisions() -> list[str]:
    """Return the revisions that there are, in order, by their files: a server needs no Alembic."""
    folder = Path(__file__).parent.parent / "migrations" / "versions"
    return sorted(path.name.partition("_")[0] for path in folder.glob("[0-9]*_*.py"))


def newest_revision() -> str:
    """Return the newest revision that this code has."""
    return _revisions()[-1]


def current_revision() -> str | None:
    """Return the revision at which the database stands; None if it has no tables of ours."""
    with db.engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
        return revision


def is_known_revision(revision: str | None) -> bool:
    """Whether this code can migrate a database at REVISION: it has that one, or there is none."""
    return revision is None or revision in _revisions()

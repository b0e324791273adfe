"""Indexes that wait: a large file into empty tables is written first, then indexed.

To build an index from all its rows takes a fraction of the time that it takes to find the place of
each. All of it is one transaction: whoever reads meanwhile has the tables as they were, with their
indexes, and a load that is cut off has changed nothing.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, text

from api.models import Change, Claim, Incident, IncidentCommunity, IncidentMeasure, Source
from api.models.tables import table

_TABLES = {
    table(model).name
    for model in (Incident, IncidentCommunity, IncidentMeasure, Source, Claim, Change)
}
# By these an import looks up what a line may be like. Those that are unique stay too.
_NEEDED = {"ix_incidents_city", "ix_incidents_unpublished", "ix_sources_city"}
_INDEXES = text(
    "SELECT name, tbl_name, sql FROM sqlite_schema WHERE sql LIKE 'CREATE INDEX%' ORDER BY rootpage"
)


@contextmanager
def wait(connection: Connection, tell: Callable[[int, int], None]) -> Iterator[None]:
    """Take the indexes of records away, on SQLite, and build them at the end.

    TELL is told how many of how many are built. Whoever calls rolls back what fails in between.
    """
    found = {
        name: statement
        for name, of, statement in connection.execute(_INDEXES)
        if of in _TABLES and name not in _NEEDED
    }
    for name in found:
        connection.exec_driver_sql(f"DROP INDEX {name}")
    yield
    for done, statement in enumerate(found.values()):
        tell(done, len(found))
        connection.exec_driver_sql(statement)
    tell(len(found), len(found))

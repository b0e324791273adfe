"""Loading: the data file into the database's tables, once for each version of the file."""

import hashlib
import lzma
from array import array
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import islice
from typing import Any

from sqlalchemy import Connection, delete, insert, select, text

from api.database.base import Base
from api.geo import grid
from api.geo.data_files import PLACES
from api.models.places import GazetteerState, Place, PlaceName
from schemas.name_folding import fold

Progress = Callable[[int, int], None]
Row = tuple[Any, ...]

_BATCH = 10_000  # rows between two reports of progress; holds memory to a few megabytes
_LOCK = 4_071_001  # of PostgreSQL's advisory locks, the gazetteer's


@cache
def file_version() -> str:
    """Return the version of the data file: the beginning of its SHA-256."""
    return hashlib.sha256(PLACES.read_bytes()).hexdigest()[:16]


def loaded_version(connection: Connection) -> str | None:
    """Return the version of the data that the tables hold, or None if they are empty."""
    return connection.execute(select(GazetteerState.version)).scalar_one_or_none()


def load(connection: Connection, progress: Progress | None = None) -> int:
    """Load the gazetteer in CONNECTION's transaction; the caller commits.

    Returns the number of places loaded: 0 where this version of the file is loaded already.
    Another version is replaced as a whole. PROGRESS is called with the numbers of rows done
    and in all. On PostgreSQL a second loader waits for the first and then finds nothing to do.
    """
    if loaded_version(connection) == file_version():
        return 0
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        if loaded_version(connection) == file_version():
            return 0
    for model in (GazetteerState, PlaceName, Place):
        connection.execute(delete(model))
    count = _load_file(connection, progress or (lambda _done, _total: None))
    connection.execute(insert(GazetteerState).values(id=1, version=file_version(), places=count))
    return count


def _load_file(connection: Connection, progress: Progress) -> int:
    with lzma.open(PLACES, "rt", encoding="utf-8", newline="\n") as lines:
        places, total = (int(number) for number in next(lines).split()[1:])
        done = 0
        ids = array("q")
        for model, rows in ((Place, _place_rows(lines, ids)), (PlaceName, _name_rows(lines, ids))):
            next(lines)  # the names of the columns
            for batch in _batches(rows):
                _insert(connection, model, batch)
                done += len(batch)
                progress(done, total)
    if connection.dialect.name == "postgresql":
        # Autovacuum would get to it in a minute; the seeds look places up at once.
        connection.execute(text("ANALYZE places, place_names"))
    return places


def _place_rows(lines: Iterable[str], ids: "array[int]") -> Iterator[Row]:
    """Read places up to the empty line that ends them, noting their IDS in order."""
    for line in lines:
        if line == "\n":
            return
        cells = line.rstrip("\n").split("\t")
        geonames_id, name, country, code, admin1, latitude, longitude, population = cells
        ids.append(int(geonames_id))
        yield (
            int(geonames_id),
            name,
            fold(name),
            country,
            code or None,
            admin1 or None,
            float(latitude),
            float(longitude),
            int(population),
            grid.cell_id(float(latitude), float(longitude), grid.CELL),
        )


def _name_rows(lines: Iterable[str], ids: "array[int]") -> Iterator[Row]:
    for line in lines:
        name, numbers = line.rstrip("\n").split("\t")
        for number in numbers.split():
            yield name, ids[int(number.lstrip("="))], number.startswith("=")


def _batches(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while batch := list(islice(rows, _BATCH)):
        yield batch


def _insert(connection: Connection, model: type[Base], rows: list[Row]) -> None:
    """Insert ROWS by the engine's fastest way: COPY on PostgreSQL, executemany on SQLite."""
    columns = [column.name for column in model.__table__.columns]
    into = f"{model.__tablename__} ({', '.join(columns)})"
    if connection.dialect.name == "postgresql":
        driver: Any = connection.connection.dbapi_connection
        with (
            driver.cursor() as cursor,
            cursor.copy(f"COPY {into} FROM STDIN") as c,
        ):
            for row in rows:
                c.write_row(row)
    else:
        sql = f"INSERT INTO {into} VALUES ({', '.join('?' * len(columns))})"  # noqa: S608 - our own names
        connection.exec_driver_sql(sql, rows)

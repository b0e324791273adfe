"""A state as rows: what each table holds of a record, collected and written many at a time."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import count
from typing import Any

from sqlalchemy import Connection, bindparam, delete, text

from api import search
from api.database import statements
from api.database.base import Base
from api.documents import CLAIM_MEMBERS, DerivedFields, claim_of
from api.geo import grid
from api.models import (
    Article,
    Claim,
    Incident,
    IncidentCommunity,
    IncidentMeasure,
    ReferenceVersion,
    Source,
    Version,
)
from api.models.tables import key, table
from schemas.claims import conflicts_by_claim
from schemas.counts import COUNT_FIELDS
from schemas.record_state import State

_COPIED = (
    "title",
    "summary",
    "type",
    "city",
    "admin1",
    "country",
    "venue",
    "latitude",
    "longitude",
    "geo_precision",
    "geonames_id",
    "property_damage",
    "episode",
    *(f"{name}{end}" for name in COUNT_FIELDS for end in ("", "_low", "_high")),
)
OWNED = (Claim, Source, IncidentMeasure, IncidentCommunity)
_ORDER: tuple[type[Base], ...] = (
    Incident,
    Article,
    ReferenceVersion,
    IncidentCommunity,
    IncidentMeasure,
    Source,
    Claim,
    Version,
)
_WIDE_DAYS = 366
# Index entries that are written together: they are sorted, and each time is a part of the index.
_ENTRIES = 20_000


_LAST_KEY = text("SELECT seq FROM sqlite_sequence WHERE name = :name")
_NEXT_KEYS = text(
    "SELECT nextval(CAST(CAST(:name AS text) AS regclass)) FROM generate_series(1, :ahead)"
)
_CLEAR = [
    delete(owned).where(owned.c.incident_pk == bindparam("pk")) for owned in map(table, OWNED)
]


def incident_columns(state: State, derived: DerivedFields) -> dict[str, Any]:
    """Give the columns of an incident that follow from its state."""
    span = derived.span
    wide = span.start is None or span.end is None or (span.end - span.start).days > _WIDE_DAYS
    return {
        **{name: state[name] for name in _COPIED},
        "date": span.text,
        "date_precision": span.precision,
        "earliest": span.earliest,
        "latest": span.latest,
        "sort_date": span.sort_date,
        "wide": wide,
        "week": span.week,
        "city_key": key(state["city"]),
        "disputed": f"|{'|'.join(derived.disputed)}|" if derived.disputed else "",
        "number_of_sources": derived.number_of_sources,
        **_point(state["latitude"], state["longitude"]),
    }


def _point(latitude: float | None, longitude: float | None) -> dict[str, Any]:
    """Give the columns by which a point is found: its squares, and where it is on the globe."""
    if latitude is None or longitude is None:
        return dict.fromkeys(("cell", "region", "x", "y", "z"))
    x, y, z = grid.vector(latitude, longitude)
    return {
        "cell": grid.square(latitude, longitude, grid.CELL),
        "region": grid.square(latitude, longitude, grid.REGION),
        "x": x,
        "y": y,
        "z": z,
    }


def owned_rows(
    incident: Mapping[str, Any], state: State, article_pks: Mapping[str, int]
) -> dict[type[Base], list[dict[str, Any]]]:
    """Give the rows that belong to INCIDENT (its columns), with its articles by ARTICLE_PKS."""
    pk = incident["pk"]
    seen: set[str] = set()
    communities = []
    for position, entry in enumerate(state["communities"]):
        listed = incident["status"] == "published" and entry["community"] not in seen
        seen.add(entry["community"])
        denormalised = {name: incident[name] for name in ("sort_date", "id", "document_pk")}
        communities.append(
            {"incident_pk": pk, "position": position, "listed": listed, **entry, **denormalised}
        )
    measures = [
        {"incident_pk": pk, "position": position, "measure": measure}
        for position, measure in enumerate(state["police_measures"])
    ]
    sources = []
    for place, source in enumerate(state["sources"]):
        sources.append(
            {
                "incident_pk": pk,
                "position": place,
                "article_pk": article_pks[source["article"]["id"]],
                "city_key": incident["city_key"],
                "locator": source["locator"],
            }
        )
    return {
        IncidentCommunity: communities,
        IncidentMeasure: measures,
        Source: sources,
        Claim: _claim_rows(pk, state),
    }


def _claim_rows(pk: int, state: State) -> list[dict[str, Any]]:
    """Give the rows of all claims of an incident."""
    claims = [
        (place, position, claim)
        for place, source in enumerate(state["sources"])
        for position, claim in enumerate(source["claims"])
    ]
    conflicting = conflicts_by_claim([claim_of(claim) for _, _, claim in claims], 0)
    return [
        {
            "incident_pk": pk,
            "source_position": place,
            "position": position,
            **{name: claim[name] for name in CLAIM_MEMBERS},
            "attributed_key": key(claim["attributed_to"]),
            "conflicting": number in conflicting,
        }
        for number, (place, position, claim) in enumerate(claims)
    ]


_NAMES = {model: tuple(table(model).c.keys()) for model in _ORDER}
_IN_ORDER = {model: statements.tuple_getter(table(model), names) for model, names in _NAMES.items()}

Rows = dict[type[Base], list[tuple[Any, ...]]]


def in_order(model: type[Base], row: Mapping[str, Any]) -> tuple[Any, ...]:
    """Give the values of a row in the order of its table's columns, as a batch collects them."""
    return _IN_ORDER[model](row)


# Where the row of a version, in order, has its document.
DOCUMENT = _NAMES[Version].index("document")


class Batch:
    """Rows on their way into the tables, written together in an order that keys allow."""

    def __init__(self, connection: Connection, ahead: int = 1) -> None:
        """Take keys from CONNECTION's sequences AHEAD at a time: as many as rows are expected."""
        self.connection = connection
        self.ahead = ahead
        self._rows: Rows = defaultdict(list)
        self._entries: list[search.Entry] = []
        self._keys: dict[type[Base], Iterator[int]] = {}

    def next_pk(self, model: type[Base]) -> int:
        """Take a primary key that no other row will have."""
        if model not in self._keys:
            self._keys[model] = self._reserve(table(model).name)
        return next(self._keys[model])

    def _reserve(self, name: str) -> Iterator[int]:
        if self.connection.dialect.name == "sqlite":
            # The write lock is ours until the commit: nobody else counts on from here.
            rows = statements.run(self.connection, _LAST_KEY, {"name": name})
            yield from count(rows[0][0] + 1 if rows else 1)
        values = {"name": f"{name}_pk_seq", "ahead": self.ahead}
        while True:
            yield from (pk for (pk,) in statements.run(self.connection, _NEXT_KEYS, values))

    def add(self, model: type[Base], row: Mapping[str, Any]) -> None:
        """Collect one row."""
        self._rows[model].append(in_order(model, row))

    def drop(self, model: type[Base], name: str, value: Any) -> None:
        """Drop the rows collected for MODEL that have VALUE in the column NAME."""
        place = _NAMES[model].index(name)
        self._rows[model] = [row for row in self._rows[model] if row[place] != value]

    def add_rows(self, rows: Mapping[type[Base], Iterable[tuple[Any, ...]]]) -> None:
        """Collect rows that are in order."""
        for model, found in rows.items():
            self._rows[model].extend(found)

    def add_owned(
        self, incident: Mapping[str, Any], state: State, article_pks: Mapping[str, int]
    ) -> None:
        """Collect the rows that belong to an incident."""
        for model, rows in owned_rows(incident, state, article_pks).items():
            self._rows[model].extend(map(_IN_ORDER[model], rows))

    def add_entry(self, entry: search.Entry) -> None:
        """Collect the entry of an incident in the full-text index."""
        self._entries.append(entry)

    def clear(self) -> None:
        """Drop what is collected."""
        self._rows.clear()
        self._entries.clear()

    def write(self, *, last: bool = True) -> None:
        """Write what is collected, a statement a table.

        Entries wait for others where this is not the LAST of the transaction.
        """
        for model in _ORDER:
            rows = self._rows.pop(model, None)
            if rows:
                statements.insert_tuples(self.connection, table(model), _NAMES[model], rows)
        if last or len(self._entries) >= _ENTRIES:
            entries, self._entries = self._entries, []
            search.add(self.connection, entries)


def clear_owned(connection: Connection, incident_pk: int) -> None:
    """Delete the rows that belong to an incident, before new ones take their place."""
    for statement in _CLEAR:
        statements.run(connection, statement, {"pk": incident_pk})

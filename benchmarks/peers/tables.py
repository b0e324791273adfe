"""The tables of both ORM peers, as a good engineer would lay them out for what they are asked.

Single keys everywhere, an index on each foreign key, one in the order of the list, and unique ids.
"""

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

COUNTS = ("arrests", "injuries", "deaths", "participants", "injuries_police")

metadata = MetaData()


def _key() -> Column[int]:
    return Column("id", Integer, primary_key=True)


def _of(table: str) -> Column[int]:
    """Return a reference to a row of TABLE, with an index."""
    return Column(
        f"{table.removesuffix('s')}_id", ForeignKey(f"{table}.id"), nullable=False, index=True
    )


def _text(*names: str) -> list[Column[str]]:
    return [Column(name, Text) for name in names]


incidents = Table(
    "incidents",
    metadata,
    _key(),
    Column("public_id", String(10), nullable=False, unique=True),
    Column("version", Integer, nullable=False),
    Column("status", String(16), nullable=False),
    Column("type", String(32), nullable=False),
    Column("date", String(24), nullable=False),
    Column("date_precision", String(8), nullable=False),
    Column("sort_date", String(10), nullable=False),
    *_text("title", "summary", "city", "admin1", "country", "venue", "geo_precision"),
    Column("latitude", Float),
    Column("longitude", Float),
    Column("geonames_id", Integer),
    *(Column(f"{name}{end}", Integer) for name in COUNTS for end in ("", "_low", "_high")),
    Column("property_damage", Boolean),
    *_text("episode", "disputed"),
    Column("number_of_sources", Integer, nullable=False),
    Column("created_at", String(24), nullable=False),
    Column("updated_at", String(24), nullable=False),
    Index("ix_incidents_newest", "status", "sort_date", "public_id"),
)
communities = Table(
    "communities",
    metadata,
    _key(),
    _of("incidents"),
    Column("position", Integer, nullable=False),
    Column("community", String(64), nullable=False),
    Column("role", String(20), nullable=False),
    *(Column(f"participants{end}", Integer) for end in ("", "_low", "_high")),
    Column("organisations", JSON, nullable=False),
)
measures = Table(
    "measures",
    metadata,
    _key(),
    _of("incidents"),
    Column("position", Integer, nullable=False),
    Column("measure", String(20), nullable=False),
)
articles = Table(
    "articles",
    metadata,
    _key(),
    Column("public_id", String(10), nullable=False, unique=True),
    *_text("title", "publisher", "published", "url", "syndicated_from"),
)
sources = Table(
    "sources",
    metadata,
    _key(),
    _of("incidents"),
    _of("articles"),
    Column("position", Integer, nullable=False),
    *_text("locator"),
)
claims = Table(
    "claims",
    metadata,
    _key(),
    _of("sources"),
    Column("position", Integer, nullable=False),
    Column("field", String(32), nullable=False),
    Column("value", JSON(none_as_null=True)),
    Column("low", Integer),
    Column("high", Integer),
    *_text("text", "attributed_to", "community", "scope"),
)
versions = Table(
    "versions",
    metadata,
    _key(),
    Column("incident_id", ForeignKey("incidents.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("action", String(16), nullable=False),
    Column("at", String(24), nullable=False),
    Column("document", Text, nullable=False),
    Index("uq_versions_number", "incident_id", "number", unique=True),
)

"""Incidents: their columns, what belongs to them, and every version of their documents."""

from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Double,
    Float,
    ForeignKey,
    Index,
    String,
    Text,
    false,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from api.database.base import KEY_LENGTH, Base, ordered_text
from schemas.counts import COUNT_FIELDS

PUBLISHED = "status = 'published'"
# The place that a record was resolved to, by the id that it has at /places.
PLACE_KEY = "coalesce(place_id, 'geonames-' || CAST(geonames_id AS TEXT))"
# What an index leads to in the order of dates, by the name of its filter.
LISTED_BY: dict[str, Any] = {
    **{name: name for name in ("country", "type", "episode")},
    "admin1": "admin1_key",
    "place": text(PLACE_KEY),
}


# What statistics group by and add up, and what an overview tells of dates and figures.
FIGURES = (
    "sort_date",
    "earliest",
    "latest",
    "date_precision",
    "week",
    "country",
    "admin1",
    "city",
    "type",
    "episode",
    *(f"{name}{end}" for name in COUNT_FIELDS for end in ("", "_low", "_high")),
)
# What a map is made of.
POINTS = ("latitude", "longitude", "geo_precision", "city", "country")


def _partial(condition: str) -> dict[str, Any]:
    """Return the arguments that make an index partial on both engines."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


def _figures(name: str) -> list[CheckConstraint]:
    """Hold a figure and its bounds in order: 0 <= low <= best <= high where given."""
    low, high = f"{name}_low", f"{name}_high"
    return [
        CheckConstraint(f"{low} >= 0 AND {name} >= 0 AND {high} >= 0", name=f"{name}_positive"),
        CheckConstraint(
            f"{low} <= {name} AND {name} <= {high} AND {low} <= {high}", name=f"{name}_ordered"
        ),
    ]


class Incident(Base):
    """One event, at one place, on one date or interval.

    `sort_date` is the start, or the end where the start is open; `earliest` and `latest` are the
    bounds with an open end written as the calendar's first or last day; `wide` marks a date that
    spans more than a year or has an open end, so that others can be found by a range of
    `sort_date` alone; `week` is the ISO week that holds the whole date, if one does. `city_key` is
    the beginning of the folded city name, `admin1_key` that of country and division in the spelling
    that is shown, `document_pk` the current version. `cell` and `region`
    are the squares that the point lies in, `x`, `y`, `z` the point as a unit vector
    (`api.geo.grid`).
    """

    __tablename__ = "incidents"
    __table_args__ = (
        CheckConstraint("status IN ('draft', 'published', 'withdrawn', 'merged')", name="status"),
        CheckConstraint("earliest <= latest", name="dates_ordered"),
        CheckConstraint("(latitude IS NULL) = (longitude IS NULL)", name="point_whole"),
        CheckConstraint("latitude BETWEEN -90 AND 90", name="latitude"),
        CheckConstraint("longitude BETWEEN -180 AND 180", name="longitude"),
        CheckConstraint(
            "city IS NOT NULL OR latitude IS NOT NULL OR geo_precision IN ('admin1', 'country')",
            name="placed",
        ),
        CheckConstraint("version >= 1", name="version"),
        CheckConstraint("injuries_police_low <= injuries_high", name="police_within_injuries"),
        *(check for name in COUNT_FIELDS for check in _figures(name)),
        # `status` stands at the end of an index so that SQLite need not look at the row for it.
        Index(
            "ix_incidents_date", "sort_date", "id", "document_pk", "status", **_partial(PUBLISHED)
        ),
        Index(
            "ix_incidents_lasting",
            "sort_date",
            "id",
            "latest",
            **_partial(f"{PUBLISHED} AND NOT wide AND earliest < latest"),
        ),
        Index(
            "ix_incidents_wide",
            "sort_date",
            "id",
            "earliest",
            "latest",
            **_partial(f"{PUBLISHED} AND wide"),
        ),
        Index("ix_incidents_updated", "updated_at", "id", **_partial(PUBLISHED)),
        Index(
            "ix_incidents_city",
            *("city_key", "sort_date", "id", "document_pk", "latest", "status"),
            **_partial(PUBLISHED),
        ),
        *(
            Index(
                f"ix_incidents_{name}",
                *(column, "sort_date", "id", "document_pk", "status"),
                **_partial(PUBLISHED),
            )
            for name, column in LISTED_BY.items()
        ),
        Index("ix_incidents_cell", "cell", "sort_date", "id", **_partial(PUBLISHED)),
        Index("ix_incidents_region", "region", "sort_date", "id", **_partial(PUBLISHED)),
        Index(
            "ix_incidents_disputed",
            "sort_date",
            "id",
            **_partial(f"{PUBLISHED} AND disputed <> ''"),
        ),
        # All that statistics and maps are made of, so that they need not look at the rows.
        # PostgreSQL reads whole tables fast, and its index rows are too short for long names.
        Index("ix_incidents_figures", *FIGURES, "status", **_partial(PUBLISHED)).ddl_if("sqlite"),
        Index("ix_incidents_points", *POINTS, "status", **_partial(PUBLISHED)).ddl_if("sqlite"),
        Index(
            "ix_incidents_arrests_down",
            text("coalesce(arrests, arrests_low, -1)"),
            "id",
            **_partial(PUBLISHED),
        ),
        Index(
            "ix_incidents_arrests_up",
            text("coalesce(arrests, arrests_low, 1000000001)"),
            "id",
            **_partial(PUBLISHED),
        ),
        Index(
            "ix_incidents_injuries_down",
            text("coalesce(injuries, injuries_low, -1)"),
            "id",
            **_partial(PUBLISHED),
        ),
        Index(
            "ix_incidents_injuries_up",
            text("coalesce(injuries, injuries_low, 1000000001)"),
            "id",
            **_partial(PUBLISHED),
        ),
        Index(
            "ix_incidents_deaths",
            text("coalesce(deaths, deaths_low, -1)"),
            "id",
            **_partial(f"{PUBLISHED} AND coalesce(deaths, deaths_low, -1) > 0"),
        ),
        Index(
            "ix_incidents_unpublished",
            "status",
            "sort_date",
            "id",
            **_partial("status <> 'published'"),
        ),
        Index(
            "ix_incidents_merged_into", "merged_into_pk", **_partial("merged_into_pk IS NOT NULL")
        ),
        Index("ix_incidents_corrects", "corrects_pk", **_partial("corrects_pk IS NOT NULL")),
        {"sqlite_autoincrement": True},
    )

    pk: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(ordered_text(10), unique=True)
    status: Mapped[str] = mapped_column(String(16))
    version: Mapped[int]
    # No foreign key: the version refers to the incident, and one of the two is written first.
    document_pk: Mapped[int | None]
    # The first version that the public may read, once there is one.
    public_from: Mapped[int | None]
    author_pk: Mapped[int | None] = mapped_column(ForeignKey("api_keys.pk"))
    corrects_pk: Mapped[int | None] = mapped_column(ForeignKey("incidents.pk"))
    # The version of the corrected record that a draft starts from.
    corrects_version: Mapped[int | None]
    merged_into_pk: Mapped[int | None] = mapped_column(ForeignKey("incidents.pk"))
    # The version of the other record that took this one over.
    merged_version: Mapped[int | None]
    erased_at: Mapped[str | None] = mapped_column(ordered_text(24))
    withdrawal_code: Mapped[str | None] = mapped_column(String(16))
    review: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[str] = mapped_column(ordered_text(24))
    updated_at: Mapped[str] = mapped_column(ordered_text(24))

    title: Mapped[str] = mapped_column(Text)
    summary: Mapped[str | None] = mapped_column(Text)
    type: Mapped[str] = mapped_column(ordered_text(32))
    date: Mapped[str] = mapped_column(ordered_text(24))
    date_precision: Mapped[str] = mapped_column(String(8))
    earliest: Mapped[str] = mapped_column(ordered_text(10))
    latest: Mapped[str] = mapped_column(ordered_text(10))
    sort_date: Mapped[str] = mapped_column(ordered_text(10))
    wide: Mapped[bool]
    week: Mapped[str | None] = mapped_column(ordered_text(8))

    city: Mapped[str | None] = mapped_column(Text)
    city_key: Mapped[str | None] = mapped_column(ordered_text(KEY_LENGTH))
    admin1: Mapped[str | None] = mapped_column(Text)
    admin1_key: Mapped[str | None] = mapped_column(ordered_text(KEY_LENGTH))
    country: Mapped[str] = mapped_column(ordered_text(2))
    venue: Mapped[str | None] = mapped_column(Text)
    latitude: Mapped[float | None] = mapped_column(Float)
    longitude: Mapped[float | None] = mapped_column(Float)
    geo_precision: Mapped[str | None] = mapped_column(String(8))
    geonames_id: Mapped[int | None]
    place_id: Mapped[str | None] = mapped_column(String(10))
    cell: Mapped[int | None]
    region: Mapped[int | None]
    x: Mapped[float | None] = mapped_column(Double)
    y: Mapped[float | None] = mapped_column(Double)
    z: Mapped[float | None] = mapped_column(Double)

    arrests: Mapped[int | None]
    arrests_low: Mapped[int | None]
    arrests_high: Mapped[int | None]
    injuries: Mapped[int | None]
    injuries_low: Mapped[int | None]
    injuries_high: Mapped[int | None]
    deaths: Mapped[int | None]
    deaths_low: Mapped[int | None]
    deaths_high: Mapped[int | None]
    participants: Mapped[int | None]
    participants_low: Mapped[int | None]
    participants_high: Mapped[int | None]
    injuries_police: Mapped[int | None]
    injuries_police_low: Mapped[int | None]
    injuries_police_high: Mapped[int | None]

    property_damage: Mapped[bool | None]
    episode: Mapped[str | None] = mapped_column(ForeignKey("episodes.id"))
    # The names of the disputed fields between bars, as in `|arrests|injuries|`, or empty.
    disputed: Mapped[str] = mapped_column(Text)
    number_of_sources: Mapped[int]


class IncidentCommunity(Base):
    """A community's part in an incident.

    `sort_date`, `id` and `document_pk` are the incident's, kept here so that a page of a
    community's incidents is one walk along an index; `listed` marks the row that such a walk
    meets: of a published incident, the first of its community.
    """

    __tablename__ = "incident_communities"
    __table_args__ = (
        *_figures("participants"),
        Index(
            "ix_incident_communities_listed",
            "community",
            "sort_date",
            "id",
            "incident_pk",
            "document_pk",
            "listed",
            **_partial("listed"),
        ),
        Index("ix_incident_communities_community", "community", "incident_pk", "role"),
    )

    incident_pk: Mapped[int] = mapped_column(ForeignKey("incidents.pk"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    community: Mapped[str] = mapped_column(ForeignKey("communities.id"))
    role: Mapped[str] = mapped_column(String(20))
    participants: Mapped[int | None]
    participants_low: Mapped[int | None]
    participants_high: Mapped[int | None]
    organisations: Mapped[list[str]] = mapped_column(JSON)
    listed: Mapped[bool]
    sort_date: Mapped[str] = mapped_column(ordered_text(10))
    id: Mapped[str] = mapped_column(ordered_text(10))
    document_pk: Mapped[int | None]


class IncidentOrganisation(Base):
    """An organisation of a community that took part, by which its incidents are found.

    The rows repeat what the entries of communities have, each organisation once in a role.
    `organisation_key` is the beginning of the folded name.
    """

    __tablename__ = "incident_organisations"
    __table_args__ = (Index("ix_incident_organisations_key", "organisation_key", "incident_pk"),)

    incident_pk: Mapped[int] = mapped_column(ForeignKey("incidents.pk"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    organisation: Mapped[str] = mapped_column(Text)
    organisation_key: Mapped[str] = mapped_column(ordered_text(KEY_LENGTH))
    role: Mapped[str] = mapped_column(String(20))


class IncidentMeasure(Base):
    """A measure that police took, in the order the record names them."""

    __tablename__ = "incident_measures"
    __table_args__ = (Index("ix_incident_measures_measure", "measure", "incident_pk"),)

    incident_pk: Mapped[int] = mapped_column(ForeignKey("incidents.pk"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    measure: Mapped[str] = mapped_column(String(20))


class IncidentExternalId(Base):
    """The number that an incident has elsewhere."""

    __tablename__ = "incident_external_ids"
    # By the id first: it is asked for in another scheme, or spelt otherwise, too.
    __table_args__ = (Index("ix_incident_external_ids_id", "id", "scheme", "incident_pk"),)

    incident_pk: Mapped[int] = mapped_column(ForeignKey("incidents.pk"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    scheme: Mapped[str] = mapped_column(ordered_text(64))
    id: Mapped[str] = mapped_column(ordered_text(100))


class IncidentTag(Base):
    """A tag of an incident."""

    __tablename__ = "incident_tags"
    __table_args__ = (Index("ix_incident_tags_tag", "tag", "incident_pk"),)

    incident_pk: Mapped[int] = mapped_column(ForeignKey("incidents.pk"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    tag: Mapped[str] = mapped_column(ordered_text(64))


# Fields that are lists -> the tables of their items, in order by `position`. What else a table has
# is the item: one column a plain value, several its members by their names.
LIST_TABLES: dict[str, type[Base]] = {
    "police_measures": IncidentMeasure,
    "external_ids": IncidentExternalId,
    "tags": IncidentTag,
}


class Source(Base):
    """An article at a locator, cited by an incident.

    `city_key` is the incident's, kept here so that those of one city that cite the same article
    are next to one another in an index.
    """

    __tablename__ = "sources"
    __table_args__ = (
        Index("ix_sources_article_pk", "article_pk", "incident_pk"),
        Index("ix_sources_city", "article_pk", "city_key", "incident_pk"),
    )

    incident_pk: Mapped[int] = mapped_column(ForeignKey("incidents.pk"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    article_pk: Mapped[int] = mapped_column(ForeignKey("articles.pk"))
    city_key: Mapped[str | None] = mapped_column(ordered_text(KEY_LENGTH))
    locator: Mapped[str | None] = mapped_column(Text)


class Claim(Base):
    """What a source says of one field; `value` is JSON, as a claim may be on any kind of it.

    `attributed_key` is the beginning of the folded name of whom it is attributed to, `conflicting`
    whether another claim of the incident contradicts it.
    """

    __tablename__ = "claims"
    __table_args__ = (
        CheckConstraint("low >= 0 AND high >= 0 AND low <= high", name="bounds"),
        Index("ix_claims_field", "field", "incident_pk"),
        Index("ix_claims_attributed_key", "attributed_key", "incident_pk"),
        Index(
            "ix_claims_community", "community", "incident_pk", **_partial("community IS NOT NULL")
        ),
        Index(
            "ix_claims_conflicting",
            "incident_pk",
            "source_position",
            "position",
            **_partial("conflicting"),
        ),
    )

    incident_pk: Mapped[int] = mapped_column(ForeignKey("incidents.pk"), primary_key=True)
    source_position: Mapped[int] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    field: Mapped[str] = mapped_column(String(32))
    value: Mapped[Any | None] = mapped_column(JSON(none_as_null=True))
    low: Mapped[int | None]
    high: Mapped[int | None]
    text: Mapped[str | None] = mapped_column(Text)
    attributed_to: Mapped[str | None] = mapped_column(Text)
    attributed_key: Mapped[str | None] = mapped_column(ordered_text(KEY_LENGTH))
    community: Mapped[str | None] = mapped_column(ForeignKey("communities.id"))
    scope: Mapped[str | None] = mapped_column(Text)
    conflicting: Mapped[bool] = mapped_column(server_default=false())


class Version(Base):
    """One version of an incident: who made it, when, why, and the document as it was served.

    `code` is what the public is told of why the version withdrew the record. `import_id` is the
    import that made it, or whose undoing did.
    """

    __tablename__ = "versions"
    __table_args__ = (
        Index("uq_versions_number", "incident_pk", "number", unique=True),
        Index(
            "ix_versions_import",
            "import_id",
            "incident_pk",
            "number",
            **_partial("import_id IS NOT NULL"),
        ),
        {"sqlite_autoincrement": True},
    )

    pk: Mapped[int] = mapped_column(primary_key=True)
    incident_pk: Mapped[int] = mapped_column(ForeignKey("incidents.pk"))
    number: Mapped[int]
    action: Mapped[str] = mapped_column(String(16))
    status: Mapped[str] = mapped_column(String(16))
    code: Mapped[str | None] = mapped_column(String(16))
    actor_pk: Mapped[int | None] = mapped_column(ForeignKey("api_keys.pk"))
    at: Mapped[str] = mapped_column(ordered_text(24))
    reason: Mapped[str | None] = mapped_column(Text)
    document: Mapped[str] = mapped_column(Text)
    import_id: Mapped[str | None] = mapped_column(String(10))


class DistinctPair(Base):
    """Two incidents that a curator judged not to be the same; the lower pk stands first."""

    __tablename__ = "distinct_pairs"
    __table_args__ = (CheckConstraint("first_pk < second_pk", name="ordered"),)

    first_pk: Mapped[int] = mapped_column(ForeignKey("incidents.pk"), primary_key=True)
    second_pk: Mapped[int] = mapped_column(ForeignKey("incidents.pk"), primary_key=True)
    at: Mapped[str] = mapped_column(ordered_text(24))

"""The stack that most people would write: Flask, ORM models, a marshmallow dump, offset paging.

It reads the product's own tables with the product's own indexes, and loads what belongs to a
record in one further query each (selectinload), which is the advice of SQLAlchemy's manual.
"""

import os
from datetime import UTC, datetime

from flask import Flask, jsonify, request
from flask_sqlalchemy import SQLAlchemy
from marshmallow import Schema, fields
from sqlalchemy import MetaData, Table, create_engine, event, func, select
from sqlalchemy.orm import DeclarativeBase, relationship, selectinload

URL = os.environ["DATABASE_URL"]
TABLES = ("incidents", "incident_communities", "incident_measures", "sources", "claims", "articles")
metadata = MetaData()
metadata.reflect(create_engine(URL), only=TABLES)


class Base(DeclarativeBase):
    metadata = metadata


db = SQLAlchemy(model_class=Base)


def table(name: str) -> Table:
    return metadata.tables[name]


class Claim(Base):
    __table__ = table("claims")


class Article(Base):
    __table__ = table("articles")


class Source(Base):
    __table__ = table("sources")
    article = relationship(
        Article, primaryjoin="Source.article_pk == Article.pk", foreign_keys="Source.article_pk"
    )
    claims = relationship(
        Claim,
        primaryjoin="and_(Claim.incident_pk == Source.incident_pk, "
        "Claim.source_position == Source.position)",
        foreign_keys="[Claim.incident_pk, Claim.source_position]",
    )


class Community(Base):
    __table__ = table("incident_communities")


class Measure(Base):
    __table__ = table("incident_measures")


class Incident(Base):
    __table__ = table("incidents")
    communities = relationship(
        Community,
        primaryjoin="Community.incident_pk == Incident.pk",
        foreign_keys="Community.incident_pk",
    )
    measures = relationship(
        Measure,
        primaryjoin="Measure.incident_pk == Incident.pk",
        foreign_keys="Measure.incident_pk",
    )
    sources = relationship(
        Source, primaryjoin="Source.incident_pk == Incident.pk", foreign_keys="Source.incident_pk"
    )


WHOLE = [
    selectinload(Incident.communities),
    selectinload(Incident.measures),
    selectinload(Incident.sources).selectinload(Source.article),
    selectinload(Incident.sources).selectinload(Source.claims),
]
# What a record of the table holds beside what is posted.
FIXED = {
    "version": 1,
    "status": "published",
    "date_precision": "day",
    "wide": False,
    "disputed": "",
}
COUNTS = ("arrests", "injuries", "deaths", "participants", "injuries_police")


class ClaimSchema(Schema):
    field = fields.String()
    value = fields.Raw()
    low = fields.Integer()
    high = fields.Integer()
    text = fields.String()
    attributed_to = fields.String()
    community = fields.String()
    scope = fields.String()


class ArticleSchema(Schema):
    id = fields.String()
    title = fields.String()
    publisher = fields.String()
    published = fields.String()
    url = fields.String()
    syndicated_from = fields.String()


class SourceSchema(Schema):
    article = fields.Nested(ArticleSchema)
    locator = fields.String()
    claims = fields.List(fields.Nested(ClaimSchema))


class CommunitySchema(Schema):
    community = fields.String()
    role = fields.String()
    participants = fields.Integer()
    participants_low = fields.Integer()
    participants_high = fields.Integer()
    organisations = fields.Raw()


IncidentSchema = Schema.from_dict(
    {
        **{
            name: fields.String()
            for name in (
                "id",
                "status",
                "title",
                "summary",
                "type",
                "date",
                "date_precision",
                "city",
                "admin1",
                "country",
                "venue",
                "geo_precision",
                "episode",
                "disputed",
                "created_at",
                "updated_at",
            )
        },
        **{
            name: fields.Integer()
            for count in COUNTS
            for name in (count, f"{count}_low", f"{count}_high")
        },
        "version": fields.Integer(),
        "latitude": fields.Float(),
        "longitude": fields.Float(),
        "geonames_id": fields.Integer(),
        "number_of_sources": fields.Integer(),
        "property_damage": fields.Boolean(),
        "communities": fields.List(fields.Nested(CommunitySchema)),
        "police_measures": fields.Pluck(
            Schema.from_dict({"measure": fields.String()}),
            "measure",
            many=True,
            attribute="measures",
        ),
        "sources": fields.List(fields.Nested(SourceSchema)),
    }
)
one_schema, many_schema = IncidentSchema(), IncidentSchema(many=True)


def chosen():
    """Select what the query string asks for."""
    given = request.args
    statement = select(Incident).where(Incident.status == "published")
    if "city" in given:
        statement = statement.where(Incident.city == given["city"])
    if "date_from" in given:
        statement = statement.where(Incident.sort_date >= given["date_from"])
    if "date_to" in given:
        statement = statement.where(Incident.sort_date <= given["date_to"])
    for community in given.getlist("community"):
        statement = statement.where(Incident.communities.any(Community.community == community))
    if "min_arrests" in given:
        statement = statement.where(Incident.arrests >= int(given["min_arrests"]))
    return statement


def stored(record):
    """Make the rows of a RECORD: all that was posted, without history, feed, search or checks."""
    day = record["date"]
    at = datetime.now(UTC).isoformat()
    parts = {name: record.pop(name, []) for name in ("communities", "measures", "sources")}
    incident = Incident(
        **record,
        **FIXED,
        sort_date=day,
        earliest=day,
        latest=day,
        created_at=at,
        updated_at=at,
        number_of_sources=len(parts["sources"]),
    )
    incident.communities = [
        Community(
            position=place, listed=False, sort_date=day, id=record["id"], organisations=[], **entry
        )
        for place, entry in enumerate(parts["communities"])
    ]
    incident.measures = [
        Measure(position=place, **measure) for place, measure in enumerate(parts["measures"])
    ]
    incident.sources = [_source(place, source, at) for place, source in enumerate(parts["sources"])]
    return incident


def _source(position, source, at):
    """Make the rows of a source; its article is one that is there, or a new one."""
    given = source["article"]
    article = db.session.scalar(select(Article).where(Article.id == given["id"]))
    if article is None:
        article = Article(**given, version=1, created_at=at, updated_at=at)
    claims = [
        Claim(position=place, conflicting=False, **claim)
        for place, claim in enumerate(source["claims"])
    ]
    found = Source(position=position, locator=source["locator"], article=article)
    found.claims = claims
    return found


def create_app() -> Flask:
    app = Flask(__name__)
    app.config["SQLALCHEMY_DATABASE_URI"] = URL
    db.init_app(app)
    with app.app_context():
        event.listen(db.engine, "connect", _prepare)

    @app.get("/incidents")
    def page():
        limit, offset = (int(request.args.get(name, 0)) for name in ("limit", "offset"))
        statement = chosen().order_by(Incident.sort_date.desc(), Incident.id.desc())
        statement = statement.options(*WHOLE).limit(limit or 50).offset(offset)
        return jsonify({"data": many_schema.dump(db.session.scalars(statement).all())})

    @app.get("/incidents/<id_>")
    def one(id_):
        statement = select(Incident).where(Incident.id == id_).options(*WHOLE)
        return jsonify(one_schema.dump(db.session.scalars(statement).one()))

    @app.get("/count")
    def count():
        return jsonify(db.session.scalar(select(func.count()).select_from(chosen().subquery())))

    @app.get("/stats")
    def stats():
        month = func.substr(Incident.sort_date, 1, 7)
        columns = [func.count(), func.sum(Incident.arrests_low), func.sum(Incident.arrests_high)]
        statement = chosen().with_only_columns(Incident.city, month, *columns)
        rows = db.session.execute(statement.group_by(Incident.city, month)).all()
        return jsonify([list(row) for row in rows])

    @app.post("/incidents")
    def create():
        incident = stored(one_schema.load(request.get_json()))
        db.session.add(incident)
        db.session.commit()
        return jsonify(one_schema.dump(incident)), 201

    return app


def _prepare(connection, _record):
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")

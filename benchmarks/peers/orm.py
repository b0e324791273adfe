"""The stack that most people would write: Flask, ORM models, a marshmallow dump, offset paging.

What belongs to a record is loaded by one further query each (selectinload), which is the advice of
SQLAlchemy's manual. A post stores the record and the first version of its document.
"""

import os
from datetime import UTC, datetime
from typing import Any

import orjson
from flask import Flask, request
from flask.json.provider import JSONProvider
from flask_sqlalchemy import SQLAlchemy
from marshmallow import Schema, fields
from sqlalchemy import select
from sqlalchemy.orm import DeclarativeBase, relationship, selectinload

from benchmarks.peers import tables
from benchmarks.peers.sqlite import set_up


class Base(DeclarativeBase):
    metadata = tables.metadata


db = SQLAlchemy(model_class=Base)


class Claim(Base):
    __table__ = tables.claims


class Article(Base):
    __table__ = tables.articles


class Source(Base):
    __table__ = tables.sources
    article = relationship(Article)
    claims = relationship(Claim, order_by=Claim.position)


class Community(Base):
    __table__ = tables.communities


class Measure(Base):
    __table__ = tables.measures


class Version(Base):
    __table__ = tables.versions


class Incident(Base):
    __table__ = tables.incidents
    communities = relationship(Community, order_by=Community.position)
    measures = relationship(Measure, order_by=Measure.position)
    sources = relationship(Source, order_by=Source.position)
    versions = relationship(Version)


WHOLE = [
    selectinload(Incident.communities),
    selectinload(Incident.measures),
    selectinload(Incident.sources).selectinload(Source.article),
    selectinload(Incident.sources).selectinload(Source.claims),
]


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
    id = fields.String(attribute="public_id")
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


_TEXTS = "status title summary type date date_precision city admin1 country venue geo_precision"
_TEXTS += " episode disputed created_at updated_at"
IncidentSchema = Schema.from_dict(
    {
        "id": fields.String(attribute="public_id"),
        **{name: fields.String() for name in _TEXTS.split()},
        **{
            f"{name}{end}": fields.Integer()
            for name in tables.COUNTS
            for end in ("", "_low", "_high")
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


class OrjsonProvider(JSONProvider):
    """Flask's JSON by orjson, as its manual shows."""

    def dumps(self, obj: Any, **_: Any) -> str:
        return orjson.dumps(obj).decode()

    def loads(self, s: str | bytes, **_: Any) -> Any:
        return orjson.loads(s)

    def response(self, *args: Any, **kwargs: Any) -> Any:
        body = orjson.dumps(self._prepare_response_obj(args, kwargs))
        return self._app.response_class(body, mimetype="application/json")


def stored(record: dict[str, Any]) -> Incident:
    """Make the rows of a RECORD, and of the first version of it."""
    at = datetime.now(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"
    parts = {name: record.pop(name, []) for name in ("communities", "measures", "sources")}
    incident = Incident(
        **record,
        version=1,
        status="published",
        date_precision="day",
        sort_date=record["date"],
        disputed="",
        number_of_sources=len(parts["sources"]),
        created_at=at,
        updated_at=at,
    )
    incident.communities = [
        Community(position=place, organisations=[], **entry)
        for place, entry in enumerate(parts["communities"])
    ]
    incident.measures = [
        Measure(position=place, **measure) for place, measure in enumerate(parts["measures"])
    ]
    incident.sources = [_source(place, source) for place, source in enumerate(parts["sources"])]
    document = orjson.dumps(one_schema.dump(incident)).decode()
    incident.versions = [Version(number=1, action="created", at=at, document=document)]
    return incident


def _source(position: int, source: dict[str, Any]) -> Source:
    """Make the rows of a source; its article is one that is there, or a new one."""
    given = source["article"]
    article = db.session.scalar(select(Article).where(Article.public_id == given["public_id"]))
    return Source(
        position=position,
        locator=source["locator"],
        article=article or Article(**given),
        claims=[Claim(position=place, **claim) for place, claim in enumerate(source["claims"])],
    )


def create_app() -> Flask:
    app = Flask(__name__)
    app.json = OrjsonProvider(app)
    app.config["SQLALCHEMY_DATABASE_URI"] = os.environ["DATABASE_URL"]
    db.init_app(app)
    with app.app_context():
        set_up(db.engine)

    @app.get("/incidents")
    def page():
        limit, offset = (int(request.args.get(name, 0)) for name in ("limit", "offset"))
        statement = select(Incident).where(Incident.status == "published").options(*WHOLE)
        statement = statement.order_by(Incident.sort_date.desc(), Incident.public_id.desc())
        found = db.session.scalars(statement.limit(limit or 50).offset(offset)).all()
        return app.json.response({"data": many_schema.dump(found)})

    @app.get("/incidents/<id_>")
    def one(id_):
        statement = select(Incident).where(Incident.public_id == id_).options(*WHOLE)
        return app.json.response(one_schema.dump(db.session.scalars(statement).one()))

    @app.post("/incidents")
    def create():
        record = one_schema.load(request.get_json())
        db.session.connection(execution_options={"writes": True})
        incident = stored(record)
        db.session.add(incident)
        document = incident.versions[0].document
        db.session.commit()
        return app.response_class(document, 201, mimetype="application/json")

    return app

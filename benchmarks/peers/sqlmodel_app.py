"""FastAPI with SQLModel: its tutorial's way, with eager loading and fitting indexes.

Routes name what they return, so that Pydantic writes the JSON, which is what FastAPI advises in
place of orjson.
"""

import os
from typing import Any

from fastapi import FastAPI
from sqlalchemy import JSON
from sqlalchemy.orm import selectinload
from sqlmodel import Field, Relationship, Session, SQLModel, create_engine, select

from benchmarks.peers.sqlite import set_up

engine = create_engine(os.environ["DATABASE_URL"])
set_up(engine)


def _parts(order: str) -> Any:
    return Relationship(sa_relationship_kwargs={"order_by": order})


class ArticleBase(SQLModel):
    public_id: str
    title: str | None
    publisher: str | None
    published: str | None
    url: str | None
    syndicated_from: str | None


class Article(ArticleBase, table=True):
    __tablename__ = "articles"
    id: int = Field(primary_key=True)


class ClaimBase(SQLModel):
    field: str
    value: Any = Field(sa_type=JSON)
    low: int | None
    high: int | None
    text: str | None
    attributed_to: str | None
    community: str | None
    scope: str | None


class Claim(ClaimBase, table=True):
    __tablename__ = "claims"
    id: int = Field(primary_key=True)
    source_id: int = Field(foreign_key="sources.id", index=True)
    position: int


class SourceBase(SQLModel):
    locator: str | None


class Source(SourceBase, table=True):
    __tablename__ = "sources"
    id: int = Field(primary_key=True)
    incident_id: int = Field(foreign_key="incidents.id", index=True)
    article_id: int = Field(foreign_key="articles.id", index=True)
    position: int
    article: Article = Relationship()
    claims: list[Claim] = _parts("Claim.position")


class CommunityBase(SQLModel):
    community: str
    role: str
    participants: int | None
    participants_low: int | None
    participants_high: int | None
    organisations: list[str] = Field(sa_type=JSON)


class Community(CommunityBase, table=True):
    __tablename__ = "communities"
    id: int = Field(primary_key=True)
    incident_id: int = Field(foreign_key="incidents.id", index=True)
    position: int


class MeasureBase(SQLModel):
    measure: str


class Measure(MeasureBase, table=True):
    __tablename__ = "measures"
    id: int = Field(primary_key=True)
    incident_id: int = Field(foreign_key="incidents.id", index=True)
    position: int


class IncidentBase(SQLModel):
    public_id: str
    version: int
    status: str
    title: str
    summary: str | None
    type: str
    date: str
    date_precision: str
    city: str | None
    admin1: str | None
    country: str
    venue: str | None
    latitude: float | None
    longitude: float | None
    geo_precision: str | None
    geonames_id: int | None
    arrests: int | None
    arrests_low: int | None
    arrests_high: int | None
    injuries: int | None
    injuries_low: int | None
    injuries_high: int | None
    deaths: int | None
    deaths_low: int | None
    deaths_high: int | None
    participants: int | None
    participants_low: int | None
    participants_high: int | None
    injuries_police: int | None
    injuries_police_low: int | None
    injuries_police_high: int | None
    property_damage: bool | None
    episode: str | None
    disputed: str | None
    number_of_sources: int
    created_at: str
    updated_at: str


class Incident(IncidentBase, table=True):
    __tablename__ = "incidents"
    id: int = Field(primary_key=True)
    sort_date: str
    communities: list[Community] = _parts("Community.position")
    measures: list[Measure] = _parts("Measure.position")
    sources: list[Source] = _parts("Source.position")


class SourcePublic(SourceBase):
    article: ArticleBase
    claims: list[ClaimBase]


class IncidentPublic(IncidentBase):
    communities: list[CommunityBase]
    measures: list[MeasureBase]
    sources: list[SourcePublic]


WHOLE = (
    selectinload(Incident.communities),
    selectinload(Incident.measures),
    selectinload(Incident.sources).selectinload(Source.article),
    selectinload(Incident.sources).selectinload(Source.claims),
)
app = FastAPI()


@app.get("/incidents")
def page(limit: int = 50, offset: int = 0) -> list[IncidentPublic]:
    with Session(engine) as session:
        statement = select(Incident).where(Incident.status == "published").options(*WHOLE)
        statement = statement.order_by(Incident.sort_date.desc(), Incident.public_id.desc())
        return session.exec(statement.limit(limit).offset(offset)).all()


@app.get("/incidents/{id_}")
def one(id_: str) -> IncidentPublic:
    with Session(engine) as session:
        statement = select(Incident).where(Incident.public_id == id_).options(*WHOLE)
        return session.exec(statement).one()

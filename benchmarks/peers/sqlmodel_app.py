"""FastAPI with SQLModel over the same tables: its tutorial's way, with eager loading added."""

import os

from fastapi import FastAPI
from sqlalchemy.orm import selectinload
from sqlmodel import Field, Relationship, Session, SQLModel, create_engine, select

engine = create_engine(os.environ["DATABASE_URL"], connect_args={"check_same_thread": False})


class ArticleBase(SQLModel):
    id: str
    title: str | None
    publisher: str | None
    published: str | None
    url: str | None
    syndicated_from: str | None


class Article(ArticleBase, table=True):
    __tablename__ = "articles"
    pk: int = Field(primary_key=True)


class ClaimBase(SQLModel):
    field: str
    low: int | None
    high: int | None
    text: str | None
    attributed_to: str | None
    community: str | None
    scope: str | None


class Claim(ClaimBase, table=True):
    __tablename__ = "claims"
    incident_pk: int = Field(primary_key=True)
    source_position: int = Field(primary_key=True)
    position: int = Field(primary_key=True)
    value: str | None


class SourceBase(SQLModel):
    locator: str | None


class Source(SourceBase, table=True):
    __tablename__ = "sources"
    incident_pk: int = Field(primary_key=True, foreign_key="incidents.pk")
    position: int = Field(primary_key=True)
    article_pk: int = Field(foreign_key="articles.pk")
    article: Article = Relationship()
    claims: list[Claim] = Relationship(
        sa_relationship_kwargs={
            "primaryjoin": "and_(Claim.incident_pk == Source.incident_pk, "
            "Claim.source_position == Source.position)",
            "foreign_keys": "[Claim.incident_pk, Claim.source_position]",
        }
    )


class CommunityBase(SQLModel):
    community: str
    role: str
    participants: int | None
    participants_low: int | None
    participants_high: int | None


class Community(CommunityBase, table=True):
    __tablename__ = "incident_communities"
    incident_pk: int = Field(primary_key=True, foreign_key="incidents.pk")
    position: int = Field(primary_key=True)


class IncidentBase(SQLModel):
    id: str
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
    number_of_sources: int
    created_at: str
    updated_at: str


class Incident(IncidentBase, table=True):
    __tablename__ = "incidents"
    pk: int = Field(primary_key=True)
    sort_date: str
    communities: list[Community] = Relationship()
    sources: list[Source] = Relationship()


class SourcePublic(SourceBase):
    article: ArticleBase
    claims: list[ClaimBase]


class IncidentPublic(IncidentBase):
    communities: list[CommunityBase]
    sources: list[SourcePublic]


WHOLE = (
    selectinload(Incident.communities),
    selectinload(Incident.sources).selectinload(Source.article),
    selectinload(Incident.sources).selectinload(Source.claims),
)
app = FastAPI()


@app.get("/incidents")
def page(limit: int = 50, offset: int = 0) -> list[IncidentPublic]:
    with Session(engine) as session:
        statement = select(Incident).where(Incident.status == "published")
        statement = statement.order_by(Incident.sort_date.desc(), Incident.id.desc())
        return session.exec(statement.options(*WHOLE).limit(limit).offset(offset)).all()


@app.get("/incidents/{id_}")
def one(id_: str) -> IncidentPublic:
    with Session(engine) as session:
        statement = select(Incident).where(Incident.id == id_).options(*WHOLE)
        return session.exec(statement).one()

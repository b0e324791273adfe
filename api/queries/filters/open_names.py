"""Open names that a filter gives and nothing has: what to say of them, with near names.

Publishers, tags and organisations have no vocabulary: what records or articles name is all there
is. What nothing has is an empty answer, and a warning with near names that are public.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from rapidfuzz import fuzz, process
from sqlalchemy import ColumnElement, Select, bindparam, literal, or_, select

from api.core.permissions import Actor
from api.database.base import Base
from api.database.readers import Reader
from api.models import (
    Article,
    Dataset,
    Incident,
    IncidentExternalId,
    IncidentOrganisation,
    IncidentTag,
)
from api.models.tables import key, table

_MOST_NAMED = 3
_MOST_NEAR = 3
_MOST_COMPARED = 5000
_ALIKE = 80  # of 100, from which on two names are near
_SHOWN = 60  # characters of a name

_incidents = table(Incident).c
_OWN_DRAFTS = select(_incidents.pk).where(
    _incidents.status == "draft",
    or_(bindparam("reads_all") == 1, _incidents.author_pk == bindparam("actor_pk")),
)
_PUBLISHED = select(_incidents.pk).where(_incidents.status == "published")
_VERSION = select(Dataset.version)


@dataclass(frozen=True, slots=True, eq=False)
class OpenNames:
    """The names that one filter takes, as statements.

    `public` and `own` find a row that has one, which everyone or the caller may read; `spelling`
    is how it is written in public; `known` are the public names, as `fold` makes them.
    """

    nothing: str  # how the sentence begins that says that nothing has a name
    fold: Callable[[str], str | None]
    public: Select[Any]
    own: Select[Any]
    spelling: Select[Any]
    known: Select[Any]


def _open_names(
    nothing: str,
    model: type[Base],
    folded: ColumnElement[Any],
    shown: ColumnElement[Any],
    public: ColumnElement[bool],
    own: ColumnElement[bool],
) -> OpenNames:
    """Return the names in a column that is compared, FOLDED, and one where they are SHOWN."""
    is_name = folded == bindparam("key")
    here = select(literal(1)).where(is_name).limit(1)
    spelling = select(shown).where(is_name, public).order_by(*table(model).primary_key).limit(1)
    fold = str if folded is shown else key
    return OpenNames(
        nothing, fold, here.where(public), here.where(own), spelling, _known(folded, public)
    )


def _known(folded: ColumnElement[Any], public: ColumnElement[bool]) -> Select[Any]:
    """Select the public names from name to name along the index: rows are far more than names."""
    ordered = select(folded.label("key")).where(public).order_by(folded).limit(1)
    first = ordered.where(folded.is_not(None)).subquery("first_name")
    names = select(first.c.key).cte("names", recursive=True)
    following = ordered.where(folded > names.c.key).correlate(names).scalar_subquery()
    names = names.union_all(select(following).where(names.c.key.is_not(None)))
    return select(names.c.key).where(names.c.key.is_not(None)).limit(_MOST_COMPARED)


def _names_of_records(nothing: str, model: type[Base], folded: str, shown: str) -> OpenNames:
    """Return the names that the rows of records have in MODEL."""
    columns = table(model).c
    pk = columns.incident_pk
    owns = (pk.in_(_PUBLISHED), pk.in_(_OWN_DRAFTS))
    return _open_names(nothing, model, columns[folded], columns[shown], *owns)


_articles = table(Article).c
NAMES: dict[str, OpenNames] = {
    "publisher": _open_names(
        "No article is of a publisher",
        Article,
        _articles.publisher_key,
        _articles.publisher,
        _articles.draft_pk.is_(None),
        _articles.draft_pk.in_(_OWN_DRAFTS),
    ),
    "tag": _names_of_records("No record has a tag", IncidentTag, "tag", "tag"),
    "organisation": _names_of_records(
        "No record names an organisation", IncidentOrganisation, "organisation_key", "organisation"
    ),
}
_external_ids = table(IncidentExternalId).c
_KNOWN_AS = select(_external_ids.scheme, _external_ids.id).where(
    _external_ids.id == bindparam("id")
)
_PUBLIC_IDS = _KNOWN_AS.where(_external_ids.incident_pk.in_(_PUBLISHED)).distinct().limit(100)
_OWN_IDS = _KNOWN_AS.where(_external_ids.incident_pk.in_(_OWN_DRAFTS))


def unknown_names(
    reader: Reader, parameter: str, names: Sequence[str], actor: Actor
) -> tuple[dict[str, str], ...]:
    """Return a warning where nothing that ACTOR may read has one of the NAMES of a PARAMETER."""
    kind = NAMES[parameter]
    unknown = [name for name in names if not _is_known(reader, kind, name, actor)]
    if not unknown:
        return ()
    # A name with a comma that was not quoted was taken for several.
    joined = [", ".join(names)] if len(names) > 1 else []
    near = _near(reader, kind, [*joined, *unknown[:_MOST_NAMED]])
    return (_warning(parameter, kind.nothing, unknown, near),)


def unknown_external_ids(
    reader: Reader, external_ids: Sequence[tuple[str, str]], actor: Actor
) -> tuple[dict[str, str], ...]:
    """Return a warning where no record that ACTOR may read has one of the EXTERNAL_IDS.

    Near are those of another scheme, or in another case: numbers alike are of other events.
    """
    unknown: list[str] = []
    near: dict[str, None] = {}
    for scheme, id_ in external_ids:
        public = [
            (row[0], row[1])
            for spelling in dict.fromkeys((id_, id_.upper(), id_.lower()))
            for row in reader.run(_PUBLIC_IDS, {"id": spelling})
        ]
        own = _run_as(reader, _OWN_IDS, {"id": id_}, actor)
        if (scheme, id_) not in [*public, *map(tuple, own)]:
            unknown.append(f"{scheme}:{id_}")
            near |= {f"{other}:{spelling}": None for other, spelling in public}
    if not unknown:
        return ()
    nothing = "No record has an external id"
    return (_warning("external_id", nothing, unknown, list(near)[:_MOST_NEAR]),)


def _warning(
    parameter: str, nothing: str, unknown: Sequence[str], near: Sequence[str]
) -> dict[str, str]:
    shown = ", ".join(repr(name[:_SHOWN]) for name in unknown[:_MOST_NAMED])
    detail = f"{nothing} {shown}."
    if near:
        detail += f" Near names: {'; '.join(near)}."
    return {"parameter": parameter, "code": f"unknown_{parameter}", "detail": detail}


def _is_known(reader: Reader, kind: OpenNames, name: str, actor: Actor) -> bool:
    values = {"key": kind.fold(name)}
    return bool(reader.run(kind.public, values) or _run_as(reader, kind.own, values, actor))


def _run_as(
    reader: Reader, statement: Select[Any], values: dict[str, Any], actor: Actor
) -> Sequence[Any]:
    """Return the rows of a STATEMENT on drafts that ACTOR may read; the public reads none."""
    if actor.pk is None:
        return ()
    return reader.run(
        statement, {**values, "reads_all": int(actor.reads_all), "actor_pk": actor.pk}
    )


def _near(reader: Reader, kind: OpenNames, names: Iterable[str]) -> list[str]:
    """Return public names that any of NAMES may mean, as a filter takes them."""
    ((version,),) = reader.run(_VERSION)
    known = _public_names(reader, kind, version)
    near: dict[str, None] = {}
    for name in names:
        wanted = kind.fold(name) or ""
        parts = [other for other in known if f" {wanted} " in f" {other} "]
        alike = process.extract(
            wanted, known, scorer=fuzz.ratio, score_cutoff=_ALIKE, limit=_MOST_NEAR
        )
        near |= dict.fromkeys([*(other for other, _, _ in alike), *parts[:_MOST_NEAR]])
    shown = (reader.run(kind.spelling, {"key": other}) for other in list(near)[:_MOST_NEAR])
    return [_quoted(rows[0][0]) for rows in shown if rows and len(rows[0][0]) <= _SHOWN]


@lru_cache(maxsize=8)
def _public_names(reader: Reader, kind: OpenNames, _version: int) -> list[str]:
    """Return the public names, folded, as they are at a dataset version."""
    return [name for (name,) in reader.run(kind.known)]


def _quoted(name: str) -> str:
    return f'"{name}"' if "," in name else name

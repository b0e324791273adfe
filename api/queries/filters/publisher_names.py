"""Publishers that a filter names and no article has: what to say of them, with near names."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from rapidfuzz import fuzz, process
from sqlalchemy import bindparam, func, literal, or_, select

from api.core.permissions import Actor
from api.database.readers import Reader
from api.models import Article, Dataset, Incident
from api.models.tables import key, table

_MOST_NAMED = 3
_MOST_NEAR = 3
_MOST_COMPARED = 5000
_ALIKE = 80  # of 100, from which on two names are near
_SHOWN = 60  # characters of a name

_articles, _incidents = table(Article).c, table(Incident).c
_HERE = select(literal(1)).where(_articles.publisher_key == bindparam("key")).limit(1)
_PUBLIC = _HERE.where(_articles.draft_pk.is_(None))
_OWN_DRAFTS = select(_incidents.pk).where(
    _incidents.status == "draft",
    or_(bindparam("reads_all") == 1, _incidents.author_pk == bindparam("actor_pk")),
)
_OWN = _HERE.where(_articles.draft_pk.in_(_OWN_DRAFTS))
_NAME = (
    select(_articles.publisher)
    .where(_articles.publisher_key == bindparam("key"), _articles.draft_pk.is_(None))
    .order_by(_articles.pk)
    .limit(1)
)
_VERSION = select(Dataset.version)
# From name to name along the index: there are far fewer publishers than articles.
_first = select(func.min(_articles.publisher_key).label("key")).where(_articles.draft_pk.is_(None))
_names = _first.cte("names", recursive=True)
_following = (
    select(func.min(_articles.publisher_key))
    .where(_articles.draft_pk.is_(None), _articles.publisher_key > _names.c.key)
    .correlate(_names)
    .scalar_subquery()
)
_names = _names.union_all(select(_following).where(_names.c.key.is_not(None)))
_PUBLIC_KEYS = select(_names.c.key).where(_names.c.key.is_not(None)).limit(_MOST_COMPARED)


def unknown_publishers(
    reader: Reader, names: Sequence[str], actor: Actor
) -> tuple[dict[str, str], ...]:
    """Return a warning where no article that ACTOR may read is of a publisher of one of NAMES."""
    unknown = [name for name in names if not _is_known(reader, name, actor)]
    if not unknown:
        return ()
    # A name with a comma that was not quoted was taken for several.
    joined = [", ".join(names)] if len(names) > 1 else []
    near = _near(reader, [*joined, *unknown[:_MOST_NAMED]])
    shown = ", ".join(repr(name[:_SHOWN]) for name in unknown[:_MOST_NAMED])
    detail = f"No article is of a publisher {shown}."
    if near:
        detail += f" Near names: {'; '.join(near)}."
    return ({"parameter": "publisher", "code": "unknown_publisher", "detail": detail},)


def _is_known(reader: Reader, name: str, actor: Actor) -> bool:
    values: dict[str, Any] = {"key": key(name)}
    if reader.run(_PUBLIC, values):
        return True
    if actor.pk is None:
        return False
    return bool(
        reader.run(_OWN, {**values, "reads_all": int(actor.reads_all), "actor_pk": actor.pk})
    )


def _near(reader: Reader, names: Iterable[str]) -> list[str]:
    """Return public publishers that any of NAMES may mean, as a filter takes them."""
    ((version,),) = reader.run(_VERSION)
    known = _public_keys(reader, version)
    near: dict[str, None] = {}
    for name in names:
        wanted = key(name) or ""
        parts = [other for other in known if f" {wanted} " in f" {other} "]
        alike = process.extract(
            wanted, known, scorer=fuzz.ratio, score_cutoff=_ALIKE, limit=_MOST_NEAR
        )
        near |= dict.fromkeys([*(other for other, _, _ in alike), *parts[:_MOST_NEAR]])
    shown = (reader.run(_NAME, {"key": other}) for other in list(near)[:_MOST_NEAR])
    return [_quoted(rows[0][0]) for rows in shown if rows and len(rows[0][0]) <= _SHOWN]


@lru_cache(maxsize=8)
def _public_keys(reader: Reader, _version: int) -> list[str]:
    """Return the publishers of public articles, folded, as they are at a dataset version."""
    return [name for (name,) in reader.run(_PUBLIC_KEYS)]


def _quoted(name: str) -> str:
    return f'"{name}"' if "," in name else name

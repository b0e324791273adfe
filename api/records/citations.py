"""Articles as records cite them: stored ones recognised, new ones made, drafts kept private.

An article's identity is its id, else its canonical address, else it is new. One that is stored is
never altered by an inline copy: null there means not named, a difference is a warning. One that a
draft is first to name belongs to that draft: no other record is matched to it or shows it.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any

from marshmallow import ValidationError
from sqlalchemy import Connection, Select, bindparam, func, or_, select, update

from api.core.ids import new_id
from api.database import statements
from api.database.statements import InJsonList, json_list
from api.models import Article, ReferenceVersion
from api.models.tables import key, table
from api.records.batches import Batch
from schemas.addresses import canonical_address
from schemas.article import ARTICLE_FIELDS, embed
from schemas.claims import CLAIM_MEMBERS
from schemas.errors import ErrorDetail

ArticleRow = dict[str, Any]


@lru_cache(maxsize=16_384)
def address_digest(address: str | None) -> str | None:
    """Return the digest of the canonical form of an address, which identifies it."""
    if address is None:
        return None
    return hashlib.sha256(canonical_address(address).encode()).hexdigest()


def article_columns(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of an article that follow from its fields."""
    return {
        **{name: data.get(name) for name in ARTICLE_FIELDS},
        "publisher_key": key(data.get("publisher")),
        "address_sha256": address_digest(data.get("url")),
    }


_ARTICLES, _VERSIONS = table(Article), table(ReferenceVersion).c
_COLUMNS = tuple(_ARTICLES.c.keys())
_PUBLIC_IDS = select(_ARTICLES.c.id).where(_ARTICLES.c.draft_pk.is_(None))
_PUBLIC = (
    select(_ARTICLES)
    .where(_ARTICLES.c.draft_pk.is_(None))
    .order_by(_ARTICLES.c.pk)
    .with_for_update(read=True)
)
_BY_ID = _PUBLIC.where(InJsonList(_ARTICLES.c.id, "ids"))
# Left to choose, SQLite reads all articles that are public.
_BY_ADDRESS = _PUBLIC.where(InJsonList(_ARTICLES.c.address_sha256, "digests")).with_hint(
    _ARTICLES, "INDEXED BY uq_articles_address", "sqlite"
)
_LAST_VERSIONS = (
    select(_VERSIONS.id, func.max(_VERSIONS.number))
    .where(_VERSIONS.resource == "article", InJsonList(_VERSIONS.id, "ids"))
    .group_by(_VERSIONS.id)
)
_OWN = select(_ARTICLES).where(
    _ARTICLES.c.draft_pk == bindparam("draft_pk"),
    or_(InJsonList(_ARTICLES.c.id, "ids"), InJsonList(_ARTICLES.c.address_sha256, "digests")),
)


class Citations:
    """Resolves the articles that records of one transaction cite."""

    def __init__(self, batch: Batch, at: str) -> None:
        self.batch = batch
        self.at = at
        self._by_id: dict[tuple[int | None, str], ArticleRow] = {}
        self._by_address: dict[tuple[int | None, str], ArticleRow] = {}
        # Articles that became public: those made, and those of a draft.
        self.new: list[ArticleRow] = []
        self._fetched: set[str] = set()  # ids and digests of public articles
        self._last_versions: dict[str, int] = {}
        # Whether an article that is not stored will be made before it is cited by its bare id.
        self.will_exist: Callable[[str], bool] = lambda _: False

    def cite(
        self, sources: Iterable[Mapping[str, Any]], draft_pk: int | None
    ) -> tuple[list[dict[str, Any]], dict[str, int], list[dict[str, Any]]]:
        """Return SOURCES as they are stored, their articles' keys by id, and warnings.

        DRAFT_PK is the draft that new articles belong to, or None where the record is public. A
        warning is {"pointer", "code", "detail"}. Raises ValidationError for an unknown id that
        stands alone.
        """
        sources = list(sources)
        self.fetch([source["article"] for source in sources], draft_pk)
        complete, pks, warnings, messages = [], {}, [], {}
        for position, source in enumerate(sources):
            data = source["article"]
            article = self._find(data, draft_pk)
            if article is not None:
                warnings += _differences(data, article, position)
            elif data.get("title") or data.get("url") or self.will_exist(data["id"]):
                article = self._make(data, draft_pk)
            else:
                detail = f"No article has the id {data['id']}; name its title or address."
                messages[position] = {"article": {"id": [ErrorDetail("unknown_article", detail)]}}
                continue
            pks[article["id"]] = article["pk"]
            complete.append(
                {
                    "article": embed(article),
                    "locator": source.get("locator"),
                    "claims": [
                        {name: claim.get(name) for name in CLAIM_MEMBERS}
                        for claim in source.get("claims", [])
                    ],
                }
            )
        if messages:
            raise ValidationError({"sources": messages})
        return complete, pks, warnings

    def find(self, data: Mapping[str, Any], draft_pk: int | None) -> ArticleRow | None:
        """Return the stored article that DATA means, if there is one."""
        self.fetch([data], draft_pk)
        return self._find(data, draft_pk)

    def evict(self, most: int = 0) -> None:
        """Evict what was read if it is more than MOST articles; none may wait to be written."""
        if len(self._by_id) > most:
            for cache in (self._by_id, self._by_address, self._last_versions, self._fetched):
                cache.clear()

    def drop_draft_articles(self, draft_pk: int) -> None:
        """Drop the new articles of a draft whose line is refused; the batch goes on without it."""
        self.batch.drop(Article, "draft_pk", draft_pk)

    def fetch(self, articles: Iterable[Mapping[str, Any]], draft_pk: int | None) -> None:
        """Read the stored articles that ARTICLES may mean: of one record, or ahead of many.

        They stay as they are until the commit: a record written with what an article says and an
        article that changes meanwhile would miss each other.
        """
        articles = list(articles)
        ids = {article["id"] for article in articles if article.get("id")}
        addresses = [article["url"] for article in articles if article.get("url")]
        digests = {digest for url in addresses if (digest := address_digest(url))}
        if draft_pk is not None and (ids or digests):
            self._read(_OWN, draft_pk=draft_pk, ids=json_list(ids), digests=json_list(digests))
        if ids := ids - self._fetched:
            self._read(_BY_ID, ids=json_list(ids))
            self._last_versions |= self._read_last_versions(ids)
        if digests := digests - self._fetched:
            self._read(_BY_ADDRESS, digests=json_list(digests))
        self._fetched |= ids | digests

    def _read(self, statement: Any, **values: Any) -> None:
        for row in statements.run(self.batch.connection, statement, values):
            self._remember(dict(zip(_COLUMNS, row, strict=True)))

    def _remember(self, article: ArticleRow) -> None:
        self._by_id.setdefault((article["draft_pk"], article["id"]), article)
        if article["address_sha256"]:
            self._by_address.setdefault((article["draft_pk"], article["address_sha256"]), article)

    def _find(self, data: Mapping[str, Any], draft_pk: int | None) -> ArticleRow | None:
        """Return what the id means, a draft's own first, else the address, the public's first."""
        id_, digest = data.get("id") or "", address_digest(data.get("url")) or ""
        article = self._by_id.get((draft_pk, id_)) or self._by_id.get((None, id_))
        return (
            article
            or self._by_address.get((None, digest))
            or self._by_address.get((draft_pk, digest))
        )

    def _make(self, data: Mapping[str, Any], draft_pk: int | None) -> ArticleRow:
        article = {
            "pk": self.batch.next_pk(Article),
            "id": data.get("id") or new_id(),
            # Counts on from an article that had the id and was deleted.
            "version": self._last_versions.get(data.get("id") or "", 0) + 1,
            "draft_pk": draft_pk,
            **article_columns(data),
            "created_at": self.at,
            "updated_at": self.at,
        }
        self.batch.add(Article, article)
        self._remember(article)
        if draft_pk is None:
            self.new.append(article)
        return article

    def _read_last_versions(self, ids: Iterable[str]) -> dict[str, int]:
        values = {"ids": json_list(ids)}
        return dict(statements.run(self.batch.connection, _LAST_VERSIONS, values))

    def publish(self, draft_pk: int) -> dict[str, str]:
        """Make the articles of a draft public; join those whose address or id is public.

        Returns the new id of each article whose id changed.
        """
        connection, columns = self.batch.connection, _ARTICLES.c
        own = connection.execute(select(_ARTICLES).where(columns.draft_pk == draft_pk))
        rows = [dict(row) for row in own.mappings()]
        renamed: dict[str, str] = {}
        joined = set()
        published_addresses: set[str] = set()
        for row in rows:
            if (public_id := self._public_id_of(row)) is not None:
                renamed[row["id"]] = public_id
                joined.add(row["id"])
            elif connection.execute(_PUBLIC_IDS.where(columns.id == row["id"])).first():
                renamed[row["id"]] = new_id()
        for row in rows:
            if row["id"] in joined:
                continue
            id_ = renamed.get(row["id"], row["id"])
            public_now = {
                "draft_pk": None,
                "id": id_,
                "version": self._read_last_versions([id_]).get(id_, 0) + 1,
                # A copy follows its original to the id that it has now.
                "syndicated_from": renamed.get(row["syndicated_from"], row["syndicated_from"]),
            }
            if row["address_sha256"] in published_addresses:  # another of this draft has it
                public_now["address_sha256"] = None
            published_addresses.add(row["address_sha256"])
            connection.execute(update(_ARTICLES).where(columns.pk == row["pk"]).values(public_now))
            self.new.append({**row, **public_now})
        return renamed

    def of_draft(self, draft_pk: int) -> dict[str, dict[str, Any]]:
        """Return the articles of a draft by id, as another draft would name them."""
        connection, columns = self.batch.connection, _ARTICLES.c
        rows = connection.execute(select(_ARTICLES).where(columns.draft_pk == draft_pk))
        articles = {}
        for row in rows.mappings().all():
            data = {name: row[name] for name in ARTICLE_FIELDS}
            # An id that is another article's in public would mean that one.
            if not connection.execute(_PUBLIC_IDS.where(columns.id == row["id"])).first():
                data["id"] = row["id"]
            articles[row["id"]] = data
        return articles

    def _public_id_of(self, article: Mapping[str, Any]) -> str | None:
        """Return the id of the public article that has the address of a private one."""
        if article["address_sha256"] is None:
            return None
        same = _ARTICLES.c.address_sha256 == article["address_sha256"]
        id_: str | None = self.batch.connection.execute(_PUBLIC_IDS.where(same)).scalar()
        return id_


def pass_on_address(connection: Connection, digest: str | None) -> None:
    """Let the oldest public article with an address answer for it, once no other does."""
    columns = _ARTICLES.c
    waiting = columns.draft_pk.is_(None) & columns.address_sha256.is_(None)
    rows = select(columns.pk, columns.url).where(waiting, columns.url.is_not(None))
    heirs = connection.execute(rows.order_by(columns.pk)) if digest else ()
    heir = next((pk for pk, url in heirs if address_digest(url) == digest), None)
    if heir is not None:
        change = update(_ARTICLES).where(columns.pk == heir).values(address_sha256=digest)
        connection.execute(change)


def upstream(
    connection: Connection, articles: Iterable[Mapping[str, Any]], draft_pk: int | None
) -> dict[str, str | None]:
    """Return what stands between copies and their originals: what is copied, by id.

    ARTICLES are those that a record cites, DRAFT_PK the draft whose own articles count too.
    """
    cited = {article["id"]: article["syndicated_from"] for article in articles}
    copied = {id_ for id_ in cited.values() if id_ is not None} - cited.keys()
    if not copied:
        return {}
    articles_ = table(Article)
    readable = or_(articles_.c.draft_pk.is_(None), articles_.c.draft_pk == draft_pk)
    start = select(articles_.c.id, articles_.c.syndicated_from).where(
        readable, articles_.c.id.in_(sorted(copied))
    )
    chain = start.cte("chain", recursive=True)
    chain = chain.union(
        select(articles_.c.id, articles_.c.syndicated_from).where(
            readable, articles_.c.id == chain.c.syndicated_from
        )
    )
    return {row.id: row.syndicated_from for row in connection.execute(select(chain))}


def copies_of(ids: Iterable[str]) -> Select[tuple[int]]:
    """Select the primary keys of articles that copy one of IDS, or a copy of it, and so on."""
    articles = table(Article).c
    start = select(articles.pk, articles.id).where(articles.syndicated_from.in_(sorted(ids)))
    copies = start.cte("copies", recursive=True)
    copies = copies.union(
        select(articles.pk, articles.id).where(articles.syndicated_from == copies.c.id)
    )
    return select(copies.c.pk)


def _differences(
    data: Mapping[str, Any], stored: Mapping[str, Any], position: int
) -> list[dict[str, Any]]:
    """Return warnings of what an inline copy says otherwise than the stored article."""
    path = f"/sources/{position}/article"
    warnings = []
    if data.get("id") not in (None, stored["id"]):
        detail = f"The article of this address is held as {stored['id']}, which is cited."
        warnings.append({"pointer": f"{path}/id", "code": "article_held", "detail": detail})
    detail = (
        f"The held article {stored['id']} says otherwise and stands as it is; "
        f"change it at /api/v1/articles/{stored['id']}."
    )
    for name in ARTICLE_FIELDS:
        value = data.get(name)
        if value is None or value == stored[name]:
            continue
        if name == "url" and address_digest(value) == address_digest(stored["url"]):
            continue
        warnings.append({"pointer": f"{path}/{name}", "code": "article_differs", "detail": detail})
    return warnings


def drop_private(connection: Connection, draft_pk: int, cited: Iterable[int]) -> None:
    """Delete the articles of a draft that it no longer cites."""
    articles = table(Article)
    connection.execute(
        articles.delete().where(articles.c.draft_pk == draft_pk, articles.c.pk.not_in(list(cited)))
    )

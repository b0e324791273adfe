"""Pages and exports: the stored documents that a query means, and cursors that lead on."""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from api.core.permissions import Actor
from api.database.readers import Reader
from api.queries import cursors
from api.queries.counts import count
from api.queries.cursors import PagePosition
from api.queries.filters.orders import ORDERS, RELEVANCE
from api.queries.plans import plans, text_plans
from api.queries.plans.planner import plan_for
from api.queries.results import MOST_BYTES, Page, ResolvedQuery
from api.queries.text.ranking import RankedPage, rank
from schemas.query.filters import DEFAULT_LIMIT, MAX_LIMIT


class _Row(NamedTuple):
    document: bytes
    id: str
    value: str | int
    dataset_version: int
    published: int


def page(reader: Reader, query: ResolvedQuery, actor: Actor) -> Page:
    """Return a page of the records that QUERY means and ACTOR may read.

    It ends before its limit where its documents are larger than MOST_BYTES. Raises QueryError for
    a cursor that is not of this query.
    """
    if query.sort == RELEVANCE:
        return _ranked_page(reader, query, actor)
    limit = query.limit or DEFAULT_LIMIT
    if limit <= DEFAULT_LIMIT:
        return _part(reader, query, actor)
    with reader.snapshot():
        part = _part(reader, replace(query, limit=DEFAULT_LIMIT), actor)
        documents, total, size = part.documents, part.total, sum(map(len, part.documents))
        while part.following and len(documents) < limit and size < MOST_BYTES:
            number = min(DEFAULT_LIMIT, limit - len(documents))
            rest = replace(query, limit=number, cursor=part.following, count=None)
            part = _part(reader, rest, actor)
            documents += part.documents
            size += sum(map(len, part.documents))
    if total is None and query.cursor is None and part.following is None:
        total = len(documents)
    return replace(part, documents=documents, total=total)


def _part(reader: Reader, query: ResolvedQuery, actor: Actor) -> Page:
    """Return a page of few records, read by one statement."""
    limit = query.limit or DEFAULT_LIMIT
    digest = cursors.digest_of(query.criteria, query.match, actor)
    position = _position(query, digest)
    after = position is not None
    plan, values = plan_for(
        reader, query, actor, sort=query.sort, after=after, along_text=True, hits=limit
    )
    values["limit_plus_one"] = limit + 1
    if position is not None:
        values |= {"after_value": position.value, "after_id": position.id}
        if plan.text:
            values["after_doc_id"] = _doc_id_after(query.sort, position)
    make = text_plans.page_statement if plan.text else plans.page_statement
    rows = plans.sort_page(reader.rows(make(reader, plan), values), plan)
    version, published = rows[0][3:] if rows else reader.run(plans.STATE)[0]
    more = len(rows) > limit
    following = None
    if more:
        rows = rows[:limit]
        last = _Row(*rows[-1])
        following = PagePosition(last.value, last.id).write(query.sort, digest)
    total = None if more or position is not None else len(rows)
    if not query.criteria:
        total = published + _number_of_drafts(reader, query, actor)
    elif total is None and query.count == "exact":
        total = count(reader, query, actor, version)
    return Page([row[0] for row in rows], following, total, version)


def _number_of_drafts(reader: Reader, query: ResolvedQuery, actor: Actor) -> int:
    """Return how many drafts ACTOR may read."""
    drafts = replace(query, criteria={"status": ["draft"]})
    return 0 if actor.pk is None else count(reader, drafts, actor)


def ranked_page(reader: Reader, query: ResolvedQuery, actor: Actor) -> RankedPage:
    """Return a page of hits, the best first, and their exact number where that is asked for."""
    best = rank(reader, query, actor)
    if query.count == "exact" and best.total is None:
        return replace(best, total=count(reader, query, actor))
    return best


def _ranked_page(reader: Reader, query: ResolvedQuery, actor: Actor) -> Page:
    best = ranked_page(reader, query, actor)
    documents = [hit.document for hit in best.hits]
    return Page(documents, best.following, best.total, best.dataset_version)


def _position(query: ResolvedQuery, digest: str) -> PagePosition | None:
    if query.cursor is None:
        return None
    return PagePosition.read(query.cursor, query.sort, ORDERS[query.sort].type, digest)


def _doc_id_after(sort: str, position: PagePosition) -> int:
    try:
        return text_plans.doc_id_after(sort, str(position.value))
    except ValueError:
        raise cursors.refused(cursors.DAMAGED) from None


def batches(reader: Reader, query: ResolvedQuery, actor: Actor) -> Iterator[list[bytes]]:
    """Yield the documents of all records that QUERY means, in its order, a few at a time.

    It takes to be run within `reader.snapshot()`. Raises QueryError as `page` does. The records are
    read by one statement, whatever the filters and the order: pages would find their way anew each
    time.
    """
    if query.sort == RELEVANCE:
        yield from _ranked_batches(reader, query, actor)
        return
    position = _position(query, cursors.digest_of(query.criteria, query.match, actor))
    plan, values = plan_for(reader, query, actor, sort=query.sort, after=position is not None)
    if position is not None:
        values |= {"after_value": position.value, "after_id": position.id}
    for rows in reader.stream(plans.export_statement(reader, plan), values, plans.BATCH):
        pks = [row[2] for row in rows]
        padded = pks + pks[-1:] * (plans.BATCH - len(pks))
        documents: dict[int, bytes] = dict(
            reader.run(plans.DOCUMENTS, {f"pk_{number}": pk for number, pk in enumerate(padded)})
        )
        batch = [documents.pop(pk) for pk in pks]
        yield batch
        del batch  # before the next is read


def _ranked_batches(reader: Reader, query: ResolvedQuery, actor: Actor) -> Iterator[list[bytes]]:
    """Yield the documents of all hits, part by part as they are ranked."""
    best: RankedPage | None = None
    while best is None or best.following is not None:
        cursor = query.cursor if best is None else best.following
        best = rank(reader, replace(query, limit=MAX_LIMIT, cursor=cursor, count=None), actor)
        yield [hit.document for hit in best.hits]

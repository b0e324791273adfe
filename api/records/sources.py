"""Sources: one more appended to a record, or one removed; nothing else of the record is named.

A source is an article at a locator. What is posted for one that the record has already adds its
claims to it. The headline figures stand as they are, unless a claim is adopted in the same breath.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from marshmallow import ValidationError
from sqlalchemy.orm import Session

from api.core import clock
from api.core.errors import not_found
from api.core.permissions import Actor
from api.documents import CLAIM_MEMBERS
from api.records import reading, verbs
from api.records.batches import Batch
from api.records.citations import Citations
from api.records.results import Row, WriteResult
from api.records.terms import Terms
from schemas.counts import COUNT_FIELDS
from schemas.errors import ErrorDetail
from schemas.fields import MAX_LIST
from schemas.record_state import figure_of

Messages = dict[Any, Any]
SourceList = list[dict[str, Any]]


def append(
    session: Session,
    record: Row,
    named: Mapping[str, Any],
    actor: Actor,
    *,
    reason: str | None = None,
) -> WriteResult:
    """Append to RECORD (a row of `locked`) the source NAMED, or its claims to a source it has.

    Claims that stand there word for word are not said twice. `adopt` lists the fields of which the
    posted claim becomes the headline. Raises ValidationError with pointers into what was posted.
    """
    sources: SourceList = reading.current_document(session, record)["sources"]
    place = _place(session, record, sources, named)
    (identified,) = Terms(session.connection()).identify({"sources": [named]})["sources"]
    posted = [
        {name: claim.get(name) for name in CLAIM_MEMBERS} for claim in identified.get("claims", ())
    ]
    before = sources[place]["claims"] if place < len(sources) else []
    new = [position for position, claim in enumerate(posted) if claim not in before]
    source = {
        "locator": named.get("locator"),
        **(sources[place] if place < len(sources) else {}),
        "article": named["article"],
        "claims": [*before, *(posted[position] for position in new)],
    }
    _check_size(place, source)
    figures = _adopted(posted, named.get("adopt", ()))
    try:
        written = verbs.amend(
            session,
            record,
            {"sources": [*sources[:place], source, *sources[place + 1 :]], **figures},
            actor,
            reason=reason,
        )
    except ValidationError as error:
        claims = {len(before) + count: position for count, position in enumerate(new)}
        raise ValidationError(
            _as_posted(error.messages_dict, place, claims, named.get("adopt", ()))
        ) from None
    written.warnings = [_of_posted(warning, place) for warning in written.warnings]
    return written


def _place(session: Session, record: Row, sources: SourceList, named: Mapping[str, Any]) -> int:
    """Find the source that NAMED is about: where it stands, or where a new one will."""
    draft_pk = record["pk"] if record["status"] == "draft" else None
    citations = Citations(Batch(session.connection()), clock.now())
    held = citations.find(named["article"], draft_pk)
    cited = [
        place
        for place, source in enumerate(sources)
        if held is not None and source["article"]["id"] == held["id"]
    ]
    if "locator" in named or not cited:
        wanted = _level(named.get("locator"))
        same = [place for place in cited if _level(sources[place]["locator"]) == wanted]
        return same[0] if same else len(sources)
    whole = [place for place in cited if sources[place]["locator"] is None]
    if len(cited) == 1 or whole:
        return (whole or cited)[0]
    locators = [sources[place]["locator"] for place in cited]
    detail = "The record cites this article at several places: say which, or name a new one."
    raise ValidationError({"locator": [ErrorDetail("which_locator", detail, allowed=locators)]})


def _level(locator: str | None) -> str:
    """Level case and spacing, by which no two places in an article differ."""
    return "".join((locator or "").casefold().split())


def _check_size(place: int, source: Mapping[str, Any]) -> None:
    for name, number in (("_schema", place + 1), ("claims", len(source["claims"]))):
        if number > MAX_LIST:
            what = "claims in a source" if name == "claims" else "sources in a record"
            detail = f"There would be {number:,} {what}; at most {MAX_LIST} are taken."
            raise ValidationError({name: [ErrorDetail("too_many", detail)]})


def _adopted(claims: Sequence[Mapping[str, Any]], fields: Sequence[str]) -> dict[str, Any]:
    """Give the headline that the claims on FIELDS make, as a PATCH would name it."""
    named: dict[str, Any] = {}
    messages: Messages = {}
    for position, field in enumerate(fields):
        about = [claim for claim in claims if claim["field"] == field]
        fault = _unfit(field, about)
        if fault is not None:
            messages[position] = [fault]
        elif about[0]["value"] is not None:
            named[field] = about[0]["value"]
        else:
            named |= {field: None, **{f"{field}_{end}": about[0][end] for end in ("low", "high")}}
    if messages:
        raise ValidationError({"adopt": messages})
    return named


def _unfit(field: str, about: Sequence[Mapping[str, Any]]) -> ErrorDetail | None:
    """Say why the claims ABOUT a field do not make a headline, if they do not."""
    if not about:
        return ErrorDetail("no_claim", f"No claim on {field} is posted here that could be adopted.")
    if len(about) > 1:
        return ErrorDetail(
            "several_claims", f"Post the claim on {field} that is to be adopted by itself."
        )
    claim = about[0]
    if claim["community"] is not None:
        return ErrorDetail(
            "a_part_only",
            f"The claim is about {claim['community']} alone, the headline about the whole; "
            "name the figure in communities by a PATCH.",
        )
    if all(claim[name] is None for name in ("value", "low", "high")):
        hint = f" such as {field}_low" if field in COUNT_FIELDS else ""
        return ErrorDetail(
            "words_only",
            f"A claim in words gives no figure: name what it stands for{hint} by a PATCH.",
        )
    return None


def _as_posted(
    messages: Messages, place: int, claims: Mapping[int, int], adopt: Sequence[str]
) -> Messages:
    """Point at what was posted, where the faults were found in the whole record.

    PLACE is that of the source in the record, CLAIMS gives the posted position of each new claim.
    """
    found: Messages = {}
    for name, below in messages.items():
        if name == "sources" and isinstance(below, dict):
            found |= below.get(place, {})
            continue
        fields = [field for field in adopt if name in (field, f"{field}_low", f"{field}_high")]
        position = adopt.index(fields[0]) if fields else 0
        found.setdefault("adopt", {}).setdefault(position, []).extend(below)
    if isinstance(found.get("claims"), dict):
        found["claims"] = {claims[at]: below for at, below in found["claims"].items()}
    return found


def _of_posted(warning: dict[str, Any], place: int) -> dict[str, Any]:
    pointer = warning["pointer"].removeprefix(f"/sources/{place}")
    return {**warning, "pointer": pointer}


def remove(
    session: Session,
    record: Row,
    article_id: str,
    actor: Actor,
    *,
    locator: str | None = None,
    reason: str | None = None,
) -> WriteResult:
    """Remove from RECORD every source of an article, or the one at LOCATOR, with its claims.

    The headline stands; a figure that no claim says any more is told of. Raises ApiError: uncited.
    """
    document = reading.current_document(session, record)
    kept: SourceList = []
    removed: SourceList = []
    for source in document["sources"]:
        there = locator is None or _level(source["locator"]) == _level(locator)
        of_article = source["article"]["id"] == article_id
        (removed if of_article and there else kept).append(source)
    if not removed:
        at = "" if locator is None else f" at {locator!r}"
        raise not_found(f"Incident {record['id']} cites no article {article_id}{at}.")
    written = verbs.amend(session, record, {"sources": kept}, actor, reason=reason)
    written.warnings = list(_unsupported(document, removed, kept))
    return written


def _unsupported(
    document: Mapping[str, Any], removed: SourceList, kept: SourceList
) -> Iterator[dict[str, Any]]:
    """Warn of headlines of which the last claim went away."""
    gone, left = (
        {claim["field"] for source in sources for claim in source["claims"]}
        for sources in (removed, kept)
    )
    for field in sorted(gone - left):
        is_count = field in COUNT_FIELDS
        text = figure_of(document, field).text if is_count else str(document[field]).lower()
        if document[field] is not None or (is_count and text != "not reported"):
            yield {
                "pointer": f"/{field}",
                "code": "no_claim_left",
                "detail": f"No claim on {field} is left; the headline stands: {text}.",
            }

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
from api.records import reading, verbs
from api.records.batches import Batch
from api.records.citations import Citations
from api.records.results import Row, WriteResult
from api.records.terms import Terms
from schemas.claims import CLAIM_MEMBERS
from schemas.counts import COUNT_FIELDS, figure_of
from schemas.errors import ErrorDetail
from schemas.fields import MAX_LIST, too_many_claims

Messages = dict[Any, Any]
SourceList = list[dict[str, Any]]


def append(
    session: Session,
    record: Row,
    data: Mapping[str, Any],
    actor: Actor,
    *,
    reason: str | None = None,
) -> WriteResult:
    """Append to RECORD (of `get_for_update`) the source DATA, or its claims to a source it has.

    Claims that stand there word for word are not said twice. `adopt` lists the fields of which the
    posted claim becomes the headline. Raises ValidationError with pointers into what was posted.
    """
    sources: SourceList = reading.current_document(session, record)["sources"]
    index = _find_index(session, record, sources, data)
    (identified,) = Terms(session.connection()).identify({"sources": [data]})["sources"]
    posted = [
        {name: claim.get(name) for name in CLAIM_MEMBERS} for claim in identified.get("claims", ())
    ]
    before = sources[index]["claims"] if index < len(sources) else []
    new = [position for position, claim in enumerate(posted) if claim not in before]
    source = {
        "locator": data.get("locator"),
        **(sources[index] if index < len(sources) else {}),
        "article": data["article"],
        "claims": [*before, *(posted[position] for position in new)],
    }
    _check_size(index, source)
    if fault := too_many_claims([*sources[:index], source, *sources[index + 1 :]]):
        raise ValidationError({"claims": [fault]})
    figures = _adopted(posted, data.get("adopt", ()))
    change = {"sources": [*sources[:index], source, *sources[index + 1 :]], **figures}
    try:
        result = verbs.amend(session, record, change, actor, reason=reason)
    except ValidationError as error:
        claims = {len(before) + count: position for count, position in enumerate(new)}
        raise ValidationError(
            _as_posted(error.messages_dict, index, claims, data.get("adopt", ()))
        ) from None
    result.warnings = [_for_posted(warning, index) for warning in result.warnings]
    return result


def _find_index(session: Session, record: Row, sources: SourceList, data: Mapping[str, Any]) -> int:
    """Return the index of the source that DATA is about, or of a new one."""
    draft_pk = record["pk"] if record["status"] == "draft" else None
    citations = Citations(Batch(session.connection()), clock.now())
    article = citations.find(data["article"], draft_pk)
    cited = [
        index
        for index, source in enumerate(sources)
        if article is not None and source["article"]["id"] == article["id"]
    ]
    if "locator" in data or not cited:
        locator = _normalised(data.get("locator"))
        same = [index for index in cited if _normalised(sources[index]["locator"]) == locator]
        return same[0] if same else len(sources)
    whole = [index for index in cited if sources[index]["locator"] is None]
    if len(cited) == 1 or whole:
        return (whole or cited)[0]
    locators = [sources[index]["locator"] for index in cited]
    detail = "The record cites this article at several places: say which, or name a new one."
    raise ValidationError({"locator": [ErrorDetail("which_locator", detail, allowed=locators)]})


def _normalised(locator: str | None) -> str:
    """Return it without case and spacing, by which no two places in an article differ."""
    return "".join((locator or "").casefold().split())


def _check_size(index: int, source: Mapping[str, Any]) -> None:
    for name, number in (("_schema", index + 1), ("claims", len(source["claims"]))):
        if number > MAX_LIST:
            what = "claims in a source" if name == "claims" else "sources in a record"
            detail = f"There would be {number:,} {what}; at most {MAX_LIST} are taken."
            raise ValidationError({name: [ErrorDetail("too_many", detail)]})


def _adopted(claims: Sequence[Mapping[str, Any]], fields: Sequence[str]) -> dict[str, Any]:
    """Return the headline that the claims on FIELDS make, as a PATCH would name it."""
    headline: dict[str, Any] = {}
    messages: Messages = {}
    for position, field in enumerate(fields):
        about = [claim for claim in claims if claim["field"] == field]
        fault = _adoption_fault(field, about)
        if fault is not None:
            messages[position] = [fault]
        elif about[0]["value"] is not None:
            headline[field] = about[0]["value"]
        else:
            headline |= {
                field: None,
                **{f"{field}_{end}": about[0][end] for end in ("low", "high")},
            }
    if messages:
        raise ValidationError({"adopt": messages})
    return headline


def _adoption_fault(field: str, about: Sequence[Mapping[str, Any]]) -> ErrorDetail | None:
    """Return why the claims ABOUT a field do not make a headline, if they do not."""
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
    messages: Messages, index: int, claims: Mapping[int, int], adopt: Sequence[str]
) -> Messages:
    """Point at what was posted, where the faults were found in the whole record.

    INDEX is that of the source in the record, CLAIMS gives the posted position of each new claim.
    """
    posted: Messages = {}
    for name, below in messages.items():
        if name == "sources" and isinstance(below, dict):
            posted |= below.get(index, {})
            continue
        fields = [field for field in adopt if name in (field, f"{field}_low", f"{field}_high")]
        position = adopt.index(fields[0]) if fields else 0
        posted.setdefault("adopt", {}).setdefault(position, []).extend(below)
    if isinstance(posted.get("claims"), dict):
        posted["claims"] = {claims[at]: below for at, below in posted["claims"].items()}
    return posted


def _for_posted(warning: dict[str, Any], index: int) -> dict[str, Any]:
    pointer = warning["pointer"].removeprefix(f"/sources/{index}")
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

    The headline stands; a figure that no claim says any more gets a warning. Raises
    ApiError: uncited.
    """
    document = reading.current_document(session, record)
    remaining: SourceList = []
    removed: SourceList = []
    for source in document["sources"]:
        there = locator is None or _normalised(source["locator"]) == _normalised(locator)
        of_article = source["article"]["id"] == article_id
        (removed if of_article and there else remaining).append(source)
    if not removed:
        at = "" if locator is None else f" at {locator!r}"
        raise not_found(f"Incident {record['id']} cites no article {article_id}{at}.")
    result = verbs.amend(session, record, {"sources": remaining}, actor, reason=reason)
    result.warnings = list(_unsupported(document, removed, remaining))
    return result


def _unsupported(
    document: Mapping[str, Any], removed: SourceList, remaining: SourceList
) -> Iterator[dict[str, Any]]:
    """Warn of headlines of which the last claim went away."""
    before, after = (
        {claim["field"] for source in sources for claim in source["claims"]}
        for sources in (removed, remaining)
    )
    for field in sorted(before - after):
        is_count = field in COUNT_FIELDS
        text = figure_of(document, field).text if is_count else str(document[field]).lower()
        if document[field] is not None or (is_count and text != "not reported"):
            yield {
                "pointer": f"/{field}",
                "code": "no_claim_left",
                "detail": f"No claim on {field} is left; the headline stands: {text}.",
            }

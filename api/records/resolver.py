"""The resolver: completes what a request says of a record from the tables.

The place comes from the gazetteer, communities and episodes are looked up in their vocabularies,
and articles are recognised or made (`api.records.citations`).
"""

from collections.abc import Mapping
from datetime import date
from functools import cached_property
from types import MappingProxyType
from typing import Any

from marshmallow import ValidationError
from sqlalchemy import Connection

from api.core.errors import ApiError
from api.geo.answers import Answers, answers
from api.geo.place_errors import PlaceError, no_country_for
from api.geo.resolver import ResolvedPlace, resolve
from api.records.batches import Batch
from api.records.citations import Citations
from api.records.terms import Terms
from schemas import plausibility, record_state
from schemas.errors import ErrorDetail, flatten
from schemas.record_fields import State
from schemas.record_state import PLACE_CLUES, AmendedState

_MOST_EXPLAINED = 200  # places that are not found for which near names are looked for


class ReferenceResolver:
    """Resolves the references of records written in one transaction."""

    def __init__(self, batch: Batch, at: str) -> None:
        self.connection = batch.connection
        self.citations = Citations(batch, at)
        self.terms = Terms(batch.connection)
        self._today = date.fromisoformat(at[:10])
        self._explained: set[tuple[Any, ...]] = set()

    @cached_property
    def _answers(self) -> Answers:
        return answers(self.connection)

    def resolve_references(
        self,
        amended: AmendedState,
        draft_pk: int | None,
        *,
        stored: State | None = None,
        strict: bool = True,
    ) -> tuple[State, dict[str, int], list[dict[str, Any]]]:
        """Return the state with place and articles, the articles' keys by id, and warnings.

        DRAFT_PK is the draft that new articles belong to, None for a public record. What is hard to
        believe (`schemas.plausibility`, a point outside its country) is refused where it is not
        STORED already; unless STRICT it is a warning. Raises ValidationError with all faults.
        """
        state = dict(amended.state)
        messages, warnings = plausibility.judge(state, stored, self._today, strict=strict)
        if amended.place is not None:
            placed = self._resolve_place(state, amended.place, warnings, strict=strict)
            messages = placed | messages
        # Of several faults of a field the first is told.
        for faults in (record_state.check(state), self.terms.unknown(state)):
            messages |= {name: fault for name, fault in faults.items() if name not in messages}
        sources: list[dict[str, Any]] = []
        article_pks: dict[str, int] = {}
        article_warnings: list[dict[str, Any]] = []
        try:
            sources, article_pks, article_warnings = self.citations.cite(state["sources"], draft_pk)
        except ValidationError as error:
            faults = error.messages_dict
            messages |= {name: fault for name, fault in faults.items() if name not in messages}
        if messages:
            if draft_pk is not None:
                self.citations.drop_draft_articles(draft_pk)
            raise ValidationError(messages)
        state["sources"] = sources
        return state, article_pks, [*warnings, *article_warnings]

    def re_resolve(self, state: State, draft_pk: int | None) -> tuple[State, dict[str, int]]:
        """Return the state of an earlier version with what its articles say now, and their keys.

        An article that was deleted since is made again of what the version shows of it. Raises
        ApiError where the version refers to what cannot be found again.
        """
        missing = self.terms.unknown(state)
        sources: list[dict[str, Any]] = []
        article_pks: dict[str, int] = {}
        try:
            sources, article_pks, _ = self.citations.cite(state["sources"], draft_pk)
        except ValidationError as error:
            missing |= error.messages_dict
        if missing:
            faults = "; ".join(fault["detail"] for fault in flatten(missing))
            raise ApiError("not-restorable", f"The version refers to what is gone: {faults}")
        return {**state, "sources": sources}, article_pks

    def re_cite(
        self,
        state: State,
        renamed: Mapping[str, str],
        owner: int | None = None,
        private: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
    ) -> tuple[State, dict[str, int]]:
        """Return the state with the articles of a draft by the ids RENAMED in public, and keys.

        Those of PRIVATE, another draft's, are made for the draft OWNER too.
        """
        sources = [
            {**source, "article": private.get(id_, {"id": renamed.get(id_, id_)})}
            for source in state["sources"]
            for id_ in (source["article"]["id"],)
        ]
        self.citations.evict()
        cited, article_pks, _ = self.citations.cite(sources, owner)
        return {**state, "sources": cited}, article_pks

    def _resolve_place(
        self,
        state: State,
        clues: Mapping[str, Any],
        warnings: list[dict[str, Any]],
        *,
        strict: bool,
    ) -> dict[str, Any]:
        """Put the place that is CLUES lead to into STATE; return messages where it cannot be."""
        if clues.get("country") is None:
            return self._without_country(clues.get("city"))
        place = self._find_place(clues, strict=strict)
        if isinstance(place, PlaceError):
            fault = ErrorDetail(
                place.code,
                place.detail,
                candidates=place.candidates or None,
                suggestions=place.suggestions or None,
            )
            return {place.field: [fault]}
        warnings += [
            {"pointer": f"/{warning.field}", "code": warning.code, "detail": warning.detail}
            for warning in place.warnings
        ]
        state.update(
            city=place.city,
            admin1=place.admin1,
            latitude=place.latitude,
            longitude=place.longitude,
            geonames_id=place.geonames_id,
            place_id=place.place_id,
            geo_precision=place.geo_precision,
        )
        return {}

    def _without_country(self, city: str | None) -> dict[str, Any]:
        """Return a message that proposes the country of a CITY that comes without one."""
        if city is None:
            return {}
        detail, suggestion = propose_country(self.connection, self._answers, city)
        return {"country": [ErrorDetail("required", detail, suggestion=suggestion)]}

    def _find_place(self, clues: Mapping[str, Any], *, strict: bool) -> ResolvedPlace | PlaceError:
        """Return the place that CLUES lead to; the first that are not found are explained."""
        key = tuple(clues.get(name) for name in PLACE_CLUES)
        explains = len(self._explained) < _MOST_EXPLAINED or key in self._explained
        place = find_place(self.connection, self._answers, clues, strict=strict, explains=explains)
        if explains and isinstance(place, PlaceError):
            self._explained.add(key)
        return place


def find_place(
    connection: Connection,
    known: Answers,
    clues: Mapping[str, Any],
    *,
    strict: bool = True,
    explains: bool = True,
) -> ResolvedPlace | PlaceError:
    """Return the place that CLUES lead to, or why there is none; asked once of the gazetteer."""
    members: dict[str, Any] = {name: clues.get(name) for name in PLACE_CLUES}

    def look_up() -> ResolvedPlace | PlaceError:
        try:
            return resolve(connection, **members, strict=strict, explains=explains)
        except PlaceError as error:
            if not explains:  # nor to be remembered
                raise
            return error.with_traceback(None)

    try:
        return known.to((strict, *members.values()), look_up)
    except PlaceError as error:
        return error


def propose_country(connection: Connection, known: Answers, city: str) -> tuple[str, str | None]:
    """Return what is said of a CITY without a country; asked once, see `no_country_for`."""
    return known.to(city, lambda: no_country_for(connection, city))

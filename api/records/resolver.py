"""The resolver: completes what a request says of a record from the tables.

The place comes from the gazetteer, communities and episodes are looked up in their vocabularies,
and articles are recognised or made (`api.records.citations`).
"""

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Any

from marshmallow import ValidationError

from api.core.errors import ApiError
from api.geo import resolver as places
from api.geo.place_errors import PlaceError, no_country_for
from api.geo.resolver import ResolvedPlace
from api.records.batches import Batch
from api.records.citations import Citations
from api.records.terms import Terms
from schemas import plausibility, record_state
from schemas.errors import ErrorDetail, flatten
from schemas.record_fields import State
from schemas.record_state import PLACE_FIELDS, AmendedState

_MOST_PLACES = 10_000  # remembered while many records are written
_MOST_EXPLAINED = 200  # faults of places for which near names are looked for, the like


class ReferenceResolver:
    """Resolves the references of records written in one transaction."""

    def __init__(self, batch: Batch, at: str) -> None:
        self.connection = batch.connection
        self.citations = Citations(batch, at)
        self.terms = Terms(batch.connection)
        self._today = date.fromisoformat(at[:10])
        self._places: dict[tuple[Any, ...], ResolvedPlace | PlaceError] = {}
        self._explained = 0

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
            return self._propose_country(clues.get("city"))
        place = self._look_up(clues, strict=strict)
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
            geo_precision=place.geo_precision,
        )
        return {}

    def _propose_country(self, city: str | None) -> dict[str, Any]:
        """Return a message that proposes the country of a CITY that comes without one."""
        if city is None:
            return {}
        detail, suggestion = no_country_for(self.connection, city)
        return {"country": [ErrorDetail("required", detail, suggestion=suggestion)]}

    def _look_up(self, clues: Mapping[str, Any], *, strict: bool) -> ResolvedPlace | PlaceError:
        """Return the gazetteer's answer, looked up once for the same place."""
        members: dict[str, Any] = {name: clues.get(name) for name in PLACE_FIELDS}
        key = (*members.values(), strict)
        if key not in self._places:
            if len(self._places) == _MOST_PLACES:
                self._places.clear()
            try:
                explains = self._explained < _MOST_EXPLAINED
                self._places[key] = places.resolve(
                    self.connection, **members, strict=strict, explains=explains
                )
            except PlaceError as error:
                self._explained += 1
                self._places[key] = error
        return self._places[key]

"""Communities and episodes as a write names them: by id, name or alias, in any case."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, select

from api.database import statements
from api.database.statements import InJsonList, json_list
from api.models.tables import table
from api.search import term_names
from api.search.term_names import MODELS, TermNames, Vocabulary
from schemas.errors import ErrorDetail
from schemas.record_state import Messages, State

_HELD = {
    vocabulary: select(model.id).where(InJsonList(table(model).c.id, "ids"))
    for vocabulary, model in MODELS.items()
}
_MOST_SUGGESTIONS = 100  # near names are looked for so many times while many records are written
_SEVERAL = "each is an item of the list; in a cell of CSV they are separated by ;"


class Terms:
    """The ids that names of communities and episodes stand for, looked up once for many records.

    `missing` collects by vocabulary the names that stand for no term.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._ids: dict[Vocabulary, dict[str, str]] = {vocabulary: {} for vocabulary in MODELS}
        self._names: dict[Vocabulary, TermNames] = {}
        self._unknown: dict[tuple[Vocabulary, str], ErrorDetail] = {}
        self.missing: dict[str, set[str]] = {vocabulary: set() for vocabulary in MODELS}

    def identify(self, named: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the named fields with ids for names; what stands for no term stays as it is."""
        names = {name for _, name in _communities(named)}
        ids = self.ids_of("communities", names)
        identified = dict(named)
        if any(ids.get(name, name) != name for name in names):
            for field in ("communities", "sources"):
                if field in named:
                    identified[field] = _renamed(named[field], ids)
        episode = named.get("episode")
        if episode is not None:
            identified["episode"] = self.ids_of("episodes", {episode}).get(episode, episode)
        return identified

    def ids_of(self, vocabulary: Vocabulary, names: Collection[str]) -> Mapping[str, str]:
        """Return the ids of what is known, by the names as they are written."""
        ids = self._ids[vocabulary]
        sought = [name for name in names if name not in ids]
        if sought:
            rows = statements.run(self._connection, _HELD[vocabulary], {"ids": json_list(sought)})
            ids.update((id_, id_) for (id_,) in rows)
            for name in sought:
                id_ = ids.get(name) or self._named(vocabulary).id_of(name)
                if id_ is None:
                    self.missing[vocabulary].add(name)
                else:
                    ids[name] = id_
        return ids

    def unknown(self, state: State) -> Messages:
        """Return what is wrong with names in a state that stand for no term."""
        messages: Messages = {}
        found = list(_communities(state))
        known = self.ids_of("communities", {name for _, name in found})
        for (field, *positions), name in found:
            if name not in known:
                below = messages.setdefault(field, {})
                for position in positions:
                    below = below.setdefault(position, {})
                below["community"] = [self._fault("communities", name)]
        episode = state["episode"]
        if episode is not None and episode not in self.ids_of("episodes", {episode}):
            messages["episode"] = [self._fault("episodes", episode)]
        return messages

    def _named(self, vocabulary: Vocabulary) -> TermNames:
        if vocabulary not in self._names:
            self._names[vocabulary] = term_names.term_names(self._connection, vocabulary)
        return self._names[vocabulary]

    def _fault(self, vocabulary: Vocabulary, name: str) -> ErrorDetail:
        key = vocabulary, name
        if key not in self._unknown:
            suggest = len(self._unknown) < _MOST_SUGGESTIONS
            fault = self._named(vocabulary).unknown(name, _SEVERAL, suggest=suggest)
            if not suggest:
                return fault
            self._unknown[key] = fault
        return self._unknown[key]


def _communities(named: Mapping[str, Any]) -> Iterator[tuple[tuple[Any, ...], str]]:
    """Yield the communities named in entries and claims, each with the path to what names it."""
    for position, entry in enumerate(named.get("communities") or ()):
        yield ("communities", position), entry["community"]
    for place, source in enumerate(named.get("sources") or ()):
        for position, claim in enumerate(source.get("claims") or ()):
            if claim.get("community") is not None:
                yield ("sources", place, "claims", position), claim["community"]


def _renamed(items: list[Any], ids: Mapping[str, str]) -> list[Any]:
    """Return entries, or sources with their claims, with ids in the place of names."""
    return [
        {
            **item,
            **({"community": ids.get(name, name)} if (name := item.get("community")) else {}),
            **({"claims": _renamed(item["claims"], ids)} if item.get("claims") else {}),
        }
        for item in items
    ]

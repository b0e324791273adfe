"""Communities and episodes as a write names them: by id, name or alias, in any case."""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Connection, select

from api.database import statements
from api.database.statements import InJsonList, json_list
from api.models.tables import table
from api.search import term_names
from api.search.term_names import MODELS, TermNames, Vocabulary
from schemas.errors import ErrorDetail, Messages
from schemas.record_fields import State

_KNOWN_IDS = {
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

    def identify(self, data: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the named fields with ids for names; what stands for no term stays as it is."""
        names = {name for _, name in _communities(data)}
        ids = self.ids_of("communities", names)
        identified = dict(data)
        if any(ids.get(name, name) != name for name in names):
            for field in ("communities", "sources"):
                if field in data:
                    identified[field] = _renamed(data[field], ids)
        episode = data.get("episode")
        if episode is not None:
            identified["episode"] = self.ids_of("episodes", {episode}).get(episode, episode)
        return identified

    def ids_of(self, vocabulary: Vocabulary, names: Collection[str]) -> Mapping[str, str]:
        """Return the ids of what is known, by the names as they are written."""
        ids = self._ids[vocabulary]
        missing = self.missing[vocabulary]
        new = [name for name in names if name not in ids and name not in missing]
        if new:
            storable = [name for name in new if "\0" not in name]  # NUL stands in no database
            ids_asked = {"ids": json_list(storable)}
            rows = statements.run(self._connection, _KNOWN_IDS[vocabulary], ids_asked)
            ids.update((id_, id_) for (id_,) in rows)
            for name in new:
                id_ = ids.get(name) or self._term_names(vocabulary).id_of(name)
                if id_ is None:
                    missing.add(name)
                else:
                    ids[name] = id_
        return ids

    def unknown(self, state: State) -> Messages:
        """Return what is wrong with names in a state that stand for no term."""
        messages: Messages = {}
        communities = _communities(state)
        known = self.ids_of("communities", {name for _, name in communities})
        for (field, *positions), name in communities:
            if name not in known:
                below = messages.setdefault(field, {})
                for position in positions:
                    below = below.setdefault(position, {})
                below["community"] = [self._fault("communities", name)]
        episode = state["episode"]
        if episode is not None and episode not in self.ids_of("episodes", {episode}):
            messages["episode"] = [self._fault("episodes", episode)]
        return messages

    def _term_names(self, vocabulary: Vocabulary) -> TermNames:
        if vocabulary not in self._names:
            self._names[vocabulary] = term_names.term_names(self._connection, vocabulary)
        return self._names[vocabulary]

    def _fault(self, vocabulary: Vocabulary, name: str) -> ErrorDetail:
        """Return the error for a name of no term: with near names, for the first hundred names."""
        key = vocabulary, name
        if key not in self._unknown:
            suggest = len(self._unknown) < _MOST_SUGGESTIONS
            fault = self._term_names(vocabulary).unknown(name, _SEVERAL, suggest=suggest)
            if not suggest:
                return fault
            self._unknown[key] = fault
        return self._unknown[key]


def _communities(data: Mapping[str, Any]) -> list[tuple[tuple[Any, ...], str]]:
    """Return the communities named in entries and claims, each with the path to what names it."""
    names: list[tuple[tuple[Any, ...], str]] = [
        (("communities", position), entry["community"])
        for position, entry in enumerate(data.get("communities") or ())
    ]
    for index, source in enumerate(data.get("sources") or ()):
        for position, claim in enumerate(source.get("claims") or ()):
            if claim.get("community") is not None:
                names.append((("sources", index, "claims", position), claim["community"]))
    return names


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

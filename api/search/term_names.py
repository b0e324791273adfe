"""Names of communities and episodes: the id that a name or an alias stands for.

Names are compared folded, an id before a name and a name before an alias. What two terms are
called by the same right, as may stand in a vocabulary of before that was refused, names neither.
"""

import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, func, select

from api.models import Community, Episode
from schemas.errors import ErrorDetail
from schemas.name_folding import fold

Vocabulary = Literal["communities", "episodes"]
MODELS: Mapping[Vocabulary, type[Community] | type[Episode]] = {
    "communities": Community,
    "episodes": Episode,
}
SINGULAR: Mapping[Vocabulary, str] = {"communities": "community", "episodes": "episode"}
# What changes with any term of a vocabulary. A clock may stand still or go back, and a change of
# one term be hidden by another's time.
STATE = {
    vocabulary: (func.count(model.id), func.sum(model.version), func.max(model.updated_at))
    for vocabulary, model in MODELS.items()
}
_STATEMENTS = {vocabulary: select(*columns) for vocabulary, columns in STATE.items()}
TERMS = {
    vocabulary: select(model.id, model.name, model.aliases).order_by(model.id)
    for vocabulary, model in MODELS.items()
}
_SHORTEST_MISSPELT = 5  # a shorter name is near to too many others
_MOST_NEAR = 3
_LONG = 10  # from here on two slips are taken for a misspelling


@dataclass(frozen=True, eq=False)
class TermNames:
    """The ids of a vocabulary, and those that each folded name stands for: one as a rule."""

    vocabulary: Vocabulary
    ids: frozenset[str]
    owners: Mapping[str, tuple[str, ...]]

    def id_of(self, name: str) -> str | None:
        """Return the id of the only term with this id, name or alias."""
        owners = self.owners.get(fold(name), ())
        return owners[0] if len(owners) == 1 else None

    def near(self, name: str) -> list[str]:
        """Return the ids of the terms that a name is part of, else of the one it is misspelt of.

        Misspelt is a name with a letter left out, put in or swapped with the next, or two in a long
        name. Another letter may well be another community, as in Iraqian, so that nothing is said.
        """
        folded = fold(name)
        whole = f" {folded} "
        ids = {id_ for each, ids in self.owners.items() if whole in f" {each} " for id_ in ids}
        if not ids and len(folded) >= _SHORTEST_MISSPELT:
            most = 1 if len(folded) < _LONG else 2
            for other, owners in self.owners.items():
                alike = other[0] == folded[0] and abs(len(other) - len(folded)) <= most
                if alike and _slips(folded, other) <= most:
                    ids.update(owners)
            return list(ids) if len(ids) == 1 else []
        return sorted(ids) if len(ids) <= _MOST_NEAR else []

    def unknown(self, name: str, several: str, *, suggest: bool = True) -> ErrorDetail:
        """Return what is wrong with a name that stands for no term, or for more than one.

        `several` says how more than one name is written where this one was.
        """
        what = SINGULAR[self.vocabulary]
        shown = repr(name[:40])
        owners = self.owners.get(fold(name), ())
        if owners:
            detail = f"{shown} is a name of {' and of '.join(owners)}: give the id of one."
            return ErrorDetail(f"ambiguous_{what}", detail, suggestions=list(owners))
        parts = [self.id_of(part) for part in name.split(",")]
        if len(parts) > 1 and any(parts):
            detail = f"There is no {what} {shown}; these seem to be several: {several}."
            return ErrorDetail(f"unknown_{what}", detail)
        near = self.near(name) if suggest else []
        hint = f"; did you mean {' or '.join(near)}?" if near else "."
        detail = f"There is no {what} {shown}{hint} All are at /api/v1/{self.vocabulary}."
        return ErrorDetail(
            f"unknown_{what}",
            detail,
            suggestion=near[0] if len(near) == 1 else None,
            suggestions=near if len(near) > 1 else None,
        )


def _slips(word: str, other: str) -> int:
    """Return how many letters were left out, put in or swapped with the next."""
    before: list[int] = []
    last = list(range(len(other) + 1))
    for row, letter in enumerate(word, start=1):
        line = [row]
        for column, beside in enumerate(other, start=1):
            cost = min(line[-1], last[column]) + 1
            if letter == beside:
                cost = min(cost, last[column - 1])
            if row > 1 and column > 1 and word[row - 2] == beside and letter == other[column - 2]:
                cost = min(cost, before[column - 2] + 1)
            line.append(cost)
        before, last = last, line
    return last[-1]


def names_of(vocabulary: Vocabulary, terms: Iterable[tuple[str, str, Iterable[str]]]) -> TermNames:
    """Return the names of terms, each given as its id, name and aliases."""
    ids = []
    owners: dict[str, dict[str, int]] = defaultdict(dict)  # folded name: id: rank of the name
    for id_, name, aliases in terms:
        ids.append(id_)
        for rank, names in enumerate(((id_,), (name,), aliases)):
            for each in names:
                owners[fold(each)].setdefault(id_, rank)
    owners.pop("", None)
    return TermNames(
        vocabulary,
        frozenset(ids),
        {
            name: tuple(id_ for id_, rank in ranks.items() if rank == min(ranks.values()))
            for name, ranks in owners.items()
        },
    )


_cached: "WeakKeyDictionary[Engine, dict[Vocabulary, tuple[Any, TermNames]]]" = WeakKeyDictionary()
_lock = threading.Lock()


def term_names(connection: Connection, vocabulary: Vocabulary) -> TermNames:
    """Return the names of a vocabulary, read again only when a term has changed."""
    state = tuple(connection.execute(_STATEMENTS[vocabulary]).one())
    with _lock:
        cached, names = _cached.setdefault(connection.engine, {}).get(vocabulary, (None, None))
    if names is None or cached != state:
        names = names_of(
            vocabulary,
            ((row.id, row.name, row.aliases) for row in connection.execute(TERMS[vocabulary])),
        )
        with _lock:
            _cached[connection.engine][vocabulary] = state, names
    return names

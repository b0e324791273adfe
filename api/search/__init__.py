"""Full-text search: the same words, the same hits, on either engine.

`tokens` cuts, folds and stems; `texts` says what of a record is searched; `indexing` writes it;
`grammar` reads a query, `naming` finds what its names stand for; `sqlite` and `postgresql` store
and match tokens; `snippets` shows where a hit matched.
"""

from api.search.ast import All, Either, Node, Term, terms
from api.search.highlighting import Shown, show
from api.search.index_tables import (
    BASE,
    IN_PRIVATE,
    IN_PUBLIC,
    MOST_POINTS,
    WEIGHTS,
    Matches,
    Sought,
    hits,
    pk_of,
    primary_keys,
)
from api.search.indexed_text import (
    COLUMNS,
    PK_MASK,
    Entry,
    city_token,
    community_token,
    entry,
    episode_token,
    first_slot,
    last_slot,
    pieces,
    place_token,
    slot,
)
from api.search.indexer import ENGINES, add, holds, outdated, rebuild, replace
from api.search.name_resolution import Named, Names, find_names, names_of
from api.search.parser import GrammarError, parse
from api.search.sqlite import MOST_EXPANDED
from api.search.tokenizer import form, split, words

__all__ = [
    "BASE",
    "COLUMNS",
    "ENGINES",
    "IN_PRIVATE",
    "IN_PUBLIC",
    "MOST_EXPANDED",
    "MOST_POINTS",
    "PK_MASK",
    "WEIGHTS",
    "All",
    "Either",
    "Entry",
    "GrammarError",
    "Matches",
    "Named",
    "Names",
    "Node",
    "Shown",
    "Sought",
    "Term",
    "add",
    "city_token",
    "community_token",
    "entry",
    "episode_token",
    "find_names",
    "first_slot",
    "form",
    "hits",
    "holds",
    "last_slot",
    "names_of",
    "outdated",
    "parse",
    "pieces",
    "pk_of",
    "place_token",
    "primary_keys",
    "rebuild",
    "replace",
    "show",
    "slot",
    "split",
    "terms",
    "words",
]

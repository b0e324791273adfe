"""Full-text search: the same words, the same hits, on either engine.

`tokenizer` cuts, folds and stems; `indexed_text` says what of a record is searched; `indexer`
writes it; `parser` reads a query, `name_resolution` finds what its names stand for; `sqlite` and
`postgresql` store and match tokens; `highlighting` shows where a hit matched.
"""

from api.search.ast import And, Node, Or, Term, terms
from api.search.highlighting import Highlight, highlight
from api.search.index_tables import (
    BASE_POINTS,
    COLUMNS,
    MAX_POINTS,
    PK_MASK,
    PRIVATE_INDEX,
    PUBLIC_INDEX,
    WEIGHTS,
    Entry,
    Matches,
    SearchIndex,
    doc_id,
    first_doc_id,
    index_table,
    last_doc_id,
    pk_of,
    primary_keys,
)
from api.search.indexed_text import (
    city_token,
    community_token,
    entry,
    episode_token,
    indexed_fields,
    place_token,
)
from api.search.indexer import ENGINES, add, holds, is_outdated, rebuild, replace
from api.search.name_resolution import NameIndex, ResolvedNames, index_names, resolve_names
from api.search.parser import GrammarError, parse
from api.search.sqlite import MAX_EXPANDED
from api.search.tokenizer import tokenize, tokenizer_version, words

__all__ = [
    "BASE_POINTS",
    "COLUMNS",
    "ENGINES",
    "MAX_EXPANDED",
    "MAX_POINTS",
    "PK_MASK",
    "PRIVATE_INDEX",
    "PUBLIC_INDEX",
    "WEIGHTS",
    "And",
    "Entry",
    "GrammarError",
    "Highlight",
    "Matches",
    "NameIndex",
    "Node",
    "Or",
    "ResolvedNames",
    "SearchIndex",
    "Term",
    "add",
    "city_token",
    "community_token",
    "doc_id",
    "entry",
    "episode_token",
    "first_doc_id",
    "highlight",
    "holds",
    "index_names",
    "index_table",
    "indexed_fields",
    "is_outdated",
    "last_doc_id",
    "parse",
    "pk_of",
    "place_token",
    "primary_keys",
    "rebuild",
    "replace",
    "resolve_names",
    "terms",
    "tokenize",
    "tokenizer_version",
    "words",
]

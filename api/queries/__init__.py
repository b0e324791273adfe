"""Queries: which records a query means, in which order, a page at a time; reads only.

`filters` is the table of parameters, `walks` makes the statements, `pages` reads. Full-text
queries are resolved in `searching`, walked in `text_walks` and ranked in `ranking`.
"""

from api.queries.counts import count
from api.queries.filters.table import FILTERS, ORDERS, windowed
from api.queries.pages import Page, batches, identity, page, resolved
from api.queries.plans.plans import chosen
from api.queries.suggestions import suggestions
from api.queries.text.ranking import Hit, Ranked, ranked
from api.queries.text.text_queries import Searched

__all__ = [
    "FILTERS",
    "ORDERS",
    "Hit",
    "Page",
    "Ranked",
    "Searched",
    "batches",
    "chosen",
    "count",
    "identity",
    "page",
    "ranked",
    "resolved",
    "suggestions",
    "windowed",
]

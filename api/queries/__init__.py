"""Queries: which records a query means, in which order, a page at a time; reads only.

`filters` is the table of parameters, `walks` makes the statements, `pages` reads.
"""

from api.queries.filters import FILTERS, ORDERS, windowed
from api.queries.pages import Page, batches, count, identity, page, resolved

__all__ = [
    "FILTERS",
    "ORDERS",
    "Page",
    "batches",
    "count",
    "identity",
    "page",
    "resolved",
    "windowed",
]

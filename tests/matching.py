"""A plain matcher: what a full-text query means, on the tokens of one record, with no index."""

from api.search import index_tables
from api.search.ast import And, Or, Term


class PlainEntry:
    """An entry as lists of tokens by column, and whether a node of a query matches it."""

    def __init__(self, entry):
        columns = zip(index_tables.COLUMNS, entry.columns, strict=True)
        self.columns = {name: tokens.split() for name, tokens in columns}

    def matches(self, node, columns=index_tables.COLUMNS):
        if isinstance(node, Or):
            return any(self.matches(part, columns) for part in node.parts)
        if isinstance(node, And):
            all_of = all(self.matches(part, columns) for part in node.parts)
            return all_of and not any(self.matches(part, columns) for part in node.but)
        return any(self._holds(node, self.columns[name]) for name in columns)

    def _holds(self, term: Term, tokens):
        if term.prefix:
            return any(token.startswith(term.tokens[0]) for token in tokens)
        starts = range(len(tokens) - len(term.tokens) + 1)
        return any(tuple(tokens[at : at + len(term.tokens)]) == term.tokens for at in starts)

    def score(self, units):
        weights = {"title": 0.5, "place": 0.3}
        points = [
            0.2 + sum(weight for name, weight in weights.items() if self.matches(unit, [name]))
            for unit in units
        ]
        return round(sum(points) / len(units), 4)

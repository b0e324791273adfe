"""Query strings, loaded by a schema of `schemas.query.requests`; errors name their parameter."""

from typing import Any
from urllib.parse import unquote, unquote_to_bytes

from flask import request
from marshmallow import Schema

from schemas.errors import ErrorDetail, nearest
from schemas.query import loading
from schemas.query.loading import LoadedQuery
from schemas.query.parameters import QueryError


def load(schema: type[Schema]) -> dict[str, Any]:
    """Load the request's query string by SCHEMA."""
    if not request.query_string and not loading.required(schema):
        return {}
    _check_encoding(request.query_string)
    return loading.load(schema, request.args.lists())


def _check_encoding(query: bytes) -> None:
    """Refuse what is not UTF-8, where Werkzeug would put a replacement character."""
    for pair in query.split(b"&"):
        try:
            unquote_to_bytes(pair).decode()
        except UnicodeDecodeError:
            name = unquote(pair.partition(b"=")[0], errors="replace")
            fault = ErrorDetail("bad_character", "The value is not UTF-8 once percent-decoded.")
            raise QueryError({name[:80]: [fault]}) from None


def load_query(schema: type[Schema], fields: frozenset[str]) -> LoadedQuery:
    """Load the request's query string as a query of incidents; FIELDS are those one may ask for."""
    query = loading.to_query(load(schema))
    return query if query.fields is None else checked(query, fields)


def checked(query: LoadedQuery, fields: frozenset[str]) -> LoadedQuery:
    """Return QUERY if its fields are among FIELDS. Raises QueryError: there is no such field."""
    unknown = [name for name in query.fields or () if name not in fields]
    if unknown:
        close = nearest(unknown[0], fields)
        detail = f"There is no field {unknown[0][:40]!r}" + (
            f"; did you mean {close}?" if close else "."
        )
        raise QueryError({"fields": [ErrorDetail("unknown_field", detail, suggestion=close)]})
    return query

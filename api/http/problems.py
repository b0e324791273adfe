"""Problems: the one shape of every error (RFC 9457), and the one table of its kinds."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import orjson
from flask import Flask, Response, current_app, request
from marshmallow import ValidationError
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from werkzeug.exceptions import HTTPException

from api.core.errors import ApiError
from api.database.errors import is_storage_full, is_timeout
from api.database.transactions import OutcomeUnknownError, committed
from api.http.public_path import public_path
from schemas.errors import flatten
from schemas.query.parameters import QueryError

MEDIA_TYPE = "application/problem+json"
_LONGEST_PATH = 500
# Of very many faults the first are shown, and all are counted.
_MOST_FAULTS = 500


@dataclass(frozen=True, slots=True)
class ProblemType:
    """A kind of problem: its status, its title, and what its page tells."""

    status: int
    title: str
    explanation: str


PROBLEM_TYPES: dict[str, ProblemType] = {
    "malformed-json": ProblemType(
        400, "The body is not JSON",
        "The body could not be read as JSON: a syntax error, NaN or Infinity, a member named "
        "twice, more than 16 levels of nesting, or bytes that are not UTF-8. The detail says "
        "where.",
    ),
    "bad-request": ProblemType(
        400, "The request cannot be understood",
        "The request as a whole breaks a rule of HTTP.",
    ),
    "bad-parameter": ProblemType(
        400, "A parameter is wrong",
        "Below `/ogc` a parameter that is unknown or has a wrong value is answered by 400, as OGC "
        "API Features asks; elsewhere it is a `validation-error`. `errors` names each parameter, "
        "with what would be right.",
    ),
    "unauthorized": ProblemType(
        401, "A key is needed",
        "Writing needs a key: send it as `Authorization: Bearer KEY`. A key that is unknown or "
        "revoked is answered in the same way.",
    ),
    "forbidden": ProblemType(
        403, "This key may not do that",
        "The key is valid, but its role is too small for what was asked. The detail says which "
        "role or which other way is needed.",
    ),
    "quota-reached": ProblemType(
        403, "The quota of this key is used up",
        "A contributor has at most so many drafts that wait for an editor. Withdraw some, or wait "
        "until some are published or rejected.",
    ),
    "not-found": ProblemType(
        404, "There is nothing here",
        "No resource has this address, or none that this caller may read.",
    ),
    "method-not-allowed": ProblemType(
        405, "The method does not fit the address",
        "The address exists but does not take this method; the Allow header lists those it takes.",
    ),
    "not-acceptable": ProblemType(
        406, "No such format",
        "The Accept header names no format that this address can answer with.",
    ),
    "body-too-slow": ProblemType(
        408, "The body came too slowly",
        "A body has a time to come in: some seconds, and more the longer it is. Send it again over "
        "a faster line, or in parts.",
    ),
    "conflict": ProblemType(
        409, "The change does not fit what is stored",
        "Another change came first, or a rule of the tables forbids the outcome. Read the "
        "resource again.",
    ),
    "duplicate": ProblemType(
        409, "A record of this event seems to exist",
        "A record of the same city shares a community at most a day apart, or cites the same "
        "article on overlapping dates. `similar` lists the candidates. Add a source to the one "
        "that is the same, or post again with `allow_duplicate=true` if none is.",
    ),
    "id-taken": ProblemType(
        409, "The id is taken",
        "A resource with this id exists. The id of an incident is never given to another, also "
        "where the incident was withdrawn or merged.",
    ),
    "address-taken": ProblemType(
        409, "The address is taken",
        "Another article has the same canonical address; cite or change that one.",
    ),
    "name-taken": ProblemType(
        409, "Another is called that",
        "An id, a name or an alias belongs to one community, and to one episode, compared without "
        "case, accents and signs. `id` names the one that has it.",
    ),
    "own-key": ProblemType(
        409, "Nobody revokes the key that the request carries",
        "A slip would lock its owner out. Another admin revokes it, or whoever runs the service, "
        "by the command `keys revoke`.",
    ),
    "still-cited": ProblemType(
        409, "Records refer to it",
        "What incidents refer to cannot be deleted. Change those records first.",
    ),
    "not-a-draft": ProblemType(
        409, "The record is not a draft",
        "Only a draft is published or rejected.",
    ),
    "correction-conflicts": ProblemType(
        409, "The record changed since the correction was written",
        "A draft and the record that it corrects changed the same fields to different values, or "
        "to what does not fit together. `fields` names them. Amend one of the two so that they "
        "agree, then publish.",
    ),
    "unmergeable": ProblemType(
        409, "The two records cannot be merged",
        "A record is merged into another that stands, and never into itself; what is public is "
        "not merged into a draft. Where the two together would break a rule of a record, `fields` "
        "names what does not fit.",
    ),
    "record-withdrawn": ProblemType(
        409, "The record is withdrawn or merged",
        "A withdrawn or merged record takes no change but `restore`, by an editor.",
    ),
    "not-restorable": ProblemType(
        409, "The version cannot be brought back",
        "The version refers to a community, an episode or an article that is there no more. Add "
        "it again first, or change the record by hand. Where a merge is undone, what is left of "
        "the other record may be against a rule: `fields` names it.",
    ),
    "too-many-records": ProblemType(
        409, "More records than one request rewrites",
        "The change would rewrite more records than one request may; the detail names the "
        "command that does it.",
    ),
    "retry-in-flight": ProblemType(
        409, "The first try is still at work",
        "A request with the same Idempotency-Key has not finished. Retry after a moment.",
    ),
    "gone": ProblemType(
        410, "The record was withdrawn",
        "The record existed and was withdrawn. `code` says why: error, duplicate, out_of_scope, "
        "safety or legal; `withdrawn_at` says when. Its id is never given to another.",
    ),
    "version-stale": ProblemType(
        412, "The record has changed since it was read",
        "The version named by If-Match (or by `version` in the body) is not the current one. "
        "Read the record again, look at what changed, and send the change with its version.",
    ),
    "too-large": ProblemType(
        413, "The body is too large",
        "A single record takes 1 MB, a bulk body 64 MB, unless the service is set otherwise.",
    ),
    "unsupported-media-type": ProblemType(
        415, "The body's media type is not taken here",
        "Say what the body is: `Content-Type: application/json` for a record.",
    ),
    "range-not-satisfiable": ProblemType(
        416, "No such range", "The Range header asks for bytes that the answer does not have.",
    ),
    "validation-error": ProblemType(
        422, "The content does not fit",
        "The request could be read, and something in it is wrong. `errors` names each fault by a "
        "JSON pointer into the body or by the query parameter, with what would be right.",
    ),
    "idempotency-mismatch": ProblemType(
        422, "The Idempotency-Key was used for another request",
        "This key was sent before with another body. A new request needs a new key.",
    ),
    "precondition-required": ProblemType(
        428, "Say which version the change is based on",
        "A change names the version it is based on, by an If-Match header or `version` in the "
        "body, so that no update is lost. `If-Match: *` forces.",
    ),
    "too-many-requests": ProblemType(
        429, "Too many requests",
        "The limit of requests for this key or address is reached; Retry-After says when to go on.",
    ),
    "headers-too-large": ProblemType(
        431, "The headers are too large", "The request's headers exceed what the server takes.",
    ),
    "internal-error": ProblemType(
        500, "Something broke on our side",
        "The fault is the service's. Nothing was written. The request id in X-Request-Id helps "
        "whoever runs the service to find it.",
    ),
    "unavailable": ProblemType(
        503, "The service cannot do this now",
        "The database is busy or away for a moment. Nothing was written. Retry-After says when "
        "to try again.",
    ),
    "busy": ProblemType(
        503, "Too much at once",
        "As many requests as one process works on at a time are at work, or as many large exports "
        "on their way. Retry-After says when to try again.",
    ),
    "too-costly": ProblemType(
        503, "The query takes too long",
        "The database was at work on this query for longer than the service allows, and was "
        "stopped. Ask for less: a shorter time, a country or a community, fewer words, no "
        "`count=exact`, or an export, page by page with `limit`. The same query may do when the "
        "service is less busy.",
    ),
    "outcome-unknown": ProblemType(
        503, "It is not known whether the change was stored",
        "The connection to the database broke while the change was being stored, so it may be "
        "there or not. Read before you send it again, or send it with an `Idempotency-Key`: with "
        "that, it never happens twice.",
    ),
    "erasure-not-noted": ProblemType(
        503, "The erasure cannot be noted",
        "An erasure is noted in a file that outlives the database (ERASURE_LOG), or not done. That "
        "file cannot be written: the operator has to mend that; then send the request again.",
    ),
    "storage-full": ProblemType(
        507, "There is no room left",
        "The disk is full or cannot be written. Reads go on; writes wait for the operator.",
    ),
}  # fmt: skip

_BY_STATUS = {
    400: "bad-request", 401: "unauthorized", 403: "forbidden", 404: "not-found",
    405: "method-not-allowed", 406: "not-acceptable", 408: "body-too-slow", 409: "conflict",
    410: "gone", 412: "version-stale", 413: "too-large", 415: "unsupported-media-type",
    416: "range-not-satisfiable", 422: "validation-error", 429: "too-many-requests",
    431: "headers-too-large", 503: "unavailable", 507: "storage-full",
}  # fmt: skip


def problem(kind: str, detail: str, *, errors: Iterable[Any] = (), **extra: Any) -> Response:
    """Make the answer for a problem of KIND; EXTRA members stand beside the standard ones."""
    row = PROBLEM_TYPES[kind]
    body: dict[str, Any] = {
        "type": f"{current_app.config['PUBLIC_URL']}/problems/{kind}",
        "title": row.title,
        "status": row.status,
        "detail": detail,
        "instance": public_path() + quote(request.path[:_LONGEST_PATH], safe="/:@!$&'()*+,;=~"),
        "errors": list(errors),
        **extra,
    }
    response = Response(orjson.dumps(body, default=str), status=row.status, content_type=MEDIA_TYPE)
    response.headers["Cache-Control"] = "no-store"
    if row.status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="diaspora incidents"'
    if row.status in (429, 503):
        response.headers.setdefault("Retry-After", "1")
    return response


def parameter_error(error: ValidationError, kind: str = "validation-error") -> Response:
    """Answer for faults in the query: each names its parameter."""
    errors = []
    for fault in flatten(error.messages):
        name = fault.pop("pointer").removeprefix("/").split("/")[0]
        errors.append({"parameter": name, **fault})
    return problem(kind, _summary(errors), errors=errors[:_MOST_FAULTS])


def body_error(error: ValidationError) -> Response:
    """Answer for faults in the body: each names its place by a JSON pointer."""
    errors = list(flatten(error.messages))
    return problem("validation-error", _summary(errors), errors=errors[:_MOST_FAULTS])


def _summary(errors: list[dict[str, Any]]) -> str:
    """Say in one sentence what is wrong."""
    first = errors[0]
    where = first.get("parameter") or first.get("pointer") or "the body"
    more = f" And {len(errors) - 1} more, see errors." if len(errors) > 1 else ""
    return f"{where}: {first['detail']}{more}"


def init_app(app: Flask) -> None:
    """Turn every exception into a problem."""
    app.register_error_handler(QueryError, parameter_error)
    app.register_error_handler(ValidationError, body_error)
    app.register_error_handler(ApiError, api_error)
    app.register_error_handler(HTTPException, http_error)
    app.register_error_handler(IntegrityError, _integrity)
    app.register_error_handler(OperationalError, _unavailable)
    app.register_error_handler(DBAPIError, _driver_error)
    app.register_error_handler(PoolTimeoutError, _no_connection)
    app.register_error_handler(Exception, _broken)


def api_error(error: ApiError) -> Response:
    """Answer for a request that was understood and refused."""
    detail = error.detail
    if error.kind == "precondition-required":
        detail += f" For example: {_curl_line(error.extra['version'])}"
    retry_after = error.extra.pop("retry_after", None)
    response = problem(error.kind, detail, **error.extra)
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    version: int | None = error.extra.get("version")
    if version is not None:
        response.headers["ETag"] = f'"{version}"'
    return response


def _curl_line(version: int) -> str:
    """Write the request as a line to copy, with the version that now stands."""
    host = current_app.config["PUBLIC_URL"] or "http://{HOST}:{PORT}".format(**current_app.config)
    body = "" if request.method == "DELETE" else " --json @record.json"
    return (
        f"curl -X {request.method} -H 'If-Match: \"{version}\"' "
        f"-H 'Authorization: Bearer KEY'{body} '{host}{quote(request.path)}'"
    )


def http_error(error: HTTPException) -> Response:
    """Answer for a request that leads to no view, or that Werkzeug refuses."""
    status = error.code or 500
    if error.response is not None:  # a redirect is no error
        return error.response  # type: ignore[return-value]
    kind = _BY_STATUS.get(status, "internal-error" if status >= 500 else "bad-request")
    details = {
        "not-found": f"There is nothing at {request.path[:200]!r}; the index is /api/v1.",
        "method-not-allowed": _not_allowed(error),
    }
    # In our own words: what a library says of the fault may tell of its insides.
    answer = problem(kind, details.get(kind) or PROBLEM_TYPES[kind].explanation)
    for name, value in error.get_headers():
        if name not in ("Content-Type", "Content-Length"):
            answer.headers.setdefault(name, value)
    return answer


def _not_allowed(error: HTTPException) -> str:
    methods = sorted(getattr(error, "valid_methods", None) or ())
    if not methods:
        return PROBLEM_TYPES["method-not-allowed"].explanation
    return f"{request.method[:20]} is not taken here; this address takes {', '.join(methods)}."


def _integrity(error: IntegrityError) -> Response:
    current_app.logger.warning("integrity error", exc_info=error)
    return problem("conflict", "Another change came first, or the tables forbid this one.")


def _unavailable(error: DBAPIError) -> Response:
    if is_storage_full(error.orig):
        return problem("storage-full", "The service cannot write now; reading goes on.")
    if is_timeout(error.orig):
        answer = problem(
            "too-costly", "The query was stopped. " + PROBLEM_TYPES["too-costly"].explanation
        )
        answer.headers["Retry-After"] = "30"
        return answer
    current_app.logger.warning("database unavailable", exc_info=error)
    if committed() or isinstance(error, OutcomeUnknownError):
        return problem("outcome-unknown", PROBLEM_TYPES["outcome-unknown"].explanation)
    return problem("unavailable", "The database is busy or away. Nothing was written; try again.")


def _driver_error(error: DBAPIError) -> Response:
    """Answer as away a database that switches over, whatever class its error has."""
    state = getattr(error.orig, "sqlstate", None)
    if state == "25006" or error.connection_invalidated:
        return _unavailable(error)
    return _broken(error)


def _no_connection(error: PoolTimeoutError) -> Response:
    current_app.logger.warning("no connection to the database is free", exc_info=error)
    return problem("unavailable", "The database is busy. Nothing was written; try again.")


def _broken(error: Exception) -> Response:
    current_app.logger.error("unhandled exception", exc_info=error)
    return problem("internal-error", "Something broke on our side; nothing was written.")

"""Operations: what a view takes, what it answers, and which problems."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from marshmallow import Schema

from api.core.permissions import PERMISSIONS
from api.http.openapi.schema_builders import JsonSchema, Shape, shape
from api.http.problems import PROBLEM_TYPES
from schemas.query.parameters import NoQuery

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"

# The headers of answers; the document describes each once.
READ = ("ETag", "Dataset-Version")
PAGE = (*READ, "Link")
DOWNLOAD = (
    *PAGE,
    "Content-Disposition",
    "Content-Length",
    "Repr-Digest",
    "Record-Count",
    "Accept-Ranges",
)
WRITTEN = (*READ, "Warnings")
MADE = (*WRITTEN, "Location")

# Problems that follow from what an operation takes.
ALWAYS = ("busy", "internal-error", "too-costly", "too-many-requests", "unavailable")
WITH_KEY = ("unauthorized",)
WITH_WRITE = ("forbidden", "conflict", "outcome-unknown", "storage-full")
WITH_BODY = ("malformed-json", "unsupported-media-type", "too-large", "body-too-slow")
WITH_VERSION = ("precondition-required", "version-stale")
WITH_RETRIES = ("idempotency-mismatch", "retry-in-flight")
IMPLIED = {
    "any": ALWAYS,
    "any but those below `/ogc`": ("validation-error",),
    "one that looks at a key": WITH_KEY,
    "one that needs a key": WITH_WRITE,
    "one that takes a body": WITH_BODY,
    "one that changes a record": WITH_VERSION,
    "one that takes an Idempotency-Key": WITH_RETRIES,
}

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True)
class Answer:
    """An answer: its schema (None: no body), media types, headers, and words where needed.

    `also` holds other media types that it may come in, with the schema of each.
    """

    schema: JsonSchema | None
    headers: tuple[str, ...] = ()
    media_types: tuple[str, ...] = (JSON,)
    description: str = ""
    also: Mapping[str, JsonSchema] = field(default_factory=dict)


def answer(
    content: Shape | None,
    headers: Iterable[str] = (),
    *,
    media_types: Iterable[str] = (JSON,),
    description: str = "",
    also: Mapping[str, Shape] | None = None,
) -> Answer:
    """Describe an answer; media types other than JSON are described as text.

    ALSO gives the shapes of other media types that it may come in.
    """
    schema = None if content is None else shape(content)
    others = {media_type: shape(other) for media_type, other in (also or {}).items()}
    return Answer(schema, tuple(headers), tuple(media_types), description, others)


@dataclass(frozen=True)
class Body:
    """A body: a marshmallow schema (or a shape, or both by media type) and what it must name."""

    schemas: Mapping[str, type[Schema] | JsonSchema]
    required: tuple[str, ...] = ()
    name: str | None = None
    optional: bool = False


def body_of(
    schema: type[Schema] | Shape,
    *,
    media_types: Iterable[str] = (JSON,),
    required: Iterable[str] = (),
    name: str | None = None,
    optional: bool = False,
    also: Mapping[str, type[Schema] | Shape] | None = None,
) -> Body:
    """Describe a body: SCHEMA under each of MEDIA_TYPES, and others by media type in ALSO.

    REQUIRED adds members that the verb asks for and the schema does not; NAME is then the
    component's, which else comes from the class: `IncidentSchema` is `IncidentInput`.
    """
    shapes = {**dict.fromkeys(media_types, schema), **(also or {})}
    schemas = {
        media_type: each if isinstance(each, type) else shape(each)
        for media_type, each in shapes.items()
    }
    return Body(schemas, tuple(required), name, optional)


@dataclass(frozen=True)
class Operation:
    """What stands on a view. `problems` are all the kinds that it may answer."""

    tag: str
    name: str
    summary: str
    description: str
    query: type[Schema]
    body: Body | None
    answers: Mapping[int, Answer]
    permission: str | None
    if_match: bool
    idempotent: bool
    problems: tuple[str, ...]
    path: Mapping[str, JsonSchema] = field(default_factory=dict)
    allowed: Mapping[str, Iterable[str]] = field(default_factory=dict)
    costly: bool = False

    @property
    def conditional(self) -> bool:
        """Whether a client that holds the answer may be told so by 304."""
        reads = self.body is None and not self.if_match
        return reads and "ETag" in self.answers.get(200, Answer(None)).headers


def operation(
    tag: str,
    *,
    answers: Mapping[int, Answer],
    query: type[Schema] = NoQuery,
    body: Body | None = None,
    permission: str | None = "read what is published",
    if_match: bool = False,
    idempotent: bool = False,
    problems: Iterable[str] = (),
    path: Mapping[str, JsonSchema] | None = None,
    allowed: Mapping[str, Iterable[str]] | None = None,
    name: str | None = None,
    summary: str | None = None,
    query_problem: str = "validation-error",
    costly: bool = False,
) -> Callable[[View], View]:
    """Describe a view.

    PERMISSION is a row of `PERMISSIONS`; None where no key is looked at. PATH describes variables
    of the path that are no record's id, ALLOWED the words that a parameter of QUERY takes where
    its own schema does not know them. NAME and SUMMARY replace the view's name and docstring.
    QUERY_PROBLEM is the problem of a query that is wrong. COSTLY reads are limited in number.
    """

    def describe(view: View) -> View:
        words = summary or re.sub(r"\s+", " ", view.__doc__ or "").strip()
        first, _, rest = words.partition(". ")
        described = Operation(
            tag=tag,
            name=name or view.__name__,
            summary=first.rstrip("."),
            description=rest,
            query=query,
            body=body,
            answers=answers,
            permission=permission,
            if_match=if_match,
            idempotent=idempotent,
            problems=_problems(
                permission,
                body,
                (query_problem, *problems),
                if_match=if_match,
                idempotent=idempotent,
            ),
            path=path or {},
            allowed=allowed or {},
            costly=costly,
        )
        view.operation = described  # type: ignore[attr-defined]
        return view

    return describe


def operation_of(view: Callable[..., Any]) -> Operation | None:
    """Return the description that stands on a view, if one does."""
    operation: Operation | None = getattr(view, "operation", None)
    return operation


def _problems(
    permission: str | None,
    body: Body | None,
    more: Iterable[str],
    *,
    if_match: bool,
    idempotent: bool,
) -> tuple[str, ...]:
    """Collect the kinds of problems that follow from what an operation takes."""
    kinds = {*ALWAYS, *more}
    kinds |= {*WITH_KEY} if permission is not None else set()
    kinds |= (
        {*WITH_WRITE} if permission is not None and PERMISSIONS[permission] != "public" else set()
    )
    kinds |= {*WITH_BODY} if body is not None else set()
    kinds |= {*WITH_VERSION} if if_match else set()
    kinds |= {*WITH_RETRIES} if idempotent else set()
    unknown = kinds - PROBLEM_TYPES.keys()
    if unknown:
        raise ValueError(f"No such kind of problem: {', '.join(sorted(unknown))}")
    return tuple(kind for kind in PROBLEM_TYPES if kind in kinds)

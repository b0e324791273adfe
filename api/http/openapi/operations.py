"""Operations: what a view takes, what it answers, and which problems."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import KW_ONLY, dataclass, field, replace
from typing import Any, TypeVar

from marshmallow import Schema

from api.core.permissions import PERMISSIONS
from api.http.openapi.schema_builders import JsonSchema, Shape, shape
from api.http.problems import PROBLEM_TYPES
from schemas.query.parameters import NoQuery

JSON = "application/json"

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
WITH_RETRIES = ("idempotency-mismatch", "retry-in-flight", "gone")
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
    """An answer: its schema (None: no body), media types, headers, and words where needed."""

    schema: JsonSchema | None
    headers: tuple[str, ...] = ()
    media_types: tuple[str, ...] = (JSON,)
    description: str = ""


def answer(
    content: Shape | None,
    headers: Iterable[str] = (),
    *,
    media_types: Iterable[str] = (JSON,),
    description: str = "",
) -> Answer:
    """Describe an answer; media types other than JSON are described as text."""
    schema = None if content is None else shape(content)
    return Answer(schema, tuple(headers), tuple(media_types), description)


@dataclass(frozen=True)
class Body:
    """A body: a marshmallow schema (or a shape, or both by media type) and what it must name.

    `alternatives` are other bodies that it may be instead; `either` is then the name of all.
    """

    schemas: Mapping[str, type[Schema] | JsonSchema]
    required: tuple[str, ...] = ()
    name: str | None = None
    optional: bool = False
    alternatives: tuple["Body", ...] = ()
    either: str = ""


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


def either_of(name: str, first: Body, *others: Body) -> Body:
    """Describe a body that is one of several, as the component NAME."""
    return replace(first, alternatives=others, either=name)


@dataclass(frozen=True)
class Operation:
    """What a view takes and answers; called with a view it stands on that, as a decorator.

    - `permission`: a row of `PERMISSIONS`; None where no key is looked at;
    - `problems`: kinds of problems beside those that follow from the rest; on a view all of them;
    - `path`: variables of the path that are no record's id;
    - `allowed`: the words that a parameter of `query` takes where its own schema does not know
      them;
    - `name`, `summary`: instead of the view's name and docstring, whose first sentence is the
      summary;
    - `query_problem`: the problem of a query that is wrong;
    - `costly`: the read is limited in number;
    - `in_words`: parameters that the description tells in words alone, since the answer is of
      another type with them: a generated client knows one type for each operation;
    - `other_answers`: those answers.
    """

    tag: str
    _: KW_ONLY
    answers: Mapping[int, Answer]
    query: type[Schema] = NoQuery
    body: Body | None = None
    permission: str | None = "read what is published"
    if_match: bool = False
    idempotent: bool = False
    problems: Iterable[str] = ()
    path: Mapping[str, JsonSchema] = field(default_factory=dict)
    allowed: Mapping[str, Iterable[str]] = field(default_factory=dict)
    name: str = ""
    summary: str = ""
    description: str = ""
    query_problem: str = "validation-error"
    costly: bool = False
    in_words: Collection[str] = ()
    other_answers: Collection[Answer] = ()

    def __call__(self, view: View) -> View:
        """Put the description on VIEW."""
        words = self.summary or re.sub(r"\s+", " ", view.__doc__ or "").strip()
        first, _, rest = words.partition(". ")
        view.operation = replace(  # type: ignore[attr-defined]
            self,
            name=self.name or view.__name__,
            summary=first.rstrip("."),
            description=rest,
            problems=self._all_problems(),
        )
        return view

    @property
    def conditional(self) -> bool:
        """Whether a client that holds the answer may be told so by 304."""
        reads = self.body is None and not self.if_match
        return reads and "ETag" in self.answers.get(200, Answer(None)).headers

    def _all_problems(self) -> tuple[str, ...]:
        """Return the kinds of problems that are named, and those that follow from the rest."""
        kinds = {*ALWAYS, self.query_problem, *self.problems}
        if self.permission is not None:
            writes = PERMISSIONS[self.permission] != "public"
            kinds |= {*WITH_KEY, *(WITH_WRITE if writes else ())}
        kinds |= {*WITH_BODY} if self.body is not None else set()
        kinds |= {*WITH_VERSION} if self.if_match else set()
        kinds |= {*WITH_RETRIES} if self.idempotent else set()
        unknown = kinds - PROBLEM_TYPES.keys()
        if unknown:
            raise ValueError(f"No such kind of problem: {', '.join(sorted(unknown))}")
        return tuple(kind for kind in PROBLEM_TYPES if kind in kinds)


operation = Operation  # as a decorator


def operation_of(view: Callable[..., Any]) -> Operation | None:
    """Return the description that stands on a view, if one does."""
    described: Operation | None = getattr(view, "operation", None)
    return described

"""The document: OpenAPI 3.1 from what stands on the views."""

import json
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from apispec import APISpec
from flask import Flask
from werkzeug.routing import Rule

from api.http.openapi import bodies, components, parameters
from api.http.openapi.operations import JSON, READ, Answer, Operation, operation_of
from api.http.openapi.shapes import COMPONENTS, JsonSchema
from api.http.problems import KINDS, MEDIA_TYPE
from api.roles import ABILITIES

VERSION = "0.1.0"
EXAMPLES = Path(__file__).with_name("examples.json")

# Endpoints that are no part of the API: pages, their files, and this document.
INTERNAL = frozenset({"documentation.description", "documentation.page", "documentation.asset"})

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_DESCRIPTION = """\
Incidents that involve diaspora communities abroad: one event, at one place, on one date or
interval, each figure with the sources that claim it.

**Any of** is a comma: `country=RU,BE`. **All of** is repetition, for `community` and
`police_measure` alone. Null is *not reported*, 0 is *reported as none*.

Every public change has a number; the last one is the dataset version, in the header
`Dataset-Version`. A change names the version it is based on, by `If-Match` or by `version` in the
body. Errors are problems (RFC 9457).
"""
_TAGS = {
    "incidents": "The records.",
    "history": "Versions of a record.",
    "claims": "What each source says, and where sources disagree.",
    "curation": "Decisions on whole records: review, merging, likeness.",
    "changes": "Every public change, in order: for copies that follow.",
    "articles": "What sources cite.",
    "communities": "Who takes part.",
    "episodes": "Waves of events.",
    "codebook": "What every field and value means.",
    "erasure": "Taking out for good what must not be kept.",
    "service": "The service itself.",
}
_HEADERS: dict[str, JsonSchema] = {
    "ETag": {
        "description": "A record's is its version, a list's the dataset version. Lists that may "
        "hold drafts have none.",
        "schema": {"type": "string"},
        "example": '"3"',
    },
    "Dataset-Version": {
        "description": "Number of the last public change.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "Link": {
        "description": "Address of the following page, as rel=next; of an export by itself, as "
        "rel=canonical.",
        "schema": {"type": "string"},
    },
    "Content-Disposition": {
        "description": "A name for the file of an export: it tells the dataset version, and "
        "`filtered` where it does not hold all records.",
        "schema": {"type": "string"},
        "example": 'attachment; filename="incidents-v17.csv"',
    },
    "Content-Length": {
        "description": "Bytes that follow; fewer mean that the connection was cut.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "Content-Range": {
        "description": "Which bytes of the whole these are.",
        "schema": {"type": "string"},
        "example": "bytes 1000-1999/8143",
    },
    "Repr-Digest": {
        "description": "SHA-256 of a whole export in base64 (RFC 9530), also on a part of it.",
        "schema": {"type": "string"},
        "example": "sha-256=:b3E2jf/EY1okfaUsFbgdC+nySnOYE+aD8sZQBvGkHqs=:",
    },
    "Record-Count": {
        "description": "Number of records in a whole export.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "Accept-Ranges": {
        "description": "Whether parts of an export may be asked for: `bytes` or `none`.",
        "schema": {"type": "string"},
    },
    "Location": {
        "description": "Address of the record.",
        "schema": {"type": "string"},
        "required": True,
    },
    "Warnings": {
        "description": "Warnings and similar records, as a JSON list in ASCII.",
        "schema": {"type": "string"},
    },
    "Retry-After": {
        "description": "Seconds to wait before trying again.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "WWW-Authenticate": {
        "description": "How to send a key.",
        "schema": {"type": "string"},
    },
}
_PARAMETERS: dict[str, JsonSchema] = {
    "If-Match": {
        "in": "header",
        "description": "Version that the change is based on, as its ETag; `*` forces. Wins over "
        "`version` in the body; without either the answer is 428.",
        "schema": {"type": "string"},
        "example": '"1"',
    },
    "If-None-Match": {
        "in": "header",
        "description": "ETag that is held: answered by 304 where it still stands.",
        "schema": {"type": "string"},
    },
    "Range": {
        "in": "header",
        "description": "Part of an export: one range of bytes, of which the end may be left open.",
        "schema": {"type": "string", "pattern": "^bytes=[0-9]*-[0-9]*$"},
        "example": "bytes=1000-",
    },
    "If-Range": {
        "in": "header",
        "description": "ETag of the export that the part is to complete; where another stands by "
        "now, all of it is sent.",
        "schema": {"type": "string"},
        "example": '"17-csv"',
    },
    "Idempotency-Key": {
        "in": "header",
        "description": "Any text that is new for each request, and the same when it is retried.",
        "schema": {
            "type": "string",
            "minLength": 1,
            "maxLength": 255,
            "pattern": "^[!-~]([ -~]*[!-~])?$",
        },
    },
}
_STATUS_WORDS = {
    200: "As asked for.",
    206: "A part, as asked for.",
    201: "Made.",
    204: "Done; there is nothing to show.",
}
_PROBLEM_HEADERS = {401: "WWW-Authenticate", 429: "Retry-After", 503: "Retry-After"}


def routes(app: Flask) -> Iterator[tuple[Rule, str, Operation | None]]:
    """Yield every route of APP with each of its methods, and what stands on its view."""
    found = [
        (rule, method)
        for rule in app.url_map.iter_rules()
        for method in _METHODS
        if method in (rule.methods or ())
    ]
    for rule, method in sorted(found, key=lambda one: (one[0].rule, _METHODS.index(one[1]))):
        yield rule, method, operation_of(app.view_functions[rule.endpoint])


def make(app: Flask) -> dict[str, Any]:
    """Make the document of APP."""
    return _Maker(app).make()


@cache
def examples() -> dict[str, dict[str, Any]]:
    """Read the examples: real requests and answers by operation, then `request` or status."""
    if not EXAMPLES.exists():
        return {}
    found: dict[str, dict[str, Any]] = json.loads(EXAMPLES.read_text(encoding="utf-8"))
    return found


def path_of(rule: Rule) -> str:
    """Write a route's path as OpenAPI does."""
    return re.sub(r"<(?:[^:<>]+:)?([^<>]+?)_?>", r"{\1}", rule.rule)


class _Maker:
    """Puts the document together."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        plugin = bodies.plugin()
        self.spec = APISpec(
            title="Diaspora incidents",
            version=VERSION,
            openapi_version="3.1.0",
            plugins=[plugin],
            info=_info(app.config["CONTACT"]),
            servers=[{"url": app.config["PUBLIC_URL"] or "/"}],
        )
        self.bodies = bodies.Bodies(self.spec, plugin)
        self._examples: dict[str, str] = {}

    def make(self) -> dict[str, Any]:
        """Make the document."""
        self._components()
        tags = dict(_TAGS)
        paths: dict[str, dict[str, Any]] = {}
        for rule, method, operation in routes(self.app):
            if operation is None:
                continue
            tags.setdefault(operation.tag, "")
            described = self._operation(rule, operation)
            paths.setdefault(path_of(rule), {})[method.lower()] = described
        for path, operations in paths.items():
            self.spec.path(path, operations=operations)
        for tag, words in tags.items():
            self.spec.tag({"name": tag, "description": words} if words else {"name": tag})
        return self.spec.to_dict()

    def _components(self) -> None:
        for name, schema in sorted(COMPONENTS.items()):
            self.spec.components.schema(name, schema)
        for name, header in _HEADERS.items():
            self.spec.components.header(name, header)
        for name, parameter in _PARAMETERS.items():
            self.spec.components.parameter(name, "header", {"name": name, **parameter})
        self.spec.components.response(
            "NotModified",
            {"description": "What is held still stands.", "headers": _headers(READ)},
        )
        self.spec.components.security_scheme(
            "key",
            {
                "type": "http",
                "scheme": "bearer",
                "description": "A key, sent as `Authorization: Bearer KEY`.",
            },
        )

    def _operation(self, rule: Rule, operation: Operation) -> dict[str, Any]:
        found: dict[str, Any] = {
            "operationId": operation.name,
            "tags": [operation.tag],
            "summary": operation.summary,
        }
        description = " ".join(filter(None, (operation.description, _role(operation))))
        if description:
            found["description"] = description
        parameters_ = [*self._parameters(rule, operation)]
        if parameters_:
            found["parameters"] = parameters_
        if operation.body is not None:
            examples_ = self._named_examples(operation, "request")
            found["requestBody"] = self.bodies.request_body(operation.body, examples_)
        found["responses"] = self._responses(operation)
        if operation.needs is not None:
            optional = ABILITIES[operation.needs] == "public"
            found["security"] = [*([{}] if optional else []), {"key": []}]
        else:
            found["security"] = []
        return found

    def _parameters(self, rule: Rule, operation: Operation) -> Iterator[Any]:
        for name in sorted(rule.arguments):
            schema = operation.path.get(name, components.RECORD_ID)
            example = examples().get(operation.name, {}).get("path", {}).get(name)
            yield parameters.path_parameter(name.rstrip("_"), schema, example)
        yield from parameters.query_parameters(operation.query, operation.allowed)
        if operation.based_on:
            yield "If-Match"
        if operation.idempotent:
            yield "Idempotency-Key"
        if operation.conditional:
            yield "If-None-Match"
        if 206 in operation.answers:
            yield from ("Range", "If-Range")

    def _responses(self, operation: Operation) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for status, answer in operation.answers.items():
            found[str(status)] = self._answer(operation, status, answer)
        if operation.conditional:
            found["304"] = _ref("responses", "NotModified")
        by_status: dict[int, list[str]] = {}
        for kind in operation.problems:
            by_status.setdefault(KINDS[kind].status, []).append(kind)
        for status, kinds in by_status.items():
            found[str(status)] = self._problem(status, kinds)
        return dict(sorted(found.items()))

    def _answer(self, operation: Operation, status: int, answer: Answer) -> dict[str, Any]:
        found: dict[str, Any] = {
            "description": answer.description or _STATUS_WORDS.get(status, "An answer.")
        }
        if answer.headers:
            found["headers"] = _headers(answer.headers)
        if answer.schema is None:
            return found
        found["content"] = {}
        for media_type in answer.media_types:
            json_like = media_type == JSON or media_type.endswith("+json")
            shown: dict[str, Any] = {"schema": answer.schema if json_like else {"type": "string"}}
            if media_type == JSON:
                examples_ = self._named_examples(operation, str(status))
                shown |= {"examples": examples_} if examples_ else {}
            found["content"][media_type] = shown
        for media_type, schema in answer.also.items():
            found["content"][media_type] = {"schema": schema}
        return found

    def _problem(self, status: int, kinds: list[str]) -> JsonSchema:
        """Give the response for the problems of one status that an operation may answer."""
        name = "Or".join(_camel(kind) for kind in kinds)
        if name not in self.spec.components.responses:
            words = "; ".join(f"`{kind}`: {KINDS[kind].title}" for kind in kinds)
            content: dict[str, Any] = {"schema": components.PROBLEM}
            shown = {
                kind: self._example(f"problem-{kind}", examples()["problems"][kind])
                for kind in kinds
                if kind in examples().get("problems", {})
            }
            if shown:
                content["examples"] = shown
            response: dict[str, Any] = {"description": words, "content": {MEDIA_TYPE: content}}
            if status in _PROBLEM_HEADERS:
                response["headers"] = _headers([_PROBLEM_HEADERS[status]])
            self.spec.components.response(name, response)
        return _ref("responses", name)

    def _named_examples(self, operation: Operation, part: str) -> JsonSchema:
        """Refer to the example of one PART of an operation, where there is one."""
        value = examples().get(operation.name, {}).get(part)
        if value is None:
            return {}
        return {"real": self._example(f"{operation.name}-{part}", value)}

    def _example(self, name: str, value: Any) -> JsonSchema:
        """Keep an example once, whoever shows it."""
        text = json.dumps(value, sort_keys=True)
        if text not in self._examples:
            self._examples[text] = name
            self.spec.components.example(name, {"value": value})
        return _ref("examples", self._examples[text])


def _info(contact: str) -> JsonSchema:
    found: JsonSchema = {
        "description": _DESCRIPTION,
        "license": {"name": "Code MIT; data CC BY 4.0", "identifier": "MIT AND CC-BY-4.0"},
    }
    if contact:
        kind = "url" if contact.startswith(("http://", "https://")) else "email"
        found["contact"] = {kind: contact}
    return found


def _role(operation: Operation) -> str:
    """Say which key an operation needs."""
    if operation.needs is None or ABILITIES[operation.needs] == "public":
        return ""
    return f"Takes a key of role {ABILITIES[operation.needs]} or more."


def _ref(kind: str, name: str) -> JsonSchema:
    return {"$ref": f"#/components/{kind}/{name}"}


def _headers(names: Iterable[str]) -> JsonSchema:
    return {name: _ref("headers", name) for name in names}


def _camel(kind: str) -> str:
    return "".join(word.capitalize() for word in kind.split("-"))

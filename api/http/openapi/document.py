"""The document: OpenAPI 3.1 from what stands on the views."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from apispec import APISpec
from flask import Flask
from werkzeug.routing import Rule

from api.core.permissions import PERMISSIONS
from api.http.openapi import (
    components,
    descriptions,
    links,
    member_descriptions,
    parameters,
    request_bodies,
    subset,
    vocabularies,
)
from api.http.openapi.operations import JSON, READ, Answer, Operation, operation_of
from api.http.openapi.schema_builders import JsonSchema, camel, components_in
from api.http.problems import MEDIA_TYPE, PROBLEM_TYPES

VERSION = "0.2.0"
EXAMPLES = Path(__file__).with_name("examples.json")

# Endpoints that are no part of the API: pages, their files, and this document.
INTERNAL = frozenset(
    {
        "documentation.description",
        "documentation.page",
        "documentation.asset",
        "ogc.description",
        # pages for people; programs get from these addresses what the API has at its own
        "explorer.home",
        "explorer.record",
        "explorer.codebook_page",
        "explorer.asset",
        "desk.desk",
        "desk.asset",
        "record_pages.version",
        "record_pages.versions",
        "record_pages.claims_of",
        "record_pages.article",
        "record_pages.community",
        "record_pages.episode",
        "record_pages.releases",
        "record_pages.release",
        "record_pages.claims",
        # what is no format, and `.json`, which is the list
        "incidents.other_suffix",
        "claims.other_suffix",
        "guide.index",
        "guide.page",
        "guide.image",
    }
)

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def routes(app: Flask) -> Iterator[tuple[Rule, str, Operation | None]]:
    """Yield every route of APP with each of its methods, and what stands on its view."""
    calls = [
        (rule, method)
        for rule in app.url_map.iter_rules()
        for method in _METHODS
        if method in (rule.methods or ())
    ]
    for rule, method in sorted(calls, key=lambda call: (call[0].rule, _METHODS.index(call[1]))):
        yield rule, method, operation_of(app.view_functions[rule.endpoint])


def make(app: Flask) -> dict[str, Any]:
    """Make the document of APP."""
    return _Maker(app).make()


def schemas_of(app: Flask) -> dict[str, JsonSchema]:
    """Return the components of APP by name: what all may refer to, and what its operations do."""
    shapes: list[Any] = [*components.SHARED]
    for _, _, operation in routes(app):
        if operation is not None:
            bodies = operation.body.schemas if operation.body is not None else {}
            answers = (*operation.answers.values(), *operation.other_answers)
            shapes += [bodies, operation.path, *(answer.schema for answer in answers)]
    return components_in(shapes)


@cache
def examples() -> dict[str, dict[str, Any]]:
    """Read the examples: real requests and answers by operation, then `request` or status."""
    if not EXAMPLES.exists():
        return {}
    loaded: dict[str, dict[str, Any]] = json.loads(EXAMPLES.read_text(encoding="utf-8"))
    return loaded


def path_of(rule: Rule) -> str:
    """Write a route's path as OpenAPI does."""
    return re.sub(r"<(?:[^:<>]+:)?([^<>]+?)_?>", r"{\1}", rule.rule)


_WORD: JsonSchema = {"type": "string", "minLength": 1}


class _Maker:
    """Puts the document together."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        plugin = request_bodies.plugin()
        self.spec = APISpec(
            title="Diaspora incidents",
            version=VERSION,
            openapi_version="3.1.0",
            plugins=[plugin],
            info=_info(app.config["CONTACT"]),
            servers=[{"url": app.config["PUBLIC_URL"] or "/"}],
            # Where an operation does not say otherwise: said there, generators would ask for a key.
            security=[{}, {"key": []}],
        )
        self.bodies = request_bodies.Bodies(self.spec, plugin)
        self._examples: dict[str, str] = {}

    def make(self) -> dict[str, Any]:
        """Make the document."""
        self._components()
        tags = dict(descriptions.TAGS)
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
        document = subset.without_unused(vocabularies.with_named_enums(self.spec.to_dict()))
        parts = document["components"]
        parts["schemas"] = member_descriptions.described(parts["schemas"])
        return document

    def _components(self) -> None:
        for name, schema in sorted(schemas_of(self.app).items()):
            self.spec.components.schema(name, schema)
        for name, link in links.components():
            self.spec.components.link(name, link)
        for name, header in descriptions.HEADERS.items():
            self.spec.components.header(name, header)
        for name, parameter in descriptions.PARAMETERS.items():
            self.spec.components.parameter(name, "header", {"name": name, **parameter})
        self.spec.components.response(
            "NotModified",
            {"description": "What is held still stands.", "headers": _headers(READ)},
        )
        self.spec.components.response(
            "AddressTooLong",
            {"description": "The address is longer than 64 kB; the server answers without a body."},
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
        described: dict[str, Any] = {
            "operationId": operation.name,
            "tags": [operation.tag],
            "summary": operation.summary.replace("`", ""),  # a plain text, no Markdown
        }
        described["description"] = _description(operation)
        parameters_ = [*self._parameters(rule, operation)]
        if parameters_:
            described["parameters"] = parameters_
        if operation.body is not None:
            examples_ = self._named_examples(operation, "request")
            described["requestBody"] = self.bodies.request_body(operation.body, examples_)
        described["responses"] = self._responses(operation)
        if operation.permission is None:
            described["security"] = []
        elif PERMISSIONS[operation.permission] != "public":
            described["security"] = [{"key": []}]
        return described

    def _parameters(self, rule: Rule, operation: Operation) -> Iterator[Any]:
        for name in sorted(rule.arguments):
            schema = operation.path.get(name, _WORD if name != "id_" else components.RECORD_ID)
            example = examples().get(operation.name, {}).get("path", {}).get(name)
            yield parameters.path_parameter(name.rstrip("_"), schema, example)
        yield from parameters.query_parameters(operation)
        if operation.if_match:
            yield "If-Match"
        if operation.idempotent:
            yield "Idempotency-Key"
        if operation.conditional:
            yield "If-None-Match"
        if 206 in operation.answers:
            yield from ("Range", "If-Range")

    def _responses(self, operation: Operation) -> dict[str, Any]:
        responses: dict[str, Any] = {}
        for status, answer in operation.answers.items():
            responses[str(status)] = self._answer(operation, status, answer)
        if operation.conditional:
            responses["304"] = _ref("responses", "NotModified")
        if operation.query._declared_fields:
            responses["414"] = _ref("responses", "AddressTooLong")
        by_status: dict[int, list[str]] = {}
        for kind in operation.problems:
            by_status.setdefault(PROBLEM_TYPES[kind].status, []).append(kind)
        for status, kinds in by_status.items():
            responses[str(status)] = self._problem(status, kinds)
        return dict(sorted(responses.items()))

    def _answer(self, operation: Operation, status: int, answer: Answer) -> dict[str, Any]:
        response: dict[str, Any] = {
            "description": answer.description or descriptions.STATUS_WORDS.get(status, "An answer.")
        }
        if answer.headers:
            response["headers"] = _headers(answer.headers)
        if answer.schema is None:
            return response
        if leading := links.of(answer.schema):
            response["links"] = {name: _ref("links", name) for name in leading}
        response["content"] = {}
        for media_type in answer.media_types:
            json_like = media_type == JSON or media_type.endswith("+json")
            shown: dict[str, Any] = {"schema": answer.schema if json_like else {"type": "string"}}
            if media_type == JSON:
                examples_ = self._named_examples(operation, str(status))
                shown |= {"examples": examples_} if examples_ else {}
            response["content"][media_type] = shown
        return response

    def _problem(self, status: int, kinds: list[str]) -> JsonSchema:
        """Return the response for the problems of one status that an operation may answer."""
        name = "Or".join(camel(kind) for kind in kinds)
        if name not in self.spec.components.responses:
            words = "; ".join(f"`{kind}`: {PROBLEM_TYPES[kind].title}" for kind in kinds)
            content: dict[str, Any] = {"schema": components.PROBLEM}
            shown = {
                kind: self._example(f"problem-{kind}", examples()["problems"][kind])
                for kind in kinds
                if kind in examples().get("problems", {})
            }
            if shown:
                content["examples"] = shown
            response: dict[str, Any] = {"description": words, "content": {MEDIA_TYPE: content}}
            if status in descriptions.PROBLEM_HEADERS:
                response["headers"] = _headers([descriptions.PROBLEM_HEADERS[status]])
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
    info: JsonSchema = {
        "description": descriptions.DESCRIPTION,
        "license": {"name": "Code MIT; data CC BY 4.0", "identifier": "MIT AND CC-BY-4.0"},
    }
    info["contact"] = {"name": "Who runs this service"}
    if contact:
        kind = "url" if contact.startswith(("http://", "https://")) else "email"
        info["contact"][kind] = contact
    return info


def _description(operation: Operation) -> str:
    """Say of an operation what its answer and its parameters do not show."""
    text = operation.description or f"{operation.summary}."
    words = " ".join(filter(None, (text, _role(operation))))
    if not operation.in_words:
        return words
    declared: Mapping[str, Any] = operation.query._declared_fields
    told = [f"- `{name}`: {declared[name].description}" for name in operation.in_words]
    return "\n".join((words, "", parameters.IN_WORDS, "", *told))


def _role(operation: Operation) -> str:
    """Say which key an operation needs."""
    if operation.permission is None or PERMISSIONS[operation.permission] == "public":
        return ""
    return f"Takes a key of role {PERMISSIONS[operation.permission]} or more."


def _ref(kind: str, name: str) -> JsonSchema:
    return {"$ref": f"#/components/{kind}/{name}"}


def _headers(names: Iterable[str]) -> JsonSchema:
    return {name: _ref("headers", name) for name in names}

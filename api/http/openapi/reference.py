"""The reference: the API, its problems and the settings as a page for people, from the code.

It has lists and no tables, since a telephone shows a table of four columns one word wide.
"""

import inspect
import re
from collections import Counter
from collections.abc import Iterable, Iterator

from flask import Flask

from api import config
from api.core.permissions import PERMISSIONS
from api.http.openapi import document
from api.http.openapi.descriptions import TAGS
from api.http.openapi.operations import IMPLIED, Operation
from api.http.openapi.schema_builders import JsonSchema
from api.http.problems import PROBLEM_TYPES
from schemas.query.parameters import CONTROLS, Parameter

_HEAD = """\
# Reference

<!-- Made by `make docs` from the code: change it there. A test holds that it is current. -->

Every endpoint, parameter, problem and setting. The same as OpenAPI 3.1 is at `/openapi.json`, and
as a page to try it on at `/docs`, with the members of every body and answer. What a field of a
record means is in the codebook, at `/codebook`. How to run the service: [running.md](running.md).
"""
_ENDPOINTS = """\
## Endpoints

**Key** is the least role that may ask, then come the headers and the body that are taken; where no
key is named, none is needed. Bodies and answers have the names of their types in OpenAPI. An answer
may be a [problem](#problems): an endpoint names those of its own, and these go without saying:

{implied}
"""
_PARAMETERS = """\
## Parameters

What stands here is taken by several endpoints, each of which names what it takes; what only one
takes stands there. *Any of* is one value, or several joined by commas; *all of* is repeated, and
all must hold. An unknown parameter or a wrong value is an error, and never ignored.
"""
_RULES = {"one": "", "any": "any of: ", "all": "all of: "}
# The sections of parameters that endpoints share, with the endpoint whose filters they are.
_FILTERS = {"Filters of incidents": "list_incidents", "Filters of claims": "list_claims"}
_OTHERS = "Other parameters"
_SHAPING = CONTROLS - {"match", "radius_km"}  # which are of no use but to filters

# A parameter with what is said of it, which may differ from endpoint to endpoint.
_Key = tuple[str, str]


def make(app: Flask) -> str:
    """Write the reference of APP in Markdown."""
    paths = document.make(app)["paths"]
    operations = {
        f"{method} {document.path_of(rule)}": operation
        for rule, method, operation in document.routes(app)
        if operation is not None
    }
    shared = _Shared(operations.values())
    parts = [_HEAD, _ENDPOINTS.format(implied=_implied())]
    for tag, words in TAGS.items():
        parts.append(f"### {tag.capitalize()}\n\n{words}\n")
        for call, operation in operations.items():
            if operation.tag == tag:
                method, _, path = call.partition(" ")
                described = paths[path][method.lower()]
                parts.append(f"#### `{call}`\n\n{_sentences(operation)}\n")
                parts.append(_list(_facts(operation, described, shared)))
    return "\n".join((*parts, *shared.sections(), _problems(), _settings()))


class _Shared:
    """The parameters that several of OPERATIONS take, by section."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        operations = list(operations)
        takers = Counter(key for operation in operations for key in _parameters(operation))
        known = {key: one for each in operations for key, one in _parameters(each).items()}
        self.by_section: dict[str, dict[_Key, Parameter]] = {}
        left = {key: known[key] for key, number in takers.items() if number > 1}
        by_name = {operation.name: operation for operation in operations}
        for section, name in _FILTERS.items():
            filters = [key for key in _parameters(by_name[name]) if key[0] not in _SHAPING]
            self.by_section[section] = {key: left.pop(key) for key in filters if key in left}
        self.by_section[_OTHERS] = left

    def named(self, operation: Operation) -> list[str]:
        """Name the shared parameters that OPERATION takes, a section as a whole where it can."""
        taken, named = _parameters(operation), []
        for section, members in self.by_section.items():
            link = f"#{section.lower().replace(' ', '-')}"
            if section in _FILTERS and members.keys() <= taken.keys():
                named.append(f"[{section.lower()}]({link})")
            else:
                named += [f"[`{key[0]}`]({link})" for key in members if key in taken]
        return named

    def own(self, operation: Operation) -> dict[_Key, Parameter]:
        """Return the parameters that OPERATION alone takes."""
        shared = {key for members in self.by_section.values() for key in members}
        return {key: one for key, one in _parameters(operation).items() if key not in shared}

    def sections(self) -> Iterator[str]:
        """Write the shared parameters."""
        yield _PARAMETERS
        for section, members in self.by_section.items():
            yield f"### {section}\n"
            alike: dict[str, list[_Key]] = {}
            for key, one in sorted(members.items(), key=lambda member: member[0]):
                alike.setdefault(_takes(one) + key[1], []).append(key)
            yield _list(
                _parameter([name for name, _ in keys], members[keys[0]]) for keys in alike.values()
            )


def _parameters(operation: Operation) -> dict[_Key, Parameter]:
    declared = operation.query._declared_fields.items()
    return {(name, one.description): one for name, one in declared if isinstance(one, Parameter)}


def _list(entries: Iterable[str]) -> str:
    return "\n".join("- " + re.sub(r"\s+", " ", entry).strip() for entry in entries) + "\n"


def _implied() -> str:
    kinds = (f"{what}: {', '.join(map(_code, kinds))}" for what, kinds in IMPLIED.items())
    return _list(kinds).rstrip()


def _code(word: object) -> str:
    return f"`{word}`"


def _sentences(operation: Operation) -> str:
    return f"{operation.summary}. {operation.description}".strip()


def _facts(operation: Operation, described: JsonSchema, shared: _Shared) -> Iterator[str]:
    """Say what an operation takes and answers, and leave out what is none."""
    if named := shared.named(operation):
        yield f"Takes {', '.join(named)}"
    for (name, _), parameter in shared.own(operation).items():
        yield _parameter([name], parameter)
    if sent := list(_sent(operation, described)):
        yield "; ".join(sent)
    yield f"Answers {', '.join(_answers(operation, described))}"


def _sent(operation: Operation, described: JsonSchema) -> Iterator[str]:
    """Name the key, the headers and the body of a request."""
    if role := _role(operation):
        yield f"Key: {role}"
    if operation.if_match:
        yield "`If-Match`"
    if operation.idempotent:
        yield "`Idempotency-Key`"
    if operation.body is not None:
        yield f"body {_content(described['requestBody'])}"


def _role(operation: Operation) -> str:
    """Return the least role that an operation asks for; none where anyone may."""
    role = "public" if operation.permission is None else PERMISSIONS[operation.permission]
    return "" if role == "public" else role


def _answers(operation: Operation, described: JsonSchema) -> Iterator[str]:
    for status in sorted(operation.answers):
        yield f"{status} {_content(described['responses'][str(status)])}".rstrip()
    if operation.conditional:
        yield "304"
    implied = {kind for kinds in IMPLIED.values() for kind in kinds}
    yield from (_code(kind) for kind in operation.problems if kind not in implied)


def _content(described: JsonSchema) -> str:
    """Name what a body or an answer holds: its component, or else its media types."""
    content = described.get("content", {})
    names = {shown["schema"].get("$ref", "").rpartition("/")[2] for shown in content.values()}
    return " or ".join(map(_code, names if all(names) else content))


def _parameter(names: list[str], parameter: Parameter) -> str:
    """Write what is said alike of parameters of these NAMES."""
    example = parameter.example and parameter.example.replace("&", f"&{names[0]}=")
    shown = f", as `{names[0]}={example}`" if example else ""
    return f"{', '.join(map(_code, names))} ({_takes(parameter)}{shown}): {parameter.description}"


def _takes(parameter: Parameter) -> str:
    takes = _RULES[parameter.kind] + _values(getattr(parameter.read, "json_schema", {}))
    default = "" if parameter.default is None else f"; `{_plain(parameter.default)}` unless given"
    return takes + default


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _values(written: dict[str, object]) -> str:
    """Say in words what a value looks like."""
    match written:
        case {"enum": list() as words}:
            return ", ".join(f"`{word}`" for word in words)
        case {"type": "integer", "minimum": least, "maximum": most}:
            return f"whole number, {least:,} to {most:,}"
        case {"type": "number", "minimum": least, "maximum": most}:
            return f"number, {least:,} to {most:,}"
        case {"type": "boolean"}:
            return "`true` or `false`"
        case {"format": "date-time"}:
            return "time (RFC 3339)"
    return "text"


def _problems() -> str:
    entries = (
        f"`{kind}` ({row.status}): {row.title}. {row.explanation}"
        for kind, row in PROBLEM_TYPES.items()
    )
    return "## Problems\n\n" + _list(entries)


def _settings() -> str:
    alike: dict[str, list[str]] = {}
    words = _comments()
    for name, default in config.settings().items():
        shown = "empty" if default == "" else _code(_plain(default))
        alike.setdefault(words[name], []).append(f"`{name}` ({shown})")
    head = "## Settings\n\nAll come from the environment; defaults stand in brackets.\n\n"
    return head + _list(f"{', '.join(names)}: {about}" for about, names in alike.items())


def _comments() -> dict[str, str]:
    """Read what the code says of each setting: the comment above it, or above its neighbour."""
    comments: dict[str, str] = {}
    words: list[str] = []
    fresh = False
    for line in inspect.getsource(config.Config).splitlines():
        stripped = line.strip()
        if stripped.startswith("#"):
            words = [stripped[1:].strip()] if not fresh else [*words, stripped[1:].strip()]
            fresh = True
        elif setting := re.match(r"([A-Z_]+)\s*[:=]", stripped):
            comments[setting[1]] = " ".join(words)
            fresh = False
    return comments

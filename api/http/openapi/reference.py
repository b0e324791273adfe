"""The reference: the API, its problems and the settings as a page for people, from the code."""

import inspect
import re
from collections.abc import Iterable, Iterator

from flask import Flask

from api import config
from api.core.permissions import PERMISSIONS
from api.http.openapi.document import path_of, routes
from api.http.openapi.operations import IMPLIED, Operation
from api.http.problems import PROBLEM_TYPES
from schemas.query.parameters import Parameter

_HEAD = """\
# Reference

<!-- Made by `make docs` from the code: change it there. A test holds that it is current. -->

Every endpoint, parameter, problem and setting. The same as OpenAPI 3.1 is at `/openapi.json`, and
as a page to try it on at `/docs`. How to run the service: [running.md](running.md).
"""
_RULES = {
    "one": "one value",
    "any": "any of several, with commas",
    "all": "all of several, by repetition",
}


def make(app: Flask) -> str:
    """Write the reference of APP in Markdown."""
    operations = [
        (f"{method} {path_of(rule)}", operation)
        for rule, method, operation in routes(app)
        if operation is not None
    ]
    parts = (_HEAD, _endpoints(operations), _parameters(operations), _problems(), _settings())
    return "\n".join(parts)


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    names = list(head)
    lines: list[Iterable[str]] = [names, ["---"] * len(names), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines) + "\n"


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", "\\|")


def _endpoints(operations: list[tuple[str, Operation]]) -> str:
    rows = (
        (f"`{call}`", operation.summary, _key(operation), _shown(operation), _kinds(operation))
        for call, operation in operations
    )
    implied = "\n".join(
        f"- {what}: {', '.join(f'`{kind}`' for kind in kinds)}" for what, kinds in IMPLIED.items()
    )
    return (
        "## Endpoints\n\nProblems that an endpoint may answer beside those of its own:\n\n"
        f"{implied}\n\n" + _table(("call", "does", "key", "answers", "problems of its own"), rows)
    )


def _key(operation: Operation) -> str:
    if operation.permission is None:
        return "not looked at"
    least = PERMISSIONS[operation.permission]
    return "none" if least == "public" else least


def _shown(operation: Operation) -> str:
    statuses = [*map(str, operation.answers), *(["304"] if operation.conditional else [])]
    return ", ".join(sorted(statuses))


def _kinds(operation: Operation) -> str:
    implied = {kind for kinds in IMPLIED.values() for kind in kinds}
    return ", ".join(f"`{kind}`" for kind in operation.problems if kind not in implied)


def _parameters(operations: list[tuple[str, Operation]]) -> str:
    """Write the parameters, those together that the same endpoints take."""
    takers: dict[tuple[str, str], list[str]] = {}
    known: dict[tuple[str, str], Parameter] = {}
    for call, operation in operations:
        for name, parameter in operation.query._declared_fields.items():
            assert isinstance(parameter, Parameter)
            known[name, parameter.description] = parameter
            takers.setdefault((name, parameter.description), []).append(call)
    groups: dict[tuple[str, ...], list[tuple[str, Parameter]]] = {}
    for (name, words), those in takers.items():
        groups.setdefault(tuple(those), []).append((name, known[name, words]))
    sections = ["## Parameters\n"]
    for calls, members in groups.items():
        sections.append("Of " + ", ".join(f"`{call}`" for call in calls) + ":\n")
        rows = (
            _parameter(name, parameter)
            for name, parameter in sorted(members, key=lambda pair: pair[0])
        )
        sections.append(_table(("parameter", "means", "takes", "example"), rows))
    return "\n".join(sections)


def _parameter(name: str, parameter: Parameter) -> Iterator[str]:
    yield f"`{name}`"
    default = "" if parameter.default is None else f" Unless given: `{_plain(parameter.default)}`."
    yield parameter.description + default
    yield f"{_RULES[parameter.kind]}: {_values(getattr(parameter.read, 'json_schema', {}))}"
    mark = f"&{name}="
    yield f"`{name}={parameter.example.replace('&', mark)}`" if parameter.example else ""


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
    rows = (
        (f"`{kind}`", str(row.status), row.title, row.explanation)
        for kind, row in PROBLEM_TYPES.items()
    )
    return "## Problems\n\n" + _table(("kind", "status", "title", "means"), rows)


def _settings() -> str:
    words = _comments()
    rows = (
        (f"`{name}`", f"`{_plain(default)}`" if default not in ("", None) else "none", words[name])
        for name, default in config.settings().items()
    )
    return "## Settings\n\nAll come from the environment.\n\n" + _table(
        ("setting", "default", "what it is"), rows
    )


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

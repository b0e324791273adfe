"""Excerpts: the description of what lies below one path, as a document of its own."""

from collections.abc import Iterator
from typing import Any

from api.http.openapi.schema_builders import JsonSchema


def below(whole: JsonSchema, prefix: str) -> JsonSchema:
    """Cut from the document WHOLE what lies below PREFIX, which becomes part of the server.

    Of the components those are kept that what is left refers to, through others too.
    """
    paths = {
        path.removeprefix(prefix) or "/": operations
        for path, operations in whole["paths"].items()
        if path == prefix or path.startswith(f"{prefix}/")
    }
    tags = {
        tag
        for operations in paths.values()
        for operation in operations.values()
        for tag in operation["tags"]
    }
    return {
        **whole,
        "servers": [{"url": f"{server['url'].rstrip('/')}{prefix}"} for server in whole["servers"]],
        "paths": paths,
        "components": _used(whole["components"], paths),
        "tags": [tag for tag in whole["tags"] if tag["name"] in tags],
    }


def without_unused(whole: JsonSchema) -> JsonSchema:
    """Return the document WHOLE without the components that no operation refers to."""
    return {**whole, "components": _used(whole["components"], whole["paths"])}


def _used(components: JsonSchema, paths: JsonSchema) -> JsonSchema:
    """Keep the components that PATHS refer to, and how keys are sent."""
    used: JsonSchema = {"securitySchemes": components["securitySchemes"]}
    open_ = [*_references(paths)]
    while open_:
        _, _, kind, name = open_.pop().split("/")
        if name not in used.setdefault(kind, {}):
            used[kind][name] = components[kind][name]
            open_ += _references(components[kind][name])
    return {kind: dict(sorted(named.items())) for kind, named in used.items()}


def _references(part: Any) -> Iterator[str]:
    """Yield every reference in PART."""
    if isinstance(part, dict):
        reference = part.get("$ref")
        if isinstance(reference, str):
            yield reference
        for member in part.values():
            yield from _references(member)
    elif isinstance(part, list):
        for member in part:
            yield from _references(member)

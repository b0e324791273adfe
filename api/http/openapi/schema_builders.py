"""Shapes: the small parts that JSON Schemas of answers are put together from."""

from collections.abc import Mapping
from typing import Any

JsonSchema = dict[str, Any]
# A schema, or the name of a component.
Shape = JsonSchema | str

COMPONENTS: dict[str, JsonSchema] = {}


def ref(name: str) -> JsonSchema:
    """Refer to a component by its name."""
    return {"$ref": f"#/components/schemas/{name}"}


def shape(given: Shape) -> JsonSchema:
    """Return the schema of a shape: names become references."""
    return ref(given) if isinstance(given, str) else given


def component(name: str, schema: JsonSchema) -> JsonSchema:
    """Keep SCHEMA as the component NAME, and give the reference to it."""
    if COMPONENTS.setdefault(name, schema) != schema:
        raise ValueError(f"There are two components {name}.")
    return ref(name)


def object_of(
    description: str = "",
    members: Mapping[str, Shape] | None = None,
    /,
    *,
    optional: Mapping[str, Shape] | None = None,
    **named: Shape,
) -> JsonSchema:
    """Shape an object with exactly these members: MEMBERS and NAMED always, OPTIONAL perhaps."""
    there = {**(members or {}), **named}
    found: JsonSchema = {
        "type": "object",
        "properties": {name: shape(one) for name, one in {**there, **(optional or {})}.items()},
        "required": list(there),
        "additionalProperties": False,
    }
    if not there:
        del found["required"]
    return {**found, "description": description} if description else found


def list_of(item: Shape, description: str = "", **bounds: Any) -> JsonSchema:
    """Shape a list of ITEMs."""
    found: JsonSchema = {"type": "array", "items": shape(item), **bounds}
    return {**found, "description": description} if description else found


def nullable(given: Shape) -> JsonSchema:
    """Let a shape be null too."""
    schema = shape(given)
    if "$ref" in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    found = {**schema, "type": [*_types(schema), "null"]}
    if "enum" in schema:
        found["enum"] = [*schema["enum"], None]
    return found


def any_of(*given: Shape) -> JsonSchema:
    """Shape what is any one of several shapes."""
    return {"anyOf": [shape(one) for one in given]}


def _types(schema: JsonSchema) -> list[str]:
    given = schema["type"]
    return [given] if isinstance(given, str) else list(given)


def page_of(item: Shape, name: str | None = None, **more: Shape) -> JsonSchema:
    """Shape a page of ITEMs: {"data", "next", "total", "total_relation"}; as component NAME.

    An ITEM that is a component's name gives the page its own: a page of `Claim` is `ClaimPage`.
    MORE are members beside those.
    """
    page = object_of(
        "A page of a list.",
        more,
        data=list_of(item),
        next={
            "type": ["string", "null"],
            "description": "Address of the following page; null on the last.",
        },
        total={"type": "integer", "minimum": 0, "description": "Number of all that match."},
        total_relation={
            "type": "string",
            "enum": ["eq", "gte"],
            "description": "Whether `total` is the number (`eq`) or at least so many (`gte`).",
        },
    )
    name = name or (f"{item}Page" if isinstance(item, str) else None)
    return component(name, page) if name else page

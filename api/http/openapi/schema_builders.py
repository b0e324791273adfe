"""Shapes: the small parts that JSON Schemas of answers are put together from."""

from collections.abc import Iterable, Mapping
from typing import Any

JsonSchema = dict[str, Any]
# A schema, or the name of a component.
Shape = JsonSchema | str


def camel(name: str) -> str:
    """Write a name as components are written: `on_error` is OnError."""
    words = name.replace("-", "_").split("_")
    return "".join(word[:1].upper() + word[1:] for word in words)


def ref(name: str) -> JsonSchema:
    """Refer to a component by its name."""
    return {"$ref": f"#/components/schemas/{name}"}


def shape(name_or_schema: Shape) -> JsonSchema:
    """Return the schema of a shape: names become references."""
    return ref(name_or_schema) if isinstance(name_or_schema, str) else name_or_schema


class Component(JsonSchema):
    """A reference to a component, which it brings along.

    `parts` are components that its schema refers to by their names alone.
    """

    def __init__(self, name: str, schema: JsonSchema, parts: Iterable["Component"] = ()) -> None:
        super().__init__(ref(name))
        self.name = name
        self.schema = schema
        self.parts = tuple(parts)

    def described(self, words: str) -> "Component":
        """Return the reference with WORDS on what it means here."""
        reference = Component(self.name, self.schema, self.parts)
        reference["description"] = words
        return reference


component = Component


def components_in(shapes: Iterable[Any]) -> dict[str, JsonSchema]:
    """Return the components that SHAPES refer to, and those that these do, by name.

    Raises ValueError where two have one name.
    """
    found: dict[str, JsonSchema] = {}
    waiting = list(shapes)
    while waiting:
        shape = waiting.pop()
        if isinstance(shape, Component):
            if shape.name not in found:
                waiting += [shape.schema, *shape.parts]
            if found.setdefault(shape.name, shape.schema) != shape.schema:
                raise ValueError(f"There are two components {shape.name}.")
        elif isinstance(shape, Mapping):
            waiting += shape.values()
        elif isinstance(shape, list | tuple):
            waiting += shape
    return found


def object_of(
    description: str = "",
    members: Mapping[str, Shape] | None = None,
    /,
    *,
    optional: Mapping[str, Shape] | None = None,
    **required: Shape,
) -> JsonSchema:
    """Shape an object with exactly these members: MEMBERS and REQUIRED always, OPTIONAL perhaps."""
    there = {**(members or {}), **required}
    schema: JsonSchema = {
        "type": "object",
        "properties": {
            name: shape(member) for name, member in {**there, **(optional or {})}.items()
        },
        "required": list(there),
        "additionalProperties": False,
    }
    if not there:
        del schema["required"]
    return {**schema, "description": description} if description else schema


def list_of(item: Shape, description: str = "", **bounds: Any) -> JsonSchema:
    """Shape a list of ITEMs."""
    schema: JsonSchema = {"type": "array", "items": shape(item), **bounds}
    return {**schema, "description": description} if description else schema


def nullable(of_shape: Shape) -> JsonSchema:
    """Let a shape be null too."""
    schema = shape(of_shape)
    if "$ref" in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    widened = {**schema, "type": [*_types(schema), "null"]}
    if "enum" in schema:
        widened["enum"] = [*schema["enum"], None]
    return widened


def any_of(*shapes: Shape) -> JsonSchema:
    """Shape what is any one of several shapes."""
    return {"anyOf": [shape(each) for each in shapes]}


def _types(schema: JsonSchema) -> list[str]:
    types = schema["type"]
    return [types] if isinstance(types, str) else list(types)


def page_of(item: Shape, name: str | None = None, **more: Shape) -> JsonSchema:
    """Shape a page of ITEMs: {"data", "next", "total"}; as component NAME.

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
        total={
            "type": ["integer", "null"],
            "minimum": 0,
            "description": "Number of all that match, where it is known: of incidents without "
            "filters, where the first page is the last, or with `count=exact`. Else null, not 0.",
        },
    )
    name = name or (f"{item}Page" if isinstance(item, str) else None)
    return component(name, page) if name else page

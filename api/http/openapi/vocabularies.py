"""Vocabularies: every enumeration of the document as a component, with a name and once.

What stands inline is named by generators after where it stands, with a number where two of the
names collide, so that another vocabulary renames it.
"""

from collections.abc import Mapping
from typing import Any

from api.http.openapi.schema_builders import JsonSchema, camel

_PROPERTIES = ("properties", "schemas")
_EXAMPLES = ("example", "examples")


def with_named_enums(whole: JsonSchema) -> JsonSchema:
    """Return the document WHOLE with a reference to a component in the place of each enumeration.

    A component that is the same enumeration gives it its name; else it has that of its parameter,
    or of its component and member. Raises ValueError where two want one name: a component of
    another name, made where one of them is declared, parts them.
    """
    schemas = whole["components"]["schemas"]
    namer = _Namer(schemas)
    paths = namer.replaced(whole["paths"], "")
    components = namer.replaced(whole["components"], "")
    components["schemas"] |= namer.enums
    return {**whole, "paths": paths, "components": components}


class _Namer:
    def __init__(self, schemas: Mapping[str, JsonSchema]) -> None:
        self.enums = {
            name: _with_constants(schema) for name, schema in schemas.items() if "enum" in schema
        }
        self._names = {tuple(schema["enum"]): name for name, schema in self.enums.items()}

    def replaced(self, part: Any, owner: str) -> Any:
        """Return PART, which stands in what is named OWNER, with references to enumerations."""
        if isinstance(part, list):
            return [self.replaced(each, owner) for each in part]
        if not isinstance(part, dict):
            return part
        if isinstance(part.get("enum"), list):
            return self._reference(part, owner)
        owner = camel(part["name"]) if {"in", "name"} <= part.keys() else owner
        return {
            name: value if name in _EXAMPLES else self._member(name, value, owner)
            for name, value in part.items()
        }

    def _member(self, name: str, value: Any, owner: str) -> Any:
        if name not in _PROPERTIES or not isinstance(value, dict):
            return self.replaced(value, owner)
        return {
            member: self.replaced(schema, f"{owner}{camel(member)}")
            for member, schema in value.items()
        }

    def _reference(self, schema: JsonSchema, owner: str) -> JsonSchema:
        values = tuple(value for value in schema["enum"] if value is not None)
        name = self._names.setdefault(values, schema.get("title", owner))
        enum = self.enums.setdefault(name, _with_constants({"type": "string", "enum": [*values]}))
        if tuple(enum["enum"]) != values:
            raise ValueError(f"Two enumerations are called {name}: {enum['enum']} and {values}.")
        reference: JsonSchema = {"$ref": f"#/components/schemas/{name}"}
        beside = {key: schema[key] for key in schema if key not in ("type", "enum", "title")}
        if None in schema["enum"]:
            return {"anyOf": [reference, {"type": "null"}], **beside}
        return {**reference, **beside}


def _with_constants(schema: JsonSchema) -> JsonSchema:
    """Name the constants of an enumeration where its values cannot be names."""
    if all(value[0].isalpha() for value in schema["enum"]):
        return schema
    constants = [
        f"{value[1:]}_descending" if value.startswith("-") else value for value in schema["enum"]
    ]
    return {**schema, "x-enum-varnames": constants}

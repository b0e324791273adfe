"""The description as OpenAPI 3.0, for tools that read no newer one."""

from typing import Any

from api.http.openapi.schema_builders import JsonSchema

VERSION = "3.0.3"
# What 3.0 has no word for, and says nothing that a reader has to know.
_LEFT_OUT = ("$schema", "propertyNames", "patternProperties", "contentMediaType", "identifier")


def converted(document: JsonSchema) -> JsonSchema:
    """Return DOCUMENT, which is OpenAPI 3.1, in the words of 3.0."""
    whole: JsonSchema = _converted(document)
    return {**whole, "openapi": VERSION}


def _converted(part: Any) -> Any:
    if isinstance(part, list):
        return [_converted(each) for each in part]
    if not isinstance(part, dict):
        return part
    found = {name: _converted(value) for name, value in part.items() if name not in _LEFT_OUT}
    if "const" in found and not isinstance(found["const"], dict):
        found["enum"] = [found.pop("const")]
    if isinstance(found.get("examples"), list):
        found["example"] = found.pop("examples")[0]
    _write_null(found)
    _write_bound(found)
    if "$ref" in found and len(found) > 1:  # 3.0 would not see what stands beside it
        found["allOf"] = [{"$ref": found.pop("$ref")}]
    return found


def _write_null(schema: JsonSchema) -> None:
    """Write that a value may be null as 3.0 does, in place."""
    types = schema.get("type")
    if isinstance(types, list):
        others = [name for name in types if name != "null"]
        schema |= (
            {"type": others[0]}
            if len(others) == 1
            else {"anyOf": [{"type": name} for name in others]}
        )
        if len(others) > 1:
            del schema["type"]
        if len(others) < len(types):
            schema["nullable"] = True
    for name in ("anyOf", "oneOf"):
        choices = schema.get(name)
        if isinstance(choices, list) and {"type": "null"} in choices:
            others = [choice for choice in choices if choice != {"type": "null"}]
            schema["nullable"] = True
            schema[name] = others
            if len(others) == 1:
                del schema[name]
                schema["allOf"] = others


def _write_bound(schema: JsonSchema) -> None:
    """Write a bound that is left out as 3.0 does, in place."""
    for name, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        value = schema.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            schema |= {bound: value, name: True}

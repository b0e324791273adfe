"""Bodies: JSON Schemas of what requests may send, made from the marshmallow schemas."""

from collections.abc import Mapping
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.common import resolve_schema_cls, resolve_schema_instance
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from marshmallow import Schema
from marshmallow import fields as plain

from api.http.openapi import field_descriptions
from api.http.openapi.operations import Body
from api.http.openapi.schema_builders import JsonSchema, nullable, ref
from schemas import dates, fields
from schemas.article import ArticleSchema, Digest, Language
from schemas.counts import MAXIMUM
from schemas.incident import (
    ClaimSchema,
    CommunityEntrySchema,
    IncidentSchema,
    NewSourceSchema,
    RestoreSchema,
    SourceSchema,
)
from schemas.vocabulary_terms import TermSchema

_TYPES: dict[type, tuple[str, None]] = {
    **dict.fromkeys(
        (
            fields.Text,
            fields.RecordId,
            fields.Slug,
            fields.Choice,
            fields.Date,
            fields.Timestamp,
            fields.Url,
            fields.Country,
            Language,
            Digest,
        ),
        ("string", None),
    ),
    **dict.fromkeys((fields.Count, fields.Integer), ("integer", None)),
    fields.Number: ("number", None),
    fields.Boolean: ("boolean", None),
}
_WORDS: dict[type[Schema], Mapping[str, str]] = {
    IncidentSchema: field_descriptions.INCIDENT,
    CommunityEntrySchema: field_descriptions.ENTRY,
    SourceSchema: field_descriptions.SOURCE,
    NewSourceSchema: field_descriptions.NEW_SOURCE,
    RestoreSchema: field_descriptions.NEW_SOURCE,
    ClaimSchema: field_descriptions.CLAIM,
    ArticleSchema: field_descriptions.ARTICLE,
    TermSchema: field_descriptions.TERM,
}


class _Converter(OpenAPIConverter):
    """Knows our fields, and what our schemas ignore."""

    field_mapping = {**OpenAPIConverter.field_mapping, **_TYPES}

    def schema2jsonschema(self, schema: Any) -> JsonSchema:
        """Convert a schema; members that are read-only may be sent, and are ignored."""
        converted: JsonSchema = super().schema2jsonschema(schema)  # type: ignore[no-untyped-call]
        instance = resolve_schema_instance(schema)
        words: Mapping[str, str] = {}
        for cls in type(instance).__mro__:
            words = words or _WORDS.get(cls, {})
        converted["description"] = (type(instance).__doc__ or "").strip().partition("\n")[0]
        properties = converted["properties"]
        for name in sorted(getattr(instance, "read_only", ())):
            properties[name] = {"description": "Derived; ignored here."}
        for name, member in properties.items():
            member.pop("writeOnly", None)  # generators part what is sent from what is read anyhow
            if name in words:
                member.setdefault("description", words[name])
        if isinstance(instance, IncidentSchema):
            converted["dependentRequired"] = {"latitude": ["longitude"], "longitude": ["latitude"]}
        return converted


def _rules(converter: OpenAPIConverter, field: plain.Field[Any], *, ret: JsonSchema) -> JsonSchema:
    """Return the bounds, patterns and words that a field takes."""
    rules: JsonSchema = {}
    match field:
        case fields.Text():
            rules = {"maxLength": field.longest} | ({} if field.allow_none else {"minLength": 1})
        case fields.RecordId():
            rules = {"pattern": "^[0-9A-TV-Za-tv-z]{10}$"}
        case fields.Slug():
            rules = {"pattern": "^[a-z0-9]+(-[a-z0-9]+)*$", "maxLength": 64}
        case fields.Choice():
            rules = {"enum": [*field.allowed, *([None] if field.allow_none else [])]}
        case fields.Count():
            rules = {"minimum": 0, "maximum": MAXIMUM}
        case fields.Integer() | fields.Number():
            rules = {"minimum": field.least, "maximum": field.most}
        case fields.Date():
            rules = {"pattern": dates.PATTERN, "maxLength": dates.LONGEST}
        case fields.Timestamp():
            rules = {"format": "date-time"}
        case fields.Url():
            rules = {"pattern": r"^[Hh][Tt][Tt][Pp][Ss]?://\S+$", "maxLength": fields.MAX_ADDRESS}
        case fields.Country():
            rules = {"minLength": 2, "maxLength": fields.MAX_TEXT}
        case Language():
            rules = {"pattern": "^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$", "maxLength": 35}
        case Digest():
            rules = {"pattern": "^[0-9A-Fa-f]{64}$"}
        case fields.ListOf():
            rules = {"maxItems": field.most} | ({"minItems": field.least} if field.least else {})
        case fields.ObjectOf() if field.short is not None:
            rules = _either(converter, field, ret.pop("$ref"))
        case plain.Raw():
            rules = nullable("ClaimValue")
    return rules


def _either(converter: OpenAPIConverter, field: fields.ObjectOf, reference: str) -> JsonSchema:
    """Refer to the union of an object and its short form, a component of its own."""
    name = reference.rpartition("/")[2].removesuffix("Input")
    text, union = f"{name}Text", f"{name}OrText"
    add, known = converter.spec.components.schema, converter.spec.components.schemas
    if union not in known:
        add(text, {**_short(converter, field), "description": "The short form of an object."})
        add(union, {"anyOf": [ref(text), {"$ref": reference}], "description": "Long or short."})
    return ref(union)


def _short(converter: OpenAPIConverter, field: fields.ObjectOf) -> JsonSchema:
    """Convert the short form of an object: that of the one member that it gives, or any text."""
    assert field.short is not None
    name, *others = field.short("")
    if others:
        return {"type": "string"}
    converted: JsonSchema = converter.field2property(field.schema.fields[name])
    return converted


class _Plugin(MarshmallowPlugin):
    Converter = _Converter


def _component_name(schema: Any) -> str:
    cls = resolve_schema_cls(schema)
    assert isinstance(cls, type)
    return f"{cls.__name__.removesuffix('Schema')}Input"


class Bodies:
    """Makes the components of bodies in a SPEC."""

    def __init__(self, spec: APISpec, plugin: MarshmallowPlugin) -> None:
        self.spec = spec
        self.converter = plugin.converter
        assert self.converter is not None
        self.converter.add_attribute_function(_rules)  # type: ignore[no-untyped-call]
        self._made: dict[str, JsonSchema] = {}

    def request_body(self, body: Body, examples: JsonSchema) -> JsonSchema:
        """Describe BODY with its EXAMPLES."""
        content = {}
        for media_type, shape in body.schemas.items():
            schema = self._schema(shape, body, media_type)
            content[media_type] = {"schema": schema}
            if examples and media_type.endswith(("/json", "+json")):
                content[media_type]["examples"] = examples
        return {"required": not body.optional, "content": content}

    def _schema(self, shape: type[Schema] | JsonSchema, body: Body, media_type: str) -> JsonSchema:
        """Return the schema of BODY in a media type, a union where it has alternatives."""
        schema = self._component(shape, body) if isinstance(shape, type) else shape
        if not body.alternatives:
            return schema
        others = [
            self._schema(each.schemas[media_type], each, media_type) for each in body.alternatives
        ]
        if body.either not in self.spec.components.schemas:
            self.spec.components.schema(body.either, {"anyOf": [schema, *others]})
        return {"$ref": f"#/components/schemas/{body.either}"}

    def _component(self, schema: type[Schema], body: Body) -> JsonSchema:
        name = body.name or _component_name(schema)
        if name not in self._made:
            assert self.converter is not None
            component = self.converter.schema2jsonschema(schema)  # type: ignore[no-untyped-call]
            component["required"] = sorted({*component.get("required", ()), *body.required})
            if not component["required"]:
                del component["required"]
            for member in body.required:
                component["properties"][member] = _filled(component["properties"][member])
            self._made[name] = component
            self.spec.components.schema(name, component)
        return {"$ref": f"#/components/schemas/{name}"}


def _filled(member: JsonSchema) -> JsonSchema:
    """Leave null, or an empty list, out of what a member may be."""
    filled = dict(member)
    if isinstance(member["type"], list):
        (filled["type"],) = (value for value in member["type"] if value != "null")
    if "enum" in filled:
        filled["enum"] = [value for value in filled["enum"] if value is not None]
    return {**filled, "minItems": 1} if filled["type"] == "array" else filled


def plugin() -> MarshmallowPlugin:
    """Make the plugin of apispec that knows our fields."""
    return _Plugin(schema_name_resolver=_component_name)

"""Parameters: the query language and the path, as the description of the API shows them."""

from collections.abc import Iterator
from typing import Any

from api.http.openapi.descriptions import PATH
from api.http.openapi.operations import Operation
from api.http.openapi.schema_builders import JsonSchema, camel
from schemas.query.parameters import MAX_ALTERNATIVES, Parameter

_COMMAS = " Alternatives are joined by commas, or the parameter is repeated."
_REPEATED = " Alternatives for one of them are joined by commas."
# What stands above the parameters that an operation tells in words.
IN_WORDS = "These parameters change the type of the answer, and are not in the list below:"


def query_parameters(operation: Operation) -> Iterator[JsonSchema]:
    """Describe every parameter of an operation's query that is not told in words alone."""
    for name, parameter in operation.query._declared_fields.items():
        assert isinstance(parameter, Parameter)
        if name not in operation.in_words:
            yield query_parameter(name, parameter, _allowed(operation, name))


def _allowed(operation: Operation, name: str) -> JsonSchema | None:
    """Return the words that a parameter takes, where they are the operation's own."""
    if name not in operation.allowed:
        return None
    title = f"{camel(operation.name)}{camel(name)}"  # names the component of these words
    return {"type": "string", "enum": list(operation.allowed[name]), "title": title}


def query_parameter(
    name: str, parameter: Parameter, allowed: JsonSchema | None = None
) -> JsonSchema:
    """Describe one parameter: the comma rule and the repetition rule as arrays."""
    value = allowed or dict(getattr(parameter.read, "json_schema", {"type": "string"}))
    described: JsonSchema = {"in": "query", "name": name, "description": parameter.description}
    if parameter.required:
        described["required"] = True
    if parameter.kind == "one":
        schema = value
    else:
        schema = {"type": "array", "items": value, "minItems": 1}
        schema["maxItems"] = MAX_ALTERNATIVES if parameter.kind == "any" else 10
        described |= {"style": "form", "explode": parameter.kind == "all"}
        described["description"] += _REPEATED if parameter.kind == "all" else _COMMAS
    if parameter.default is not None:
        schema["default"] = parameter.default
    described["schema"] = schema
    if parameter.required:
        described["required"] = True
    if parameter.example is not None:
        # Beside the parameter, the page would fill in the examples of all of them at once.
        schema["examples"] = [_example(parameter, value["type"])]
        shown = parameter.example.replace("&", f"&{name}=")
        described["description"] += f" For example: `{name}={shown}`."
    return described


def _example(parameter: Parameter, type_: str) -> Any:
    """Return the example as a value: a list where the parameter is one."""
    assert parameter.example is not None
    if parameter.kind == "one":
        return _value(parameter.example, type_)
    mark = "&" if parameter.kind == "all" else ","
    return [_value(part, type_) for part in parameter.example.split(mark)]


def _value(text: str, type_: str) -> Any:
    match type_:
        case "integer":
            return int(text)
        case "number":
            return float(text)
        case "boolean":
            return text == "true"
    return text


def path_parameter(name: str, schema: JsonSchema, example: str | None) -> JsonSchema:
    """Describe a variable of a path."""
    described = {
        "in": "path",
        "name": name,
        "required": True,
        "description": schema.get("description", PATH[name]),
        "schema": schema,
    }
    if example is None:
        return described
    return {**described, "example": _value(example, schema.get("type", "string"))}

"""Every answer that a test gets is held to what stands on its view.

Status, kind of problem, headers and body of each answer of `app` and `make_app` are compared with
the description of the API; what differs fails the test in the end.
"""

import gzip
import json
import re
from typing import Any

import jsonschema_rs
from flask import Flask, Response, request

from api.http.openapi import document, operation_of
from api.http.problems import MEDIA_TYPE


def watch(app: Flask) -> list[str]:
    """Compare every answer of APP from now on; what differs is in the list that this returns."""
    broken: list[str] = []

    def compare(response: Response) -> Response:
        found = differences(app, response)
        if found:
            broken.append(f"{request.method} {request.full_path} {response.status_code}: {found}")
        return response

    app.after_request(compare)
    app.extensions["contract"] = broken
    return broken


def differences(app: Flask, response: Response) -> str:
    """Say how a response differs from what its operation declares; empty where it does not."""
    view = app.view_functions.get(request.endpoint or "")
    operation = operation_of(view) if view else None
    if operation is None or request.method in ("HEAD", "OPTIONS"):
        return ""
    if response.direct_passthrough:  # a long export, which is read once, by who asked for it
        return ""
    if response.mimetype == MEDIA_TYPE:
        kind = response.get_json()["type"].rpartition("/")[2]
        if kind not in operation.problems:
            return f"{operation.name} does not declare the problem {kind}"
        return _misfit(app, {"$ref": "#/components/schemas/Problem"}, response)
    if response.status_code == 304 and operation.conditional:
        return ""
    answer = operation.answers.get(response.status_code)
    if answer is None:
        return f"{operation.name} does not declare the status"
    shared = "private" not in response.headers.get("Cache-Control", "")
    if (
        operation.conditional
        and response.status_code == 200
        and shared
        and "ETag" not in response.headers
    ):
        return f"{operation.name} sends no ETag"
    declared = {*answer.media_types, *answer.also}
    if response.mimetype not in declared and answer.schema is not None:
        return f"{operation.name} does not declare {response.mimetype}"
    schema = answer.also.get(response.mimetype) or answer.schema
    if schema is None or not re.fullmatch(r"application/(.*\+)?json", response.mimetype):
        return ""
    return _misfit(app, schema, response)


def _misfit(app: Flask, schema: dict[str, Any], response: Response) -> str:
    error = next(iter(validator(app, schema).iter_errors(_value(response))), None)
    if error is None:
        return ""
    return f"at {'/'.join(map(str, error.instance_path))}: {error.message[:300]}"


def _value(response: Response) -> Any:
    """Read the JSON of a response, packed or not."""
    body = response.get_data()
    packed = response.headers.get("Content-Encoding") == "gzip"
    return json.loads(gzip.decompress(body) if packed else body)


_validators: dict[str, Any] = {}


def validator(app: Flask, schema: dict[str, Any]) -> Any:
    """Compile SCHEMA once, with the components of APP."""
    key = repr(schema)
    if key not in _validators:
        whole = {**schema, "components": {"schemas": document.schemas_of(app)}}
        _validators[key] = jsonschema_rs.Draft202012Validator(whole)
    return _validators[key]

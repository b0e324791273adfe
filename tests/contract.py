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

from api.http.openapi import Answer, Operation, document, operation_of
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
    answer = _declared(operation, response)
    if answer is None:
        return f"{operation.name} does not declare {response.status_code} as {response.mimetype}"
    shared = "private" not in response.headers.get("Cache-Control", "")
    if (
        operation.conditional
        and response.status_code == 200
        and shared
        and "ETag" not in response.headers
    ):
        return f"{operation.name} sends no ETag"
    if answer.schema is None or not re.fullmatch(r"application/(.*\+)?json", response.mimetype):
        return ""
    misfit = _misfit(app, answer.schema, response)
    others = _told(operation, response)
    return misfit if all(_misfit(app, other.schema, response) for other in others) else ""


def _declared(operation: Operation, response: Response) -> Answer | None:
    """Return the declared answer that RESPONSE should be like, or one that is told in words."""
    declared = operation.answers.get(response.status_code)
    if declared is not None and (declared.schema is None or _fits(declared, response)):
        return declared
    return next(iter(_told(operation, response)), None)


def _told(operation: Operation, response: Response) -> list[Answer]:
    """Return the answers told in words that RESPONSE may be like."""
    success = response.status_code in (200, 206)
    return [each for each in operation.other_answers if success and _fits(each, response)]


def _fits(answer: Answer, response: Response) -> bool:
    return response.mimetype in answer.media_types


def _misfit(app: Flask, schema: dict[str, Any], response: Response) -> str:
    check = validator(app, schema, sparse="fields" in request.args)
    error = next(iter(check.iter_errors(_value(response))), None)
    if error is None:
        return ""
    return f"at {'/'.join(map(str, error.instance_path))}: {error.message[:300]}"


def _value(response: Response) -> Any:
    """Read the JSON of a response, packed or not."""
    body = response.get_data()
    packed = response.headers.get("Content-Encoding") == "gzip"
    return json.loads(gzip.decompress(body) if packed else body)


_validators: dict[str, Any] = {}


# What `fields` leaves members out of.
_CHOOSABLE = {"Incident", "PublishedClaim"}


def validator(app: Flask, schema: dict[str, Any], *, sparse: bool = False) -> Any:
    """Compile SCHEMA once, with the components of APP; SPARSE ones may lack members."""
    key = f"{sparse} {schema!r}"
    if key not in _validators:
        components = {
            name: {**component, "required": []} if sparse and name in _CHOOSABLE else component
            for name, component in document.schemas_of(app).items()
        }
        whole = {**schema, "components": {"schemas": components}}
        _validators[key] = jsonschema_rs.Draft202012Validator(whole)
    return _validators[key]

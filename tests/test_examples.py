"""The examples of the API's description are what the service answers."""

import json
import os

import pytest

from api.http.openapi import document
from tests import examples

RECORD = os.environ.get("RECORD_EXAMPLES", "") not in ("", "0")


@pytest.mark.slow
def test_the_examples_are_what_the_service_answers(app, editor, admin):
    answers = examples.record(app, editor, admin)
    if RECORD:
        examples.write(document.EXAMPLES, answers)
    stored = json.loads(document.EXAMPLES.read_text(encoding="utf-8"))
    assert stored == answers, "write them anew: make docs"


def test_every_operation_that_takes_or_gives_json_has_its_examples(app):
    described = document.make(app)["paths"]
    for rule, method, operation in document.routes(app):
        if operation is None or operation.name in examples.LEFT_OUT:
            continue
        shown = described[document.path_of(rule)][method.lower()]
        if operation.body is not None:
            content = shown["requestBody"]["content"]
            assert any("examples" in one for one in content.values()), operation.name
        answers = [shown["responses"][str(status)] for status in operation.answers]
        contents = [
            answer["content"]["application/json"]
            for answer in answers
            if "application/json" in answer.get("content", ())
        ]
        assert not contents or any("examples" in one for one in contents), operation.name

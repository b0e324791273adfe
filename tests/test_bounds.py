"""The bounds of parameters are those of the tables: what is taken can be looked for."""

import pytest

from api import create_app
from api.http.openapi import document

APP = create_app({"DATABASE_URL": "sqlite:///:memory:"})


def numbers():
    """Yield every whole-number parameter of every list with its bounds."""
    for rule, method, operation in document.routes(APP):
        if method != "GET" or operation is None or rule.arguments:
            continue
        if rule.rule.startswith("/ogc"):  # a limit beyond the greatest is lowered there
            continue
        for name, parameter in operation.query._declared_fields.items():
            written = parameter.read.json_schema
            if written["type"] == "integer":
                yield rule.rule, name, written["minimum"], written["maximum"]


@pytest.mark.parametrize(("path", "name", "least", "most"), list(numbers()))
def test_a_number_at_its_bounds_is_looked_for(client, admin, path, name, least, most):
    """Least and most are answered, or refused with a reason; they never reach a driver's limits."""
    for number in (least, most, most + 1):
        answer = client.get(f"{path}?{name}={number}", headers=admin)
        assert answer.status_code in (200, 422), answer.text
        assert number <= most or answer.status_code == 422

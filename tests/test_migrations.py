"""Migrations: a database of an earlier version becomes that of the newest, with what it holds."""

import pytest
from sqlalchemy import create_engine, text

from api.config import database_url

COLUMNS = {
    "claims": "incident_pk, source_position, position, attributed_key, conflicting",
    "versions": "incident_pk, number, code",
    "incidents": "pk, week, cell, region, x, y, z",
}


def rows(app, columns):
    engine = create_engine(database_url(app.config["DATABASE_URL"], None))
    with engine.connect() as connection:
        found = {
            table: sorted(map(tuple, connection.execute(text(f"SELECT {names} FROM {table}"))))
            for table, names in columns.items()
        }
    engine.dispose()
    return found


def command(app, *words):
    result = app.test_cli_runner().invoke(args=words)
    assert result.exit_code == 0, result.output


@pytest.fixture
def old(make_app, incident):
    """Return an application whose database was made by the newest version, with a record."""
    app = make_app()
    command(app, "seed")
    result = app.test_cli_runner().invoke(args=["keys", "create", "one", "--role", "editor"])
    headers = {"Authorization": f"Bearer {result.stdout.split()[-1]}"}
    claims = [
        {"field": "arrests", "value": 13, "attributed_to": "Police of the City"},
        {"field": "arrests", "low": 50, "scope": " "},
        {"field": "arrests", "value": 13, "scope": "one street"},
        {"field": "property_damage", "value": False},
    ]
    sources = [{"article": {"title": "A report"}, "claims": claims}]
    client = app.test_client()
    made = client.post("/api/v1/incidents", json=incident(sources=sources), headers=headers)
    other = client.post(
        "/api/v1/incidents", json=incident(city="Batumi", country="GE"), headers=headers
    )
    assert (made.status_code, other.status_code) == (201, 201)
    path = f"{other.json['url']}?code=safety"
    assert client.delete(path, headers={**headers, "If-Match": "1"}).status_code == 204
    return app


@pytest.mark.slow
def test_what_claims_and_versions_say_is_worked_out_for_what_is_there(old):
    before = rows(old, COLUMNS)
    assert [row[-1] for row in before["claims"] if row[-1]] == [True, True]
    assert [row[-1] for row in before["versions"] if row[-1]] == ["safety"]
    assert [row[1] for row in before["incidents"][-2:]] == ["2019-W18"] * 2
    assert before["incidents"][-2][2:4] == (140 * 360 + 210, 9 * 24 + 14)
    assert "policeofthecity" in "".join(str(row[3]) for row in before["claims"]).replace(" ", "")

    command(old, "db", "downgrade", "0001")
    command(old, "db", "upgrade")

    assert rows(old, COLUMNS) == before

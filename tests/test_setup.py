"""Setting up: from an empty database to one that serves, once."""

import re

from api import create_app


def test_setting_up_makes_a_service_to_write_to_and_makes_nothing_twice(tmp_path, incident):
    app = create_app({"DATABASE_URL": f"sqlite:///{tmp_path / 'new' / 'incidents.sqlite'}"})
    runner, client = app.test_cli_runner(), app.test_client()

    first = runner.invoke(args=["setup"])
    listed = client.get("/api/v1/incidents").json["data"]
    again = runner.invoke(args=["setup"])

    assert (first.exit_code, again.exit_code) == (0, 0), first.output + again.output
    assert listed
    assert client.get("/api/v1/incidents").json["data"] == listed
    assert "editor key" not in again.output
    key = re.search(r"^Your editor key, shown this once: (\w+)$", first.output, re.MULTILINE)[1]
    headers = {"Authorization": f"Bearer {key}"}
    assert client.post("/api/v1/incidents", json=incident(), headers=headers).status_code == 201

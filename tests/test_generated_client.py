"""A client that is generated from the API's description works against the running service."""

import importlib
import json
import subprocess
import sys

import pytest

from api.http.openapi import document
from api.http.problems import PROBLEM_TYPES
from api.http.request_bodies import MANY_TYPES
from tests.examples import MOSCOW


@pytest.fixture
def generated(app, tmp_path, monkeypatch):
    """Generate a client by openapi-python-client and return a function that imports from it."""
    description, settings = tmp_path / "openapi.json", tmp_path / "settings.yml"
    description.write_text(json.dumps(document.make(app)))
    # It knows no text types; bodies of many records are sent as the bytes that they are.
    many = "".join(f"  {name}: application/octet-stream\n" for name in MANY_TYPES)
    for text_type in ("application/atom+xml", "application/xml"):
        many += f"  {text_type}: text/plain\n"
    many += "  application/vnd.apache.parquet: application/octet-stream\n"
    settings.write_text(f"post_hooks: []\ncontent_type_overrides:\n{many}")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "openapi_python_client",
            "generate",
            "--meta",
            "none",
            "--path",
            description,
            "--config",
            settings,
            "--output-path",
            tmp_path / "diaspora",
            "--fail-on-warning",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    monkeypatch.syspath_prepend(tmp_path)
    yield lambda name: importlib.import_module(f"diaspora.{name}")
    for name in [name for name in sys.modules if name.partition(".")[0] == "diaspora"]:
        del sys.modules[name]


@pytest.mark.slow
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_generated_client_reads_and_writes(seeded, live_server, editor, incident, generated):
    client_of = generated("client")
    incidents = {
        name: generated(f"api.incidents.{name}")
        for name in ("list_incidents", "read_incident", "create_incident", "amend_incident")
    }
    models = generated("models")
    anyone = client_of.Client(base_url=live_server)
    token = editor["Authorization"].removeprefix("Bearer ")
    curator = client_of.AuthenticatedClient(base_url=live_server, token=token)

    # This generator repeats every list, so alternatives are written in one value.
    page = incidents["list_incidents"].sync(
        client=anyone, country=["RU,BE"], community=["armenian", "azerbaijani"]
    )
    assert page.total == 2
    moscow = next(one for one in page.data if one.id == MOSCOW)
    assert (moscow.arrests, moscow.deaths, moscow.city) == (13, None, "Moscow")
    assert [entry.community for entry in moscow.communities] == ["armenian", "azerbaijani"]
    claim = moscow.sources[0].claims[0]
    assert (claim.field.value, claim.value) == ("arrests", 13)

    body = models.IncidentInput.from_dict(incident(communities=["armenian"], arrests=2))
    made = incidents["create_incident"].sync(client=curator, body=body, idempotency_key="once")
    assert (made.arrests, made.arrests_text, made.version) == (2, "2", 1)
    change = models.IncidentPatch.from_dict({"arrests": 3})
    changed = incidents["amend_incident"].sync(made.id, client=curator, body=change, if_match='"1"')
    assert (changed.arrests, changed.version) == (3, 2)
    stale = incidents["amend_incident"].sync(made.id, client=curator, body=change, if_match='"1"')
    assert (stale.status, stale.title) == (412, PROBLEM_TYPES["version-stale"].title)
    missing = incidents["read_incident"].sync("0000000000", client=anyone)
    assert missing.status == 404

"""A session with the running service through the client that openapi-python-client generates.

mypy checks it under `--strict`, without a cast: what is wrong in the description is an error here.
"""

import sys

from incidents_client import AuthenticatedClient, Client
from incidents_client.api.incidents import (
    amend_incident,
    create_incident,
    export_incidents_csv,
    export_incidents_geojson,
    export_incidents_ndjson,
    list_incidents,
    read_incident,
    replace_incident,
    try_incident,
)
from incidents_client.api.search import search_incidents
from incidents_client.models import (
    Count,
    DryRun,
    FeatureCollection,
    Incident,
    IncidentInput,
    IncidentPage,
    IncidentPatch,
    IncidentType,
    Problem,
    SearchPage,
    Sort,
)

address, key = sys.argv[1:]
anyone = Client(base_url=address)
editor = AuthenticatedClient(base_url=address, token=key)


def list_and_filter() -> None:
    page = list_incidents.sync(client=anyone, limit=2)
    assert isinstance(page, IncidentPage)
    assert len(page.data) == 2
    assert page.next_ is not None

    page = list_incidents.sync(
        client=anyone,
        country=["RU", "BE"],
        community=["armenian"],
        sort=Sort.ARRESTS_DESCENDING,
        count=Count.EXACT,
    )
    assert isinstance(page, IncidentPage)
    assert page.total == len(page.data)
    assert {incident.country for incident in page.data} == {"BE", "RU"}
    assert page.data[0].arrests
    page = list_incidents.sync(client=anyone, type_=[IncidentType.CLASH, IncidentType.ASSAULT])
    assert isinstance(page, IncidentPage)
    assert {incident.type_ for incident in page.data} <= {IncidentType.CLASH, IncidentType.ASSAULT}


def search() -> None:
    found = search_incidents.sync(client=anyone, q="Moscow clash", country=["RU"])
    assert isinstance(found, SearchPage)
    assert found.data[0].incident.city == "Moscow"


def errors() -> None:
    missing = read_incident.sync("0000000000", client=anyone)
    assert isinstance(missing, Problem)
    assert missing.status == 404
    wrong = list_incidents.sync(client=anyone, date="24.07.2020")
    assert isinstance(wrong, Problem)
    assert wrong.errors
    assert wrong.errors[0].parameter == "date"


def exports() -> None:
    csv = export_incidents_csv.sync_detailed(client=anyone, country=["RU"])
    assert isinstance(csv.parsed, str)
    records = int(csv.headers["Record-Count"])
    assert csv.parsed.count("\n") >= records + 1
    everywhere = export_incidents_geojson.sync(client=anyone)
    assert isinstance(everywhere, FeatureCollection)
    lines = export_incidents_ndjson.sync(client=anyone)
    assert isinstance(lines, str)
    assert len(lines.splitlines()) == len(everywhere.features)


def write() -> None:
    body = IncidentInput.from_dict(
        {
            "title": "Vigil in Batumi",
            "type": "vigil",
            "date": "2020-10-17",
            "city": "Batumi",
            "country": "GE",
            "communities": ["armenian", {"community": "georgian", "role": "organiser"}],
            "participants_low": 24,
            "sources": [{"article": {"title": "A report", "url": "https://news.example/python"}}],
        }
    )
    tried = try_incident.sync(client=editor, body=body)
    assert isinstance(tried, DryRun)
    assert tried.would.value == "create"
    created = create_incident.sync(client=editor, body=body, idempotency_key="python")
    assert isinstance(created, Incident)
    based_on = f'"{created.version}"'
    patch = IncidentPatch(arrests=3)
    changed = amend_incident.sync(created.id, client=editor, body=patch, if_match=based_on)
    assert isinstance(changed, Incident)
    assert changed.arrests_text == "3"
    stale = amend_incident.sync(created.id, client=editor, body=patch, if_match=based_on)
    assert isinstance(stale, Problem)
    assert stale.status == 412
    # What was read can be changed and put back as it is.
    whole = IncidentInput.from_dict({**changed.to_dict(), "arrests": 5})
    replaced = replace_incident.sync(created.id, client=editor, body=whole, if_match="*")
    assert isinstance(replaced, Incident)
    assert replaced.arrests == 5


list_and_filter()
search()
errors()
exports()
write()

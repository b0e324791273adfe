"""A session with the running service through the models that datamodel-code-generator makes.

mypy checks it under `--strict`, without a cast: what is wrong in the description is an error here.
"""

import sys

import httpx
from incidents_models import (
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
anyone = httpx.Client(base_url=f"{address}/api/v1")
editor = httpx.Client(base_url=f"{address}/api/v1", headers={"Authorization": f"Bearer {key}"})


def list_and_filter() -> None:
    page = IncidentPage.model_validate_json(anyone.get("/incidents?limit=2").content)
    assert len(page.data) == 2
    assert page.next is not None
    query = {
        "country": ["RU", "BE"],
        "sort": Sort.arrests_descending.value,
        "count": "exact",
    }
    page = IncidentPage.model_validate_json(anyone.get("/incidents", params=query).content)
    assert page.total == len(page.data)
    assert {incident.country for incident in page.data} == {"BE", "RU"}
    assert page.data[0].arrests
    answer = anyone.get("/incidents", params={"type": IncidentType.clash.value})
    page = IncidentPage.model_validate_json(answer.content)
    assert {incident.type for incident in page.data} == {IncidentType.clash}


def search() -> None:
    answer = anyone.get("/search", params={"q": "Moscow clash"})
    assert SearchPage.model_validate_json(answer.content).data[0].incident.city == "Moscow"


def errors() -> None:
    missing = Problem.model_validate_json(anyone.get("/incidents/0000000000").content)
    assert missing.status == 404
    wrong = Problem.model_validate_json(anyone.get("/incidents?date=24.07.2020").content)
    assert wrong.errors
    assert wrong.errors[0].parameter == "date"


def exports() -> None:
    answer = anyone.get("/incidents.geojson")
    features = FeatureCollection.model_validate_json(answer.content).features
    assert len(features) == int(answer.headers["Record-Count"])
    lines = anyone.get("/incidents.ndjson").text.splitlines()
    assert [Incident.model_validate_json(line).id for line in lines] == [
        feature.id for feature in features
    ]


def write() -> None:
    body = IncidentInput.model_validate(
        {
            "title": "Vigil in Batumi",
            "type": "vigil",
            "date": "2020-10-24",
            "city": "Batumi",
            "country": "GE",
            "communities": ["armenian", {"community": "georgian", "role": "organiser"}],
            "sources": [{"article": {"title": "A report", "url": "https://news.example/models"}}],
        }
    )
    sent = body.model_dump(mode="json", exclude_unset=True)
    tried = DryRun.model_validate_json(editor.post("/incidents/dry-run", json=sent).content)
    assert tried.would.value == "create"
    created = Incident.model_validate_json(editor.post("/incidents", json=sent).content)
    path, based_on = f"/incidents/{created.id.root}", {"If-Match": f'"{created.version}"'}
    patch = IncidentPatch(arrests=3).model_dump(mode="json", exclude_unset=True)
    answer = editor.patch(path, json=patch, headers=based_on)
    changed = Incident.model_validate_json(answer.content)
    assert changed.arrests_text == "3"
    stale = Problem.model_validate_json(editor.patch(path, json=patch, headers=based_on).content)
    assert stale.status == 412
    # What was read can be changed and put back as it is.
    whole = IncidentInput.model_validate({**changed.model_dump(mode="json"), "arrests": 5})
    put_back = whole.model_dump(mode="json", exclude_unset=True)
    answer = editor.put(path, json=put_back, headers={"If-Match": "*"})
    assert Incident.model_validate_json(answer.content).arrests == 5


list_and_filter()
search()
errors()
exports()
write()

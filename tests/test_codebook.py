"""The codebook defines what a record has, no more and no less, and counts what is reported."""

from api.documents import FIELDS
from schemas import record_fields
from schemas.vocabulary import VOCABULARIES


def test_every_field_of_a_record_is_defined_and_no_other():
    assert set(record_fields.FIELDS) == FIELDS


def test_a_field_names_a_vocabulary_that_exists():
    known = {one.name for one in VOCABULARIES}
    named = {one.vocabulary for one in record_fields.FIELDS.values() if one.vocabulary}
    assert named <= known


def test_completeness_tells_reported_from_not_reported(client, editor, incident):
    for changes in ({"arrests": 0}, {"city": "Lviv"}):
        body = incident(**changes)
        assert client.post("/api/v1/incidents", json=body, headers=editor).status_code == 201
    shown = client.get("/api/v1/codebook").json
    (year,) = shown["completeness"]
    assert (year["incidents"], year["reported"]["arrests"]) == (2, 1)
    assert shown["fields"]["arrests"]["unknown"].startswith("null")


def test_the_codebook_follows_the_data(client, editor, incident):
    first = client.get("/api/v1/codebook")
    client.post("/api/v1/incidents", json=incident(), headers=editor)
    again = client.get("/api/v1/codebook", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 200
    assert again.json["completeness"] != first.json["completeness"]

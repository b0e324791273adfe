"""Every whole number that a client can write, at its bounds and beyond, through every verb.

None is a fault of ours, and whatever was taken can be changed, withdrawn and erased afterwards.
"""

import csv
import io
import json

import pytest

from schemas.fields import ID_ALPHABET, Count, Integer
from schemas.incident import ClaimSchema, CommunityEntrySchema
from schemas.record_fields import FIELDS

INCIDENTS = "/api/v1/incidents"
NUMBERS = (0, 1, 1_000_000, 1_000_001, 10**9, 10**9 + 1, 2**31 - 1, 2**31, 2**63 - 1, 2**63)
BEYOND = (-1, 10**30)


def _members(readers):
    return [name for name, reader in readers.items() if isinstance(reader, Count | Integer)]


FIELD_MEMBERS = _members({name: field.reader for name, field in FIELDS.items()})
CLAIM_MEMBERS = [*_members(ClaimSchema._declared_fields), "value"]
COMMUNITY_MEMBERS = _members(CommunityEntrySchema._declared_fields)


def changes():
    """Yield the name of each number, and what makes of a value the members that carry it."""
    for name in FIELD_MEMBERS:
        yield name, lambda value, name=name: {name: value}
    for name in CLAIM_MEMBERS:
        yield (
            f"claim {name}",
            lambda value, name=name: {
                "sources": [
                    {
                        "article": {"title": "An article"},
                        "claims": [{"field": "arrests", name: value}],
                    }
                ]
            },
        )
    for name in COMMUNITY_MEMBERS:
        yield (
            f"community {name}",
            lambda value, name=name: {"communities": [{"community": "armenian", name: value}]},
        )


CHANGES = dict(changes())


@pytest.fixture
def post(client, editor, incident):
    """Return what posts a record and returns its id."""

    def send(number=0, **members):
        body = incident(date=f"19{10 + number % 80}-05-04", **members)
        path = f"{INCIDENTS}?allow_duplicate=true"
        return client.post(path, json=body, headers=editor)

    return send


def verbs(client, editor, incident, id_, new_id, members):
    """Yield the answers of every verb that takes MEMBERS, the last to a record with a NEW_ID."""
    forced = {**editor, "If-Match": "*"}
    path = f"{INCIDENTS}/{id_}"
    yield client.patch(path, json=members, headers=editor if "version" in members else forced)
    yield client.put(path, json=incident(**members), headers=forced)
    line = incident(id=id_, **members)
    bodies = [(_ndjson(line), "application/x-ndjson")]
    if not any(isinstance(value, list) for value in members.values()):
        bodies.append((_csv(line), "text/csv"))  # which has no such lists
    for body, type_ in bodies:
        for status in ("update", "skip"):
            headers = {**editor, "Content-Type": type_}
            yield client.post(f"{INCIDENTS}?on_conflict={status}", data=body, headers=headers)
    for source in members.get("sources", ()):
        yield client.post(f"{path}/sources", json=source, headers=forced)
    yield client.post(f"{INCIDENTS}?dry_run=true", json=incident(**members), headers=editor)
    new = incident(date="1901-01-01", id=new_id, **members)
    headers = {**editor, "Content-Type": "application/x-ndjson"}
    yield client.post(INCIDENTS, data=_ndjson(new), headers=headers)


def _ndjson(line):
    return json.dumps(line)


def _csv(line):
    cells = {name: value for name, value in line.items() if not isinstance(value, list)}
    out = io.StringIO()
    rows = csv.DictWriter(out, cells)
    rows.writeheader()
    rows.writerow(cells)
    return out.getvalue().encode()


def end(client, editor, admin, id_):
    """Change, withdraw and erase a record, which nothing may have made impossible."""
    path, forced = f"{INCIDENTS}/{id_}", {**editor, "If-Match": "*"}
    changed = client.patch(path, json={"title": "Changed"}, headers=forced)
    assert changed.status_code == 200, changed.text
    assert client.delete(path, headers=forced).status_code == 204
    erased = client.post(f"{path}/erase", json={}, headers={**admin, "If-Match": "*"})
    assert erased.status_code == 204, erased.text


@pytest.mark.slow
@pytest.mark.parametrize("name", CHANGES)
def test_a_number_at_its_bounds_harms_nothing(client, editor, admin, incident, post, name):
    for number, value in enumerate((*NUMBERS, *BEYOND)):
        id_, new_id = post(number).json["id"], f"7zzzzzzzz{ID_ALPHABET[number]}"
        for answer in verbs(client, editor, incident, id_, new_id, CHANGES[name](value)):
            assert answer.status_code < 500, (value, answer.text)
            assert value not in BEYOND or answer.status_code >= 400, (value, answer.text)
        end(client, editor, admin, id_)
        if client.get(f"{INCIDENTS}/{new_id}").status_code == 200:
            end(client, editor, admin, new_id)


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("value", [10**6, 2**31 - 1])
def test_a_record_that_begins_with_a_large_number_can_be_ended(
    client, editor, admin, incident, name, value
):
    line = incident(id="7zzzzzzzz8", **CHANGES[name](value))
    headers = {**editor, "Content-Type": "application/x-ndjson"}
    answer = client.post(INCIDENTS, data=_ndjson(line), headers=headers)
    assert answer.status_code in (200, 422)
    assert name != "version" or (answer.status_code == 200) == (value <= 10**6)
    if answer.status_code == 200:
        end(client, editor, admin, "7zzzzzzzz8")


@pytest.mark.parametrize("value", [*NUMBERS, *BEYOND])
def test_a_version_in_a_body_never_reaches_the_end_of_its_column(client, editor, value):
    """Of what incidents refer to, and of decisions: it is a precondition and nothing else."""
    community = {"id": "frisian", "name": "Frisian", "aliases": []}
    client.post("/api/v1/communities", json=community, headers=editor)
    for path in ("communities/frisian", "communities/armenian"):
        answer = client.patch(
            f"/api/v1/{path}", json={"description": f"{value}", "version": value}, headers=editor
        )
        assert answer.status_code in (200, 412, 422, 428), answer.text
    forced = {**editor, "If-Match": "*"}
    last = client.patch("/api/v1/communities/frisian", json={"description": ""}, headers=forced)
    assert last.status_code == 200
    assert last.json["version"] < 20


def test_a_contributors_line_brings_no_past(client, contributor, incident):
    line = incident(version=10**6, created_at="1999-01-01T00:00:00Z")
    headers = {**contributor, "Content-Type": "application/x-ndjson"}
    made = client.post(INCIDENTS, data=_ndjson(line), headers=headers).json
    assert {warning["code"] for warning in made["warnings"]} >= {"ignored"}
    record = client.get(f"{INCIDENTS}/{made['ids'][0]}", headers=contributor).json
    assert record["version"] == 1
    assert record["created_at"] > "2020"

"""Inputs that people sent and that went wrong once, each with the right answer.

Places have a table of their own (`tests/test_place_rules.py`); stories of several requests stand
with what they are about. A row says what is sent, the status, and what the answer has to say.
"""

import json
import threading

import pytest

INCIDENTS = "/api/v1/incidents"
COLUMNS = ("title", "type", "date", "city", "country", "communities")
ROW = dict(zip(COLUMNS, ("Clash", "clash", "2019-05-04", "Kyiv", "UA", "armenian"), strict=True))

BODIES = [
    # Numbers
    ({"arrests": ">50"}, 422, ["arrests_low", "51"], []),
    ({"participants": "20 - 30"}, 422, ["participants_low", "20", "participants_high", "30"], []),
    ({"participants": "about 50"}, 422, ["participants", "50", "null"], []),
    ({"arrests": "13"}, 422, ["13"], []),
    ({"participants": "dozens"}, 422, ["participants_low", "24"], []),
    ({"arrests_low": 0}, 200, ["arrests_low"], []),
    ({"arrests": 13}, 200, ['"arrests_low":13', '"arrests_high":13'], []),
    # Dates
    ({"date": "2999-05-01"}, 422, ["date"], []),
    ({"date": "2202-05-01"}, 422, ["2022"], []),
    ({"date": "0020-05-01"}, 200, ["2020"], []),
    ({"date": "Oct-2014"}, 422, ["2014-10"], []),
    ({"date": "early January 2020"}, 422, ["2020-01"], []),
    ({"date": "7/24/2020"}, 422, ["2020-07-24"], []),
    ({"date": "7/4/2020"}, 422, ["2020-07-04", "2020-04-07"], []),
    ({"date": "24.07.2020"}, 422, ["2020-07-24"], []),
    ({"date": "Jul-20"}, 422, ["2020-07", "a day without a year"], []),
    # Words
    ({"venue": "Unknown"}, 200, ["/venue", "null"], []),
    ({"summary": "NA"}, 200, ["/summary", "null"], []),
    ({"title": "A clash \ufffd here"}, 200, ["/title"], []),
    ({"title": "A clash \x85 here"}, 422, ["/title"], []),
    # Communities
    ({"communities": ["Armenians"]}, 200, ['"community":"armenian"'], []),
    ({"communities": ["Armenian"]}, 200, ['"community":"armenian"'], []),
    ({"communities": ["Ermeniler"]}, 200, ['"community":"armenian"'], []),
    # Terms
    ({"type": "Clash"}, 200, ['"type":"clash"'], []),
    ({"type": "brawl"}, 422, ['"suggestion":"clash"'], ['"suggestion":"rally"']),
    ({"type": "fight"}, 422, ['"suggestion":"clash"'], []),
    ({"type": "riot"}, 422, ['"suggestion":"clash"'], []),
]


@pytest.mark.parametrize(("changes", "status", "words", "never"), BODIES)
def test_a_body(changes, status, words, never, client, editor, incident):
    answer = client.post(f"{INCIDENTS}?dry_run=true", json=incident(**changes), headers=editor)
    assert answer.status_code == status, answer.text
    assert [word for word in words if word not in answer.text] == [], answer.text
    assert [word for word in never if word in answer.text] == []


ROWS = [
    ({"arrests": "1.000"}, 422, ["1 ", "1000"]),
    ({"arrests": "12.500"}, 422, ["12500"]),
    ({"arrests": "1,000"}, 422, ["1000"]),
    ({"arrests": "1 000"}, 422, ["1000"]),
    ({"arrests": "13", "arrests_low": "", "arrests_high": ""}, 200, ['"created":1']),
    ({"communities": "armenian, azerbaijani"}, 422, ["separated by", ";"]),
    ({"Origin": "https://news.example/1"}, 200, ["column 'origin'"]),
    ({"source_urls": "https://news.example/1"}, 200, ['"created":1']),
    ({"date": "7/24/2020"}, 422, ["2020-07-24"]),
]


def cell(value):
    return '"{}"'.format(value.replace('"', '""'))


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize(("changes", "status", "words"), ROWS)
def test_a_row(changes, status, words, separator, client, editor):
    row = {**ROW, **changes}
    text = "\n".join(separator.join(map(cell, line)) for line in (row, row.values()))
    sent = {"data": text.encode(), "headers": {**editor, "Content-Type": "text/csv"}}
    answer = client.post(f"{INCIDENTS}?dry_run=true", **sent)
    assert answer.status_code == status, answer.text
    assert [word for word in words if word not in answer.text] == [], answer.text


@pytest.mark.parametrize(("number", "text"), [("13", "13"), ("0", "0")])
def test_a_new_row_without_bounds_is_exact(number, text, client, editor):
    row = {**ROW, "arrests": number, "arrests_low": "", "arrests_high": ""}
    sheet = "\n".join(",".join(map(cell, line)) for line in (row, row.values()))
    headers = {**editor, "Content-Type": "text/csv"}
    assert client.post(INCIDENTS, data=sheet.encode(), headers=headers).json["created"] == 1
    (record,) = client.get(INCIDENTS).json["data"]
    figures = [record[f"arrests{end}"] for end in ("_low", "", "_high", "_text")]
    assert figures == [int(number)] * 3 + [text]


@pytest.mark.parametrize("column", ["Source", "source_urls", "SOURCES"])
def test_addresses_of_a_new_row_are_its_sources(column, client, editor):
    row = {**ROW, column: "https://news.example/1"}
    sheet = "\n".join(",".join(map(cell, line)) for line in (row, row.values()))
    headers = {**editor, "Content-Type": "text/csv"}
    assert client.post(INCIDENTS, data=sheet.encode(), headers=headers).json["created"] == 1
    (record,) = client.get(INCIDENTS).json["data"]
    assert [each["article"]["url"] for each in record["sources"]] == ["https://news.example/1"]


def test_a_record_with_its_required_fields_corrects_one_and_takes_nothing_from_it(
    client, editor, contributor, incident
):
    whole = {"summary": "Two groups quarrelled.", "property_damage": True, "arrests": 13}
    sources = [{"article": {"url": f"https://news.example/{number}"}} for number in range(5)]
    body = incident(**whole, sources=sources, police_measures=["cordon"])
    record = client.post(INCIDENTS, json=body, headers=editor).json
    for correction in ({"arrests": 14}, incident(arrests=15)):
        body = {"corrects": record["id"], **correction}
        draft = client.post(INCIDENTS, json=body, headers=contributor)
        assert draft.status_code == 201, draft.text
        published = client.post(f"{draft.json['url']}/publish", headers={**editor, "If-Match": "1"})
        assert published.status_code == 200, published.text
        now = client.get(record["url"]).json
        assert now["arrests"] == correction["arrests"]
        for name in ("summary", "property_damage", "police_measures", "number_of_sources"):
            assert now[name] == record[name]


def test_a_withdrawal_honours_its_body(client, editor, incident):
    record = client.post(INCIDENTS, json=incident(), headers=editor).json
    reason = {"code": "duplicate", "reason": "Twice."}
    headers = {**editor, "If-Match": "1"}
    assert client.delete(record["url"], json=reason, headers=headers).status_code == 204
    assert client.get(record["url"]).json["code"] == "duplicate"


def test_a_file_that_curl_took_the_line_breaks_out_of_is_recognised(client, editor):
    sheet = "".join(",".join(map(cell, line)) for line in (ROW, *[ROW.values()] * 20))
    headers = {**editor, "Content-Type": "text/csv"}
    answer = client.post(INCIDENTS, data=sheet.encode(), headers=headers)
    assert answer.status_code == 422
    assert "--data-binary" in answer.text
    assert len(answer.json["errors"]) == 1


QUERIES = [
    ("type=clash, protest", ["clash,protest"]),
    ("country=RU, BE", ["RU,BE"]),
    ("type=brawl", ['"suggestion":"clash"']),
    ("search=x", ['"suggestion":"q"']),
    ("text=x", ['"suggestion":"q"']),
    ("query=x", ['"suggestion":"q"']),
    ("from=2020", ['"suggestion":"date_from"']),
    ("since=2020", ["did you mean updated_since or date_from"]),
    ("state=California", ['"suggestion":"admin1"']),
    ("country=South Ossetia", ["is not a country of ISO 3166-1"]),
    ("country=Ermenistana", ['"suggestion":"AM"']),
    ("year=2020", ['"suggestion":"date"']),
    ("ids=3a8a51z8j1", ['"parameter":"ids"']),
    ("police=cordon", ['"suggestion":"police_measure"']),
    ("columns=id", ['"suggestion":"fields"']),
    ("min_arrests=5&max_arrests=4", ["min_arrests=5"]),
]


@pytest.mark.parametrize(("query", "words"), QUERIES)
def test_a_query_that_is_refused(query, words, client):
    answer = client.get(f"{INCIDENTS}?{query}")
    assert answer.status_code == 422
    assert [word for word in words if word not in answer.text] == [], answer.text


ANSWERED = [
    "type=Clash",
    "community=Armenians",
    "publisher=Herald,Lyon",
    "admin1=Bayern",
    "country=Ermenistan",
    "country=Rusland",
    "country=Իրան",
    "country=Moldova, Republic of",
    "country=Taiwan, Province of China",
]


@pytest.mark.parametrize("query", ANSWERED)
def test_a_query_that_is_answered(query, client):
    assert client.get(f"{INCIDENTS}?{query}").json["data"] == []


@pytest.mark.parametrize("name", ["Armenians", "armenian", "Ermeniler"])
def test_a_name_that_another_community_has_is_taken(name, client, editor):
    body = {"id": "another", "name": "Another", "aliases": [name], "description": "Another."}
    answer = client.post("/api/v1/communities", json=body, headers=editor)
    assert (answer.status_code, answer.json["type"]) == (409, "/problems/name-taken")
    assert "armenian" in answer.json["detail"]


def test_a_hundred_and_fifty_unknown_towns_are_refused_and_nobody_waits(app, editor, incident):
    towns = [incident(city=f"Qwertzville {number}", country="US") for number in range(150)]
    lines = b"".join(json.dumps(town).encode() + b"\n" for town in towns)
    headers = {**editor, "Content-Type": "application/x-ndjson"}
    answers = []

    def post():
        answers.append(app.test_client().post(INCIDENTS, data=lines, headers=headers))

    thread = threading.Thread(target=post)
    thread.start()
    posted = []
    while not posted or thread.is_alive():
        body = incident(city="Lyon", country="FR", date=f"19{len(posted) + 10:02}")
        posted.append(app.test_client().post(INCIDENTS, json=body, headers=editor).status_code)
    thread.join()

    assert set(posted) == {201}
    (refused,) = answers
    assert (refused.status_code, refused.json["faults"]) == (422, 150)
    assert {error["pointer"] for error in refused.json["errors"]} == {"/city"}


@pytest.mark.slow
def test_five_hundred_rows_are_undone_by_one_request(client, editor):
    rows = [{**ROW, "title": f"Clash {number}"} for number in range(500)]
    sheet = "\n".join(",".join(map(cell, line)) for line in (ROW, *(r.values() for r in rows)))
    headers = {**editor, "Content-Type": "text/csv"}
    made = client.post(INCIDENTS, data=sheet.encode(), headers=headers).json
    assert made["created"] == 500

    path = f"/api/v1/imports/{made['import_id']}/revert"
    undone = client.post(path, json={"reason": "The wrong file."}, headers=editor)

    assert (undone.status_code, undone.json["withdrawn"]) == (200, 500)
    assert client.get(INCIDENTS).json["data"] == []

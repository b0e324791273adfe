"""Citations of records and releases, as reference managers read them."""

import json
import re

import pytest

TITLE = r"50% of {A} & B_C: 100 \ #1"
TYPES = {
    "bibtex": "application/x-bibtex",
    "ris": "application/x-research-info-systems",
    "csl": "application/vnd.citationstyles.csl+json",
}


def bibtex(text):
    """Return the fields of the one entry in TEXT, without the escapes of TeX."""
    (body,) = re.findall(r"^@misc\{[\w-]+,\n(.*)\n\}\n$", text, re.DOTALL)
    fields = dict(re.findall(r"^  (\w+) = \{(.*)\},?$", body, re.MULTILINE))
    plain = {name: value.replace(r"\textbackslash{}", "\0") for name, value in fields.items()}
    return {
        name: re.sub(r"\\([&%$#_{}])", r"\1", value).replace("\0", "\\")
        for name, value in plain.items()
    }


def ris(text):
    """Return the values of the one reference in TEXT, by tag."""
    lines = text.split("\r\n")
    assert (lines[0], lines[-2:]) == ("TY  - DATA", ["ER  - ", ""])
    return dict(re.fullmatch(r"([A-Z][A-Z0-9])  - (.*)", line).groups() for line in lines[:-1])


def csl(text):
    (item,) = json.loads(text)
    assert item["type"] == "dataset"
    return item


@pytest.fixture
def record(client, editor, incident):
    body = incident(title=TITLE, summary="two\nlines")
    return client.post("/api/v1/incidents", json=body, headers=editor).json


@pytest.fixture
def cite(client):
    """Return a function that asks for a citation by `format` and by Accept, which are the same."""

    def get(path, name):
        answer = client.get(f"{path}?format={name}")
        assert (answer.status_code, answer.mimetype) == (200, TYPES[name]), answer.text
        by_accept = client.get(path, headers={"Accept": TYPES[name]})
        assert by_accept.data == answer.data
        assert "Accept" in answer.headers["Vary"]
        tag = {"If-None-Match": answer.headers["ETag"]}
        assert client.get(f"{path}?format={name}", headers=tag).status_code == 304
        assert client.get(path, headers=tag).status_code == 200
        return {"bibtex": bibtex, "ris": ris, "csl": csl}[name](answer.text)

    return get


def test_a_record_is_cited_with_author_data_set_version_address_and_licence(record, cite, client):
    dataset_version = client.get("/api/v1").json["dataset_version"]
    note = f"Record {record['id']}, version 1; dataset version {dataset_version}; CC BY 4.0"
    address = f"http://127.0.0.1:8000/incidents/{record['id']}"
    author = "The diaspora incident API authors"
    year = record["updated_at"][:4]
    entry = cite(record["url"], "bibtex")
    assert (entry["title"], entry["author"], entry["year"]) == (TITLE, f"{{{author}}}", year)
    assert (entry["howpublished"], entry["note"]) == ("Diaspora incidents", note)
    assert entry["url"] == address
    reference = cite(record["url"], "ris")
    assert (reference["TI"], reference["AU"], reference["PY"]) == (TITLE, author, year)
    assert (reference["T2"], reference["N1"]) == ("Diaspora incidents", note)
    assert reference["UR"] == address
    item = cite(record["url"], "csl")
    assert (item["title"], item["author"]) == (TITLE, [{"literal": author}])
    assert (item["container-title"], item["note"], item["URL"]) == (
        "Diaspora incidents",
        note,
        address,
    )
    assert item["issued"]["date-parts"][0][0] == int(year)


def test_a_release_is_cited_with_its_name_and_doi(record, cite, client, admin):
    body = {"name": "2026-01", "title": "Diaspora incidents 2026", "doi": "10.5281/zenodo.1"}
    made = client.post("/api/v1/releases", json=body, headers=admin)
    assert made.status_code == 201, made.text
    version = made.json["dataset_version"]
    note = (
        f"Release 2026-01, revision 1; dataset version {version}; codebook "
        f"{made.json['codebook_version']}; CC BY 4.0"
    )
    for name, members in {
        "bibtex": ("title", "doi", "note"),
        "ris": ("TI", "DO", "N1"),
        "csl": ("title", "DOI", "note"),
    }.items():
        cited = cite(made.json["url"], name)
        assert [cited[member] for member in members] == [body["title"], body["doi"], note]


def test_another_version_and_a_change_elsewhere_are_cited_anew(record, client, editor, incident):
    path = f"{record['url']}?format=csl"
    first = client.get(path)
    client.post("/api/v1/incidents", json=incident(date="2012-01-01"), headers=editor)
    tag = {"If-None-Match": first.headers["ETag"]}
    assert client.get(path, headers=tag).status_code == 200
    headers = {**editor, "If-Match": first.headers["ETag"]}
    patched = client.patch(record["url"], json={"title": "Other"}, headers=headers)
    assert patched.status_code == 200
    assert client.get(path).json[0]["version"] == "2"
    then = client.get(f"{path}&as_of={record['updated_at']}").json[0]
    assert (then["title"], then["version"]) == (TITLE, "1")


@pytest.mark.parametrize(
    ("query", "accept", "status"),
    [
        ("?format=word", None, 422),
        ("?format=bibtex&fields=id", None, 422),
        ("?format=bibtex", "application/pdf", 406),
        ("", "application/pdf", 200),
        ("", "text/html,*/*;q=0.1", 200),
    ],
)
def test_what_is_no_format_is_refused_and_json_is_the_default(
    record, client, query, accept, status
):
    headers = {"Accept": accept} if accept else {}
    answer = client.get(f"{record['url']}{query}", headers=headers)
    assert answer.status_code == status
    if status == 200:
        assert answer.json["id"] == record["id"]


def test_what_is_gone_is_not_cited(record, client, editor):
    client.delete(record["url"], headers={**editor, "If-Match": "*"})
    assert client.get(f"{record['url']}?format=ris").status_code == 410


def test_a_page_and_its_address_lead_to_citations(record, client):
    path = f"/incidents/{record['id']}"
    page = client.get(path, headers={"Accept": "text/html"}).text
    for name in TYPES:
        assert f'href="{record["url"]}?format={name}"' in page
    assert client.get(path, headers={"Accept": TYPES["bibtex"]}).mimetype == TYPES["bibtex"]

"""What describes a release: read by the programs that archives and researchers use."""

import csv
import io
import json
import shutil
import subprocess

import frictionless
import pytest
from datacite import schema45

from schemas.record_fields import FIELDS
from tests import tools

RELEASES = "/api/v1/releases"


@pytest.fixture
def package(seeded, client, admin, editor, incident, tmp_path):
    """Freeze the seeds and a record in Namibia, and return the folder with the release's files."""
    body = incident(country="NA", city="Windhoek", sources=[], tags=["a", "b"])
    assert client.post("/api/v1/incidents", json=body, headers=editor).status_code == 201
    made = client.post(
        RELEASES, json={"name": "2026-12", "doi": "10.5281/zenodo.1"}, headers=admin
    ).json
    for file in made["files"]:
        tmp_path.joinpath(file["name"]).write_bytes(client.get(file["url"]).data)
    return tmp_path


def read(package, name):
    return json.loads((package / name).read_text())


def test_frictionless_finds_the_package_valid(package):
    report = frictionless.validate(str(package / "datapackage.json"))
    assert report.valid, report.flatten(["title", "rowNumber", "fieldName", "message"])
    table = frictionless.Package(str(package / "datapackage.json")).get_resource("incidents-csv")
    rows = table.read_rows()
    assert len(rows) == 9
    assert {row["country"] for row in rows} >= {"NA", "RU"}
    assert {type(row["arrests"]) for row in rows} == {int, type(None)}


def test_a_cell_that_does_not_fit_its_column_is_found(package):
    file = package / "incidents.csv"
    file.write_text(file.read_text().replace(",RU,", ",RU,", 1).replace(",13,", ",many,", 1))
    report = frictionless.validate(str(package / "datapackage.json"))
    kinds = {error[0] for error in report.flatten(["type"])}
    assert kinds & {"type-error", "hash-count", "byte-count"}


def test_every_column_of_every_table_is_described(package):
    described = {one["path"]: one for one in read(package, "datapackage.json")["resources"]}
    for name in ("incidents.csv", "claims.csv"):
        text = (package / name).read_text(encoding="utf-8-sig")
        header = next(csv.reader(io.StringIO(text)))
        assert [field["name"] for field in described[name]["schema"]["fields"]] == header
    data = {file.name for file in package.iterdir()} - set(DESCRIBING)
    assert described.keys() == data


DESCRIBING = (
    "datapackage.json",
    "datacite.json",
    "codebook.json",
    "LICENSE.txt",
    "citation.bib",
    "SHA256SUMS",
)


def test_datacite_finds_its_metadata_valid(package):
    metadata = read(package, "datacite.json")
    schema45.validator.validate(metadata)
    assert metadata["doi"] == "10.5281/zenodo.1"
    assert metadata["rightsList"][0]["rightsIdentifier"] == "CC-BY-4.0"


def test_the_checksums_are_those_of_the_files(package):
    assert shutil.which("sha256sum")
    done = subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=package, capture_output=True
    )
    assert done.returncode == 0, done.stdout
    assert done.stdout.count(b": OK") == len(list(package.iterdir())) - 1


def test_codebook_licence_and_citation_lie_beside_the_data(package):
    assert read(package, "codebook.json")["fields"].keys() == FIELDS.keys()
    assert "creativecommons.org/licenses/by/4.0" in (package / "LICENSE.txt").read_text()
    assert "10.5281/zenodo.1" in (package / "citation.bib").read_text()


def test_an_erasure_describes_the_new_files(client, admin, package):
    (one,) = client.get("/api/v1/incidents?country=NA").json["data"]
    answer = client.post(f"/api/v1/incidents/{one['id']}/erase", json={"version": 1}, headers=admin)
    assert answer.status_code == 204
    files = {file["name"]: file for file in client.get(f"{RELEASES}/2026-12").json["files"]}
    described = json.loads(client.get(files["datapackage.json"]["url"]).data)
    assert described["version"] == "2026-12-r2"
    hashes = {each["path"]: each["hash"] for each in described["resources"]}
    assert hashes["incidents.csv"] == f"sha256:{files['incidents.csv']['sha256']}"


@pytest.mark.needs("Rscript")
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_r_reads_the_csv_as_the_documentation_says(package):
    code = (
        'd <- read.csv("incidents.csv", na.strings = "", fileEncoding = "UTF-8-BOM");'
        'cat(names(d)[1], class(d$arrests), sum(d$country == "NA"), sum(is.na(d$country)), nrow(d))'
    )
    done = subprocess.run(
        [tools.find("Rscript"), "-e", code], cwd=package, capture_output=True, text=True
    )
    assert done.stdout == "id integer 1 0 9", done.stderr

"""How to cite the project: CITATION.cff is valid, and says what setup.cfg and the licences say."""

import json
from configparser import ConfigParser
from pathlib import Path

import jsonschema_rs
import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
SCHEMA = ROOT / "tests" / "vendor" / "citation-file-format" / "schema.json"
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))


def faults(citation):
    return [error.message for error in jsonschema_rs.validator_for(schema()).iter_errors(citation)]


def schema():
    return json.loads(SCHEMA.read_text(encoding="utf-8"))


def test_it_is_a_citation_file():
    assert faults(CITATION) == []


@pytest.mark.parametrize("change", [{"version": None}, {"authors": []}, {"licence": "MIT"}])
def test_a_wrong_citation_file_is_noticed(change):
    assert faults(CITATION | change) != []


def test_it_agrees_with_the_package():
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg")
    metadata = setup["metadata"]
    assert (CITATION["version"], CITATION["license"]) == (metadata["version"], metadata["license"])
    assert CITATION["abstract"].startswith(metadata["description"])


def test_its_authors_and_licences_are_those_of_the_licence_files():
    (data,) = CITATION["references"]
    for entry, name in ((CITATION, "LICENSE"), (data, "LICENSE-DATA")):
        text = (ROOT / name).read_text(encoding="utf-8")
        for author in entry["authors"]:
            assert author["name"].lower() in text.lower()
    assert data["license"] == "CC-BY-4.0"
    assert "CC BY 4.0" in (ROOT / "LICENSE-DATA").read_text(encoding="utf-8")

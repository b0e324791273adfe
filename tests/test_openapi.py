"""The description of the API: whole, valid, and in step with the code."""

import json
import re
from configparser import ConfigParser
from pathlib import Path

import jsonschema_rs
import pytest
from openapi_spec_validator import validate

from api import config, create_app
from api.core.permissions import PERMISSIONS
from api.http.openapi import document, member_descriptions, operation_of, vocabularies
from api.http.problems import PROBLEM_TYPES
from api.routes.list_exports import INCIDENT_QUERY
from schemas.query.loading import required

REFERENCE = Path(__file__).resolve().parent.parent / "docs" / "reference.md"
APP = create_app({"DATABASE_URL": "sqlite:///:memory:"})
DOCUMENT = document.make(APP)
ROUTES = list(document.routes(APP))
OPERATIONS = [(rule, method, found) for rule, method, found in ROUTES if found is not None]


def described(rule, method):
    return DOCUMENT["paths"][document.path_of(rule)][method.lower()]


def resolved(part):
    """Follow a reference."""
    if "$ref" not in part:
        return part
    _, _, kind, name = part["$ref"].split("/")
    return DOCUMENT["components"][kind][name]


def parameters(rule, method):
    """Return the parameters of an operation by place and name."""
    found = map(resolved, described(rule, method).get("parameters", ()))
    return {(one["in"], one["name"]): one for one in found}


def references(part):
    """List every reference below PART."""
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for below in part.values():
            yield from references(below)
    elif isinstance(part, list):
        for below in part:
            yield from references(below)


def name_of(route):
    rule, method, _ = route
    return f"{method} {rule.rule}"


@pytest.mark.slow
def test_the_document_is_valid_openapi():
    validate(DOCUMENT)
    assert DOCUMENT["openapi"] == "3.1.0"


@pytest.mark.parametrize("route", ROUTES, ids=name_of)
def test_every_route_is_described_or_named_as_internal(route):
    rule, _, operation = route
    assert (operation is None) == (rule.endpoint in document.INTERNAL)


def test_internal_endpoints_exist():
    assert {rule.endpoint for rule, _, _ in ROUTES} >= document.INTERNAL


def test_operation_ids_are_names_and_unique():
    names = [operation.name for _, _, operation in OPERATIONS]
    assert len(names) == len(set(names))
    assert all(re.fullmatch("[a-z]+(_[a-z]+)*", name) for name in names)


def test_the_version_is_that_of_the_package():
    setup = ConfigParser()
    setup.read(REFERENCE.parent.parent / "setup.cfg")
    assert DOCUMENT["info"]["version"] == setup["metadata"]["version"]


def test_no_reference_is_left_open():
    for reference in references(DOCUMENT):
        _, _, kind, name = reference.split("/")
        assert name in DOCUMENT["components"][kind], reference


def test_no_component_is_left_over():
    used = set(references(DOCUMENT))
    left = {
        f"#/components/{kind}/{name}"
        for kind, components in DOCUMENT["components"].items()
        if kind != "securitySchemes"
        for name in components
    } - used
    assert left == set()


@pytest.mark.parametrize("route", OPERATIONS, ids=name_of)
def test_an_operation_says_what_it_does(route):
    rule, method, operation = route
    shown = described(rule, method)
    assert shown["summary"].strip()
    assert len(shown["summary"]) <= 120
    assert not shown["summary"].endswith(".")
    assert "`" not in shown["summary"]  # it is no Markdown
    assert shown["operationId"] == operation.name


@pytest.mark.parametrize("route", OPERATIONS, ids=name_of)
def test_every_parameter_is_described_with_its_rule(route):
    rule, method, operation = route
    shown = parameters(rule, method)
    words = described(rule, method)["description"]
    for name, parameter in operation.query._declared_fields.items():
        if name in operation.in_words:
            assert f"- `{name}`: {parameter.description}" in words
            continue
        one = shown.pop(("query", name))
        assert one["description"]
        assert name == "cursor" or "examples" in one["schema"]
        if parameter.kind == "one":
            assert one["schema"].get("type") != "array"
        else:
            assert one["schema"]["type"] == "array"
            assert (one["style"], one["explode"]) == ("form", parameter.kind == "all")
    for name in rule.arguments:
        assert shown.pop(("path", name.rstrip("_")))["required"]
    assert {where for where, _ in shown} <= {"header"}


@pytest.mark.parametrize("route", OPERATIONS, ids=name_of)
def test_a_reader_says_how_its_values_are_written(route):
    _, _, operation = route
    for name, parameter in operation.query._declared_fields.items():
        assert getattr(parameter.read, "json_schema", None), name


@pytest.mark.parametrize("route", OPERATIONS, ids=name_of)
def test_every_problem_of_an_operation_is_listed_under_its_status(route):
    rule, method, operation = route
    responses = described(rule, method)["responses"]
    for kind in operation.problems:
        response = resolved(responses[str(PROBLEM_TYPES[kind].status)])
        assert f"`{kind}`" in response["description"]
        assert "application/problem+json" in response["content"]


@pytest.mark.parametrize("route", OPERATIONS, ids=name_of)
def test_a_key_is_asked_for_where_the_role_needs_one(route):
    rule, method, operation = route
    security = described(rule, method).get("security", DOCUMENT["security"])
    if operation.permission is None:
        assert security == []
    else:
        assert ({} in security) == (PERMISSIONS[operation.permission] == "public")


def test_an_incident_in_an_answer_has_every_member_typed():
    incident = DOCUMENT["components"]["schemas"]["Incident"]
    assert incident["required"] == list(incident["properties"])
    for name, member in incident["properties"].items():
        assert {"type", "$ref", "anyOf"} & member.keys(), name
        assert member["description"], name


def test_every_member_of_every_schema_says_what_it_means():
    silent = {
        f"{name}.{member}"
        for name, schema in DOCUMENT["components"]["schemas"].items()
        for member, part in schema.get("properties", {}).items()
        if not part.get("description")
    }
    assert silent == set()


def test_no_description_of_a_member_is_left_over():
    found = {
        (name, member)
        for name, schema in DOCUMENT["components"]["schemas"].items()
        for member in schema.get("properties", {})
    }
    written = member_descriptions.BY_COMPONENT.items()
    assert {(name, member) for name, words in written for member in words} <= found
    assert member_descriptions.BY_NAME.keys() <= {member for _, member in found}


def test_what_was_read_may_be_put_back_whole():
    answered = DOCUMENT["components"]["schemas"]["Incident"]["properties"]
    taken = DOCUMENT["components"]["schemas"]["IncidentInput"]
    assert taken["additionalProperties"] is False
    assert answered.keys() <= taken["properties"].keys()


def test_a_community_may_be_given_by_its_id_alone():
    taken = DOCUMENT["components"]["schemas"]["IncidentInput"]["properties"]["communities"]
    bare, entry = resolved(taken["items"])["anyOf"]
    assert resolved(bare)["type"] == "string"
    assert entry == {"$ref": "#/components/schemas/CommunityEntryInput"}


def test_vocabularies_bounds_and_defaults_reach_the_document():
    rule = next(rule for rule, method, one in OPERATIONS if one.name == "list_incidents")
    shown = parameters(rule, "GET")
    assert "clash" in resolved(shown["query", "type"]["schema"]["items"])["enum"]
    assert shown["query", "limit"]["schema"] == {
        "type": "integer",
        "minimum": 1,
        "maximum": 1000,
        "default": 50,
        "examples": [20],
    }
    assert shown["query", "sort"]["schema"]["default"] == "-date"
    assert set(INCIDENT_QUERY._declared_fields) - {"fields", "format"} == {
        name for where, name in shown if where == "query"
    }


@pytest.mark.parametrize("route", OPERATIONS, ids=name_of)
def test_every_success_of_an_operation_has_one_type(route):
    rule, method, _ = route
    answers = described(rule, method)["responses"].items()
    shapes = [
        json.dumps(shown.get("schema"))
        for status, answer in answers
        if status.startswith("2")
        for shown in answer.get("content", {}).values()
    ]
    assert len(set(shapes)) <= 1
    assert not any("anyOf" in shape for shape in shapes)


def schemas(part, place=""):
    """List what stands below PART with its place, but for examples."""
    if isinstance(part, dict):
        yield place, part
        for name, below in part.items():
            if name not in ("example", "examples"):
                yield from schemas(below, f"{place}/{name}")
    elif isinstance(part, list):
        for below in part:
            yield from schemas(below, place)


def test_what_generators_would_name_by_a_number_has_a_name():
    """Enumerations, unions and objects are components: inline, others would decide their names."""
    found = [
        place
        for place, part in schemas({"paths": DOCUMENT["paths"], **DOCUMENT["components"]})
        if not re.fullmatch("/schemas/[A-Za-z]+", place)
        if isinstance(part.get("enum"), list)
        or (isinstance(part.get("type"), str | list) and isinstance(part.get("properties"), dict))
        or len([one for one in part.get("anyOf", ()) if one != {"type": "null"}]) > 1
    ]
    assert found == []


def test_constants_of_enumerations_can_be_names():
    for _, part in schemas(DOCUMENT["components"]["schemas"]):
        names = part.get("x-enum-varnames", part.get("enum", ()))
        assert all(re.match("[a-z]", name) for name in names)


def test_two_enumerations_of_one_name_are_refused():
    document_ = {"components": {"schemas": {"Kind": {"type": "string", "enum": ["one"]}}}}
    parameter = {"in": "query", "name": "kind", "schema": {"type": "string", "enum": ["two"]}}
    with pytest.raises(ValueError, match="called Kind"):
        vocabularies.with_named_enums({**document_, "paths": {"/": {"parameters": [parameter]}}})


def test_inputs_do_not_part_what_is_written_from_what_is_read():
    assert not [place for place, part in schemas(DOCUMENT) if {"writeOnly", "readOnly"} & {*part}]


def test_every_link_leads_to_an_operation_that_takes_what_it_gives():
    taken = {
        operation.name: {f"{place}.{name}" for place, name in parameters(rule, method)}
        for rule, method, operation in OPERATIONS
    }
    for name, link in DOCUMENT["components"]["links"].items():
        assert link["parameters"].keys() <= taken[link["operationId"]], name


def test_a_link_leads_to_every_operation_on_one_thing():
    led_to = {link["operationId"] for link in DOCUMENT["components"]["links"].values()}
    on_one = {operation.name for rule, _, operation in OPERATIONS if rule.arguments}
    # To the first every problem's `type` leads, to the other the sitemap.
    assert on_one - led_to == {"problem_page", "sitemap_part"}


@pytest.mark.slow
def test_examples_fit_their_schemas():
    for place, part in schemas({"paths": DOCUMENT["paths"], **DOCUMENT["components"]}):
        schema = part.get("schema")
        if not isinstance(schema, dict):
            continue
        named = map(resolved, part.get("examples", {}).values())
        values = [*(one["value"] for one in named), *schema.get("examples", ())]
        values += [part["example"]] if "example" in part else []
        check = jsonschema_rs.Draft202012Validator(
            {**schema, "components": {"schemas": DOCUMENT["components"]["schemas"]}}
        )
        for value in values:
            assert check.is_valid(value), (place, next(check.iter_errors(value)).message)


@pytest.mark.parametrize("suffix", ["csv", "geojson", "ndjson"])
def test_an_export_is_an_operation_and_whole_unless_a_limit_is_given(suffix):
    operation = DOCUMENT["paths"][f"/api/v1/incidents.{suffix}"]["get"]
    limit = next(one for one in operation["parameters"] if one.get("name") == "limit")
    assert "default" not in limit["schema"]
    whole, part = operation["responses"]["200"], operation["responses"]["206"]
    assert whole["content"] == part["content"]
    assert "Content-Range" in part["headers"]


def test_the_server_is_the_public_address():
    app = create_app(
        {"DATABASE_URL": "sqlite:///:memory:", "PUBLIC_URL": "https://incidents.example"}
    )
    assert document.make(app)["servers"] == [{"url": "https://incidents.example"}]
    assert DOCUMENT["servers"] == [{"url": "/"}]


def test_the_document_is_served_with_a_tag(client):
    first = client.get("/openapi.json")
    assert first.json == DOCUMENT
    again = client.get("/openapi.json", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


# What a parameter says nothing without.
BESIDE = {"radius_km": "&near=Brussels"}


@pytest.mark.slow
def test_every_example_of_a_parameter_is_answered(seeded, client, admin):
    for rule, method, operation in OPERATIONS:
        if method != "GET" or rule.arguments:
            continue
        for name, parameter in operation.query._declared_fields.items():
            if name == "cursor" or (name == "format" and "." in rule.rule):
                continue
            mark = f"&{name}=" if parameter.kind == "all" else "&"
            query = f"{name}={parameter.example.replace('&', mark)}{BESIDE.get(name, '')}"
            for other in set(required(operation.query)) - {name}:
                query += f"&{other}={operation.query._declared_fields[other].example}"
            headers = admin if PERMISSIONS.get(operation.permission, "public") != "public" else {}
            answer = client.get(f"{rule.rule}?{query}", headers=headers)
            assert answer.status_code == 200, (query, answer.text)


def test_defaults_may_be_sent_all_together(seeded, client, admin):
    """Clients that are generated, and the page at /docs, send every default that is declared."""
    for rule, method, operation in OPERATIONS:
        # Whom to write to is told only where the operator has set it.
        if method != "GET" or rule.arguments or rule.rule == "/.well-known/security.txt":
            continue
        given = {
            name: parameter.default
            if isinstance(parameter.default, str)
            else json.dumps(parameter.default)
            for name, parameter in operation.query._declared_fields.items()
            if parameter.default is not None and name not in operation.in_words
        }
        for name in required(operation.query):
            given[name] = operation.query._declared_fields[name].example
        answer = client.get(rule.rule, query_string=given, headers=admin)
        assert answer.status_code == 200, (given, answer.text)


@pytest.mark.parametrize("path", [path for path in DOCUMENT["paths"] if "{" not in path])
def test_a_fixed_path_allows_the_methods_of_its_description_alone(path):
    """The name of an address beside records, such as `dry-run`, is never the id of a record."""
    described_methods = {method.upper() for method in DOCUMENT["paths"][path]}
    allowed = set(APP.url_map.bind("localhost").allowed_methods(path))
    assert allowed - {"HEAD", "OPTIONS"} <= described_methods


def test_every_tag_says_what_it_gathers():
    assert all(tag.get("description") for tag in DOCUMENT["tags"])


def test_every_example_of_a_filter_finds_a_record(seeded, client):
    silent = {"min_deaths", "max_deaths", "min_participants", "max_participants"}  # the seeds are
    silent |= {"tag", "external_id", "place"}
    for name, parameter in INCIDENT_QUERY._declared_fields.items():
        if name == "cursor" or name in silent:
            continue
        query = f"{name}={parameter.example.replace('&', f'&{name}=')}{BESIDE.get(name, '')}"
        assert client.get(f"/api/v1/incidents?{query}").json["data"], query


def test_the_contract_is_watched(app, client):
    """What a view answers against its description fails the test that asked."""
    view = app.view_functions["service.healthz"]
    operation = operation_of(view)
    broken = app.extensions["contract"]
    client.get("/healthz")
    assert broken == []
    view.operation = None
    try:
        view.operation = type(operation)(**{**vars(operation), "answers": {}})
        client.get("/healthz")
        assert len(broken) == 1
        broken.clear()
    finally:
        view.operation = operation


def test_the_reference_is_current(runner, tmp_path):
    written = tmp_path / "reference.md"
    result = runner.invoke(args=["docs", str(written)])
    assert result.exit_code == 0, result.output
    assert written.read_text() == REFERENCE.read_text(), "write it anew: make docs"


@pytest.mark.parametrize("route", OPERATIONS, ids=name_of)
def test_every_endpoint_and_parameter_is_in_the_reference(route):
    rule, method, operation = route
    text = REFERENCE.read_text()
    assert f"#### `{method} {document.path_of(rule)}`\n" in text
    for name in operation.query._declared_fields:
        assert re.search(rf"^- (`\w+`, )*`{name}`", text, re.MULTILINE), name


def test_a_shared_parameter_is_explained_once_where_its_name_leads():
    text = REFERENCE.read_text()
    links = set(re.findall(r"\[`(\w+)`\]\(#([\w-]+)\)", text))
    assert ("cursor", "other-parameters") in links
    for name, anchor in links:
        title = anchor.replace("-", " ").capitalize()
        section = text.partition(f"\n### {title}\n")[2].partition("\n#")[0]
        assert re.findall(rf"^- (?:`\w+`, )*`{name}`", section, re.MULTILINE), (name, anchor)


def test_every_problem_and_setting_is_in_the_reference():
    text = REFERENCE.read_text()
    for name in (*PROBLEM_TYPES, *config.settings()):
        assert re.search(rf"^- (`\w+` \(\S+\), )?`{name}` \(", text, re.MULTILINE), name

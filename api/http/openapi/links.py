"""Links: which operation an answer leads to, and with which of its values."""

from collections.abc import Iterator

from api.http.openapi.schema_builders import JsonSchema

_BODY = "$response.body#"
_ID = {"path.id": f"{_BODY}/id"}
_BASED_ON = {"header.If-Match": "$response.header.ETag"}
_SOURCE = {"path.article_id": f"{_BODY}/sources/0/article/id"}
_NUMBER = {"path.number": f"{_BODY}/version"}
_RELEASE = {"path.name": f"{_BODY}/name"}

# By the component of an answer: the operations that it leads to, with the values for them.
_LEADING: dict[str, dict[str, dict[str, str]]] = {
    "Incident": {
        "read_incident": _ID,
        "list_versions": _ID,
        "read_version": _ID | _NUMBER,
        "read_ledger": _ID,
        "list_similar": _ID,
        "judge_distinct": _ID,
        "ogc_item": _ID,
        "amend_incident": _ID | _BASED_ON,
        "replace_incident": _ID | _BASED_ON,
        "add_source": _ID | _BASED_ON,
        "remove_source": _ID | _SOURCE | _BASED_ON,
        "publish_incident": _ID | _BASED_ON,
        "reject_incident": _ID | _BASED_ON,
        "merge_incident": _ID | _BASED_ON,
        "restore_version": _ID | _NUMBER | _BASED_ON,
        "withdraw_incident": _ID | _BASED_ON,
        "erase_incident": _ID | _BASED_ON,
    },
    "IncidentPage": {
        "read_incident": {"path.id": f"{_BODY}/data/0/id"},
        "read_ledger": {"path.id": f"{_BODY}/data/0/id"},
    },
    **{
        component: {
            f"read_{noun}": _ID,
            **{f"{verb}_{noun}": _ID | _BASED_ON for verb in verbs},
        }
        for component, noun, verbs in (
            ("Article", "article", ("amend", "replace", "delete", "erase")),
            ("Community", "community", ("amend", "replace", "delete", "erase")),
            ("Episode", "episode", ("amend", "replace", "delete", "erase")),
            ("AddedPlace", "place", ("amend", "delete", "erase")),
        )
    },
    "ImportSummary": {"revert_import": {"path.id": f"{_BODY}/import_id"}},
    "NewApiKey": {"revoke_key": _ID},
    "Release": {
        "read_release": _RELEASE,
        "name_doi": _RELEASE,
        "read_file": _RELEASE | {"path.file_name": f"{_BODY}/files/0/name"},
    },
}


def of(schema: JsonSchema) -> list[str]:
    """Return the names of the links of an answer with SCHEMA."""
    answer = schema.get("$ref", "").rpartition("/")[2]
    return [_name(answer, operation) for operation in _LEADING.get(answer, ())]


def components() -> Iterator[tuple[str, JsonSchema]]:
    """Yield every link with its name."""
    for answer, operations in _LEADING.items():
        for operation, values in operations.items():
            yield _name(answer, operation), {"operationId": operation, "parameters": values}


def _name(answer: str, operation: str) -> str:
    return f"{answer}.{operation}"

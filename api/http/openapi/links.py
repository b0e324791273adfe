"""Links: which operation an answer leads to, and with which of its values."""

from collections.abc import Iterator

from api.http.openapi.schema_builders import JsonSchema

_ID = "$response.body#/id"
# By the component of an answer: the value that leads on, the operations that read by it, and those
# that change it.
_LEADING: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "Incident": (
        _ID,
        ("read_incident", "list_versions", "read_ledger", "list_similar"),
        ("amend_incident", "add_source", "publish_incident", "withdraw_incident"),
    ),
    "IncidentPage": ("$response.body#/data/0/id", ("read_incident", "read_ledger"), ()),
    "Article": (_ID, ("read_article",), ("amend_article", "delete_article")),
    "Community": (_ID, ("read_community",), ("amend_community", "delete_community")),
    "Episode": (_ID, ("read_episode",), ("amend_episode", "delete_episode")),
    "AddedPlace": (_ID, ("read_place",), ("amend_place", "delete_place")),
    "ImportSummary": ("$response.body#/import_id", ("revert_import",), ()),
}


def of(schema: JsonSchema) -> list[str]:
    """Return the names of the links of an answer with SCHEMA."""
    answer = schema.get("$ref", "").rpartition("/")[2]
    _, reads, changes = _LEADING.get(answer, ("", (), ()))
    return [_name(answer, operation) for operation in (*reads, *changes)]


def components() -> Iterator[tuple[str, JsonSchema]]:
    """Yield every link with its name."""
    for answer, (id_, reads, changes) in _LEADING.items():
        for operation in (*reads, *changes):
            values = {"path.id": id_}
            if operation in changes:
                values["header.If-Match"] = "$response.header.ETag"
            yield _name(answer, operation), {"operationId": operation, "parameters": values}


def _name(answer: str, operation: str) -> str:
    return f"{answer}.{operation}"

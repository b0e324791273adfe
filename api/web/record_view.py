"""Pages: a record laid out for reading, with what each source says and what changed."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from api.documents import claim_of
from api.web import labels
from schemas.claims import CLAIM_FIELDS, conflicts_by_claim
from schemas.counts import COUNT_FIELDS
from schemas.record_fields import FIELDS, STATE_FIELDS

_MOST_CONFLICTS = 20
# What follows from other fields, or goes up by itself, is no change worth telling.
_BY_THEMSELVES = {field.name for field in FIELDS.values() if field.derived} - {
    "former_ids",
    "review",
}
# The fields that have a place of their own on the page; others stand behind them in a list.
_PLACED = frozenset(
    (
        *("title", "summary", "type", "date", "venue"),
        *("property_damage", "police_measures", "tags", "episode", "sources"),
    )
)


@dataclass(slots=True)
class Statement:
    """What one or more sources say in the same words about the same part of the incident."""

    says: str
    about: str
    community: str | None
    conflicting: bool
    against: list[str] = field(default_factory=list)
    by: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Ledger:
    """All that is said on one field, beside the headline figure."""

    field: str
    name: str
    headline: str
    disputed: bool
    statements: Sequence[Statement]


def ledgers(record: Mapping[str, Any], communities: Mapping[str, str]) -> list[Ledger]:
    """Lay out the claims of RECORD by field; those that disagree stand side by side."""
    rows = [
        (claim, source, number)
        for number, source in enumerate(record["sources"], 1)
        for claim in source["claims"]
    ]
    against = conflicts_by_claim([claim_of(claim) for claim, _, _ in rows], _MOST_CONFLICTS)
    fields: dict[str, dict[Any, Statement]] = defaultdict(dict)
    for index, (claim, source, number) in enumerate(rows):
        name = claim["field"]
        says = labels.figure(claim)
        conflicting = index in against
        key = (says, claim["scope"], claim["community"], conflicting)
        if key not in fields[name]:
            community = claim["community"]
            fields[name][key] = Statement(
                says,
                claim["scope"] or "the whole incident",
                communities.get(community, community),
                conflicting,
            )
        entry = fields[name][key]
        if conflicting:
            figures = (labels.figure(rows[other][0]) for other in against[index][1])
            entry.against = list(dict.fromkeys([*entry.against, *figures]))
        entry.by.append({"source": source, "number": number, "claim": claim})
    return [
        Ledger(
            name,
            labels.field(name),
            headline(record, name),
            name in record["disputed"],
            sorted(fields[name].values(), key=lambda statement: not statement.conflicting),
        )
        for name in CLAIM_FIELDS
        if name in fields
    ]


def facts(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return name and value of the fields that have no place of their own, as far as given."""
    rows = []
    for field_ in STATE_FIELDS:
        value = record[field_.name]
        if field_.group is None and field_.name not in _PLACED and value not in (None, []):
            words = map(field_.spell, value) if isinstance(value, list) else [str(value)]
            rows.append((labels.field(field_.name), ", ".join(words)))
    return rows


def all_facts(
    record: Mapping[str, Any], communities: Mapping[str, str], episodes: Mapping[str, str]
) -> list[tuple[str, str]]:
    """Return name and value of all that RECORD says but its title, claims and sources."""
    rows = [("Date", labels.when(record["date"])), ("Place", labels.where(record))]
    for one in record["communities"]:
        name = communities.get(one["community"], one["community"])
        rows.append(("Community", f"{name} ({labels.label('role', one['role']).lower()})"))
    rows += [(labels.field(name), str(record[f"{name}_text"])) for name in COUNT_FIELDS]
    rows.append(("Property damage", labels.yes_or_no(record["property_damage"])))
    measures = [labels.label("police_measures", one) for one in record["police_measures"]]
    rows.append(("Police measures", ", ".join(measures) or "none reported"))
    if record["episode"]:
        rows.append(("Episode", episodes.get(record["episode"], record["episode"])))
    if record["tags"]:
        rows.append(("Tags", ", ".join(record["tags"])))
    return [*rows, *facts(record)]


def reference_facts(one: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return name and value of what an article, a community or an episode says of itself."""
    placed = ("id", "version", "name", "title", "description", "url", "created_at", "updated_at")
    return [
        (labels.field(name), ", ".join(value) if isinstance(value, list) else str(value))
        for name, value in one.items()
        if name not in placed and value not in (None, [])
    ]


def headline(record: Mapping[str, Any], name: str) -> str:
    """Say what the record itself holds for a field."""
    if name in COUNT_FIELDS:
        return str(record[f"{name}_text"])
    if name == "date":
        return labels.when(record["date"])
    return labels.value(name, record[name])


@dataclass(frozen=True, slots=True)
class Change:
    """What a version changed in one place."""

    name: str
    before: str
    after: str


def changes(
    entry: Mapping[str, Any], before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> list[Change]:
    """Lay out what a version of the history changed, field by field.

    BEFORE and AFTER are the documents of the version before and its own.
    """
    if before is None or after is None or not entry.get("patch"):
        return []
    fields = dict.fromkeys(_unit(part["path"].split("/")[1]) for part in entry["patch"])
    return [
        Change(labels.field(name), _shown(name, before), _shown(name, after))
        for name in fields
        if name not in _BY_THEMSELVES
    ]


def _unit(name: str) -> str:
    """Return the count that a bound is of: both are said in one, since no bound is not zero."""
    field_ = FIELDS.get(name)
    return field_.group if field_ and field_.group in COUNT_FIELDS else name


def _shown(name: str, record: Mapping[str, Any]) -> str:
    value = record.get(name)
    if name in COUNT_FIELDS:
        return str(record[f"{name}_text"])
    if name == "sources":
        return "; ".join(
            ", ".join(
                filter(None, (_title(source["article"]), source["locator"], _claims_line(source)))
            )
            for source in value or ()
        )
    return labels.value(name, value)


def _claims_line(source: Mapping[str, Any]) -> str:
    claims = (
        f"{labels.field(claim['field']).lower()}: {labels.figure(claim)}"
        for claim in source["claims"]
    )
    return "; ".join(claims)


def _title(article: Mapping[str, Any]) -> str:
    return str(article["title"] or article["url"])


def citation(record: Mapping[str, Any], address: str) -> str:
    """Write how to cite RECORD, by the version that is shown."""
    return (
        f"“{record['title']}.” Diaspora incidents, record {record['id']}, "
        f"version {record['version']} ({labels.moment(record['updated_at'])}). {address}"
    )

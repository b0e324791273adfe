"""The codebook: what every field and every word means, without what a database knows."""

from dataclasses import asdict
from typing import Any

from schemas import record_fields, vocabulary
from schemas.record_fields import RecordField

_SHOWN = ("type", "definition", "unit", "unknown", "vocabulary", "derived")


def contents() -> dict[str, Any]:
    """Return the codebook, but for the completeness of fields."""
    return {
        "version": record_fields.VERSION,
        "inclusion_rule": vocabulary.INCLUSION_RULE,
        "not_for": list(vocabulary.NOT_FOR),
        "count_words": {
            "rule": vocabulary.COUNT_WORDS_RULE,
            "low": dict(vocabulary.COUNT_WORDS),
        },
        "fields": {name: _shown(field) for name, field in record_fields.FIELDS.items()},
        "vocabularies": {each.name: _vocabulary(each) for each in vocabulary.VOCABULARIES},
        "crosswalk_schemes": dict(vocabulary.CROSSWALK_SCHEMES),
        "deprecations": [dict(each) for each in record_fields.DEPRECATIONS],
    }


def _shown(field: RecordField) -> dict[str, Any]:
    """Return what the codebook shows of a field."""
    return {name: getattr(field, name) for name in _SHOWN}


def _vocabulary(terms: vocabulary.Vocabulary) -> dict[str, Any]:
    return {
        "description": terms.description,
        "terms": [
            {
                "id": term.id,
                "label": term.label,
                "definition": term.definition,
                "crosswalk": {
                    scheme: asdict(counterpart) for scheme, counterpart in term.crosswalk.items()
                },
            }
            for term in terms.values()
        ],
    }

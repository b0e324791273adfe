"""The closed vocabularies: well formed, defined, and with a crosswalk that hides no gap."""

import re
from dataclasses import asdict

import pytest

from schemas import vocabulary
from schemas.vocabulary import (
    COUNT_WORDS,
    COUNT_WORDS_RULE,
    CROSSWALK_SCHEMES,
    DATE_PRECISIONS,
    EVENT_TYPES,
    GEO_PRECISIONS,
    NOT_FOR,
    VOCABULARIES,
    Term,
    Vocabulary,
)

TERMS = [
    pytest.param(term, id=f"{terms.name}-{term.id}")
    for terms in VOCABULARIES
    for term in terms.values()
]


def test_every_vocabulary_of_the_module_is_listed_once():
    defined = [v for v in vars(vocabulary).values() if isinstance(v, Vocabulary)]
    assert {v.name for v in defined} == {v.name for v in VOCABULARIES}
    assert len({v.name for v in VOCABULARIES}) == len(VOCABULARIES)


@pytest.mark.parametrize("term", TERMS)
def test_a_term_has_a_slug_a_label_and_a_definition_in_a_sentence(term):
    assert re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", term.id)
    assert term.label.strip() == term.label != ""
    assert re.fullmatch(r"[A-Z].*\.", term.definition)


@pytest.mark.parametrize("term", TERMS)
def test_a_crosswalk_names_known_schemes_and_no_detail_without_a_code(term):
    assert set(term.crosswalk) <= set(CROSSWALK_SCHEMES)
    for counterpart in term.crosswalk.values():
        assert counterpart.code is not None or counterpart.detail is None


@pytest.mark.parametrize(
    ("terms", "schemes"),
    [
        pytest.param(EVENT_TYPES, {"acled", "plover"}, id="type"),
        pytest.param(GEO_PRECISIONS, {"acled", "ucdp"}, id="geo_precision"),
        pytest.param(DATE_PRECISIONS, {"acled", "ucdp"}, id="date_precision"),
    ],
)
def test_every_term_says_its_counterpart_in_each_scheme_or_that_there_is_none(terms, schemes):
    said = {term.id: set(term.crosswalk) for term in terms.values()}
    assert said == dict.fromkeys(terms, schemes)


def test_acled_event_types_carry_sub_events_that_belong_to_them():
    belongs = {
        "Protests": {"Peaceful protest"},
        "Riots": {"Mob violence"},
        "Violence against civilians": {"Attack"},
        "Strategic developments": {"Looting/property destruction", "Change to group/activity"},
    }
    found = [term.crosswalk["acled"] for term in EVENT_TYPES.values()]
    assert all(c.detail in belongs[c.code] for c in found if c.code is not None)


def test_membership_iteration_and_lookup_are_those_of_a_mapping_from_ids():
    assert "clash" in EVENT_TYPES
    assert "Clash" not in EVENT_TYPES
    assert next(iter(EVENT_TYPES)) == "clash"
    assert EVENT_TYPES["clash"].id == "clash"


def test_an_id_defined_twice_is_refused():
    with pytest.raises(ValueError, match="twice"):
        Vocabulary("v", "", Term("a", "A", "A."), Term("a", "A", "A."))


def test_a_term_becomes_plain_data_for_the_codebook():
    plain = asdict(EVENT_TYPES["dispute"])
    assert plain["crosswalk"]["acled"]["code"] is None
    assert plain["crosswalk"]["plover"] == {
        "code": "ACCUSE",
        "detail": "disapprove",
        "note": None,
    }


def test_words_for_counts_are_lower_bounds_that_the_rule_spells_out():
    assert dict(COUNT_WORDS) == {"dozens": 24, "hundreds": 200, "thousands": 2000}
    assert all(f"{word} {low}" in COUNT_WORDS_RULE for word, low in COUNT_WORDS.items())
    with pytest.raises(TypeError):
        COUNT_WORDS["scores"] = 40


def test_the_limits_of_use_are_whole_sentences():
    assert all(re.fullmatch(r"To .*\.", limit) for limit in NOT_FOR)

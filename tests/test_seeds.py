"""The curated files, checked as files: well formed, whole, and every figure with its claim.

The articles themselves are not in the repository, so what they say cannot be tested here; that
figures, claims, vocabularies and references agree with each other can.
"""

import json
import math
import re
from collections import defaultdict
from pathlib import Path

import pytest

from schemas.dates import parse
from schemas.name_folding import fold
from schemas.vocabulary import COUNT_WORDS, EVENT_TYPES, POLICE_MEASURES, ROLES

SEEDS = Path(__file__).parent.parent / "seeds"
FILES = sorted(SEEDS.rglob("*.json"))
INCIDENT_FILES = sorted((SEEDS / "incidents").glob("*.json"))
COUNTS = ("arrests", "injuries", "deaths", "participants", "injuries_police")
RECORD_ID = re.compile(r"[0-9abcdefghjkmnpqrstvwxyz]{10}")
SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
DERIVED = {
    "url",
    "version",
    "date_start",
    "date_end",
    "date_precision",
    "country_name",
    "geonames_id",
    "disputed",
    "number_of_sources",
    "created_at",
    "updated_at",
    *(f"{count}_text" for count in COUNTS),
}


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


ARTICLES = read(SEEDS / "articles.json")
COMMUNITIES = read(SEEDS / "communities.json")
EPISODES = read(SEEDS / "episodes.json")
INCIDENTS = {path.stem: read(path) for path in INCIDENT_FILES}

each_incident = pytest.mark.parametrize("slug", INCIDENTS)


def claims_of(incident, field, community=None):
    return [
        claim
        for source in incident["sources"]
        for claim in source["claims"]
        if claim["field"] == field and claim.get("community") == community
    ]


def claim_range(claim):
    """Return the numbers that CLAIM allows; none for words alone."""
    if claim.get("value") is not None:
        return claim["value"], claim["value"]
    if claim.get("low") is None and claim.get("high") is None:
        return math.inf, -math.inf
    low, high = claim.get("low"), claim.get("high")
    return (0 if low is None else low), (math.inf if high is None else high)


def figures_of(incident):
    """Yield every figure as field, community (None: the incident) and its given numbers."""
    for holder, fields, community in [
        (incident, COUNTS, None),
        *((entry, ["participants"], entry["community"]) for entry in incident["communities"]),
    ]:
        for field in fields:
            given = {end: holder.get(f"{field}{end}") for end in ("_low", "", "_high")}
            if any(number is not None for number in given.values()):
                yield field, community, given


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_file_is_written_as_json_writes_it_so_that_changes_stay_small(path):
    text = path.read_text(encoding="utf-8")
    assert text == json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n"


def test_ids_are_well_formed_and_given_once():
    ids = [record["id"] for record in [*ARTICLES, *INCIDENTS.values()]]
    assert all(RECORD_ID.fullmatch(id_) for id_ in ids)
    assert len(set(ids)) == len(ids)
    slugs = [term["id"] for term in [*COMMUNITIES, *EPISODES]]
    assert all(SLUG.fullmatch(slug) for slug in [*slugs, *INCIDENTS])
    assert len(set(slugs)) == len(slugs)


def names_of(term):
    return [term["id"], term["name"], *term["aliases"]]


@pytest.mark.parametrize("terms", [COMMUNITIES, EPISODES], ids=["communities", "episodes"])
def test_a_term_has_a_description_and_each_of_its_names_is_of_no_other(terms):
    owners = defaultdict(set)
    for term in terms:
        assert term["name"]
        assert term["description"]
        for name in names_of(term):
            owners[fold(name)].add(term["id"])
    assert "" not in owners
    assert {name: ids for name, ids in owners.items() if len(ids) > 1} == {}


def test_communities_stand_in_order_and_have_their_plural_and_one_or_two_sentences():
    ids = [term["id"] for term in COMMUNITIES]
    assert ids == sorted(ids)
    assert len(ids) >= 120
    for term in COMMUNITIES:
        assert len(set(names_of(term))) == len(names_of(term))
        assert len(term["aliases"]) >= 5
        assert term["description"].endswith(".")


def test_incidents_use_terms_of_the_vocabularies_and_every_episode_has_one():
    entries = [entry for i in INCIDENTS.values() for entry in i["communities"]]
    assert {entry["community"] for entry in entries} <= {term["id"] for term in COMMUNITIES}
    assert {term["id"] for term in EPISODES} == {i["episode"] for i in INCIDENTS.values()}


def test_articles_state_every_member_and_have_a_title_or_an_address():
    members = {
        "id",
        "title",
        "publisher",
        "author",
        "published",
        "language",
        "url",
        "archive_url",
        "syndicated_from",
        "text_sha256",
    }
    for article in ARTICLES:
        assert set(article) == members
        assert article["title"] or article["url"]
        parse(article["published"])


@each_incident
def test_an_incident_has_what_is_required_and_nothing_that_is_derived(slug):
    incident = INCIDENTS[slug]
    for field in ("id", "title", "summary", "type", "date", "country", "communities", "sources"):
        assert incident[field]
    assert incident["city"]
    assert not DERIVED & set(incident)
    parse(incident["date"])


@each_incident
def test_an_incident_uses_terms_of_the_vocabularies(slug):
    incident = INCIDENTS[slug]
    assert incident["type"] in EVENT_TYPES
    assert set(incident.get("police_measures", [])) <= set(POLICE_MEASURES)
    assert {entry["role"] for entry in incident["communities"]} <= set(ROLES)


@each_incident
def test_a_source_cites_a_known_article_at_a_paragraph(slug):
    known = {article["id"] for article in ARTICLES}
    cited = [(source["article"], source["locator"]) for source in INCIDENTS[slug]["sources"]]
    assert {article for article, _ in cited} <= known
    assert all(re.fullmatch(r"paragraph [1-9]\d*", locator) for _, locator in cited)
    assert len(set(cited)) == len(cited)


@each_incident
def test_every_figure_rests_on_a_claim_that_allows_it(slug):
    incident = INCIDENTS[slug]
    for field, community, given in figures_of(incident):
        claims = claims_of(incident, field, community)
        ranges = [claim_range(claim) for claim in claims]
        numbers = [number for number in given.values() if number is not None]
        assert any(all(low <= n <= high for n in numbers) for low, high in ranges), field


@each_incident
def test_bounds_are_in_order_and_injured_officers_are_among_the_injured(slug):
    incident = INCIDENTS[slug]
    for _, _, given in figures_of(incident):
        numbers = [number for number in given.values() if number is not None]
        assert numbers == sorted(numbers)
    police = incident.get("injuries_police")
    assert police is None or incident["injuries"] >= police


@each_incident
def test_damage_and_a_known_day_rest_on_claims(slug):
    incident = INCIDENTS[slug]
    if "property_damage" in incident:
        said = [claim.get("value") for claim in claims_of(incident, "property_damage")]
        assert incident["property_damage"] in said
    if parse(incident["date"]).precision == "day":
        assert incident["date"] in [claim.get("value") for claim in claims_of(incident, "date")]


@each_incident
def test_claims_are_a_few_words_and_speak_of_communities_that_took_part(slug):
    incident = INCIDENTS[slug]
    present = {entry["community"] for entry in incident["communities"]}
    for claim in [claim for source in incident["sources"] for claim in source["claims"]]:
        assert claim["field"] in {*COUNTS, "property_damage", "date", "type"}
        assert 1 <= len(claim["text"].split()) <= 8
        assert claim.get("community") in {None, *present}
        if claim["field"] == "date" and "value" in claim:
            parse(claim["value"])
        if claim["field"] == "type" and "value" in claim:
            assert claim["value"] in EVENT_TYPES


@each_incident
def test_a_word_for_a_count_is_the_lower_bound_of_the_codebook_and_no_best_figure(slug):
    incident = INCIDENTS[slug]
    for field, community, given in figures_of(incident):
        for claim in claims_of(incident, field, community):
            if claim["text"] in COUNT_WORDS:
                low = COUNT_WORDS[claim["text"]]
                assert claim_range(claim) == (low, math.inf)
                assert given == {"_low": low, "": None, "_high": None}


def test_the_readme_explains_every_incident_and_lists_every_article():
    text = (SEEDS / "README.md").read_text(encoding="utf-8")
    assert all(f"**`{slug}`.**" in text for slug in INCIDENTS)
    assert all(f"`{article['id']}`" in text for article in ARTICLES)


def test_moscow_with_both_communities_is_the_july_incident_with_thirteen_arrests():
    found = [
        incident
        for incident in INCIDENTS.values()
        if incident["city"] == "Moscow"
        and incident["date"].startswith("2020-07")
        and {e["community"] for e in incident["communities"]} == {"armenian", "azerbaijani"}
    ]
    assert [incident["arrests"] for incident in found] == [13]

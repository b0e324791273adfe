"""Strategies: valid bodies of incidents, with all that can be said of one."""

from datetime import date
from typing import Any

from hypothesis import strategies as st

from schemas.claims import CLAIM_FIELDS
from schemas.counts import COUNT_FIELDS
from schemas.vocabulary import EVENT_TYPES, GEO_PRECISIONS, POLICE_MEASURES, ROLES
from tests import builders

MOST = 10**9
COMMUNITIES = ("armenian", "azerbaijani")
EPISODES = ("july-2020-border-clashes", "autumn-2020-war")

# Texts as people write them, and the signs that break programs; no controls, no half surrogates.
texts = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=40
).filter(str.strip)

# The ends of a figure that a request may name: "" is the best one.
figures = st.one_of(
    st.just({}),
    st.just({"": 0}),
    st.integers(0, MOST).map(lambda best: {"": best}),
    st.integers(0, MOST).map(lambda low: {"_low": low}),
    st.integers(0, MOST).map(lambda high: {"_high": high}),
    st.integers(0, MOST).map(lambda best: {"": best, "_low": None, "_high": None}),
    st.lists(st.integers(0, MOST), min_size=3, max_size=3)
    .map(sorted)
    .map(lambda three: dict(zip(("_low", "", "_high"), three, strict=True))),
)

# What is after tomorrow is refused.
_days = st.dates(max_value=date(2025, 12, 31)).map(str)
dates = st.one_of(
    _days,
    _days.map(lambda day: day[:7]),
    _days.map(lambda day: day[:4]),
    st.lists(_days, min_size=2, max_size=2, unique=True).map(sorted).map("/".join),
    st.lists(_days, min_size=2, max_size=2, unique=True).map(sorted).map("..".join),
    _days.map(lambda day: f"{day}.."),
    _days.map(lambda day: f"..{day}"),
)


def count_members(name: str, figure: dict[str, Any]) -> dict[str, Any]:
    """Return the ends of a figure as members of a body."""
    return {f"{name}{end}": number for end, number in figure.items()}


entries = st.builds(
    lambda community, role, size, organisations: {
        "community": community,
        "role": role,
        "organisations": organisations,
        **count_members("participants", size),
    },
    st.sampled_from(COMMUNITIES),
    st.sampled_from(list(ROLES)),
    figures,
    st.lists(texts, max_size=2),
)
communities = st.lists(
    entries, min_size=1, max_size=3, unique_by=lambda entry: (entry["community"], entry["role"])
)


@st.composite
def claims(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a claim that fits its field."""
    field = draw(st.sampled_from(CLAIM_FIELDS))
    claim: dict[str, Any] = {"field": field, "text": draw(st.none() | texts)}
    if field in COUNT_FIELDS:
        low, high = sorted(draw(st.tuples(st.integers(0, MOST), st.integers(0, MOST))))
        ends = [{"value": low}, {"low": low}, {"high": high}, {"low": low, "high": high}]
        claim |= draw(st.sampled_from(ends))
    elif field == "property_damage":
        claim["value"] = draw(st.booleans())
    elif field == "date":
        claim["value"] = draw(dates)
    else:
        claim["value"] = draw(st.sampled_from(list(EVENT_TYPES)))
    for name in ("attributed_to", "scope"):
        claim[name] = draw(st.none() | texts)
    claim["community"] = draw(st.none() | st.sampled_from(COMMUNITIES))
    return claim


articles = st.builds(
    lambda title, publisher, published, number: {
        "title": title,
        "publisher": publisher,
        "published": published,
        "url": number and f"https://news.example/{number}",
    },
    texts,
    st.none() | texts,
    st.none() | dates,
    st.none() | st.integers(1, 10**12),
)
sources = st.lists(
    st.builds(
        lambda article, locator, said: {"article": article, "locator": locator, "claims": said},
        articles,
        st.none() | texts,
        st.lists(claims(), max_size=3),
    ),
    max_size=3,
)


def points(city: Any = ...) -> st.SearchStrategy[dict[str, Any]]:
    """Draw a point in Ukraine with its precision, at a CITY or at none."""
    return st.builds(
        lambda latitude, longitude, precision: {
            "city": city,
            "latitude": latitude,
            "longitude": longitude,
            "geo_precision": precision,
        },
        st.floats(46, 51).map(lambda degrees: round(degrees, 4)),
        st.floats(25, 38).map(lambda degrees: round(degrees, 4)),
        # A point that stands for a division needs its name.
        st.none() | st.sampled_from([name for name in GEO_PRECISIONS if name != "admin1"]),
    )


# Named in other scripts, by alias, apart from namesakes, by id alone, or known to nobody.
places = st.one_of(
    st.sampled_from(
        [
            {"city": "Kishinev", "country": "MD"},
            {"city": "Москва", "country": "Russia"},
            {"city": "Springfield", "country": "US", "admin1": "Illinois"},
            {"city": "The Hague", "country": "NL", "geo_precision": "city"},
            {"city": ..., "country": "DE", "geonames_id": 2950159},
        ]
    ),
    points(),
    points("Little Hamlet"),
    points("Kyiv"),
)


# Of several schemes, some in short; a comma or a quote is part of the number.
external_ids = st.lists(
    st.sampled_from(
        ["acled:RUS1", {"scheme": "acled", "id": "RUS2"}, "gdelt:9, b", 'own:"7":x', "own:=1"]
    ),
    unique_by=str,
)


@st.composite
def bodies(draw: st.DrawFn, places: st.SearchStrategy[dict[str, Any]]) -> dict[str, Any]:
    """Draw the body of a POST of an incident at one of PLACES."""
    counts = {}
    for name in COUNT_FIELDS[:4]:
        counts |= count_members(name, draw(figures))
    return builders.incident(
        title=draw(texts),
        summary=draw(st.none() | texts),
        type=draw(st.sampled_from(list(EVENT_TYPES))),
        date=draw(dates),
        venue=draw(st.none() | texts),
        communities=draw(communities),
        police_measures=draw(st.lists(st.sampled_from(list(POLICE_MEASURES)), unique=True)),
        external_ids=draw(external_ids),
        tags=draw(st.lists(st.sampled_from(["reviewed", "wave-2", "3"]), unique=True)),
        property_damage=draw(st.none() | st.booleans()),
        episode=draw(st.none() | st.sampled_from(EPISODES)),
        sources=draw(sources),
        **draw(places),
        **counts,
    )

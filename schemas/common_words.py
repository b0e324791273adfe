"""What people write for a term of a closed vocabulary or for a parameter, and what they mean.

The terms follow the definitions of the codebook and its crosswalks: ACLED's sub-events (mob
violence is a clash, property destruction a property attack) and PLOVER's modes (riot, demo). The
parameters are those of the event data services read beside this one (ACLED, UCDP, HDX HAPI,
Ushahidi, Datasette) and of paging by page and by offset. A word that may mean several is not here.
"""

from collections.abc import Collection, Iterable

from schemas.errors import nearest

TERMS = {
    # violence between people: ACLED's mob violence and violent demonstration, PLOVER's riot
    "brawl": "clash",
    "brawls": "clash",
    "fight": "clash",
    "fighting": "clash",
    "riot": "clash",
    "riots": "clash",
    "scuffle": "clash",
    "skirmish": "clash",
    "mass_brawl": "clash",
    # violence against people
    "attack": "assault",
    "beating": "assault",
    "stabbing": "assault",
    "shooting": "assault",
    # assembly: ACLED's protests, PLOVER's demo
    "demo": "protest",
    "demonstration": "protest",
    "demonstrations": "protest",
    "march": "protest",
    "picket": "protest",
    "sit_in": "protest",
    "counter_demonstration": "counter_protest",
    "counterprotest": "counter_protest",
    "meeting": "gathering",
    "commemoration": "vigil",
    "memorial": "vigil",
    # property and passage: ACLED's property destruction, PLOVER's vandalize and obstruct
    "arson": "property_attack",
    "graffiti": "property_attack",
    "vandalism": "property_attack",
    "road_blockade": "blockade",
    "roadblock": "blockade",
    # words
    "argument": "dispute",
    "quarrel": "dispute",
    "intimidation": "threat",
    "mobilization": "mobilisation",
    # what police do
    "arrest": "detention",
    "arrests": "detention",
    "teargas": "tear_gas",
    "batons": "baton",
    "water_cannons": "water_cannon",
}

# Each with the parameters that say it, the likeliest first; where several are named, none is sure.
PARAMETERS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("search", "text", "query", "keyword", "keywords", "term"), ("q",)),
    **dict.fromkeys(("from", "start_date", "date_start", "begin"), ("date_from",)),
    **dict.fromkeys(("to", "until", "end_date", "date_end"), ("date_to",)),
    "since": ("updated_since", "date_from"),
    "after": ("date_from", "updated_since"),
    "before": ("date_to",),
    **dict.fromkeys(("updated_after", "modified_since", "changed_since"), ("updated_since",)),
    **dict.fromkeys(("year", "month", "day", "event_date", "timestamp"), ("date",)),
    **dict.fromkeys(("state", "region", "province", "division"), ("admin1",)),
    **dict.fromkeys(("nation", "iso", "iso2", "country_code"), ("country",)),
    **dict.fromkeys(("location", "town"), ("city",)),
    **dict.fromkeys(("geonames_id", "place_id", "geoname_id"), ("place",)),
    **dict.fromkeys(("ids", "incident_id", "event_id"), ("id",)),
    **dict.fromkeys(("police", "measure", "measures", "police_measures"), ("police_measure",)),
    **dict.fromkeys(("columns", "select", "include", "only"), ("fields",)),
    **dict.fromkeys(("sort_by", "order", "order_by", "ordering"), ("sort",)),
    **dict.fromkeys(("event_type", "category", "types"), ("type",)),
    **dict.fromkeys(("group", "diaspora", "ethnicity", "communities"), ("community",)),
    **dict.fromkeys(("org", "organization", "organisations"), ("organisation",)),
    **dict.fromkeys(("tags", "label"), ("tag",)),
    **dict.fromkeys(("source", "newspaper", "outlet"), ("publisher",)),
    **dict.fromkeys(("radius", "within_km", "distance"), ("radius_km",)),
    **dict.fromkeys(("lat", "lon", "latitude", "longitude", "center_point"), ("near",)),
    "size": ("limit",),
    "groupby": ("group_by",),
    "missing": ("unreported",),
    "_format": ("format",),
    "output": ("format",),
}
# What other services call the parts of a list; here `next` in the answer leads on.
PAGING = frozenset({"offset", "page", "skip", "start", "per_page", "page_size", "pagesize"})


def term_for(word: str, allowed: Collection[str]) -> str | None:
    """Return the term of ALLOWED that a word is, in any case, or None."""
    plain = word.strip().lower()
    return plain if plain in allowed else None


def likely_term(word: str, allowed: Collection[str]) -> str | None:
    """Return the term of ALLOWED that a word probably means, None where that is not plain."""
    plain = "_".join(word.lower().replace("-", " ").replace("_", " ").split())
    if plain in allowed:
        return plain
    term = TERMS.get(plain)
    return term if term in allowed else nearest(plain, allowed)


def likely_parameters(name: str, known: Collection[str]) -> list[str]:
    """Return the parameters of KNOWN that a name probably means; none where that is not plain."""
    plain = name.lower().replace("-", "_").removesuffix("[]").replace("[", "_").replace("]", "")
    if plain in known:
        return [plain]
    parameters: Iterable[str] = PARAMETERS.get(plain, ())
    if plain in PARAMETERS or plain in PAGING:
        return [parameter for parameter in parameters if parameter in known]
    close = nearest(plain, known, cutoff=0.75)
    return [] if close is None else [close]

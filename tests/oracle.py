"""What a query means, written once more: a plain filter over records as they are served.

It is the design's language in Python over dictionaries, with no index, no SQL and none of the
modules that answer queries; of ours it uses only the two that define counts and dates.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from itertools import product
from math import asin, cos, radians, sin, sqrt

from schemas import dates
from schemas.counts import COUNT_FIELDS, Figure, at_least, at_most

EARTH_KM = 6371.0088
COMMA = re.compile(r",(?! )")


def plain(text):
    """Fold a name: no case, no accents."""
    bare = unicodedata.normalize("NFKD", text)
    return "".join(sign for sign in bare if not unicodedata.combining(sign)).casefold()


def figure(record, name):
    return Figure(record[f"{name}_low"], record[name], record[f"{name}_high"])


def kilometres(one, other):
    """Measure between two points, by the haversine."""
    (lat1, lon1), (lat2, lon2) = ([radians(angle) for angle in point] for point in (one, other))
    half = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin((lon2 - lon1) / 2) ** 2
    return 2 * EARTH_KM * asin(min(1, sqrt(half)))


@dataclass
class World:
    """The records, and what names of places and publishers stand for."""

    records: list
    cities: dict = field(default_factory=dict)  # name or alias -> names that records carry
    finds: Callable = None  # tells whether a record holds the words of a text query

    def visible(self, record, who, statuses):
        """Whether WHO (public, contributor, editor) may see it in a list."""
        status = record["status"]
        if statuses is not None and status not in statuses:
            return False
        if status == "published":
            return True
        if who == "public" or (who == "contributor" and not record["own"]):
            return False
        return status == "draft" or statuses is not None

    def matching(self, query, who="public"):
        """Keep what QUERY, a list of (name, value), means; in no order."""
        given = {}
        for name, value in query:
            given.setdefault(name, []).append(value)
        match = given.pop("match", [None])[0]
        statuses = COMMA.split(given["status"][0]) if "status" in given else None
        found = [record for record in self.records if self.visible(record, who, statuses)]
        radius = float(given.pop("radius_km", ["50"])[0])
        if "date_from" in given and "date_to" in given:
            window = (given.pop("date_from")[0], given.pop("date_to")[0])
            found = [record for record in found if within(record, window, match)]
        for name, values in given.items():
            if name in CONTROLS:
                continue
            test = TESTS.get(name)
            for value in values:
                if name == "near":
                    found = [r for r in found if self.close(r, value, radius, match)]
                elif name == "q":
                    found = [r for r in found if self.finds(r, value)]
                elif name == "city":
                    found = [r for r in found if self.in_city(r, COMMA.split(value))]
                else:
                    found = [r for r in found if test(r, value, match)]
        return found

    def in_city(self, record, names):
        meant = {plain(each) for name in names for each in self.cities.get(name, [name])}
        return record["city"] is not None and plain(record["city"]) in meant

    def close(self, record, where, radius, match):
        if not located(record, match):
            return False
        point = tuple(map(float, where.split(",")))
        return kilometres(point, (record["latitude"], record["longitude"])) <= radius


def located(record, match):
    if record["latitude"] is None:
        return False
    return match != "certain" or record["geo_precision"] not in ("admin1", "country")


def boxed(record, value, match):
    west, south, east, north = map(float, value.split(","))
    if not located(record, match) or not south <= record["latitude"] <= north:
        return False
    # The meridian of 180 degrees is one, east or west.
    places = {record["longitude"]}
    if abs(record["longitude"]) == 180:
        places = {180.0, -180.0}
    if west <= east:
        return any(west <= place <= east for place in places)
    return any(place >= west or place <= east for place in places)


def within(record, window, match):
    """Whether the date is in the window from the first day of one to the last of another."""
    first = "0001-01-01" if window[0] is None else dates.parse(window[0]).earliest
    last = "9999-12-31" if window[1] is None else dates.parse(window[1]).latest
    span = dates.parse(record["date"])
    if match != "certain":
        return span.earliest <= last and span.latest >= first
    if span.precision in ("day", "interval"):
        return span.earliest <= last and span.latest >= first
    return first <= span.earliest and span.latest <= last


def one_of(member):
    return lambda record, value, _: record[member] in COMMA.split(value)


def took_part(record, value, _):
    wanted = [one.partition(":") for one in COMMA.split(value)]
    return any(
        entry["community"] == name and role in ("", entry["role"])
        for name, _, role in wanted
        for entry in record["communities"]
    )


def articles(record):
    return [source["article"] for source in record["sources"]]


def published_by(record, value, _):
    wanted = {plain(name) for name in COMMA.split(value)}
    return any(plain(a["publisher"]) in wanted for a in articles(record) if a["publisher"])


def in_dispute(record, value, _):
    said = {"true": bool(record["disputed"]), "false": not record["disputed"]}
    return any(said.get(word, word in record["disputed"]) for word in COMMA.split(value))


def not_reported(record, value, _):
    return any(
        record["property_damage"] is None
        if name == "property_damage"
        else not figure(record, name).reported
        for name in COMMA.split(value)
    )


def damaged(record, value, _):
    said = {True: "true", False: "false", None: "unknown"}[record["property_damage"]]
    return said in COMMA.split(value)


def alternatives(value):
    """Split at commas; what is quoted is one."""
    return [quoted or bare for quoted, bare in re.findall(r'"([^"]*)"|([^,]+)', value)]


def organisations(record):
    return [name for entry in record["communities"] for name in entry["organisations"]]


def organised(record, value, _):
    wanted = {plain(name) for name in alternatives(value)}
    return any(plain(name) in wanted for name in organisations(record))


def known_as(record, value, _):
    return any(
        f"{one['scheme']}:{one['id']}" in COMMA.split(value) for one in record["external_ids"]
    )


CONTROLS = {"sort", "limit", "count", "status", "group_by"}
# As the data have them, by code.
DIVISIONS = {
    "BE-BRU": "Brussels Capital",
    "US-DC": "District of Columbia",
    "US-CA": "California",
    "DE-BY": "Bavaria",
    "MD-CU": "Chișinău Municipality",
}
TESTS = {
    **{name: one_of(name) for name in ("id", "country", "type", "episode")},
    "tag": lambda r, value, _: bool(set(r["tags"]) & set(COMMA.split(value))),
    "organisation": organised,
    "external_id": known_as,
    "admin1": lambda r, value, _: r["admin1"] in map(DIVISIONS.get, COMMA.split(value)),
    "place": lambda r, value, _: f"geonames-{r['geonames_id']}" in COMMA.split(value),
    "community": took_part,
    "role": lambda r, value, _: any(
        entry["role"] in COMMA.split(value) for entry in r["communities"]
    ),
    "police_measure": lambda r, value, _: bool(set(r["police_measures"]) & set(COMMA.split(value))),
    "publisher": published_by,
    "article": lambda r, value, _: any(a["id"] in COMMA.split(value) for a in articles(r)),
    "disputed": in_dispute,
    "unreported": not_reported,
    "property_damage": damaged,
    "date": lambda r, value, match: within(r, (value, value), match),
    "date_from": lambda r, value, match: within(r, (value, None), match),
    "date_to": lambda r, value, match: within(r, (None, value), match),
    "updated_since": lambda r, value, _: r["updated_at"] >= value,
    "min_sources": lambda r, value, _: r["number_of_sources"] >= int(value),
    "bbox": boxed,
    **{
        f"min_{name}": lambda r, value, match, name=name: at_least(
            figure(r, name), int(value), match
        )
        for name in COUNT_FIELDS
    },
    **{
        f"max_{name}": lambda r, value, match, name=name: at_most(
            figure(r, name), int(value), match
        )
        for name in COUNT_FIELDS
    },
}


def periods(record):
    """Return the year, month and week that hold the whole date; None where it spans several."""
    ends = [record["date_start"], record["date_end"]]
    if None in ends:
        return {"year": None, "month": None, "week": None}
    weeks = ["{:04}-W{:02}".format(*date.fromisoformat(day).isocalendar()) for day in ends]
    found = {"year": [day[:4] for day in ends], "month": [day[:7] for day in ends], "week": weeks}
    return {name: one if one == other else None for name, (one, other) in found.items()}


# Members of the keys of groups that have several.
MEMBERS = {"city": ("city", "admin1", "country"), "admin1": ("admin1", "country")}


def keys(record, group):
    """List the keys of the groups that a record is in."""
    if group in MEMBERS:
        return [tuple(record[member] for member in MEMBERS[group])]
    if group in ("country", "type", "episode"):
        return [(record[group],)]
    if group in ("year", "month", "week"):
        return [(periods(record)[group],)]
    if group == "police_measure":
        return [(measure,) for measure in record["police_measures"]] or [(None,)]
    if group == "tag":
        return [(tag,) for tag in record["tags"]] or [(None,)]
    if group == "organisation":
        return [(name,) for name in set(organisations(record))]
    if group == "publisher":
        named = {article["publisher"] for article in articles(record)} - {None}
        return [(name,) for name in named] or [(None,)]
    communities = sorted({entry["community"] for entry in record["communities"]})
    if group == "community":
        return [(name,) for name in communities]
    return [(one, other) for one in communities for other in communities if one < other]


def summed(records):
    """Add up what is proven of the counts of some records."""
    found = {"incidents": len(records)}
    for name in ("arrests", "injuries", "deaths", "participants"):
        known = [f for f in (figure(record, name) for record in records) if f.reported]
        open_ended = sum(f.high is None for f in known)
        found[name] = {
            "low": sum(f.low or 0 for f in known) if known else None,
            "high": sum(f.high for f in known) if known and not open_ended else None,
            "known": len(known),
            "unknown": len(records) - len(known),
            "open_ended": open_ended,
        }
    return found


def roles(records, name):
    """Count the records in which a community, or an organisation, had each role."""
    return {
        role: sum(
            any(
                e["role"] == role and name in (e["community"], *e["organisations"])
                for e in record["communities"]
            )
            for record in records
        )
        for role in ("organiser", "participant", "counter_participant", "target")
    }


def statistics(records, grouping):
    """Group records and add them up: the rows in order, and the total."""
    by_role = bool(set(grouping) & {"community", "community_pair", "organisation"})
    groups = {}
    for record in records:
        for parts in product(*(keys(record, group) for group in grouping)):
            groups.setdefault(parts, []).append(record)
    rows = []
    for parts, members in groups.items():
        row = {}
        for group, part in zip(grouping, parts, strict=True):
            names = MEMBERS.get(group, (group,))
            row |= (
                {group: list(part)}
                if group == "community_pair"
                else dict(zip(names, part, strict=True))
            )
        if set(grouping) & {"year", "month", "week"}:
            row["spans"] = any(row.get(name, "") is None for name in ("year", "month", "week"))
        if not by_role:
            row |= summed(members)
        else:
            row["incidents"] = len(members)
            pairs = zip(grouping, parts, strict=True)
            by_part = ("community", "community_pair", "organisation")
            named = [p for g, part in pairs if g in by_part for p in part]
            by_community = {name: roles(members, name) for name in named}
            row["roles"] = by_community if "community_pair" in grouping else by_community[named[0]]
        rows.append((parts, row))
    flat = {id(row): [p for part in parts for p in part] for parts, row in rows}

    def place(row):
        plain = [(part is None, part or "") for part in flat[id(row)]]
        first = plain[:1] if grouping[0] in ("year", "month", "week") else []
        return first, -row["incidents"], plain

    total = {"incidents": len(records)} if by_role else summed(records)
    return sorted((row for _, row in rows), key=place), total


def overview(records):
    """Count records by place, month, type and country, and who reports which figure."""
    located = [record for record in records if record["latitude"] is not None]
    places = Counter((r["latitude"], r["longitude"], r["geo_precision"]) for r in located)
    names = {}
    for record in sorted(located, key=lambda r: (r["city"] is None, r["city"], r["country"])):
        point = (record["latitude"], record["longitude"], record["geo_precision"])
        names.setdefault(point, (record["city"], record["country"]))
    spans = Counter(
        (*(day and day[:7] for day in (r["date_start"], r["date_end"])), r["date_precision"])
        for r in records
    )
    figures = {}
    for name in COUNT_FIELDS:
        all_of = [figure(record, name) for record in records]
        known = sum(one.reported for one in all_of)
        exact = sum(one.exact for one in all_of)
        figures[name] = {
            "exact": exact,
            "bounded": known - exact,
            "not_reported": len(records) - known,
        }
    place = ("latitude", "longitude", "geo_precision", "city", "country", "incidents")
    span = ("first_month", "last_month", "precision", "incidents")
    wide = [r for r in records if r["geo_precision"] in ("admin1", "country")]
    areas = Counter((r["geo_precision"], r["country"]) for r in wide)
    return {
        "incidents": len(records),
        "places": [
            dict(zip(place, (*point, *names[point], number), strict=True))
            for point, number in sorted(places.items(), key=lambda one: (-one[1], one[0]))
        ],
        "other_places": {"places": 0, "incidents": 0},
        "without_coordinates": len(records) - len(located),
        "areas": [
            {"geo_precision": precision, "country": country, "incidents": number}
            for (precision, country), number in sorted(areas.items())
        ],
        "dates": [
            dict(zip(span, (*key, number), strict=True))
            for key, number in sorted(spans.items(), key=str)
        ],
        "figures": figures,
        **{
            members: [
                {member: value, "incidents": number}
                for value, number in sorted(Counter(r[member] for r in records).items())
            ]
            for members, member in (("types", "type"), ("countries", "country"))
        },
    }


def sorted_records(records, sort):
    """Return RECORDS in the order of SORT: it ends on the id, unknown values come last."""
    descending = sort.startswith("-")
    name = sort.lstrip("-")

    def place(record):
        if name == "date":
            return dates.parse(record["date"]).sort_date
        if name == "updated_at":
            return record["updated_at"]
        return figure(record, name).sort_figure

    known = [record for record in records if place(record) is not None]
    unknown = [record for record in records if place(record) is None]
    known.sort(key=lambda record: (place(record), record["id"]), reverse=descending)
    unknown.sort(key=lambda record: record["id"], reverse=descending)
    return known + unknown

"""What a request makes of a record: fields that belong together change together.

A *state* is what is stored of a record, in the shape of its JSON without the derived members. A
request *names* fields; `amend` puts them onto the stored state by the rules of the design:

- a count's best figure and bounds change as one (`schemas.counts`),
- naming a city, country, region, GeoNames id or point asks for the place to be looked up again
  (a region beside a point of a venue's or better precision is taken as it is),
- in a PUT what is not named is empty, and a value equal to the stored one counts as not named.

It is pure: the look-up itself is the caller's, who knows the gazetteer.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from schemas import counts
from schemas.counts import BOUNDS, COUNT_FIELDS, Figure, figure_of, reported_figures
from schemas.errors import ErrorDetail, Messages
from schemas.record_fields import FIELDS, STATE_FIELDS, State
from schemas.vocabulary import EXACT, REGIONS

_ALONE = [field for field in STATE_FIELDS if field.group is None]
PLAIN_FIELDS = tuple(field.name for field in _ALONE if field.default is None)
LIST_FIELDS = tuple(field.name for field in _ALONE if field.default is not None)
PLACE_FIELDS = tuple(field.name for field in STATE_FIELDS if field.group == "place")
# Lists that name an item once.
_SETS = tuple(name for name in LIST_FIELDS if name != "sources")
_MEMBERS = {name: frozenset((name, *bounds)) for name, bounds in BOUNDS.items()}
# As an entry of a community has them where none are given.
_NO_PARTICIPANTS = dict.fromkeys(("participants", *BOUNDS["participants"]))
# What a place is looked up by; the rest follows from it.
PLACE_CLUES = tuple(name for name in PLACE_FIELDS if FIELDS[name].reader is not None)
_LOOK_AGAIN = frozenset(PLACE_CLUES) - {"geo_precision"}
REQUIRED = ("title", "type", "date", "country")

EMPTY: State = {
    **dict.fromkeys((*PLAIN_FIELDS, *PLACE_FIELDS)),
    **{f"{name}{end}": None for name in COUNT_FIELDS for end in ("", "_low", "_high")},
    **{name: [] for name in ("communities", *LIST_FIELDS)},
}

_ABSENT = object()  # unlike any value


@dataclass(frozen=True, slots=True)
class AmendedState:
    """The new state, and the place members to look up by: None where the place stands."""

    state: State
    place: dict[str, Any] | None


def state_of(document: Mapping[str, Any]) -> State:
    """Take from a stored document what a state holds."""
    return {name: document[name] for name in EMPTY}


def amend(stored: State | None, data: Mapping[str, Any], *, replace: bool = False) -> AmendedState:
    """Put the fields of DATA onto STORED (None: a new record); REPLACE is the rule of PUT."""
    base = EMPTY if stored is None else stored
    state = dict(EMPTY if replace or stored is None else stored)
    for name in (*PLAIN_FIELDS, *LIST_FIELDS):
        if name in data:
            state[name] = data[name]
    for name in COUNT_FIELDS:
        if _MEMBERS[name] & data.keys():
            members = _figure_members(data, name)
            stored_figure = figure_of(base, name)
            figure = (counts.put if replace else counts.name)(stored_figure, members)
            _put(state, name, figure)
    if "communities" in data:
        state["communities"] = [_entry(base, entry) for entry in data["communities"]]
    place = _place(base, data, state, replace=replace)
    return AmendedState(state, place)


def assumed_figures(
    stored: State, data: Mapping[str, Any], state: State
) -> Iterator[tuple[str, str]]:
    """Yield each count of which a PUT of DATA left something open, and what it was taken for."""
    for name in COUNT_FIELDS:
        figure, given = figure_of(state, name), _figure_members(data, name)
        if data.get(name) is None or figure == figure_of(stored, name):
            continue
        shown, bounds = f"{name} {data[name]:,}", " and ".join(BOUNDS[name])
        if given.keys() == {"best"}:
            detail = f"{shown} without bounds was taken as exact; for about so many give {bounds}"
            yield name, f"{detail} as null."
        elif given["low"] is given["high"] is None and not figure_of(stored, name).reported:
            detail = f"{shown} with both bounds null was taken as about so many; if it is exact,"
            yield name, f"{detail} leave {bounds} out."


def as_patch(stored: State, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return DATA without what STORED says too, so that a record read and sent back is a patch.

    A count whose three members are all given is taken by the rule of PUT.
    """
    patch = {name: value for name, value in data.items() if stored.get(name, _ABSENT) != value}
    if not {"latitude", "longitude"}.isdisjoint(patch):
        patch |= {name: data[name] for name in ("latitude", "longitude") if name in data}
    for name in COUNT_FIELDS:
        members = _figure_members(data, name)
        if len(members) == 3:
            figure: State = {}
            _put(figure, name, counts.put(figure_of(stored, name), members))
            changed = any(stored[member] != value for member, value in figure.items())
            patch = {member: patch[member] for member in patch.keys() - figure.keys()}
            patch |= figure if changed else {}
    return patch


def _put(state: State, name: str, figure: Figure) -> None:
    low_name, high_name = BOUNDS[name]
    state[name], state[low_name], state[high_name] = figure.best, figure.low, figure.high


def _figure_members(data: Mapping[str, Any], name: str) -> dict[str, int | None]:
    low_name, high_name = BOUNDS[name]
    members = (("best", name), ("low", low_name), ("high", high_name))
    return {end: data[member] for end, member in members if member in data}


def _entry(base: State, data: Mapping[str, Any]) -> dict[str, Any]:
    """Complete a community's entry; one that stands already is amended as by PUT."""
    role = data.get("role") or "participant"
    stored = counts.NOT_REPORTED
    for entry in base["communities"]:
        if (entry["community"], entry["role"]) == (data.get("community"), role):
            stored = figure_of(entry, "participants")
    entry = {"community": data.get("community"), "role": role, **_NO_PARTICIPANTS}
    if _MEMBERS["participants"] & data.keys():
        members = _figure_members(data, "participants")
        _put(entry, "participants", counts.put(stored, members))
    return {**entry, "organisations": data.get("organisations", [])}


def _place(
    base: State, data: Mapping[str, Any], state: State, *, replace: bool
) -> dict[str, Any] | None:
    """Set the place's members in STATE; return those to look up by, or None where it stands."""
    fields = {name: data[name] for name in PLACE_FIELDS if data.get(name) is not None}
    changed = _differing(fields, base) if replace else fields
    state.update({name: base[name] for name in PLACE_FIELDS} | changed)
    for name in ("city", "country"):
        if replace or name in data:
            state[name] = fields.get(name)
    changed_clues = _LOOK_AGAIN & changed.keys()
    if replace and "latitude" not in fields:
        state["latitude"] = state["longitude"] = None
        # Where nothing differs, what is the same has to say where it was.
        changed = changed if changed_clues else fields
        if state["city"] is None:
            state["geo_precision"] = fields.get("geo_precision")
    elif state["city"] == base["city"] and not changed_clues and not _needs_point(fields, base):
        return None
    if state["geo_precision"] in REGIONS and state["city"] is None:
        state["admin1"] = fields.get("admin1") if replace else state["admin1"]
        return _region(state, base, has_point="latitude" in fields)
    if state["city"] is None and state["latitude"] is None and "geonames_id" not in changed:
        return None
    clues = {**changed, "city": state["city"], "country": state["country"]}
    same_country = state["country"] == base["country"] and "latitude" not in fields
    if not replace and base["geo_precision"] in EXACT and same_country:
        # The spot stands when only the name of what it lies in changes.
        point = {name: base[name] for name in ("latitude", "longitude", "geo_precision")}
        clues = {**point, **clues}
    if state["city"] is None:
        # Nothing to look up without a city: the point stands, and its precision with it.
        clues |= {name: state[name] for name in ("latitude", "longitude", "geo_precision")}
    return clues


def _needs_point(fields: Mapping[str, Any], base: State) -> bool:
    """Whether a point that may be a city's middle is said to be the spot itself."""
    precision = fields.get("geo_precision")
    return precision in EXACT and base["geo_precision"] not in EXACT and "latitude" not in fields


def _region(state: State, base: State, *, has_point: bool) -> dict[str, Any]:
    """Return what a division or a country is looked up by; a city's middle is no point of it."""
    if base["city"] is not None and not has_point:
        state["latitude"] = state["longitude"] = None
    names = ("admin1", "country", "latitude", "longitude", "geo_precision")
    return {"city": None, **{name: state[name] for name in names}}


def _differing(fields: dict[str, Any], base: State) -> dict[str, Any]:
    """Leave out what equals the stored value; a point and its precision are one."""
    point = ("latitude", "longitude")
    moved = any(name in fields and fields[name] != base[name] for name in point)
    return {
        name: value
        for name, value in fields.items()
        if value != base[name] or (moved and name in (*point, "geo_precision"))
    }


def check(state: State) -> Messages:
    """Find what is missing and what does not fit together; messages by field, as marshmallow's."""
    messages: Messages = {}
    for name in REQUIRED:
        if state[name] is None:
            messages[name] = [ErrorDetail("required", f"An incident needs a {name}.")]
    if not state["communities"]:
        messages["communities"] = [
            ErrorDetail("required", "An incident needs at least one community, such as armenian.")
        ]
    if state["city"] is None and state["latitude"] is None:
        if state["geo_precision"] not in REGIONS:
            detail = (
                "An incident needs a city, coordinates, or a geo_precision of admin1 or country."
            )
            messages["city"] = [ErrorDetail("required", detail)]
        elif state["geo_precision"] == "admin1" and state["admin1"] is None:
            detail = 'A geo_precision of "admin1" needs the division: give admin1.'
            messages["admin1"] = [ErrorDetail("required", detail)]
    if (state["latitude"] is None) != (state["longitude"] is None):
        missing = "latitude" if state["latitude"] is None else "longitude"
        messages[missing] = [ErrorDetail("pair", "Latitude and longitude come as a pair.")]
    figures = reported_figures(state)
    for name, figure in figures.items():
        _check_figure(messages, name, figure)
    if "injuries_police" in figures:
        injured = figures.get("injuries", counts.NOT_REPORTED)
        _check_police(messages, figures["injuries_police"], injured)
    _check_repeated(messages, state)
    return messages


def _check_figure(messages: Messages, name: str, figure: Figure) -> None:
    for problem in figure.check():
        member = name if problem.member == "best" else f"{name}_{problem.member}"
        messages.setdefault(member, []).append(ErrorDetail("bounds_order", problem.detail))


def _check_police(messages: Messages, police: Figure, injured: Figure) -> None:
    """Hold that officers are part of the injured: never more of them than of all."""
    least = police.low if police.low is not None else police.best
    most = injured.high if injured.high is not None else None
    if least and not injured.reported:
        detail = f"Officers are among the injured: give injuries too, {least} or more."
    elif least is not None and most is not None and least > most:
        detail = f"Officers are among the injured: {least} is above the {most} of injuries."
    elif police.best is not None and injured.best is not None and police.best > injured.best:
        detail = f"Officers are among the injured: {police.best} is above {injured.best} injuries."
    else:
        return
    messages.setdefault("injuries_police", []).append(ErrorDetail("above_injuries", detail))


def _check_repeated(messages: Messages, state: State) -> None:
    """Refuse a community twice in one role, and an item of another list named twice."""
    seen: set[Any] = set()
    below: dict[int, Messages] = {}
    for position, entry in enumerate(state["communities"]):
        key = (entry["community"], entry["role"])
        entry_messages: Messages = {}
        if (figure := figure_of(entry, "participants")) is not counts.NOT_REPORTED:
            _check_figure(entry_messages, "participants", figure)
        if key in seen:
            entry_messages["community"] = [
                ErrorDetail("repeated", f"{key[0]} stands here twice in the role {key[1]}.")
            ]
        if entry_messages:
            below[position] = entry_messages
        seen.add(key)
    if below:
        messages["communities"] = below
    for name in _SETS:
        words: set[str] = set()
        for position, word in enumerate(map(FIELDS[name].spell, state[name])):
            if word in words:
                messages.setdefault(name, {})[position] = [
                    ErrorDetail("repeated", f"{word} stands here twice.")
                ]
            words.add(word)

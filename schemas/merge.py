"""Two records made one, and that undone; a draft's corrections put onto what has changed since.

Pure functions on states (see `schemas.record_state`). Fields that belong together move together: a
count with its bounds, a place with its coordinates. Lists are sets of items here: an item that
one side added or removed is added or removed, whatever the other side did to the rest.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from schemas import record_state
from schemas.counts import COUNT_FIELDS
from schemas.errors import ErrorDetail, Messages
from schemas.fields import MAX_LIST, too_many_claims
from schemas.record_fields import FIELDS, State
from schemas.record_state import LIST_FIELDS, PLACE_FIELDS, PLAIN_FIELDS

# A name that an editor gives -> the fields that move with it.
GROUPS: dict[str, tuple[str, ...]] = {
    **{name: (name,) for name in PLAIN_FIELDS},
    **{name: (name, f"{name}_low", f"{name}_high") for name in COUNT_FIELDS},
    "city": PLACE_FIELDS,
}
LISTS = ("communities", *LIST_FIELDS)
HEADLINES = tuple(GROUPS)


def joined(into: State, merged: State, headline: Collection[str]) -> State:
    """Put what MERGED knows onto INTO.

    Sources and claims of both are kept, and what all lists of both hold; of the other fields those
    named by HEADLINE are taken from MERGED, all others stand.
    """
    state = dict(into)
    for name in headline:
        state.update({member: merged[member] for member in GROUPS[name]})
    for name in LISTS:
        state[name] = [*into[name], *_absent(merged, into, name)]
    state["sources"] = _sources(into["sources"], merged["sources"])
    return state


def _key(name: str, item: Any) -> Any:
    """Return what makes an item of a list the same as another."""
    if name == "communities":
        return item["community"], item["role"]
    if name == "sources":
        return item["article"]["id"], item["locator"]
    return FIELDS[name].spell(item)


def _absent(first: State, other: State, name: str) -> Iterator[Any]:
    """Return the items of FIRST that OTHER has not."""
    known = {_key(name, item) for item in other[name]}
    return (item for item in first[name] if _key(name, item) not in known)


def _sources(into: list[Any], merged: list[Any]) -> list[Any]:
    """Join sources: the same article at the same place is one, with the claims of both."""
    sources = {_key("sources", source): dict(source) for source in into}
    for source in merged:
        joint = sources.setdefault(_key("sources", source), dict(source))
        new = [claim for claim in source["claims"] if claim not in joint["claims"]]
        joint["claims"] = [*joint["claims"], *new]
    return list(sources.values())


def rebased(current: State, base: State, draft: State) -> tuple[State, list[str]]:
    """Return CURRENT with what DRAFT changed since BASE, and the groups that both changed.

    A group of fields is in conflict where CURRENT changed it too, and to something else: the
    draft's value is then in the state, and the group's name in the list.
    """
    state, conflicts = dict(current), []
    for name, members in GROUPS.items():
        theirs, ours = (_part(side, members) for side in (current, draft))
        if ours == _part(base, members):
            continue
        if theirs not in (ours, _part(base, members)):
            conflicts.append(name)
        state.update(ours)
    for name in LISTS:
        state[name] = _rebased_list(name, current[name], base[name], draft[name])
    return state, conflicts


def differences(before: State, after: State) -> list[dict[str, Any]]:
    """Return the changes from one state to another: `{field, from, to}`."""
    return [
        {"field": name, "from": before[name], "to": after[name]}
        for name in before
        if before[name] != after[name]
    ]


def is_emptied(change: Mapping[str, Any]) -> bool:
    """Whether a change leaves a field empty, or takes entries out of a list."""
    was, is_ = change["from"], change["to"]
    if isinstance(was, list):
        keys = {_key(change["field"], item) for item in is_}
        return any(_key(change["field"], item) not in keys for item in was)
    return was is not None and is_ is None


def undone(current: State, after: State, before: State) -> State:
    """Take out of CURRENT what a change from BEFORE to AFTER had put in, as far as it stands."""
    state = dict(current)
    for members in GROUPS.values():
        if _part(current, members) == _part(after, members):
            state.update(_part(before, members))
    for name in LISTS:
        state[name] = _rebased_list(name, current[name], after[name], before[name])
    return state


def check(state: State) -> Messages:
    """Find what does not fit in a state that was made of others; messages by field.

    Each of them may be right, and together still have more injured officers than injured, or more
    sources than a record holds.
    """
    messages = record_state.check(state)
    lists = {name: state[name] for name in LISTS}
    lists["claims"] = max((source["claims"] for source in state["sources"]), key=len, default=[])
    for name, items in lists.items():
        if len(items) > MAX_LIST:
            detail = f"There would be {len(items):,} {name} in one list; at most {MAX_LIST} are."
            messages.setdefault(name, [ErrorDetail("too_many", detail)])
    if fault := too_many_claims(state["sources"]):
        messages.setdefault("claims", [fault])
    return messages


def _part(state: State, members: Collection[str]) -> State:
    return {member: state[member] for member in members}


def _rebased_list(name: str, current: list[Any], base: list[Any], other: list[Any]) -> list[Any]:
    """Apply to a list the items that changed from BASE to OTHER."""
    was = {_key(name, item): item for item in base}
    is_ = {_key(name, item): item for item in other}
    items = {_key(name, item): item for item in current}
    for key, item in was.items():
        if key not in is_ and items.get(key) == item:
            del items[key]
        elif key not in is_ and key in items and name == "sources":
            items[key] = _without(items[key], item)
    for key, item in is_.items():
        if key not in was:
            items.setdefault(key, item)
        elif item != was[key] and key in items:
            items[key] = _changed(name, items[key], was[key], item)
    return list(items.values())


def _changed(name: str, current: Any, was: Any, is_: Any) -> Any:
    """Apply the change of one item; of a source its claims, one by one."""
    if name != "sources":
        return is_
    claims = [
        claim for claim in current["claims"] if claim in is_["claims"] or claim not in was["claims"]
    ]
    added = [claim for claim in is_["claims"] if claim not in was["claims"] and claim not in claims]
    return {**current, "claims": [*claims, *added]}


def _without(source: Any, other: Any) -> Any:
    return {
        **source,
        "claims": [claim for claim in source["claims"] if claim not in other["claims"]],
    }

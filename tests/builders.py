"""Valid bodies, each whole in itself; a test names what it changes."""

from typing import Any


def incident(**changes: Any) -> dict[str, Any]:
    """Make the body of a POST of an incident; CHANGES set members, or drop those set to `...`.

    It names no source and no figure, so that a test adds just what it is about.
    """
    body = {
        "title": "Clash outside a market",
        "type": "clash",
        "date": "2019-05-04",
        "city": "Kyiv",
        "country": "UA",
        "communities": [
            {"community": "armenian", "role": "participant"},
            {"community": "azerbaijani", "role": "participant"},
        ],
    }
    return {name: value for name, value in {**body, **changes}.items() if value is not ...}

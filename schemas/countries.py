"""Countries: ISO 3166-1 codes (with XK for Kosovo), their names, and what people write instead.

`countries.json` holds one country a line: code, then its English name and its aliases in other
languages and in everyday use. `python -m api.geo.build_places` makes it.
"""

import difflib
import json
from functools import cache
from pathlib import Path

from schemas.name_folding import fold

# `len(text)` past this is no country; keeps the search for near names cheap.
_LONGEST = 100


@cache
def country_names() -> dict[str, str]:
    """Give the English name of every country by its code, sorted by code."""
    return {code: names[0] for code, names in _table().items()}


def country_name(code: str) -> str:
    """Name the country with the alpha-2 CODE in English; raise KeyError for an unknown code."""
    return country_names()[code]


def country_code(text: str) -> str | None:
    """Find the alpha-2 code that TEXT means, or None.

    TEXT is an alpha-2 or alpha-3 code in any case, an English name (long, short or everyday),
    or the country's name in one of its own languages or one of the United Nations'.
    """
    return _codes().get(fold(text)) if len(text) <= _LONGEST else None


def nearest_country(text: str) -> str | None:
    """Suggest the code of the country whose name comes nearest to a mistyped TEXT, or None."""
    folded = fold(text[:_LONGEST])
    if len(folded) < 4:  # one letter wrong in a code may be any of a dozen others
        return None
    near = difflib.get_close_matches(folded, _codes(), n=1, cutoff=0.75)
    return _codes()[near[0]] if near else None


def meant(code: str | None) -> str:
    """Ask whether the country of CODE was meant; nothing where there is none."""
    return f" Did you mean {_table()[code][0]} ({code})?" if code else ""


@cache
def _table() -> dict[str, list[str]]:
    text = Path(__file__).with_name("countries.json").read_text(encoding="utf-8")
    table: dict[str, list[str]] = json.loads(text)
    return table


@cache
def _codes() -> dict[str, str]:
    codes = {fold(name): code for code, names in _table().items() for name in names}
    return codes | {code.lower(): code for code in _table()}

"""Recognise what people write for a number of people, and which members say it.

For `>50` participants that is `participants_low: 51`. A word never becomes a number in
silence: for `dozens` the codebook's lower bound is proposed, and the claim keeps the word.
"""

import re

Members = dict[str, int | None]

# The codebook's lower bounds; no upper bound, no best figure.
WORD_BOUNDS = {"dozens": 24, "hundreds": 200, "thousands": 2000}
_NUMBER = r"([0-9]{1,3}(?:[,. ][0-9]{3})+|[0-9]{1,10})"
# Each form with what its number adds to a bound: "more than 50" is at least 51.
_LOWER = (
    (re.compile(rf"(?:>|more than|over|above) ?{_NUMBER}"), 1),
    (re.compile(rf"(?:>=|≥|at least|minimum|min\.?|from) ?{_NUMBER}"), 0),
    (re.compile(rf"{_NUMBER} ?(?:\+|or more|and more|and above|at least)"), 0),
)
_UPPER = (
    (re.compile(rf"(?:<|fewer than|less than|under|below) ?{_NUMBER}"), -1),
    (re.compile(rf"(?:<=|≤|at most|up to|maximum|max\.?) ?{_NUMBER}"), 0),
    (re.compile(rf"{_NUMBER} ?(?:or fewer|or less|at most)"), 0),
)
_RANGE = re.compile(rf"(?:between )?{_NUMBER} ?(?:-|–|—|to|and|\.\.) ?{_NUMBER}")
_ABOUT = re.compile(rf"(?:about|around|approximately|approx\.?|some|circa|ca?\.?|~|≈) ?{_NUMBER}")
_EXACT = re.compile(_NUMBER)
# Three digits after a comma, a full stop or a blank: thousands here, decimals there.
_SEPARATED = re.compile(r"([0-9]{1,3})[,. ]([0-9]{3})")


def _members_for(name: str, text: str) -> Members | None:
    """Return the members of the count NAME that say TEXT, None where it is not plain."""
    plain = " ".join(text.lower().replace("\u00a0", " ").replace("\u202f", " ").split())
    if plain in WORD_BOUNDS:
        return {f"{name}_low": WORD_BOUNDS[plain]}
    if pair := _RANGE.fullmatch(plain):
        low, high = map(_number, pair.groups())
        return {f"{name}_low": low, f"{name}_high": high} if low < high else None
    for forms, end in ((_LOWER, "low"), (_UPPER, "high")):
        for form, added in forms:
            if bound := form.fullmatch(plain):
                return {f"{name}_{end}": max(_number(bound[1]) + added, 0)}
    if about := _ABOUT.fullmatch(plain):
        return {name: _number(about[1]), f"{name}_low": None, f"{name}_high": None}
    return None


def _readings(text: str) -> tuple[str, str] | None:
    """Return what a number with a separator may mean: `1.000` is 1000 or 1, `12,500` 12500 or 12.5.

    None where the text is no such number.
    """
    separated = _SEPARATED.fullmatch(text.strip())
    if separated is None:
        return None
    whole, rest = separated.groups()
    return f"{int(whole + rest)}", f"{int(whole)}.{rest}".rstrip("0").rstrip(".")


def explain(name: str, text: str) -> tuple[str, str | None]:
    """Return message and proposal for a text that stands where a count's member NAME does.

    A claim's members are `value`, whose reader has no name, `low` and `high`; a record's are
    `arrests`, `arrests_low` and so on. The proposal is written as members in JSON:
    `participants_low: 51`.
    """
    quoted = f"{text[:40]!r}"
    if both := _readings(text):
        return f"{quoted} may mean {' or '.join(both)}; write it in digits alone.", None
    is_claim = name in ("", "low", "high")
    if exact := _EXACT.fullmatch(text.strip()):
        members: Members | None = {name: _number(exact[1])}
    else:
        members = _members_for("" if is_claim else re.sub("_(?:low|high)$", "", name), text)
    if members is None:
        return f"{quoted} is a text; it takes a whole number, or null where unknown.", None
    if is_claim:
        members = {member.removeprefix("_") or "value": bound for member, bound in members.items()}
    proposal = ", ".join(
        f"{member}: {'null' if bound is None else bound}" for member, bound in members.items()
    )
    advice = " A claim keeps the word in its text." if text.strip().lower() in WORD_BOUNDS else ""
    return f"{quoted} is a text; to say so, give {proposal}.{advice}", proposal


def _number(text: str) -> int:
    return int(re.sub("[,. ]", "", text))

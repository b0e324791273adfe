"""Placeholders: words that people and programs write where nothing is known."""

import re

# Null says it, and is counted so. The second line is how spreadsheets write errors.
WORDS = (
    "unknown|n/a|na|n\\.a\\.|n\\.d\\.|none|null|nil|nan|tbd|tba|unspecified|-|--|–|—|\\?"
    "|#n/a|#ref!|#value!|#name\\?|#null!|#div/0!|#num!|#{3,}"
    "|not (?:known|available|reported)"
)
_LONGEST = 20  # characters
PLACEHOLDER = re.compile(WORDS, re.IGNORECASE)


def is_placeholder(text: str) -> bool:
    """Whether TEXT stands for nothing known."""
    return len(text) <= _LONGEST and PLACEHOLDER.fullmatch(text.strip()) is not None
